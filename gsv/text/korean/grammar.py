"""Which syllables end a stem or an ending: rules of sound differ between `안고` (hugging) and `안과` (eye doctor)."""

import re
from functools import cache
from typing import TYPE_CHECKING

from gsv.text.korean.sounds import ENDING, STEM, apart

if TYPE_CHECKING:
    from mecab import MeCab

_STEM_CODAS = frozenset("ᆫᆬᆷᆱᆰᆲᆴ")
_ENDING_CODA = "ᆯ"
# Longer texts are analysed in parts.
_LONGEST = 1000
_PART = re.compile(rf"(?s).{{1,{_LONGEST}}}(?<=[.?!,\s])|.{{1,{_LONGEST}}}")


def marked(text: str) -> str:
    """The text with `STEM` and `ENDING` behind the syllables that a rule may look for. Blanks must be plain."""
    return "".join(_marked(part) for part in _PART.findall(text))


def _marked(text: str) -> str:
    marks = {}
    position = 0
    for surface, tag in _tagger().pos(text):
        position = text.index(surface, position) + len(surface)
        if mark := _mark(surface[-1], tag.split("+")[-1]):
            marks[position - 1] = mark
    return "".join(character + marks.get(position, "") for position, character in enumerate(text))


def _mark(syllable: str, tag: str) -> str | None:
    coda = apart(syllable)[-1]
    if tag.startswith("E") and coda == _ENDING_CODA:
        return ENDING
    if tag.startswith("V") and coda in _STEM_CODAS:
        return STEM
    return None


@cache
def _tagger() -> "MeCab":
    """The one tagger of all threads; what a call changes is in a lattice of its own."""
    from mecab import MeCab

    return MeCab()
