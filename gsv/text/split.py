"""Cutting a long text into pieces short enough to be spoken in one go.

The order of work, from raw text to pieces, stands in `pieces`. Where a piece ends is audible, so the rules are exactly
those that users of GPT-SoVITS know.
"""

import re
from collections.abc import Callable, Sequence

from gsv.errors import InputError, TextError
from gsv.text import markup, sentences
from gsv.text.symbols import PUNCTUATION

# Marks at which a text may be cut, and after which a piece counts as ended.
SPLIT_MARKS = frozenset("，。？！,.?!~:：—…")
# cut5 cuts at the marks a reader pauses at, semicolons and enumeration commas among them.
CUT5_MARKS = frozenset(",.;?!、，。？！：…")
# A chunk of nothing but these was made by the cutting itself.
_HOLLOW = frozenset(PUNCTUATION) | {" "}

MIN_FIRST = 4
MIN_PIECE = 5
MAX_PIECE = 510  # the text encoder takes 512 tokens, two of which mark start and end
_CUT1_SENTENCES = 4
_CUT2_LENGTH = 50

_PUNCTUATION_CLASS = "[" + re.escape("".join(PUNCTUATION)) + "]"
_REPEATED = re.compile(f"({_PUNCTUATION_CLASS}){_PUNCTUATION_CLASS}+")
_SPLIT_MARK = re.compile("([" + re.escape("".join(sorted(SPLIT_MARKS))) + "])")
_FULL_STOP_OF_A_SENTENCE = re.compile(r"(?<!\d)\.(?!\d)")
_PRONOUNCEABLE = re.compile(rf"[^\W_]|[{markup.MARKS}]")


def collapse_punctuation(text: str) -> str:
    """Keep only the first mark of every run of `! ? … , . -`."""
    return _REPEATED.sub(r"\1", text)


def first_chunk(text: str) -> str:
    """What stands before the first split mark, without blanks around it."""
    return _SPLIT_MARK.split(text, maxsplit=1)[0].strip()


def merge_short(pieces: Sequence[str], minimum: int = MIN_PIECE) -> list[str]:
    """Join neighbours until each piece has at least `minimum` characters; a short rest joins the piece before it."""
    if len(pieces) < 2:
        return list(pieces)
    merged: list[str] = []
    pending = ""
    for piece in pieces:
        pending += piece
        if len(pending) >= minimum:
            merged.append(pending)
            pending = ""
    if pending and merged:
        merged[-1] += pending
    elif pending:
        merged.append(pending)
    return merged


def recut(text: str, maximum: int = MAX_PIECE) -> list[str]:
    """Cut at split marks so that no piece has more than `maximum` characters.

    A stretch without any mark cannot be cut there; it is cut at exactly `maximum` characters.
    """
    pieces: list[str] = []
    current = ""
    for part in _SPLIT_MARK.split(text):
        if current and len(current) + len(part) > maximum:
            pieces.append(current)
            current = ""
        current += part
        while len(current) > maximum:
            pieces.append(current[:maximum])
            current = current[maximum:]
    return [*pieces, current] if current else pieces


def _hollow(chunk: str, marks: frozenset[str] = _HOLLOW) -> bool:
    return marks.issuperset(chunk)


def _sentences(text: str) -> list[str]:
    """The text after each split mark cut, every part with its mark; `……` and `——` count as one mark."""
    text = text.replace("……", "。").replace("——", "，")
    if text and text[-1] not in SPLIT_MARKS:
        text += "。"
    parts = _SPLIT_MARK.split(text)  # text, mark, text, mark, ..., and an empty text after the last mark
    return [before + mark for before, mark in zip(parts[0:-1:2], parts[1::2], strict=True)]


def _cut0(text: str) -> str:
    return "\n" if _hollow(text) else text


def _cut1(text: str) -> str:
    text = text.strip("\n")
    sentences = _sentences(text)
    if len(sentences) <= _CUT1_SENTENCES:
        groups = [text]
    else:
        # The last group takes the remainder, so it holds five to eight sentences unless they come out even.
        starts = list(range(0, len(sentences), _CUT1_SENTENCES))[:-1]
        ends = [*starts[1:], len(sentences)]
        groups = ["".join(sentences[start:end]) for start, end in zip(starts, ends, strict=True)]
    return "\n".join(group for group in groups if not _hollow(group))


def _cut2(text: str) -> str:
    text = text.strip("\n")
    sentences = _sentences(text)
    if len(sentences) < 2:
        return text
    groups = [""]
    for sentence in sentences:
        if len(groups[-1]) > _CUT2_LENGTH:
            groups.append("")
        groups[-1] += sentence
    if len(groups) > 1 and len(groups[-1]) < _CUT2_LENGTH:
        groups[-2:] = [groups[-2] + groups[-1]]
    return "\n".join(group for group in groups if not _hollow(group))


def _cut3(text: str) -> str:
    return "\n".join(chunk for chunk in text.strip("\n").strip("。").split("。") if not _hollow(chunk))


def _cut4(text: str) -> str:
    chunks = _FULL_STOP_OF_A_SENTENCE.split(text.strip("\n").strip("."))
    return "\n".join(chunk for chunk in chunks if not _hollow(chunk))


def _is_decimal_point(text: str, position: int) -> bool:
    around = text[max(position - 1, 0)] + text[position + 1 : position + 2]
    return text[position] == "." and len(around) == 2 and around.isdigit()


def _cut5(text: str) -> str:
    text = text.strip("\n")
    chunks = [""]
    for position, character in enumerate(text):
        chunks[-1] += character
        if character in CUT5_MARKS and not _is_decimal_point(text, position):
            chunks.append("")
    return "\n".join(chunk for chunk in chunks if not _hollow(chunk, CUT5_MARKS))


def _auto(text: str) -> str:
    return "\n".join(chunk for chunk in sentences.auto(text.strip("\n")) if not _hollow(chunk.strip("\n")))


METHODS: dict[str, Callable[[str], str]] = {
    "auto": _auto,
    "cut0": _cut0,
    "cut1": _cut1,
    "cut2": _cut2,
    "cut3": _cut3,
    "cut4": _cut4,
    "cut5": _cut5,
}


def cut(text: str, method: str) -> str:
    """Cut `text` by one method; the chunks come back joined by newlines.

    cut0 leaves the text whole, cut1 makes groups of four sentences, cut2 groups of about 50 characters, cut3 cuts at
    `。`, cut4 at `.`, cut5 at every punctuation mark, auto behind sentences and, where these are long, behind clauses.

    Raises:
        InputError: the method is none of these.
    """
    if method not in METHODS:
        raise InputError(f"There is no split method {method!r}; choose one of {', '.join(METHODS)}.")
    return METHODS[method](text)


def closed(text: str, language: str) -> str:
    """The text with a full stop behind it unless it ends in a split mark."""
    return text if text and text[-1] in SPLIT_MARKS else text + _full_stop(language)


def _full_stop(language: str) -> str:
    return "." if language == "en" else "。"


def pre_segment(text: str, language: str, method: str) -> list[str]:
    """Pieces of a text whose runs of punctuation are collapsed already; none when nothing in it can be spoken."""
    text = text.strip("\n")
    if not text:
        return []
    if text[0] not in SPLIT_MARKS and len(first_chunk(text)) < MIN_FIRST:
        # A very short beginning is swallowed by the model; a full stop in front gives it time.
        text = _full_stop(language) + text
    chunks = [chunk for chunk in cut(text, method).split("\n") if chunk not in ("", " ")]
    result: list[str] = []
    for piece in merge_short(chunks):
        if not _PRONOUNCEABLE.search(piece):
            continue
        result.extend(recut(closed(piece, language)))
    return result


def pieces(text: str, language: str, method: str = "cut5") -> list[str]:
    """The whole way from a text to the pieces that are spoken one after the other; none begins or ends inside markup.

    Raises:
        InputError: the split method is unknown.
        TextError: nothing in the text can be spoken, or its markup is not written as it should be.
    """
    return markup.cut(text, lambda part: _pieces(part, language, method))


def _pieces(text: str, language: str, method: str) -> list[str]:
    result = pre_segment(collapse_punctuation(text), language, method)
    if not result:
        raise TextError("The text holds nothing that can be spoken; give it at least one letter, digit or character.")
    return result
