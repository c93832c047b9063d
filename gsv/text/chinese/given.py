"""Readings of Mandarin words that a user gives, as pinyin with tone digits."""

import re

from gsv.errors import TextError
from gsv.text.chinese.polyphones import from_pinyin
from gsv.text.chinese.syllables import Syllable
from gsv.text.given import phones_of_characters
from gsv.text.symbols import UNKNOWN

_SYLLABLE = re.compile(r"([a-zü:]+)([1-5])")
# How the ü and the 儿 that melts into a syllable are also written.
_ALSO_WRITTEN = {"ü": "v", "u:": "v"}
_ER = "r"


def syllables_of(reading: str) -> list[Syllable]:
    """The syllables of a reading such as `chong2 qing4` or `lv4se4`: tone digits 1 to 5 (5 is neutral), ü also as v.

    Raises:
        TextError: something in the reading is no syllable of Mandarin, or has no tone.
    """
    spelled = reading.lower().replace(" ", "").replace("'", "")
    for written, plain in _ALSO_WRITTEN.items():
        spelled = spelled.replace(written, plain)
    parts = _SYLLABLE.findall(spelled)
    if not parts or "".join(letters + tone for letters, tone in parts) != spelled:
        raise TextError(
            f"The reading {reading!r} should be pinyin with a tone digit after each syllable: chong2 qing4."
        )
    return [_syllable(letters, tone, reading) for letters, tone in parts]


def _syllable(letters: str, tone: str, reading: str) -> Syllable:
    syllable = from_pinyin(("er" if letters == _ER else letters) + tone)
    if UNKNOWN in syllable.phones:
        raise TextError(f"The reading {reading!r} holds {letters!r}, which is no syllable of Mandarin pinyin.")
    return syllable


def phones_of(word: str, reading: str) -> tuple[list[str], list[int]]:
    """Phones of a word read as told, with no tone changed, and how many of them each of its characters has.

    Args:
        word: the word as it stands in a normalised text.
        reading: see `syllables_of`.

    Raises:
        TextError: the reading is not pinyin.
    """
    phones = [syllable.phones for syllable in syllables_of(reading)]
    return [phone for pair in phones for phone in pair], phones_of_characters(phones, len(word))
