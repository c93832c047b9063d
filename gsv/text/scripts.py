"""Which writing a character belongs to, and making text plain enough for the languages to read."""

import re
import unicodedata
from collections.abc import Collection
from typing import Literal

from gsv.errors import TextError

Script = Literal["latin", "ideographs", "kana", "hangul", "digits", "other"]

LATIN = "A-Za-zＡ-Ｚａ-ｚ\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
IDEOGRAPHS = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
KANA = "\u3040-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"

_SCRIPTS: tuple[tuple[Script, re.Pattern[str]], ...] = (
    ("ideographs", re.compile(f"[{IDEOGRAPHS}]")),
    ("latin", re.compile(f"[{LATIN}]")),
    ("kana", re.compile(f"[{KANA}]")),
    ("hangul", re.compile(f"[{HANGUL}]")),
)

# Letters in fancy dress, as chats are full of: mathematical, circled, squared and joined ones.
_DRESSED = re.compile("[\U0001d400-\U0001d7ff\u24b6-\u24e9\U0001f130-\U0001f149\U0001f170-\U0001f189\ufb00-\ufb06ªº]")
# Numbers that are one character; the languages read circled numbers to ten, fractions and powers by themselves.
_ROMAN_NUMERAL = re.compile("[\u2160-\u2188]")
_CIRCLED_NUMBER = re.compile("[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
_TEN_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩"
# Nobody says a number of so many digits as one.
_ENDLESS_NUMBER = re.compile("(?:[0-9０-９⁰¹²³⁴-⁹] ?){41,}")
_GROUP = 10
# Phonetic letters stand beside a word that is read already.
_PHONETIC = re.compile("[\u0250-\u02ff\u1d00-\u1dbf]")
_GREEK = re.compile("[\u0391-\u03a9\u03b1-\u03c9]")
_GREEK_WORD = 4  # letters; fewer are a formula


def script(character: str) -> Script:
    """The script of one character; digits are those of the decimal system."""
    for name, pattern in _SCRIPTS:
        if pattern.match(character):
            return name
    return "digits" if character.isdigit() else "other"


def holds(text: str, scripts: Collection[Script]) -> bool:
    """Whether a character of the text is in one of the scripts."""
    return any(script(character) in scripts for character in text)


def plain(text: str) -> str:
    """The text in composed characters, its letters and digits in the forms that the languages read.

    Raises:
        TextError: the text holds a word in a script that no language of gsv is written in.
    """
    text = _ENDLESS_NUMBER.sub(_in_groups, text)
    if text.isascii():
        return text
    # Half surrogates come from broken files and are no characters.
    text = unicodedata.normalize("NFC", re.sub("[\ud800-\udfff]", "\ufffd", text))
    text = _DRESSED.sub(lambda match: re.sub(r"[^0-9A-Za-z]", "", unicodedata.normalize("NFKD", match[0])), text)
    text = _ROMAN_NUMERAL.sub(_as_digits, text)
    text = _CIRCLED_NUMBER.sub(lambda match: match[0] if match[0] in _TEN_CIRCLED else _as_digits(match), text)
    text = "".join(map(_plain_digit, text))
    _refuse_foreign_words(text)
    return text


def _in_groups(match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "")
    return ", ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _as_digits(match: re.Match[str]) -> str:
    return f"{unicodedata.numeric(match[0]):g}"


def _plain_digit(character: str) -> str:
    known = character.isascii() or not character.isdecimal() or "０" <= character <= "９"
    return character if known else str(unicodedata.decimal(character))


def _refuse_foreign_words(text: str) -> None:
    """A word has two letters or more; a single one is part of a face or a picture, like ಠ_ಠ."""
    for word in re.findall(r"[^\W\d_]{2,}", text):
        letters = [letter for letter in word if script(letter) == "other" and not _PHONETIC.match(letter)]
        if len(letters) < 2 or (len(letters) < _GREEK_WORD and all(map(_GREEK.match, letters))):
            continue
        raise TextError(
            f"The text holds {word[:40]!r}, which gsv cannot read; it reads Chinese, English, Japanese and Korean."
        )
