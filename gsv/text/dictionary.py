"""The user's pronunciation dictionary: words, and how they are to be read.

A text file in UTF-8 with a heading for each language and a line for each word:

    # Lines like this one are for people.
    [zh]
    重庆 = chong2 qing4
    [en]
    GIF = JH IH1 F

Mandarin takes pinyin with tone digits, Cantonese jyutping, English ARPAbet with stress digits, Japanese kana, Korean
Hangul. A byte order mark and the line ends of any system are fine.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gsv.errors import GsvError, InputError
from gsv.text.languages import Language
from gsv.text.notation import EXAMPLES, check

_HEADING = re.compile(r"\[\s*([\w-]+)\s*\]")


@dataclass(frozen=True)
class Words:
    """The words of one language and their readings; English ones in small letters."""

    readings: Mapping[str, str]
    ignore_case: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Any of the words, the longest first; letters of a word do not count as words inside a longer one."""
        found = "|".join(_bounded(word) for word in sorted(self.readings, key=len, reverse=True))
        return re.compile(found, re.IGNORECASE if self.ignore_case else 0)

    def reading(self, word: str) -> str:
        """The reading of a word that `pattern` found."""
        return self.readings[word.lower() if self.ignore_case else word]


def _bounded(word: str) -> str:
    start = r"(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    end = r"(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return start + re.escape(word) + end


@dataclass(frozen=True)
class Dictionary:
    """All words of a file, by language."""

    languages: Mapping[Language, Words] = field(default_factory=dict)


def read_dictionary(path: Path) -> Dictionary:
    """The dictionary in a file.

    Raises:
        InputError: the file is not UTF-8, or one of its lines cannot be used; the sentence has its number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8; save the pronunciation dictionary in that encoding.") from error
    languages: dict[Language, dict[str, str]] = {}
    current: Language | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            if heading := _HEADING.fullmatch(line):
                current = _language(heading[1])
            elif current is None:
                raise InputError(f"there is no heading above it; start with one of {_headings()}.")
            else:
                word, reading = _entry(line, current)
                languages.setdefault(current, {})[word] = reading
        except GsvError as error:
            raise InputError(f"{path}, line {number}: {error}") from error
    return Dictionary({language: Words(words, language == "en") for language, words in languages.items()})


def _headings() -> str:
    return ", ".join(f"[{language}]" for language in EXAMPLES)


def _language(heading: str) -> Language:
    for language in EXAMPLES:
        if heading.lower() == language:
            return language
    raise InputError(f"there is no language [{heading}]; the headings are {_headings()}.")


def _entry(line: str, language: Language) -> tuple[str, str]:
    word, equals, reading = (part.strip() for part in line.partition("="))
    if not (word and equals and reading):
        raise InputError(f"{line[:40]!r} is not a word and its reading; write it as {EXAMPLES[language]}.")
    check(word, reading, language)
    return word.lower() if language == "en" else word, reading


class Pronunciations:
    """The dictionary in a file that may change or come to be at any time.

    The file is looked at whenever somebody asks, and read again when it is another one than before.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._seen: tuple[tuple[int, int] | None, Dictionary] = (None, Dictionary())

    def words(self, language: Language) -> Words | None:
        """The words of a language, or None where there are none.

        Raises:
            InputError: as `read_dictionary`.
        """
        return self._current().languages.get(language)

    def _current(self) -> Dictionary:
        if self._path is None:
            return self._seen[1]
        try:
            status = self._path.stat()
        except OSError:
            self._seen = (None, Dictionary())
            return self._seen[1]
        stamp = (status.st_mtime_ns, status.st_size)
        # One assignment: threads see the old file or the new one.
        if self._seen[0] != stamp:
            self._seen = (stamp, read_dictionary(self._path))
        return self._seen[1]
