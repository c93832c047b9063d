"""Stretches of one language in which some words have a reading of their own, by markup or by dictionary."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from gsv.errors import TextError
from gsv.text.dictionary import Pronunciations
from gsv.text.languages import LANGUAGES, NAMES, Language
from gsv.text.markup import MARKS, Given, mark, written
from gsv.text.notation import language_of, phones_of
from gsv.text.segments import segment
from gsv.text.symbols import TableName

_MARK = re.compile(f"[{MARKS}]")


@dataclass(frozen=True)
class Stretch:
    """Text of one language; `given` has the words by the characters that stand for them in `text`."""

    language: Language
    text: str
    given: Mapping[str, Given] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The text with its words in place."""
        return written(self.text, self.given)

    @property
    def with_readings(self) -> str:
        """The text with the readings in place of the words."""
        return _MARK.sub(lambda match: self.given[match[0]].reading, self.text)

    @property
    def parts(self) -> list[str]:
        """The text cut before and after each character that stands for a word."""
        return [part for part in re.split(f"([{MARKS}])", self.text) if part]

    def shared_out(self, norm_text: str, counts: Sequence[int]) -> list[int]:
        """How many phones each character has once the words are in place, from what it was before in `norm_text`."""
        result: list[int] = []
        for character, count in zip(norm_text, counts, strict=True):
            word = self.given.get(character)
            result += phones_of(word.word, word.reading, self.language)[1] or () if word else [count]
        return result


def stretches(text: str, given: Mapping[str, Given], code: str, table: TableName) -> list[Stretch]:
    """Cut a text into stretches of one language, in order; see `gsv.text.segments`.

    The languages are told from the words themselves. A word whose reading is written for another language than the
    text around it is a stretch of that language.

    Raises:
        TextError: as `segment`, or a reading is for a language that models of this symbol table do not speak.
    """
    if not given:
        return [Stretch(each.language, each.text) for each in segment(text, code, table)]
    found: list[tuple[Language, str]] = []
    words = deque(_word_places(text, given))
    start = covered = 0
    for each in segment(written(text, given), code, table):
        end = start + len(each.text)
        place = max(start, covered)
        while words and words[0][0] < end:
            first, key = words.popleft()
            found.append((each.language, each.text[place - start : first - start]))
            found.append((_language(given[key], each.language, table), key))
            place = covered = first + len(given[key].word)
        found.append((each.language, each.text[place - start :] if place < end else ""))
        start = end
    whole = [
        (language, "".join(part for _, part in same))
        for language, same in groupby((one for one in found if one[1]), key=lambda one: one[0])
    ]
    return [Stretch(language, part, {key: given[key] for key in _MARK.findall(part)}) for language, part in whole]


def _word_places(text: str, given: Mapping[str, Given]) -> list[tuple[int, str]]:
    """Where each given word starts once the words are in place, and the character that stands for it."""
    places = []
    longer = 0
    for match in _MARK.finditer(text):
        places.append((match.start() + longer, match[0]))
        longer += len(given[match[0]].word) - 1
    return places


def _language(word: Given, around: Language, table: TableName) -> Language:
    language = language_of(word.reading, around)
    if language not in LANGUAGES[table]:
        raise TextError(
            f"The reading {word.reading!r} is {NAMES[language]}, which this model does not speak; use a later one."
        )
    return language


def looked_up(stretch: Stretch, pronunciations: Pronunciations) -> Stretch:
    """The stretch with the words that the user's dictionary knows; a reading that markup gives goes before.

    Raises:
        InputError: the dictionary cannot be used.
    """
    words = pronunciations.words(stretch.language)
    if words is None:
        return stretch
    given = dict(stretch.given)
    free = max((ord(key) for key in given), default=ord(mark(0)) - 1) + 1 - ord(mark(0))

    def place(match: re.Match[str]) -> str:
        key = mark(free + len(given) - len(stretch.given))
        given[key] = Given(match[0], words.reading(match[0]))
        return key

    return Stretch(stretch.language, words.pattern.sub(place, stretch.text), given)
