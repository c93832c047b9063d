"""Mandarin: from raw text to phones.

`normalize` writes everything out in characters and marks, `g2p` finds the phones: words, readings, tones, symbols.
"""

import re
from dataclasses import replace

from gsv.text.chinese.polyphones import PolyphoneModel, corrected_readings, dictionary_readings
from gsv.text.chinese.sandhi import erhua_tone, spoken_tones
from gsv.text.chinese.syllables import Syllable
from gsv.text.chinese.verbalise import verbalise
from gsv.text.chinese.words import Word, words
from gsv.text.split import collapse_punctuation
from gsv.text.symbols import PUNCTUATION

__all__ = ["PolyphoneModel", "g2p", "normalize"]

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
_UNSPOKEN = re.compile(f"[^\u4e00-\u9fa5{re.escape(''.join(PUNCTUATION))}]+")
_AFTER_MARK = re.compile(f"(?<=[{re.escape(''.join(PUNCTUATION))}])")


def normalize(text: str) -> str:
    """The text in simplified characters and the marks `! ? … , . -` alone, no two marks side by side.

    Everything else is written out in words where it can be said (numbers, dates, units, signs) and dropped where not.
    """
    spoken = (_MARK.sub(lambda mark: _SPOKEN_MARKS[mark[0]], clause) for clause in verbalise(text))
    return collapse_punctuation("".join(_UNSPOKEN.sub("", clause) for clause in spoken))


def g2p(norm_text: str, *, erhua: bool = True, polyphones: PolyphoneModel | None = None) -> tuple[list[str], list[int]]:
    """Phones of a normalised text.

    Args:
        norm_text: what `normalize` returned.
        erhua: whether 儿 takes the tone of the syllable before it. The models of symbol table v1 were trained without.
        polyphones: reads characters that have several readings; without it pypinyin's phrase dictionary does.

    Returns:
        phones: an initial and a final with tone for each character, one symbol for each mark.
        word2ph: how many phones each character of `norm_text` has, 2 or 1.
    """
    syllables = [syllable for clause in _AFTER_MARK.split(norm_text) for syllable in _read(clause, erhua, polyphones)]
    phones = [phone for syllable in syllables for phone in syllable.phones]
    return phones, [len(syllable.phones) for syllable in syllables]


def _read(clause: str, erhua: bool, polyphones: PolyphoneModel | None) -> list[Syllable]:
    if not clause:
        return []
    readings = polyphones(clause) if polyphones else None
    syllables: list[Syllable] = []
    for word in words(clause):
        if readings is None:
            alone = dictionary_readings(word.text)
        else:
            alone = corrected_readings(word.text, readings[len(syllables) : len(syllables) + len(word.text)])
        syllables.extend(_spoken(word, alone, erhua))
    return syllables


def _spoken(word: Word, alone: list[Syllable], erhua: bool) -> list[Syllable]:
    tones = spoken_tones(word, [syllable.tone for syllable in alone])
    syllables = [replace(syllable, tone=tone) for syllable, tone in zip(alone, tones, strict=True)]
    if erhua:
        last = syllables[-1]
        if word.text[-1] == "儿" and (last.final, last.tone) == ("er", 1):
            syllables[-1] = last = replace(last, tone=2)
        tone = erhua_tone(word, [(syllable.final, syllable.tone) for syllable in syllables])
        if tone is not None:
            syllables[-1] = replace(last, tone=tone)
    return syllables
