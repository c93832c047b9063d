"""How readings are written down in each language, and their phones.

Mandarin: pinyin with tone digits; Cantonese: jyutping; English: ARPAbet with stress digits, as in CMUdict; Japanese:
kana; Korean: Hangul.
"""

import re
from functools import lru_cache

from gsv.errors import TextError
from gsv.text.languages import Language
from gsv.text.symbols import ARPABET_CONSONANTS, ARPABET_STRESSES, ARPABET_VOWELS

# A word and its reading in each language.
EXAMPLES: dict[Language, str] = {
    "zh": "重庆 = chong2 qing4",
    "yue": "行長 = hong4 zoeng2",
    "en": "GIF = JH IH1 F",
    "ja": "今日 = きょう",
    "ko": "값이 = 갑씨",
}
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30faー\\s]+")
_HANGUL = re.compile("[\uac00-\ud7a3\\s]+")
_PINYIN = re.compile(r"(?:[a-zü:]+[1-5]\s*)+")
_ARPABET = frozenset(ARPABET_CONSONANTS) | {vowel + stress for vowel in ARPABET_VOWELS for stress in ARPABET_STRESSES}


def language_of(reading: str, around: Language) -> Language:
    """The language that a reading is written for, in a text of the language `around`."""
    if _KANA.fullmatch(reading):
        return "ja"
    if _HANGUL.fullmatch(reading):
        return "ko"
    phones = reading.split()
    if (reading.isupper() or around == "en") and all(phone.upper() in _ARPABET for phone in phones):
        return "en"
    if around in ("zh", "yue"):
        return around
    return "zh" if _PINYIN.fullmatch(reading) else around


@lru_cache(maxsize=4096)
def phones_of(word: str, reading: str, language: Language) -> tuple[tuple[str, ...], tuple[int, ...] | None]:
    """Phones of a word that is read as told; for Mandarin and Cantonese also how many each of its characters has.

    Raises:
        TextError: the reading is not written in the notation of the language.
    """
    check(word, reading, language)
    if language == "en":
        return tuple(_arpabet(reading)), None
    if language == "ja":
        from gsv.text import japanese

        return tuple(japanese.read_kana(reading)), None
    if language == "ko":
        from gsv.text import korean

        return tuple(korean.read_hangul(reading)), None
    phones, counts = _syllables(word, reading, language)
    return tuple(phones), tuple(counts)


def check(word: str, reading: str, language: Language) -> None:
    """TextError unless the reading is written in the notation of the language."""
    if language == "en":
        _arpabet(reading)
    elif language == "ja" and not _KANA.fullmatch(reading):
        raise TextError(f"The reading {reading!r} should be kana: {EXAMPLES['ja']}.")
    elif language == "ko" and not _HANGUL.fullmatch(reading):
        raise TextError(f"The reading {reading!r} should be Hangul: {EXAMPLES['ko']}.")
    elif language in ("zh", "yue"):
        _syllables(word, reading, language)


def _syllables(word: str, reading: str, language: Language) -> tuple[list[str], list[int]]:
    if language == "zh":
        from gsv.text import chinese

        return chinese.phones_of(word, reading)
    from gsv.text import cantonese

    return cantonese.phones_of(word, reading)


def _arpabet(reading: str) -> list[str]:
    phones = reading.upper().split()
    for phone in phones:
        if phone not in _ARPABET:
            stress = " with a stress digit" if phone in ARPABET_VOWELS else ""
            raise TextError(
                f"The reading {reading!r} should be ARPAbet{stress}, as in {EXAMPLES['en']}; {phone!r} is not."
            )
    return phones
