"""Which of its readings a character has here.

Two ways: pypinyin reads each word by its phrase dictionary, or a `PolyphoneModel` reads the whole clause character by
character and the phrase dictionary corrects it word by word.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from pypinyin import Style, lazy_pinyin
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials, to_tone3
from pypinyin.phrases_dict import phrases_dict

from gsv.text.chinese.syllables import Syllable
from gsv.text.symbols import PUNCTUATION, UNKNOWN

# Characters whose usual reading the model gets wrong: the sigh is ài, āi is the answer.
_FIXED_CHARACTERS = {"唉": "ai4"}
# Words that pypinyin's dictionary lacks, and whose characters it then reads wrong.
_MORE_PHRASES = {"全长": ("quan2", "chang2")}
# Characters that are said otherwise as a family name.
_FAMILY_NAMES = {"曾": "zeng1", "单": "shan4", "任": "ren2", "解": "xie4", "仇": "qiu2", "朴": "piao2"}
_UNCHANGED = {"不": "bu4", "一": "yi1"}


def unread(run: str) -> Any:
    """For pypinyin's `errors`: what it cannot read comes back one by one, so that every character has an entry."""
    return list(run)


class PolyphoneModel(Protocol):
    """Reads a clause of normalised Mandarin text."""

    def __call__(self, clause: str) -> list[str]:
        """One entry for each character: pinyin with a tone digit, 5 being neutral, ü as v; a mark stands for itself."""
        ...


def dictionary_readings(word: str, is_name: bool = False) -> list[Syllable]:
    """The syllables of a word, perhaps a person's name, by pypinyin's dictionary, one for each character."""
    return list(_syllables(word, is_name))


# Text repeats its words, and pypinyin is what takes longest.
@lru_cache(maxsize=1 << 14)
def _syllables(word: str, is_name: bool) -> tuple[Syllable, ...]:
    if word in _MORE_PHRASES:
        return tuple(from_pinyin(reading) for reading in _MORE_PHRASES[word])
    if is_name and len(word) > 1 and word[0] in _FAMILY_NAMES and word not in phrases_dict:
        return (from_pinyin(_FAMILY_NAMES[word[0]]), *_syllables(word[1:], is_name=False))
    initials = lazy_pinyin(word, style=Style.INITIALS, errors=unread, neutral_tone_with_five=True)
    finals = lazy_pinyin(word, style=Style.FINALS_TONE3, errors=unread, neutral_tone_with_five=True)
    return tuple(_syllable(initial, final) for initial, final in zip(initials, finals, strict=True))


def corrected_readings(word: str, readings: Sequence[str]) -> list[Syllable]:
    """The syllables of a word that a model read as `readings`, where the phrase dictionary has the last word."""
    known = _phrase(word)
    if known is None:
        known = [_FIXED_CHARACTERS.get(character, reading) for character, reading in zip(word, readings, strict=True)]
    return [from_pinyin(reading) for reading in known]


def _phrase(word: str) -> list[str] | None:
    """The dictionary's reading of a whole word, or None where it has none that fits here."""
    syllables = phrases_dict.get(word)
    if syllables is None:
        return None
    readings = [to_tone3(readings[0], v_to_u=False, neutral_tone_with_five=True) for readings in syllables]
    # Some entries have the tones of 不 and 一 changed already; here readings are those before any tone change.
    if any(reading != _UNCHANGED.get(character, reading) for character, reading in zip(word, readings, strict=True)):
        return None
    return readings


def from_pinyin(reading: str) -> Syllable:
    """The syllable of a pinyin with its tone as a digit; a mark stands for itself."""
    if not reading[0].isalpha():
        return Syllable(reading)
    return _syllable(to_initials(reading), to_finals_tone3(reading, neutral_tone_with_five=True))


def _syllable(initial: str, final: str) -> Syllable:
    if initial in PUNCTUATION:
        return Syllable(initial)
    if final[-1:] not in tuple("12345"):
        return Syllable(UNKNOWN, "", 5)  # a character that nobody knows how to say
    return Syllable(initial, final[:-1], int(final[-1]))
