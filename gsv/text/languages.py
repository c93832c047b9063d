"""Language codes, and cutting a text into stretches of one language.

A code says how much of the finding out is left to gsv. For Mandarin and English, which share no letters, the script
alone decides; what needs more than that are digits and marks, which both use.
"""

import re
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from gsv.errors import TextError

Language = Literal["zh", "en", "ja", "ko", "yue"]


@dataclass(frozen=True)
class Segment:
    """A stretch of text in one language."""

    language: Language
    text: str


@dataclass(frozen=True)
class LanguageCode:
    """How a text of this code is cut.

    main: the language of everything that is not English.
    english_apart: whether stretches in Latin letters are English.
    digits_are_main: whether digits always belong to the main language; otherwise they follow their neighbours.
    refuses_others: whether a script that gsv cannot speak is an error; otherwise it counts as the main language.
    """

    main: Language
    english_apart: bool = True
    digits_are_main: bool = False
    refuses_others: bool = False


CODES: dict[str, LanguageCode] = {
    "all_zh": LanguageCode(main="zh", digits_are_main=True),
    "zh": LanguageCode(main="zh"),
    "en": LanguageCode(main="en", english_apart=False),
    "auto": LanguageCode(main="zh", refuses_others=True),
}
NOT_SUPPORTED_YET = ("all_ja", "ja", "all_ko", "ko", "all_yue", "yue", "auto_yue")

# What users write in the third column of a list file.
TAGS: dict[str, Language] = {
    "zh": "zh",
    "zh-cn": "zh",
    "cmn": "zh",
    "chinese": "zh",
    "en": "en",
    "en-us": "en",
    "en-gb": "en",
    "english": "en",
}
_TAGS_NOT_SUPPORTED_YET = ("ja", "jp", "ja-jp", "ko", "ko-kr", "kr", "yue", "zh-hk")

Kind = Literal["english", "main", "digits", "symbols"]


@dataclass(frozen=True)
class _Piece:
    kind: Kind
    text: str


_MARKS = frozenset("〜~,.;:!?，。！？；：、·([{<（【《〈「『“‘)]}>）】》〉」』”’\"-_—#$%&…￥'*+=@\\^`|\n\r")
_IDEOGRAPHS = "\u3005\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003134f"
_KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_MAIN = re.compile(f"[{_IDEOGRAPHS}{_KANA}{_HANGUL}]")
_OTHER_SCRIPTS = {"Japanese": re.compile(f"[{_KANA}]"), "Korean": re.compile(f"[{_HANGUL}]")}
_LATIN = "A-Za-zＡ-Ｚａ-ｚ\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
# Latin letters among ASCII signs; a degree sign, for instance, makes °C part of the language around it.
_ENGLISH = re.compile(
    f"(?=.*[{_LATIN}])[{_LATIN}\u0020-\u007e\u00b7\u2000-\u206f\u3000-\u303f\uff00-\uffef]+", re.DOTALL
)
# Units that the Mandarin rules write out.
_UNIT = re.compile(f"(?:cm|db|ds|kg|km|km/h|ml|mm|m|m/s|s)(?![{_LATIN}/0-9])(?!.*[{_LATIN}])", re.DOTALL)
_PAUSES = tuple(",.!?，。！？")


def language_code(code: str) -> LanguageCode:
    """The rules of a code.

    Raises:
        TextError: the code is unknown, or its language cannot be spoken yet.
    """
    if code in CODES:
        return CODES[code]
    supported = ", ".join(CODES)
    if code in NOT_SUPPORTED_YET:
        raise TextError(f"The language {code!r} is not supported yet; the supported ones are {supported}.")
    raise TextError(f"There is no language {code!r}; the supported ones are {supported}.")


def language_of_tag(tag: str) -> Language:
    """The language a list file means by `zh`, `ZH`, `zh-cn`, `EN`, `en_US` and the like.

    Raises:
        TextError: the tag is unknown, or its language cannot be spoken yet.
    """
    plain = tag.strip().lower().replace("_", "-")
    if plain in TAGS:
        return TAGS[plain]
    if plain in _TAGS_NOT_SUPPORTED_YET:
        raise TextError(f"The language {tag!r} is not supported yet; the supported ones are zh and en.")
    raise TextError(f"There is no language {tag!r}; the supported ones are zh and en.")


def segment(text: str, code: str) -> list[Segment]:
    """Cut `text` into stretches of one language, in order; neighbours differ in language.

    Raises:
        TextError: the code is unknown or not supported yet, or the text is in a script that gsv cannot speak and the
            code leaves the choice of language to gsv.
    """
    rules = language_code(code)
    if rules.refuses_others:
        _refuse_other_scripts(text)
    if not rules.english_apart:
        return [Segment(rules.main, text)]
    pieces = _merged(_units_placed(_merged(_pieces(text.strip()))))
    if rules.digits_are_main:
        pieces = [replace(piece, kind="main") if piece.kind != "english" else piece for piece in pieces]
    else:
        pieces = _symbols_placed(_merged(_digits_placed(pieces)))
    return [Segment("en" if piece.kind == "english" else rules.main, piece.text) for piece in _merged(pieces)]


def _refuse_other_scripts(text: str) -> None:
    for language, script in _OTHER_SCRIPTS.items():
        if script.search(text):
            raise TextError(f"{language} is not supported yet; the supported languages are {', '.join(CODES)}.")


def _kind(character: str) -> Kind:
    if _MAIN.match(character):
        return "main"
    return "digits" if character.isdigit() else "symbols"


def _pieces(text: str) -> list[_Piece]:
    """Runs of one kind of character; marks and blanks join what is before them, at the start what comes after."""
    runs: list[tuple[Kind, str]] = []
    marks_in_front = ""
    for joins, characters in groupby(text, lambda character: character in _MARKS or character.isspace()):
        run = "".join(characters)
        if joins and runs:
            runs[-1] = (runs[-1][0], runs[-1][1] + run)
        elif joins:
            marks_in_front = run
        else:
            for kind, same in groupby(run, _kind):
                runs.append((kind, marks_in_front + "".join(same)))
                marks_in_front = ""
    if marks_in_front:
        runs.append(("main", marks_in_front))
    return [_Piece("english" if kind == "symbols" and _ENGLISH.fullmatch(run) else kind, run) for kind, run in runs]


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    return [
        _Piece(kind, "".join(piece.text for piece in same)) for kind, same in groupby(pieces, lambda piece: piece.kind)
    ]


def _units_placed(pieces: list[_Piece]) -> list[_Piece]:
    """Give the unit of 5km to the language of the text around the number, instead of spelling it in English."""
    before: list[_Piece | None] = [None, None, *pieces]
    return [
        replace(piece, kind="main") if _is_unit(piece, digits) and (text is None or text.kind == "main") else piece
        for text, digits, piece in zip(before, before[1:], pieces, strict=False)
    ]


def _is_unit(piece: _Piece, digits: _Piece | None) -> bool:
    follows_number = digits is not None and digits.kind == "digits" and digits.text[-1].isdigit()
    return follows_number and piece.kind == "english" and _UNIT.match(piece.text) is not None


def _digits_placed(pieces: list[_Piece]) -> list[_Piece]:
    """Give every run of digits the kind of the neighbour it belongs to."""
    placed: list[_Piece] = []
    for position, piece in enumerate(pieces):
        if piece.kind == "digits":
            right = pieces[position + 1] if position + 1 < len(pieces) else None
            piece = replace(piece, kind=_kind_of_digits(placed[-1] if placed else None, piece, right))
        placed = _merged([*placed, piece])
    return placed


def _kind_of_digits(left: _Piece | None, digits: _Piece, right: _Piece | None) -> Kind:
    if left is None or right is None:
        neighbour = left or right
        return neighbour.kind if neighbour else "main"
    if left.text.endswith(_PAUSES):
        return right.kind
    if right.text.startswith(_PAUSES) or digits.text.endswith((".", "。")):
        return left.kind
    return left.kind if len(left.text) >= len(right.text) else right.kind


def _symbols_placed(pieces: list[_Piece]) -> list[_Piece]:
    """Give what belongs to no language the kind of the piece before it, at the start of the one after."""
    placed: list[_Piece] = []
    for position, piece in enumerate(pieces):
        if piece.kind == "symbols":
            right = pieces[position + 1] if position + 1 < len(pieces) else None
            neighbour = placed[-1] if placed else right
            piece = replace(piece, kind=neighbour.kind if neighbour else "main")
        placed.append(piece)
    return placed
