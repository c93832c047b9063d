"""Cutting a text into stretches of one language.

The script decides wherever it can: Latin letters are English, kana Japanese, Hangul Korean. Ideographs belong to the
language of the code; where that has none, or is one that is written without them, they are looked into
(`gsv.text.detection`). Digits, marks and other signs have no language and go with their neighbours.

Nothing is taken away: the stretches joined are the text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, zip_longest
from typing import Literal

from gsv.errors import TextError
from gsv.text.languages import LANGUAGES, NAMES, Language, LanguageCode, language_code
from gsv.text.scripts import LATIN, Script, script
from gsv.text.symbols import TableName


@dataclass(frozen=True)
class Segment:
    """A stretch of text in one language."""

    language: Language
    text: str


# What a piece is before digits and signs are given to a language.
Kind = Literal[Language, "digits", "symbols"]
_WITHOUT_LANGUAGE: frozenset[Kind] = frozenset({"digits", "symbols"})


@dataclass(frozen=True)
class _Piece:
    kind: Kind
    text: str


_MARKS = frozenset("〜~,.;:!?，。！？；：、·([{<（【《〈「『“‘)]}>）】》〉」』”’\"-_—#$%&…￥'*+=@\\^`|\n\r")
# Latin letters among the signs that may stand between them, or other signs; a unit with a sign (°C, μm) is no word.
_AMONG_LETTERS = rf"{LATIN}\s\u0020-\u007e\u00b7\u0250-\u02ff\u0300-\u036f\u2000-\u206f\u3000-\u303f\uff00-\uffef"
_ENGLISH_OR_NOT = re.compile(
    rf"[°µμ][A-Za-z]{{1,2}}(?![A-Za-z])|[{_AMONG_LETTERS}]+|(?:(?![°µμ][A-Za-z])[^{_AMONG_LETTERS}])+|[°µμ]"
)
_LETTER = re.compile(f"[{LATIN}]")


_SPEEDS = ("km/h", "m/s")
# What is counted is said with its number: years, months, days, hours, minutes, seconds, money, ages, things.
COUNTER = re.compile("[年月日号時时点點分秒元円圓圆塊块歲岁歳個个개월일년시분초원살명]")
# What may stand between a number and its unit, and before an amount of money.
_POWERS = frozenset("百千万萬亿億")
_DOLLARS = ("HK$", "US$")
_LENGTHENING = frozenset("ーｰ゛゜ﾞﾟ")
_PAUSES = tuple(",.!?，。！？")
_WITHOUT_IDEOGRAPHS: frozenset[Language | None] = frozenset({None, "en", "ko"})
_WITH_CHINESE: frozenset[Kind | None] = frozenset({"zh", "yue"})


def segment(text: str, code: str, table: TableName = "v2") -> list[Segment]:
    """Cut `text` into stretches of one language, in order; neighbours differ in language.

    Raises:
        TextError: the code is unknown, or words are in a language that models of this symbol table do not speak.
    """
    rules = language_code(code, table)
    pieces = _merged(_units_placed(_counted_placed(_merged(_pieces(text, rules)))))
    usual = _usual(pieces, rules)
    if rules.digits_are_main:
        pieces = [replace(piece, kind=usual) if piece.kind in _WITHOUT_LANGUAGE else piece for piece in pieces]
    else:
        pieces = _symbols_placed(_merged(_digits_placed(pieces, usual)), usual)
    found = [Segment(_language(piece), piece.text) for piece in _merged(pieces)]
    for stretch in found:
        if stretch.language not in LANGUAGES[table]:
            raise TextError(
                f"The text holds {NAMES[stretch.language]}, which this model does not speak; use a later one."
            )
    return found


def _usual(pieces: list[_Piece], rules: LanguageCode) -> Language:
    """The language of what has no language and no neighbour."""
    if rules.main is not None:
        return rules.main
    return next((_language(piece) for piece in pieces if piece.kind not in _WITHOUT_LANGUAGE), rules.chinese)


def _language(piece: _Piece) -> Language:
    if piece.kind == "digits" or piece.kind == "symbols":
        raise AssertionError(f"{piece.text!r} was given to no language")
    return piece.kind


def _kinds(text: str, rules: LanguageCode) -> list[Kind]:
    """What each character of the text is, without a look at its neighbours."""
    scripts: list[Script] = [script(character) for character in text]
    if rules.main == "ja":
        # Japanese reads its own wide letters.
        scripts = ["kana" if "Ａ" <= character <= "ｚ" else name for character, name in zip(text, scripts, strict=True)]
    # ー lengthens kana; Chinese writes it behind any word, for fun.
    stray = [
        position
        for position, (before, mark) in enumerate(zip(["other", *scripts], text, strict=False))
        if mark in _LENGTHENING and before != "kana"
    ]
    for position in stray:
        scripts[position] = "other"
    by_script: dict[str, Kind] = {
        "kana": "ja",
        "hangul": "ko",
        "digits": "digits",
        "latin": "symbols",
        "other": "symbols",
    }
    kinds = [by_script.get(name, rules.main or rules.chinese) for name in scripts]
    # Within Chinese, Japanese words take their ideographs along.
    detected = rules.main in _WITHOUT_IDEOGRAPHS or (rules.main in _WITH_CHINESE and "kana" in scripts)
    if "ideographs" in scripts and detected:
        from gsv.text.detection import japanese_characters

        is_chinese = rules.main in _WITH_CHINESE
        japanese = japanese_characters(_without(text, stray), only_with_kana=is_chinese)
        chinese: Kind = rules.main if is_chinese and rules.main else rules.chinese
        for position, name in enumerate(scripts):
            if name == "ideographs":
                kinds[position] = "ja" if japanese[position] else chinese
    return kinds


def _without(text: str, positions: list[int]) -> str:
    """The text with marks in place of some characters."""
    characters = list(text)
    for position in positions:
        characters[position] = "，"
    return "".join(characters)


def _pieces(text: str, rules: LanguageCode) -> list[_Piece]:
    """Runs of one kind of character; marks and blanks join what is before them, at the start what comes after."""
    runs: list[tuple[Kind, str]] = []
    marks_in_front = ""
    characters = zip(text, _kinds(text, rules), strict=True)
    for joins, group in groupby(characters, lambda pair: pair[0] in _MARKS or pair[0].isspace()):
        run = list(group)
        marks = "".join(character for character, _ in run)
        if joins and runs:
            runs[-1] = (runs[-1][0], runs[-1][1] + marks)
        elif joins:
            marks_in_front = marks
        else:
            for kind, same in groupby(run, lambda pair: pair[1]):
                runs.append((kind, marks_in_front + "".join(character for character, _ in same)))
                marks_in_front = ""
    if marks_in_front:
        runs.append(("symbols", marks_in_front))
    return [
        piece for kind, run in runs for piece in (_english_apart(run) if kind == "symbols" else [_Piece(kind, run)])
    ]


def _english_apart(signs: str) -> list[_Piece]:
    """Signs and Latin letters in pieces of English words and of other signs."""
    return [
        _Piece("en" if _LETTER.search(part[0]) and part[0][0] not in "°µμ" else "symbols", part[0])
        for part in _ENGLISH_OR_NOT.finditer(signs)
    ]


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    return [
        _Piece(kind, "".join(piece.text for piece in same)) for kind, same in groupby(pieces, lambda piece: piece.kind)
    ]


def _counted_placed(pieces: list[_Piece]) -> list[_Piece]:
    """Give a number to the language of the counter right behind it."""
    return [
        replace(piece, kind=counter.kind)
        if piece.kind == "digits" and piece.text[-1].isdigit() and counter and COUNTER.match(counter.text)
        else piece
        for piece, counter in zip_longest(pieces, pieces[1:])
    ]


def _units_placed(pieces: list[_Piece]) -> list[_Piece]:
    """Give the unit of 5km to the language of the text around the number, instead of spelling it in English."""
    before: list[_Piece | None] = [None, None, *pieces]
    after: list[_Piece | None] = [*pieces[1:], None]
    placed: list[_Piece] = []
    for text, digits, piece, follower in zip(before, before[1:], pieces, after, strict=False):
        around = text or follower
        counted = digits is not None and digits.kind == "digits" and digits.text[-1].isdigit()
        if digits and digits.text in _POWERS and text and text.kind == "digits":
            around, counted = digits, True
        is_unit = bool(piece.kind == "en" and around and _units_of(around.kind).match(piece.text))
        if digits and digits.kind in _WITH_CHINESE and _is_dollars(piece, follower):
            around, counted, is_unit = digits, True, True
        placed.append(replace(piece, kind=around.kind) if counted and around and is_unit else piece)
    return placed


def _is_dollars(piece: _Piece, follower: _Piece | None) -> bool:
    return piece.text in _DOLLARS and follower is not None and follower.text[0].isdigit()


@cache
def _units_of(kind: Kind) -> re.Pattern[str]:
    """The units in Latin letters that the rules of a language write out."""
    names: Iterable[str] = ()
    if kind in _WITH_CHINESE:
        from gsv.text.units import RATES, UNITS

        names = (*UNITS, *RATES, *_SPEEDS)
    elif kind == "ja":
        from gsv.text.japanese import units as japanese

        names = (*japanese.UNITS, *japanese.KNOWN, *_SPEEDS)
    elif kind == "ko":
        from gsv.text.korean import units as korean

        names = (*korean.UNITS, *_SPEEDS)
    any_name = "|".join(map(re.escape, names)) or r"(?!)"
    return re.compile(f"(?:{any_name})(?![{LATIN}/0-9])(?!.*[{LATIN}])", re.DOTALL)


def _digits_placed(pieces: list[_Piece], usual: Language) -> list[_Piece]:
    """Give every run of digits the kind of the neighbour it belongs to."""
    placed: list[_Piece] = []
    for position, piece in enumerate(pieces):
        if piece.kind == "digits":
            right = pieces[position + 1] if position + 1 < len(pieces) else None
            piece = replace(piece, kind=_kind_of_digits(placed[-1] if placed else None, piece, right, usual))
        if placed and placed[-1].kind == piece.kind:
            placed[-1] = replace(piece, text=placed[-1].text + piece.text)
        else:
            placed.append(piece)
    return placed


def _kind_of_digits(left: _Piece | None, digits: _Piece, right: _Piece | None, usual: Language) -> Kind:
    if left is None or right is None:
        neighbour = left or right
        return neighbour.kind if neighbour else usual
    if left.text.endswith(_PAUSES):
        return right.kind
    if right.text.startswith(_PAUSES) or digits.text.endswith((".", "。")):
        return left.kind
    return left.kind if len(left.text) >= len(right.text) else right.kind


def _symbols_placed(pieces: list[_Piece], usual: Language) -> list[_Piece]:
    """Give what belongs to no language the kind of the piece before it, at the start of the one after."""
    placed: list[_Piece] = []
    for position, piece in enumerate(pieces):
        if piece.kind == "symbols":
            right = pieces[position + 1] if position + 1 < len(pieces) else None
            neighbour = placed[-1] if placed else right
            piece = replace(piece, kind=neighbour.kind if neighbour else usual)
        placed.append(piece)
    return placed
