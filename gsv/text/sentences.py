"""Cutting a long text where a reader would breathe: the split method `auto`.

A text is cut behind its sentences. One that takes longer than a breath is cut again behind clauses, into parts as equal
as its marks allow; one of hardly a word joins the sentence after it. No cut falls inside a number, a quotation or an
abbreviation, and nothing is left out.
"""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

# What takes half a second or less to say joins the next sentence, what takes more than some ten seconds is cut.
# Lengths are in characters of Chinese; Latin letters count less.
SHORT = 2.0
LONG = 60.0
_LATIN_WEIGHT = 0.35

_QUOTATIONS = re.compile(
    r"“[^“”\n]{0,400}”|「[^「」\n]{0,400}」|『[^『』\n]{0,400}』|《[^《》\n]{0,400}》|（[^（）\n]{0,400}）|【[^【】\n]{0,400}】"
    r"|\([^()\n]{0,400}\)|\[[^\[\]\n]{0,400}\]|(?<![^\s(（，。,:：—-])\"[^\"\n]{0,400}\"|(?<!\w)‘[^‘\n]{0,400}?’(?!\w)"
)
_NUMBER = re.compile(r"[0-9０-９](?:[.,:：，、/][0-9０-９]+)+|(?m:^\s*)[0-9]{1,3}\.(?=\s)")
# Short words of which the point is a part, and letters with points.
_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Jr|Sr|Rev|Hon|Gen|Col|Maj|Capt|Lt|Sgt|Messrs|Mt|Ave|Blvd|Rd|Inc|Ltd|Co|Corp|No|Nos|Vol"
    r"|Fig|Figs|Ch|Sec|Eq|pp|vs|etc|al|cf|ca|approx|est|dept|min|max|tel|ext|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"
    r"|Mon|Tues?|Wed|Thurs?|Fri|Sat|Sun|[A-Za-z](?:\.[A-Za-z])*)\.(?!\s*$)",
    re.MULTILINE,
)
_CLOSING = '”’」』》）)】\\]"'
# After these a sentence is over: ASCII ones where a blank or another script follows, as web addresses hold them too.
_OVER = rf"(?:[。！？]|[.!?](?=[.!?\s{_CLOSING}]|$|[^\x00-\x7f]))"
# Behind a quotation the sentence may go on: “Really?” she said.
_SENTENCE = re.compile(
    rf"{_OVER}+(?:[”」』\"][{_CLOSING}]*(?=\s*$|\s*[“「『\n]|\s+[A-Z\"])|[’》）)】\]]*(?![{_CLOSING}]))|\n+"
)
_CLAUSE = re.compile(rf"[，、；：…—]+[{_CLOSING}]*|[,;:](?=\s|[^\x00-\x7f])[{_CLOSING}]*|(?<=[。！？!?.…])[”」』]")
_BLANK = re.compile(r"\s+")


def auto(text: str) -> list[str]:
    """The text in pieces, which joined are the text."""
    inside = [False] * (len(text) + 1)
    for pattern in (_QUOTATIONS, _NUMBER, _ABBREVIATION):
        for match in pattern.finditer(text):
            inside[match.start() + 1 : match.end()] = [True] * (len(match[0]) - 1)
            if pattern is _ABBREVIATION:
                inside[match.end()] = True
    pieces: list[str] = []
    start = 0
    for sentence in _joined(_cut(text, [end for end in _ends(_SENTENCE, text) if not inside[end]])):
        pieces += _breaths(sentence, inside[start : start + len(sentence) + 1])
        start += len(sentence)
    return pieces


def _joined(sentences: list[str]) -> Iterator[str]:
    """Short sentences with the ones after them; the end of a line is kept."""
    short = ""
    for sentence in sentences:
        short += sentence
        if short.endswith("\n") or _weight(short) >= SHORT:
            yield short
            short = ""
    if short:
        yield short


def _ends(pattern: re.Pattern[str], text: str) -> Iterable[int]:
    return (match.end() for match in pattern.finditer(text))


def _cut(text: str, ends: Iterable[int]) -> list[str]:
    """The stretches between ends."""
    places = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(places) if end > start]


def _weight(text: str) -> float:
    return sum(_LATIN_WEIGHT if character < "\u2e80" else 1.0 for character in text if not character.isspace())


def _breaths(sentence: str, inside: list[bool]) -> list[str]:
    """A sentence in parts of about the same length, none longer than LONG if its marks or at least its blanks allow."""
    whole = _weight(sentence)
    if whole <= LONG:
        return [sentence]
    places = sorted({*_ends(_CLAUSE, sentence), *_ends(_SENTENCE, sentence)})
    clauses = _cut(sentence, [end for end in places if not inside[end]])
    if max(map(_weight, clauses)) > 2 * LONG:
        places = sorted({*places, *_ends(_BLANK, sentence)})
        clauses = _cut(sentence, [end for end in places if not inside[end]])
    breath = whole / math.ceil(whole / LONG)
    pieces = [""]
    said = 0.0
    for clause in clauses:
        weight = _weight(clause)
        # Past the middle of a clause it belongs to the next breath.
        if pieces[-1] and said + weight / 2 > breath * len(pieces):
            pieces.append("")
        pieces[-1] += clause
        said += weight
    return pieces
