"""From Korean text to phones: numbers and letters in words, rules of sound, then single letters."""

import re
import unicodedata

from gsv.text.korean.grammar import marked
from gsv.text.korean.numbers import spell_numbers
from gsv.text.korean.sounds import apart, exceptions, sounds
from gsv.text.symbols import KOREAN_BREAKS, KOREAN_CONSONANTS, KOREAN_VOWELS, PUNCTUATION

BLANK, UNREADABLE = tuple(KOREAN_BREAKS)
_SOUNDS = frozenset((*KOREAN_CONSONANTS, *KOREAN_VOWELS))
_PHONES = _SOUNDS.union(PUNCTUATION, (BLANK,))
_MARKS = {"：": ",", "；": ",", "，": ",", "、": ",", "·": ",", "。": ".", "\n": ".", "！": "!", "？": "?", " ": BLANK}

_LETTER_NAMES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        (
            *("에이", "비", "시", "디", "이", "에프", "지", "에이치", "아이", "제이", "케이", "엘", "엠", "엔", "오"),
            *("피", "큐", "아르", "에스", "티", "유", "브이", "더블유", "엑스", "와이", "제트"),
        ),
        strict=True,
    )
)
_LATIN = re.compile("[A-Za-z]")
_GLIDES = dict(
    zip(
        "ㅘㅙㅚㅝㅞㅟㅢㅑㅒㅕㅖㅛㅠ",
        ("ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅜㅓ", "ㅜㅔ", "ㅜㅣ", "ㅡㅣ", "ㅣㅏ", "ㅣㅐ", "ㅣㅓ", "ㅣㅔ", "ㅣㅗ", "ㅣㅜ"),
        strict=True,
    )
)
_ONSETS = dict(zip(map(chr, range(0x1100, 0x1113)), "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", strict=True))
_VOWELS = dict(zip(map(chr, range(0x1161, 0x1176)), "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", strict=True))
_CODAS = dict(
    zip(map(chr, range(0x11A8, 0x11C3)), "ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ", strict=True)
)
_LETTERS = str.maketrans(
    _GLIDES | _ONSETS | _CODAS | {jamo: _GLIDES.get(vowel, vowel) for jamo, vowel in _VOWELS.items()}
)
_BLANKS = re.compile(r"[^\S\n]")


def g2p(norm_text: str) -> list[str]:
    """Phones of a normalised text.

    Letters of the Korean alphabet as they sound, compound vowels in two; `空` for a blank and `停` for a character that
    cannot be read. A text that ends in a letter gets a full stop.
    """
    phones = _phones(_sounding(norm_text))
    return [*phones, "."] if phones and phones[-1] in _SOUNDS else phones


def pronounced(norm_text: str) -> str:
    """A normalised text in the syllables that are heard, as dictionaries note pronunciation (`학교` is `학꾜`)."""
    return unicodedata.normalize("NFC", _sounding(norm_text))


def read_hangul(hangul: str) -> list[str]:
    """Phones of a word whose reading was given in Hangul, as it is spelt or as it is heard (`값이` or `갑씨`)."""
    return _phones(_sounding(hangul))


def _phones(jamo: str) -> list[str]:
    letters = (_MARKS.get(letter, letter) for letter in jamo.translate(_LETTERS))
    return [letter if letter in _PHONES else UNREADABLE for letter in letters]


def _sounding(text: str) -> str:
    """The jamo that are heard of a text."""
    text = _LATIN.sub(lambda letter: _LETTER_NAMES[letter[0].lower()], _BLANKS.sub(" ", text))
    return sounds(apart(spell_numbers(marked(exceptions(text)))))
