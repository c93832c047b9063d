"""Readings of Cantonese words that a user gives, as jyutping."""

import re

from gsv.errors import TextError
from gsv.text.cantonese.syllables import symbols
from gsv.text.given import phones_of_characters
from gsv.text.symbols import UNKNOWN

_SYLLABLE = re.compile(r"[a-z]+[1-6]")


def phones_of(word: str, reading: str) -> tuple[list[str], list[int]]:
    """Phones of a word read as told, and how many of them each of its characters has.

    Args:
        word: the word as it stands in a normalised text.
        reading: jyutping such as `hong4 zoeng2`, with a tone digit 1 to 6 after each syllable.

    Raises:
        TextError: something in the reading is no syllable of Cantonese, or has no tone.
    """
    spelled = reading.lower().replace(" ", "")
    syllables = _SYLLABLE.findall(spelled)
    if not syllables or "".join(syllables) != spelled:
        raise TextError(
            f"The reading {reading!r} should be jyutping with a tone digit 1 to 6 after each syllable: hong4 zoeng2."
        )
    phones = [symbols(syllable) for syllable in syllables]
    for syllable, pair in zip(syllables, phones, strict=True):
        if UNKNOWN in pair:
            raise TextError(f"The reading {reading!r} holds {syllable!r}, which is no syllable of Cantonese.")
    return [phone for pair in phones for phone in pair], phones_of_characters(phones, len(word))
