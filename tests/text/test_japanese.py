"""Japanese: text as spoken, phones and pitch marks."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from spoken_japanese import SENTENCES

from gsv.text import japanese
from gsv.text.symbols import JAPANESE_CONSONANTS, JAPANESE_MORAIC, JAPANESE_VOWELS, TableName, symbol_table

SOUNDS = frozenset((*JAPANESE_VOWELS, *JAPANESE_CONSONANTS, *JAPANESE_MORAIC))

_ROWS = {
    "": "アイウエオ",
    "k": "カキクケコ",
    "g": "ガギグゲゴ",
    "s": "サ スセソ",
    "z": "ザ ズゼゾ",
    "t": "タ  テト",
    "d": "ダ  デド",
    "n": "ナニヌネノ",
    "h": "ハヒ ヘホ",
    "b": "バビブベボ",
    "p": "パピプペポ",
    "m": "マミムメモ",
    "y": "ヤ ユ ヨ",
    "r": "ラリルレロ",
    "w": "ワ    ",
}
_MORAE = {
    letter: (consonant + " " + vowel).split()
    for consonant, letters in _ROWS.items()
    for letter, vowel in zip(letters, "aiueo", strict=False)
    if letter != " "
} | {
    "シ": ["sh", "i"],
    "ジ": ["j", "i"],
    "チ": ["ch", "i"],
    "ツ": ["ts", "u"],
    "フ": ["f", "u"],
    "ン": ["N"],
    "ッ": ["cl"],
}
_PALATAL = {
    "キ": "ky",
    "ギ": "gy",
    "シ": "sh",
    "ジ": "j",
    "チ": "ch",
    "ニ": "ny",
    "ヒ": "hy",
    "ビ": "by",
    "ピ": "py",
} | {
    "ミ": "my",
    "リ": "ry",
}
_GLIDES = {"ャ": "a", "ュ": "u", "ョ": "o"}


def phones_of(kana: str) -> list[str]:
    """The phones of a reading, told from katakana alone."""
    phones: list[str] = []
    for letter, following in zip(kana, kana[1:] + " ", strict=True):
        if letter == "ー":
            phones.append(phones[-1])
        elif letter in _GLIDES:
            phones.append(_GLIDES[letter])
        elif following in _GLIDES:
            phones.append(_PALATAL[letter])
        else:
            phones += _MORAE[letter]
    return phones


def spoken(text: str) -> list[str]:
    return [phone for phone in japanese.g2p(japanese.normalize(text)) if phone in SOUNDS]


@pytest.mark.parametrize(("text", "kana"), SENTENCES)
def test_spoken_sentences_are_read_as_people_read_them(text: str, kana: str) -> None:
    assert spoken(text) == phones_of(kana)
