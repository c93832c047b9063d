"""Mandarin: from raw text to phones.

`normalize` writes everything out in characters and marks, `g2p` finds the phones: words, readings, tones, symbols.
A word's reading can be given (`given=` of `g2p`, `keep=` of `normalize`, and `phones_of` for a word by itself).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from gsv.text.chinese.given import phones_of
from gsv.text.chinese.polyphones import PolyphoneModel, corrected_readings, dictionary_readings
from gsv.text.chinese.sandhi import erhua_tone, numbers_one, spoken_tones
from gsv.text.chinese.syllables import Syllable
from gsv.text.chinese.verbalise import verbalise
from gsv.text.chinese.words import Word, words
from gsv.text.given import cut_at_words
from gsv.text.split import collapse_punctuation
from gsv.text.symbols import PUNCTUATION

__all__ = ["IDEOGRAPHS", "PolyphoneModel", "g2p", "normalize", "phones_of"]

_SPOKEN_MARKS = {
    "：": ",",
    "；": ",",
    "，": ",",
    "·": ",",
    "、": ",",
    "/": ",",
    "。": ".",
    "\n": ".",
    "$": ".",
    "！": "!",
    "？": "?",
    "...": "…",
    "~": "…",
    "～": "…",
    "—": "-",
    # Two characters without a reading of their own in the symbol table.
    "嗯": "恩",
    "呣": "母",
}
_MARK = re.compile("|".join(map(re.escape, _SPOKEN_MARKS)))
# All of Unicode's: what pypinyin cannot read has no sound, but nothing that it can is lost.
IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003347f"
_UNSPOKEN = f"[^{IDEOGRAPHS}{re.escape(''.join(PUNCTUATION))}%s]+"
_NONE_GIVEN: Mapping[str, str] = MappingProxyType({})
_AFTER_MARK = re.compile(f"(?<=[{re.escape(''.join(PUNCTUATION))}])")


def normalize(text: str, keep: str = "") -> str:
    """The text in simplified characters and the marks `! ? … , . -` alone, no two marks side by side.

    Everything else is written out in words where it can be said (numbers, dates, units, signs) and dropped where not.

    Args:
        text: any text.
        keep: characters that pass through as they are, so that one of Unicode's private ones can stand for a word
            whose reading is given.
    """
    unspoken = re.compile(_UNSPOKEN % re.escape(keep))
    spoken = (_MARK.sub(lambda mark: _SPOKEN_MARKS[mark[0]], clause) for clause in verbalise(text))
    return collapse_punctuation("".join(unspoken.sub("", clause) for clause in spoken))


def g2p(
    norm_text: str,
    *,
    erhua: bool = True,
    polyphones: PolyphoneModel | None = None,
    given: Mapping[str, str] = _NONE_GIVEN,
) -> tuple[list[str], list[int]]:
    """Phones of a normalised text.

    Args:
        norm_text: what `normalize` returned.
        erhua: whether 儿 takes the tone of the syllable before it. The models of symbol table v1 were trained without.
        polyphones: reads characters that have several readings; without it pypinyin's phrase dictionary does.
        given: words of `norm_text` and their pinyin with tone digits (`{"重庆": "chong2 qing4"}`). They are words
            wherever they stand, and their tones do not change.

    Returns:
        phones: an initial and a final with tone for each character, one symbol for each mark.
        word2ph: how many phones each character of `norm_text` has: 1 for a mark, 2 for a character, and for those of a
            given word what its reading says.

    Raises:
        TextError: a given reading that is used is not pinyin.
    """
    phones: list[str] = []
    word2ph: list[int] = []
    for clause in filter(None, _AFTER_MARK.split(norm_text)):
        readings = polyphones(clause) if polyphones else None
        start = 0
        for stretch in cut_at_words(clause, given):
            stop = start + len(stretch)
            if stretch in given:
                said, counts = phones_of(stretch, given[stretch])
            else:
                syllables = _read(stretch, readings[start:stop] if readings else None, erhua)
                said = [phone for syllable in syllables for phone in syllable.phones]
                counts = [len(syllable.phones) for syllable in syllables]
            phones += said
            word2ph += counts
            start = stop
    return phones, word2ph


def _read(stretch: str, readings: Sequence[str] | None, erhua: bool) -> list[Syllable]:
    syllables: list[Syllable] = []
    kept = numbers_one(stretch)
    for word in words(stretch):
        start = len(syllables)
        if readings is None:
            alone = dictionary_readings(word.text, is_name=word.pos == "nr")
        else:
            alone = corrected_readings(word.text, readings[start : start + len(word.text)])
        kept_here = [position - start for position in kept if start <= position < start + len(word.text)]
        syllables.extend(_spoken(word, alone, kept_here, erhua))
    return syllables


def _spoken(word: Word, alone: list[Syllable], kept: Sequence[int], erhua: bool) -> list[Syllable]:
    tones = spoken_tones(word, [syllable.tone for syllable in alone], kept)
    syllables = [replace(syllable, tone=tone) for syllable, tone in zip(alone, tones, strict=True)]
    if erhua:
        last = syllables[-1]
        if word.text[-1] == "儿" and (last.final, last.tone) == ("er", 1):
            syllables[-1] = last = replace(last, tone=2)
        tone = erhua_tone(word, [(syllable.final, syllable.tone) for syllable in syllables])
        if tone is not None:
            syllables[-1] = replace(last, tone=tone)
    return syllables
