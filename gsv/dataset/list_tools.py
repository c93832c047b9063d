"""Looking after list files: finding what training could not use, parting and joining them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsv.audio.io import opened
from gsv.dataset.listing import Line, numbered_lines, parse_line, read_list, write_list
from gsv.dataset.utterances import utterance
from gsv.dataset.workers import Item
from gsv.errors import InputError, ListError
from gsv.paths import Project
from gsv.progress import Progress, TerminalProgress
from gsv.versions import Version

# Training leaves out clips of other lengths.
SHORTEST_SECONDS = 0.66
LONGEST_SECONDS = 38.0


@dataclass(frozen=True)
class ListCheck:
    """What a list file holds. `problems` has a sentence, with its line's number, for each line that cannot be used."""

    lines: int
    seconds: float
    speakers: dict[str, int]
    languages: dict[str, int]
    problems: tuple[str, ...]

    def __str__(self) -> str:
        def named(counts: dict[str, int]) -> str:
            return ", ".join(f"{name or 'without a name'} ({count})" for name, count in counts.items())

        usable = self.lines - len(self.problems)
        return (
            f"{usable} of {self.lines} lines are usable, {self.seconds / 60:.1f} minutes of sound; "
            f"speakers: {named(self.speakers)}; languages: {named(self.languages)}"
        )


def check_list(
    path: Path, audio_folder: Path | None, version: Version, project: Project, progress: Progress | None = None
) -> ListCheck:
    """Looks at every line, and at every sound file from beginning to end, as preparing and training will see them.

    A line is a problem if a field is missing, the text has no words, the version does not know the language, the sound
    is missing, damaged, silent, too short or too long for training, or its name or its words and length are another
    line's. Raises ListError if the list cannot be read at all.
    """
    if audio_folder is not None and not audio_folder.is_dir():
        raise InputError(f"The audio folder {audio_folder} is not there; name the folder that holds the listed files.")
    progress = progress or TerminalProgress()
    lines = list(numbered_lines(path))
    seen: dict[object, int] = {}
    problems = []
    total = 0.0
    speakers: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    progress.begin("check", len(lines), "line")
    try:
        for number, text in lines:
            try:
                item = utterance(text, number, path, audio_folder, version, project)
                total += _seconds(item, number, seen)
            except InputError as error:
                sentence = str(error)
                problems.append(sentence if sentence.startswith("Line ") else f"Line {number}: {sentence}")
            else:
                line = parse_line(text, number, path)
                speakers[line.speaker] += 1
                languages[line.language] += 1
            progress.advance()
    finally:
        progress.end()
    return ListCheck(len(lines), total, dict(speakers), dict(languages), tuple(problems))


def _seconds(item: Item, number: int, seen: dict[object, int]) -> float:
    """The length of a usable utterance; InputError for one that is not. `seen` has the lines of those before it."""
    first = seen.setdefault(item.name, number)
    if first != number:
        raise InputError(f"Line {number} names {item.name}, which line {first} has already; keep one of them.")
    if not any(character.isalnum() for character in item.text):
        raise InputError(f"Line {number} has no words in its text, {item.text!r}.")
    samples = 0
    peak = 0.0
    with opened(item.audio) as sound:
        for block in sound.blocks:
            samples += len(block)
            peak = max(peak, float(np.abs(block).max()))
    seconds = samples / sound.rate
    if not SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS:
        raise InputError(
            f"Line {number}: {item.audio} is {seconds:.2f} s long; training takes {SHORTEST_SECONDS} to "
            f"{LONGEST_SECONDS:g} s."
        )
    if not peak:
        raise InputError(f"Line {number}: {item.audio} is silent from end to end.")
    first = seen.setdefault((item.text, samples, peak), number)
    if first != number:
        raise InputError(f"Line {number} repeats the text and the sound of line {first}; keep one of them.")
    return seconds


def split_list(path: Path, folder: Path, by: str, parts: int = 2) -> list[Path]:
    """Writes the lines to several lists `STEM.GROUP.list` in `folder`, and returns those.

    `by`: "speaker" or "language" makes a list for each; "parts" deals the lines out to so many lists in turn. Raises
    ListError if the list cannot be read, InputError if it has fewer lines than parts.
    """
    lines = read_list(path)
    if by == "speaker":
        keys = [line.speaker for line in lines]
    elif by == "language":
        keys = [line.language.lower() for line in lines]
    elif by == "parts":
        if not 1 < parts <= len(lines):
            raise InputError(f"{path} has {len(lines)} lines; they make 2 to {len(lines)} parts, not {parts}.")
        keys = [str(index % parts + 1) for index in range(len(lines))]
    else:
        raise InputError(f"A list cannot be split by {by!r}; choose speaker, language or parts.")
    groups: dict[str, list[Line]] = {}
    for key, line in zip(keys, lines, strict=True):
        groups.setdefault(key, []).append(line)
    names = {key: re.sub(r"[^\w.-]+", "_", key) or "nobody" for key in groups}
    files = {key: folder / f"{path.stem}.{name}.list" for key, name in names.items()}
    if len(set(files.values())) < len(files):
        raise InputError(f"Some names in {path} differ only in signs that a file name cannot have; rename them.")
    for key, file in files.items():
        write_list(file, groups[key])
    return list(files.values())


def merge_lists(paths: Sequence[Path], output: Path) -> int:
    """Writes the lines of all lists to one, equal ones once, and returns their number.

    Raises ListError if one cannot be read, or if a sound file has two different lines.
    """
    lines: dict[str, Line] = {}
    places: dict[str, str] = {}
    for path in paths:
        for number, text in numbered_lines(path):
            line = parse_line(text, number, path)
            place = f"line {number} of {path}"
            if lines.setdefault(line.audio, line) != line:
                raise ListError(f"{line.audio} differs between {places[line.audio]} and {place}; keep one of them.")
            places.setdefault(line.audio, place)
    write_list(output, lines.values())
    return len(lines)
