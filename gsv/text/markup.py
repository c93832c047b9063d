"""Markup in a text: the reading of a word, and a pause of a given length.

    <phoneme ph="chong2 qing4">重庆</phoneme>      the word in it is read as told
    <break time="500ms"/>                          silence of that length; seconds are fine, too: time="1.5s"

These are elements of SSML 1.1 (https://www.w3.org/TR/speech-synthesis11/), recognised in exactly these forms; any
other `<` is text. While a text is worked on, a character of Unicode's private use stands for each word whose reading is
given.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gsv.errors import TextError

LONGEST_PAUSE = 60.0

# What stands for words whose reading is given: a plane that no text uses.
_FIRST_MARK, _LAST_MARK = 0xF0000, 0xFFFFD
MARKS = f"{chr(_FIRST_MARK)}-{chr(_LAST_MARK)}"
_MARK = re.compile(f"[{MARKS}]")
_WORD_OR_MARK = re.compile(rf"[^\W_]|[{MARKS}]")

_PHONEME = r'<phoneme ph="(?P<ph>[^"<>\n]+)">(?P<word>[^<>\n]+)</phoneme>'
_BREAK = r'<break time="(?P<time>\d+(?:\.\d+)?)(?P<unit>ms|s)" ?/>'
_ELEMENT = re.compile(f"{_PHONEME}|{_BREAK}")
_ATTEMPT = re.compile(r"</?(?:phoneme|break)(?=[\s/>]|$)[^<>]{0,60}>?")


@dataclass(frozen=True)
class Given:
    """A word, and the reading that it was given."""

    word: str
    reading: str

    @property
    def markup(self) -> str:
        """As it is written in a text."""
        return f'<phoneme ph="{self.reading}">{self.word}</phoneme>'


@dataclass(frozen=True)
class Part:
    """A stretch of text without a pause in it; `pause` is the silence behind it in seconds, where one was asked for."""

    text: str
    pause: float | None


@dataclass(frozen=True)
class Marked:
    """A text whose markup was found. `given` has the words by the characters that stand for them."""

    parts: tuple[Part, ...]
    given: Mapping[str, Given] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The text without its pauses."""
        return " ".join(filter(None, (part.text for part in self.parts)))


def mark(number: int) -> str:
    """The character that stands for the word of that number.

    Raises:
        TextError: there are more words than such characters.
    """
    if _FIRST_MARK + number > _LAST_MARK:
        raise TextError(f"More than {number} words have a reading of their own; cut the text into several.")
    return chr(_FIRST_MARK + number)


def parse(text: str) -> Marked:
    """Find the markup of a text.

    Raises:
        TextError: an element is not written as it should be, or a pause is too long.
    """
    if not text.isascii():
        text = _MARK.sub("\ufffd", text)
    if "<" not in text:
        return Marked((Part(text, None),))
    parts: list[Part] = []
    given: dict[str, Given] = {}
    current = ""
    end = 0
    for element in _ELEMENT.finditer(text):
        current += _checked(text[end : element.start()])
        end = element.end()
        if element["word"] is not None:
            key = mark(len(given))
            given[key] = Given(element["word"], element["ph"].strip())
            current += key
        else:
            parts.append(Part(current, _seconds(element)))
            current = ""
    current += _checked(text[end:])
    if current or not parts:
        parts.append(Part(current, None))
    return Marked(tuple(parts), given)


def _checked(text: str) -> str:
    if attempt := _ATTEMPT.search(text):
        right = Given("重庆", "chong2 qing4").markup if "phoneme" in attempt[0] else '<break time="500ms"/>'
        raise TextError(f"The markup {attempt[0]!r} is not complete or not written as it should be: {right}.")
    return text


def _seconds(element: re.Match[str]) -> float:
    seconds = float(element["time"]) / (1000 if element["unit"] == "ms" else 1)
    if seconds > LONGEST_PAUSE:
        raise TextError(f"The pause {element[0]} is too long; it may have up to {LONGEST_PAUSE:g} seconds.")
    return seconds


def _break(seconds: float) -> str:
    return f'<break time="{round(seconds * 1000, 3):g}ms"/>'


def restored(text: str, given: Mapping[str, Given]) -> str:
    """The text with markup again in place of the characters that stand for words."""
    return _MARK.sub(lambda match: given[match[0]].markup, text) if given else text


def written(text: str, given: Mapping[str, Given]) -> str:
    """The text with the words in place of the characters that stand for them."""
    return _MARK.sub(lambda match: given[match[0]].word, text) if given else text


def without(text: str) -> str:
    """The words of a text alone, without what markup says about them."""
    return _ELEMENT.sub(lambda element: element["word"] or " ", text)


def is_open(text: str) -> bool:
    """Whether an element begins in the text whose end is still to come."""
    rest = _ELEMENT.sub("", text)
    start = max(rest.rfind("<phoneme "), rest.rfind("<break "))
    return start >= 0 and not ("/>" in rest[start:] or "</phoneme>" in rest[start:])


def cut(text: str, pieces_of: Callable[[str], list[str]]) -> list[str]:
    """Pieces of a text by a way of cutting that knows no markup.

    No piece begins or ends inside an element. Pauses stand at the end of the piece before them, one in front of
    everything at the start of the first. A text without anything to say goes to `pieces_of` as it is.
    """
    marked = parse(text)
    if marked.parts == (Part(text, None),):
        return pieces_of(text)
    pieces: list[str] = []
    waiting = 0.0
    asked = False
    for part in marked.parts:
        if _WORD_OR_MARK.search(part.text):
            if asked and pieces:
                pieces[-1] += _break(waiting)
            lead = _break(waiting) if asked and not pieces else ""
            found = [restored(piece, marked.given) for piece in pieces_of(part.text.strip(" "))]
            pieces += [lead + found[0], *found[1:]]
            waiting, asked = 0.0, False
        if part.pause is not None:
            waiting, asked = waiting + part.pause, True
    if not pieces:
        return pieces_of(marked.text)
    if asked:
        pieces[-1] += _break(waiting)
    return pieces


def pauses(piece: str) -> tuple[float, float | None]:
    """The silence before a piece of `cut`, and the one behind it where one was asked for, in seconds."""
    parts = parse(piece).parts
    before = sum(part.pause or 0 for part in _until_words(parts))
    behind = [part.pause for part in parts if part.pause is not None and _WORD_OR_MARK.search(part.text)]
    return before, behind[-1] if behind else None


def _until_words(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        if _WORD_OR_MARK.search(part.text):
            return
        yield part
