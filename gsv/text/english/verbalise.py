"""From written English to words, blanks and the marks `' . , ? ! -` alone.

What is read differently from other GPT-SoVITS programs, and why, is listed in docs/text-english.md.
"""

import re
import unicodedata
from collections.abc import Callable

from gsv.text.english import lexicon
from gsv.text.english.numbers import spell_numbers

Match = re.Match[str]

# Full-width forms of "!" to "~" lie this far above the plain ones.
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(ord("!"), ord("~") + 1)}
_PLAIN = str.maketrans(
    _FULL_WIDTH
    | {"、": ",", "。": ".", "…": "...", "−": "-", "‐": "-", "‑": "-", "ʼ": "’", "`": "’"}
    | {"￡": "£", "￥": "¥", "℃": "°C", "℉": "°F"}
)
# Letters that Unicode does not take apart into a letter and an accent.
_WHOLE_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"ð": "th", "Ð": "Th", "þ": "th", "Þ": "Th", "ı": "i"}
)
_WEB_NAMES = {"/": " slash ", "@": " at ", ".": " dot ", "-": " dash ", "_": " underscore "} | dict.fromkeys(
    "?&#", ", "
)

_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞]")
_WEB_PAGE = re.compile(r"\bhttps?://(?P<rest>[^\s<>\"']*[\w/])|\bwww\.[^\s<>\"']*[\w/]", re.ASCII)
_MAIL = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", re.ASCII)

_Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]


def _compiled(*rules: tuple[str, str | Callable[[Match], str]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern), spoken) for pattern, spoken in rules)


# Before numbers: what would hide or break one.
_EARLY = _compiled(
    (r"\s+", " "),
    (r"(?<=\w)’(?=[^\W\d_])|’(?=(?:tis|twas|em|til|cause|n)\b)|’(?=\d0s\b)", "'"),
    (r"#\s?(?=\d)", "number "),
)
# After numbers: every other symbol is spoken, becomes a pause, or goes.
_LATE = _compiled(
    (r"\s*%", " percent"),
    (r"\s*&\s*", " and "),
    (r"\s*@\s*", " at "),
    (r"(?<=\w)\++", lambda match: " plus" * len(match[0])),
    (r"(?<=\w)²", " squared"),
    (r"(?<=\w)³", " cubed"),
    (r"[;:]+(?=\S)", ", "),
    (r"[;:]+", ","),
    # Dashes: long ones, doubled hyphens and spaced hyphens are pauses.
    (r"^\s*[-–—―]+\s*", ""),
    (r"\s*(?:[–—―]|--)[-–—―]*\s*|\s-\s", ", "),
    (r"\((e?s)\)", r"\1"),
    # A symbol between two words parts them; elsewhere it just goes.
    (r"(?<=[A-Za-z])[^ A-Za-z'.,?!-]+(?=[A-Za-z])", " "),
    (r"[^ A-Za-z'.,?!-]", ""),
    (r"\b[Ii]\.[Ee]\b\.?", "that is"),
    (r"\b[Ee]\.[Gg]\b\.?", "for example"),
)
_SPACING = _compiled(
    # Acronyms are spelt and CamelCase is parted at every capital.
    (r"(?<!^)(?<!\s)(?=[A-Z])", " "),
    (r"([.,?!-])(?:\s*[.,?!-])+", r"\1"),
    (r"\s+(?=[.,?!])", ""),
    (r"\s-", " "),
    (r"\s+", " "),
    (r", $", ","),
)

_CAPITALS = re.compile(r"\b[A-Z]{2,}(?:'[A-Z]+)?\b|\b[A-Z]{2,}(?=s\b)")
_WORD_ACRONYM = 4  # letters: shorter acronyms are spelt even where a word looks the same (IT, US, LAX)


def _apply(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, spoken in rules:
        text = pattern.sub(spoken, text)
    return text


def _web_page(match: Match) -> str:
    return "".join(_WEB_NAMES.get(char, char) for char in match["rest"] or match[0]).rstrip(" ,")


def _mail(match: Match) -> str:
    return "".join(_WEB_NAMES.get(char, char) for char in match[0])


def _is_shouted(text: str) -> bool:
    """Whether a text is written in capitals throughout, so that they mean nothing."""
    return text.upper() == text and len(re.findall(r"\b[A-Z]{2,}\b", text)) > 1


def _respell_capitals(text: str, shouted: bool) -> str:
    """Write those words in capitals small that are read as words; what stays in capitals is spelt letter by letter."""

    def respell(match: Match) -> str:
        word = match[0]
        if text.startswith("s", match.end()):
            return f"{word}'"  # "TVs": the plural of a spelt word sounds like "TV's"
        if word.lower() in lexicon.HOT_WORDS:
            return word.capitalize()
        if lexicon.knows(word.lower()) and (shouted or len(word) >= _WORD_ACRONYM):
            return word.lower() if shouted else word.capitalize()
        return word

    return _CAPITALS.sub(respell, text)


def normalize(text: str) -> str:
    """English text in the words that are spoken: letters, blanks and the marks `' . , ? ! -`.

    Numbers, units, money, times and symbols are spelt out, acronyms and CamelCase are parted ("FBI" -> "F B I"),
    accents are dropped, and of marks in a row the first is kept. Other scripts and emoji are left out.
    """
    text = text.translate(_PLAIN)
    shouted = _is_shouted(text)
    text = _VULGAR_FRACTION.sub(lambda match: f" {unicodedata.normalize('NFKC', match[0])}".replace("⁄", "/"), text)
    text = _MAIL.sub(_mail, _WEB_PAGE.sub(_web_page, text))
    text = spell_numbers(_apply(_EARLY, text))
    decomposed = unicodedata.normalize("NFD", text.translate(_WHOLE_LETTERS))
    text = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    text = _respell_capitals(_apply(_LATE, text), shouted)
    return _apply(_SPACING, text)
