"""List files: one utterance a line, `audio path|speaker|language|text`, in UTF-8."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gsv.errors import InputError, ListError
from gsv.paths import written_whole

FIELDS = ("audio path", "speaker", "language", "text")


@dataclass(frozen=True)
class Line:
    """An utterance. `audio` and `language` are as written in the file; the speaker may be empty."""

    audio: str
    speaker: str
    language: str
    text: str


def read_list(path: Path) -> list[Line]:
    """All lines of a list file; blank ones are passed over. A text may contain `|`.

    Raises ListError if the file is missing, is not UTF-8, holds no line, or has one with a missing field.
    """
    return [parse_line(text, number, path) for number, text in numbered_lines(path)]


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The file's lines that are not blank, with their numbers from 1; raises ListError as `read_list`."""
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ListError(f"The list file {path} is not UTF-8; save it in that encoding.") from error
    except OSError as error:
        raise ListError(f"The list file {path} cannot be read: {error.strerror}.") from error
    # Not splitlines(), which also breaks at rarer signs that a text may contain.
    lines = [(number, line.strip()) for number, line in enumerate(content.split("\n"), start=1) if line.strip()]
    if not lines:
        raise ListError(f"The list file {path} is empty; it needs a line per utterance: {'|'.join(FIELDS)}.")
    return iter(lines)


def parse_line(text: str, number: int, path: Path) -> Line:
    """One line of a list file; ListError names the line and the field that is missing."""
    columns = [column.strip() for column in text.split("|", len(FIELDS) - 1)]
    if len(columns) < len(FIELDS):
        raise ListError(
            f"Line {number} of {path} has {len(columns)} of {len(FIELDS)} fields; it should read {'|'.join(FIELDS)}."
        )
    for name, column in zip(FIELDS, columns, strict=True):
        if not column and name != "speaker":
            raise ListError(f"Line {number} of {path} has no {name}; it should read {'|'.join(FIELDS)}.")
    return Line(*columns)


def write_list(path: Path, lines: Iterable[Line]) -> None:
    """Writes a list file, whole or not at all. Raises InputError for a line that could not be read back."""
    rows = []
    for line in lines:
        columns = (line.audio, line.speaker, line.language, line.text)
        if any("\n" in column or "\r" in column for column in columns) or any("|" in column for column in columns[:3]):
            raise InputError(f"The line for {line.audio!r} cannot be written: a field holds a line break or |.")
        rows.append("|".join(columns) + "\n")
    with written_whole(path) as temporary:
        temporary.write_text("".join(rows), encoding="utf-8", newline="\n")
