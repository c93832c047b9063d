"""A list file that is being corrected: pages of rows, edits, split, merge, undo, and saving, apart from any page.

Rows keep their number (`id`) while others come and go, so that two browsers that look at one list never mean different
rows. The list file is only touched by `save`; until then every change is also in a draft beside it, which the next
`Labels` of that list takes up, so that a closed window or a killed program loses nothing. It is also how programs that
have the same list open, such as the main app and the labelling app, see each other's changes.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from pathlib import Path

import numpy as np
import soundfile
from filelock import FileLock, Timeout

from gsv.audio.io import Samples, load, resample, save_wav
from gsv.dataset.listing import FIELDS, Line, numbered_lines, parse_line, write_list
from gsv.errors import AudioError, InputError, ListError
from gsv.paths import written_whole

# Languages that are written without blanks between words.
_NO_BLANKS = ("zh", "ja", "yue", "cmn", "jp")
# Where a text is best parted, the better places first.
_PLACES = ("。！？.!?", "，、；：,;:…—", " ")
_SHORTEST_SECONDS = 0.05
_UNDO_STEPS = 200
# Splitting a long clip takes another program that long at most.
_PATIENCE_SECONDS = 20


@dataclass(frozen=True)
class Row:
    """A line of the list, with a number that stays its own."""

    id: int
    line: Line


@dataclass(frozen=True)
class Page:
    """Some rows in their order: `places` are where in the list they are, from 1, and `found` how many there are on all
    `pages` together; `number` is from 1."""

    number: int
    pages: int
    found: int
    rows: tuple[Row, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class _Draft:
    """What was not saved yet: lines that are to take the place of those in the file whose digest is `of`."""

    of: str
    lines: list[Line]


class Labels:
    """The rows of one list file. May be used from many threads."""

    def __init__(self, path: Path, resolve: Callable[[str], Path]) -> None:
        """Reads the list, or the draft of earlier changes to it; `resolve` turns an audio path as written into a file.

        Raises ListError if the list cannot be read. A line without a text can be: that is what this is for.
        """
        self.path = path
        self._resolve = resolve
        self._lock = threading.RLock()
        self._next = 0
        self._rows: tuple[Row, ...] = ()
        self._undo: list[tuple[Row, ...]] = []
        self._base = ""
        self._saved: tuple[Line, ...] = ()
        self._seen: tuple[object, object] = (None, None)
        self.revision = 0
        self.restored = False
        self.reload()

    def reload(self) -> None:
        """The list as its file has it now, with the draft if one was left for exactly this state of the file."""
        with self._lock:
            lines = self._read_list()
            self._base = _digest(self.path)
            self._saved = tuple(lines)
            draft = self._own_draft()
            self.restored = draft is not None
            self._rows = self._with_ids(lines)
            self._undo = []
            if draft is not None:
                # Taking it back leads to what the file has.
                self._undo = [self._rows]
                self._rows = self._with_ids(draft)
            self.revision += 1
            self._seen = self._stamps()

    def refresh(self) -> None:
        """Reads the file anew if another program has changed it; otherwise rows keep their numbers and changes."""
        with self._lock:
            self.restored = False
            self.follow()
            if _digest(self.path) != self._base:
                self.reload()

    def follow(self) -> None:
        """Takes over what other programs that have this list open have done to it since, saved or not.

        Changes that were not saved stay as they are if the file was changed by something else; `save` tells then.
        """
        with self._lock:
            seen = self._stamps()
            if seen == self._seen:
                return
            base = _digest(self.path)
            draft = self._read_draft()
            if draft is None:
                self._adopt(base, self._read_list(), None)
            elif draft.of == base:
                self._adopt(base, self._read_list(), draft.lines)
            elif draft.of == self._base:
                self._adopt(self._base, list(self._saved), draft.lines)
            self._seen = seen

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows

    @property
    def changed(self) -> bool:
        """Whether there is something to save."""
        return tuple(row.line for row in self._rows) != self._saved

    def page(self, number: int, size: int, find: str = "") -> Page:
        """That page of the rows in which `find` occurs; a number beyond the last page means the last one."""
        if size < 1:
            raise InputError(f"A page of {size} rows cannot be shown; take at least 1.")
        wanted = find.casefold().strip()
        hits = [(place, row) for place, row in enumerate(self._rows, start=1) if wanted in _searched(row.line)]
        pages = max(1, -(-len(hits) // size))
        number = min(max(1, number), pages)
        shown = hits[(number - 1) * size : number * size]
        return Page(number, pages, len(hits), tuple(row for _, row in shown), tuple(place for place, _ in shown))

    def audio(self, row: int) -> Path:
        """The row's sound file: as written, or else beside the list; it need not be there."""
        return self._audio(self._at(row)[1].line)

    def edit(
        self, row: int, *, text: str | None = None, language: str | None = None, speaker: str | None = None
    ) -> None:
        """Changes fields of a row; line breaks become blanks. Raises InputError for what a list cannot hold."""
        with self._alone():
            place, old = self._at(row)
            line = replace(
                old.line,
                text=old.line.text if text is None else " ".join(text.split()),
                language=old.line.language if language is None else _plain(language, "language"),
                speaker=old.line.speaker if speaker is None else _plain(speaker, "speaker"),
            )
            if line != old.line:
                self._put((*self._rows[:place], Row(old.id, line), *self._rows[place + 1 :]))

    def delete(self, rows: Iterable[int]) -> None:
        """Takes rows out of the list; their sound files stay."""
        with self._alone():
            gone = {self._at(row)[1].id for row in rows}
            self._put(tuple(row for row in self._rows if row.id not in gone))

    def split(self, row: int, seconds: float, caret: int | None = None) -> tuple[int, int]:
        """Parts a row in two at that time; the text at `caret` characters, or where the time suggests.

        The two clips are written beside the old one, which stays as it is. Returns the numbers of the new rows. Raises
        InputError for a time that is not inside the clip, AudioError for a clip that cannot be read.
        """
        with self._alone():
            place, old = self._at(row)
            audio = self._audio(old.line)
            wave, rate = _whole(audio)
            length = wave.shape[1] / rate
            if not _SHORTEST_SECONDS <= seconds <= length - _SHORTEST_SECONDS:
                raise InputError(f"The row lasts {length:.2f} s and cannot be split at {seconds:.2f} seconds.")
            cut = round(seconds * rate)
            share = seconds / length
            texts = parted(old.line.text, share if caret is None else None, caret)
            new = [
                self._new(replace(old.line, audio=self._written(old.line, audio, part, rate), text=text))
                for part, text in zip((wave[:, :cut], wave[:, cut:]), texts, strict=True)
            ]
            self._put((*self._rows[:place], *new, *self._rows[place + 1 :]))
            return new[0].id, new[1].id

    def merge(self, row: int, pause: float = 0.0) -> int:
        """Joins a row and the one after it, with `pause` seconds of silence in between; returns the new row's number.

        The clip is written beside the first one. Raises InputError if there is no next row, or if it is of another
        speaker or language.
        """
        if not 0 <= pause <= 10:
            raise InputError(f"A pause of {pause:g} s cannot be put between rows; take 0 to 10 s.")
        with self._alone():
            place, first = self._at(row)
            if place + 1 == len(self._rows):
                raise InputError("The last row has no next one to be merged with.")
            second = self._rows[place + 1]
            for field in ("speaker", "language"):
                one, other = getattr(first.line, field), getattr(second.line, field)
                if one != other:
                    raise InputError(
                        f"Rows of the {field}s {one!r} and {other!r} cannot be merged; make them the same."
                    )
            audio = self._audio(first.line)
            joined, rate = _joined([_whole(audio), _whole(self._audio(second.line))], pause)
            blank = "" if first.line.language.lower().startswith(_NO_BLANKS) else " "
            text = blank.join(part for part in (first.line.text, second.line.text) if part)
            new = self._new(replace(first.line, audio=self._written(first.line, audio, joined, rate), text=text))
            self._put((*self._rows[:place], new, *self._rows[place + 2 :]))
            return new.id

    def undo(self) -> bool:
        """Takes back the last change; whether there was one. Clips that a split or merge has written stay."""
        with self._alone():
            if not self._undo:
                return False
            self._rows = self._undo.pop()
            self._after()
            return True

    def save(self) -> Path | None:
        """Writes the list, whole or not at all; returns the copy that was made of what it was, None if nothing changed.

        Raises ListError, and changes nothing, if a row has no text or language, or if somebody else has changed the
        file since it was read; what was to be saved stays in the draft then.
        """
        with self._alone():
            if not self.changed:
                return None
            for place, row in enumerate(self._rows, start=1):
                for name, value in (("text", row.line.text), ("language", row.line.language)):
                    if not value:
                        raise ListError(f"Row {place} has no {name}; give it one, or delete the row.")
            if not self._rows:
                raise ListError("No row is left; a list needs one at least.")
            if _digest(self.path) != self._base:
                kept = _unused(self.path.with_name(f"{self.path.stem}.edited{self.path.suffix}"))
                write_list(kept, [row.line for row in self._rows])
                raise ListError(
                    f"{self.path} was changed by another program since it was opened, so it was not overwritten; your "
                    f"version is in {kept}. Reload the list to go on with the other one."
                )
            stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
            backup = _unused(self.path.with_name(f"{self.path.stem}.{stamp}.bak"))
            backup.write_bytes(self.path.read_bytes())
            write_list(self.path, [row.line for row in self._rows])
            self._saved = tuple(row.line for row in self._rows)
            self._base = _digest(self.path)
            self._after()
            return backup

    def _at(self, row: int) -> tuple[int, Row]:
        for place, one in enumerate(self._rows):
            if one.id == row:
                return place, one
        raise InputError(f"The row {row} is not in the list any more; somebody may have deleted, split or merged it.")

    def _put(self, rows: tuple[Row, ...]) -> None:
        self._undo = [*self._undo[1 - _UNDO_STEPS :], self._rows]
        self._rows = rows
        self._after()

    def _after(self) -> None:
        self.revision += 1
        draft = self._draft
        if self.changed:
            rows = [[row.line.audio, row.line.speaker, row.line.language, row.line.text] for row in self._rows]
            with written_whole(draft) as temporary:
                temporary.write_text(json.dumps({"of": self._base, "rows": rows}, ensure_ascii=False), encoding="utf-8")
        else:
            draft.unlink(missing_ok=True)
        self._seen = self._stamps()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread or program changes the list until the block ends, which begins with what they made of it."""
        place = self.path.with_name(f".{self.path.name}.lock")
        with self._lock:
            try:
                lock = FileLock(place).acquire(timeout=_PATIENCE_SECONDS)
            except Timeout:
                raise InputError(f"Another program is at work on {self.path}; wait for its end.") from None
            with lock:
                self.follow()
                yield

    @property
    def _draft(self) -> Path:
        return self.path.with_name(f".{self.path.name}.draft")

    def _read_list(self) -> list[Line]:
        return [_read(text, number, self.path) for number, text in numbered_lines(self.path)]

    def _read_draft(self) -> "_Draft | None":
        """The draft that there is; one that is damaged is of no state of the file."""
        try:
            content = json.loads(self._draft.read_text(encoding="utf-8"))
            return _Draft(str(content["of"]), [Line(*row) for row in content["rows"]])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError):
            return _Draft("", [])

    def _own_draft(self) -> list[Line] | None:
        """The rows of a draft of this state of the file; one of another state is set aside under a name of its own."""
        draft = self._read_draft()
        if draft is None:
            return None
        if draft.of == self._base:
            return draft.lines
        self._draft.replace(_unused(self._draft.with_suffix(".old")))
        return None

    def _adopt(self, base: str, saved: Sequence[Line], draft: Sequence[Line] | None) -> None:
        """The list as others have left it; taking that back leads to what it was here."""
        before = self._rows, self._saved
        rows = self._with_ids(saved if draft is None else draft)
        if rows != self._rows:
            self._undo = [*self._undo[1 - _UNDO_STEPS :], self._rows]
        self._base, self._saved, self._rows = base, tuple(saved), rows
        if before != (self._rows, self._saved):
            self.revision += 1

    def _with_ids(self, lines: Iterable[Line]) -> tuple[Row, ...]:
        """Rows of lines; those of a recording that has a row already keep its number."""
        known: dict[str, list[int]] = {}
        for row in self._rows:
            known.setdefault(row.line.audio, []).append(row.id)
        return tuple(Row(ids.pop(0), line) if (ids := known.get(line.audio)) else self._new(line) for line in lines)

    def _stamps(self) -> tuple[object, object]:
        """By which a change of the list or its draft is noticed."""
        return _stamp(self.path), _stamp(self._draft)

    def _new(self, line: Line) -> Row:
        self._next += 1
        return Row(self._next, line)

    def _audio(self, line: Line) -> Path:
        written = line.audio.strip().strip("\"'")
        path = self._resolve(written)
        if path.is_file() or Path(written).is_absolute():
            return path
        beside = self._resolve(str(self.path.absolute().parent / written.replace("\\", "/")))
        return beside if beside.is_file() else path

    def _written(self, line: Line, audio: Path, wave: Samples, rate: int) -> str:
        """Writes a new clip beside an old one; returns its path as the list is to name it, in the way of the old."""
        path = _unused(audio.with_suffix(".wav"), numbered=True)
        save_wav(path, wave, rate)
        written = line.audio.strip().strip("\"'")
        return written[: len(written) - len(audio.name)] + path.name if written.endswith(audio.name) else str(path)


def parted(text: str, share: float | None, caret: int | None = None) -> tuple[str, str]:
    """A text in two: at `caret` characters, or near that share of its length, at a mark or blank if one is close."""
    if caret is not None:
        return text[:caret].strip(), text[caret:].strip()
    assert share is not None
    wanted = share * len(text)
    reach = max(3.0, 0.2 * len(text))
    for marks in _PLACES:
        places = [i + 1 for i, character in enumerate(text[:-1]) if character in marks]
        near = [place for place in places if abs(place - wanted) <= reach]
        if near:
            place = min(near, key=lambda place: abs(place - wanted))
            return text[:place].strip(), text[place:].strip()
    return text[: round(wanted)].strip(), text[round(wanted) :].strip()


def _read(text: str, number: int, path: Path) -> Line:
    """A line of the file, even one without a text."""
    columns = [column.strip() for column in text.split("|", len(FIELDS) - 1)]
    if len(columns) == len(FIELDS) and columns[0]:
        return Line(*columns)
    return parse_line(text, number, path)


def _searched(line: Line) -> str:
    return f"{line.text}\n{line.speaker}\n{line.language}\n{line.audio}".casefold()


def _plain(value: str, field: str) -> str:
    value = " ".join(value.split())
    if "|" in value:
        raise InputError(f"The {field} {value!r} cannot be used: a list file parts its fields with |.")
    return value


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ListError(f"The list file {path} cannot be read: {error.strerror}.") from error


def _unused(path: Path, numbered: bool = False) -> Path:
    """That path, or the first with a number behind its name that is not taken: no file is ever written over."""
    others = (path.with_name(f"{path.stem}_{number}{path.suffix}") for number in count(1))
    return next(one for one in (others if numbered else chain((path,), others)) if not one.exists())


def _whole(audio: Path) -> tuple[Samples, int]:
    """All channels [C, T] at the file's own rate."""
    try:
        rate = int(soundfile.info(str(audio)).samplerate)
    except (soundfile.LibsndfileError, TypeError):
        rate = 48000  # Formats that libsndfile does not know are decoded by FFmpeg; this loses nothing of them.
    return load(audio, rate, mono=False), rate


def _joined(clips: Sequence[tuple[Samples, int]], pause: float) -> tuple[Samples, int]:
    """Clips one after another, at the highest of their rates and with as many channels as the first of them."""
    rate = max(rate for _, rate in clips)
    channels = len(clips[0][0])
    silence = np.zeros((channels, round(pause * rate)), np.float32)
    parts: list[Samples] = []
    for wave, own in clips:
        if len(wave) != channels:
            wave = np.repeat(wave.mean(axis=0, keepdims=True), channels, axis=0)
        parts += [silence, np.ascontiguousarray(resample(np.ascontiguousarray(wave.T), own, rate).T)]
    if sum(part.shape[1] for part in parts) > 600 * rate:
        raise AudioError("The merged clip would last more than ten minutes; training wants clips of a few seconds.")
    return np.concatenate(parts[1:], axis=1), rate
