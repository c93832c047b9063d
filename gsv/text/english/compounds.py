"""Finding the words inside a compound ("fortnite" -> fort, nite) with the counts of `wordsegment`."""

from functools import lru_cache

import wordsegment

from gsv.text.english import lexicon
from gsv.text.english.lexicon import word_set

# Short words that do stand in compounds; other short pieces are chance ("hatsune" -> hats, une).
_SHORT = word_set("at by do go he in it me my no of off on or out re so to un up us we")
_SHORTEST = 3
_SHORTEST_UNKNOWN = 4
_TOO_LONG_TO_GUESS = 12


@lru_cache(maxsize=1)
def _segmenter() -> wordsegment.Segmenter:
    segmenter = wordsegment.Segmenter()
    segmenter.load()
    return segmenter


@lru_cache(maxsize=10_000)
def parts(word: str) -> tuple[str, ...] | None:
    """The parts of a lower-case compound, or None if it is better said as one word.

    The parts must be dictionary words: a split that leaves an unknown rest tells little about the sound. Only words too
    long for the neural model may hold longer unknown parts, which it then says one by one.
    """
    found = tuple(_segmenter().segment(word))
    if len(found) == 1:
        return None
    if all(lexicon.knows(part) and (len(part) >= _SHORTEST or part in _SHORT) for part in found):
        return found
    long_parts = all(len(part) >= _SHORTEST_UNKNOWN for part in found)
    return found if long_parts and len(word) > _TOO_LONG_TO_GUESS else None
