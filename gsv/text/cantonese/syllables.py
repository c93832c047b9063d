"""From jyutping to the two symbols of a Cantonese syllable.

A syllable that begins with a consonant is cut after it. One that begins with a vowel is cut inside, as published voices
were trained: `aai3` is `Yaa Yi3`, `oi3` is `Yoi Yi3`, and where nothing is left the last letter stands twice, `ng5` is
`Yng Yg5`.
"""

import re

from gsv.text.symbols import CANTONESE_INITIALS, CANTONESE_PREFIX, UNKNOWN, symbol_table

# What a syllable may be cut after; of the vowels, the first that fits.
_CONSONANTS = sorted(CANTONESE_INITIALS, key=len, reverse=True)
_VOWELS = ("aa", "ai", "au", "ap", "at", "ak", "a", "e", "ong", "on", "ou", "oi", "ok", "o", "uk", "ung")
_SYLLABLE = re.compile(f"({'|'.join((*_CONSONANTS, *_VOWELS))})([a-z]*)([1-6])")

# Finals of a few colloquial words that the table lacks, and what comes nearest in it.
_NEAREST = {
    "em": "im",
    "en": "in",
    "ep": "ip",
    "et": "it",
    "eu": "iu",
    "oet": "eot",
    "oen": "eon",
    "um": "ung",
    "up": "uk",
}


def symbols(jyutping: str) -> tuple[str, str]:
    """The two symbols of one syllable with its tone digit; `UNK UNK` for what is no Cantonese syllable."""
    found = _symbols(jyutping)
    # Many speakers put ng before a vowel, so where the table lacks the bare vowel this is the same word.
    if UNKNOWN in found and jyutping[:1] in "aou":
        found = _symbols("ng" + jyutping)
    return found


def _symbols(jyutping: str) -> tuple[str, str]:
    cut = _SYLLABLE.fullmatch(jyutping)
    if cut is None:
        return UNKNOWN, UNKNOWN
    initial, final, tone = cut[1], cut[2] or cut[1][-1], cut[3]
    initial, final = CANTONESE_PREFIX + initial, CANTONESE_PREFIX + final + tone
    table = symbol_table("v2")
    if final not in table:
        final = CANTONESE_PREFIX + _NEAREST.get(final[1:-1], "") + tone
    return initial if initial in table else UNKNOWN, final if final in table else UNKNOWN
