"""What is made of an input in a folder: all of it or nothing, made once, and never mixed with what was made before.

A note of it is kept in the hidden folder `.made`. The files of an input are written elsewhere first; then the note,
which names them all, then they appear. A run that is killed in between leaves a note whose files are not all there.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gsv.dataset.workers import Item
from gsv.errors import InputError
from gsv.paths import alone_in, written_whole

NOTES = ".made"
_UNFINISHED = "unfinished"

Settings = Mapping[str, float | str]


@dataclass(frozen=True)
class _Note:
    """The input as it was, the settings, and the names of the files."""

    source: str
    size: int
    time: int
    settings: Settings
    files: list[str]


@dataclass(frozen=True)
class Making:
    """The making of one input's files in `folder`; with other `settings` they would be others."""

    folder: Path
    item: Item
    settings: Settings

    def files(self) -> list[Path]:
        """What the last finished making made, whether it is still there or not."""
        note = self._note()
        return [self.folder / name for name in note.files] if note else []

    def is_done(self) -> bool:
        """Whether all files are there, made with these settings of the input as it is now."""
        note, now = self._note(), self._now()
        return (
            note is not None
            and (note.size, note.time, note.settings) == (now.size, now.time, now.settings)
            and all(path.is_file() for path in self.files())
        )

    @contextmanager
    def anew(self) -> Iterator[Path]:
        """A folder to write the files to; when the block ends without an error they replace those made before.

        Raises InputError if there are files of another input of the same name, or the input itself.
        """
        note = self._note()
        # Taken before the input is read: should it change meanwhile, the next run sees that.
        now = self._now()
        if note and note.source != now.source and Path(note.source).exists():
            raise InputError(
                f"{self.folder} holds what was made of another {self.item.name}, {note.source}; choose another folder."
            )
        with unfinished_in(self.folder) as temporary:
            yield temporary
            made = sorted(temporary.iterdir())
            for path in made:
                place = self.folder / path.name
                if place.exists() and place.samefile(self.item.audio):
                    raise InputError(f"{place} is the input, which would be overwritten; choose another folder.")
            for path in self.files():
                path.unlink(missing_ok=True)
            with written_whole(self._note_path) as path:
                path.write_text(json.dumps({**asdict(now), "files": [file.name for file in made]}), encoding="utf-8")
            for path in made:
                path.replace(self.folder / path.name)

    @property
    def _note_path(self) -> Path:
        return self.folder / NOTES / f"{self.item.name}.json"

    def _now(self) -> _Note:
        state = self.item.audio.stat()
        source = str(self.item.audio.absolute())
        return _Note(source, state.st_size, state.st_mtime_ns, dict(self.settings), [])

    def _note(self) -> _Note | None:
        try:
            note = _Note(**json.loads(self._note_path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):  # None yet, or somebody changed it: the input is made anew.
            return None
        # What is named is deleted when the input is made anew, so it had better be in this folder.
        return note if all(Path(name).name == name for name in note.files) else None


@contextmanager
def unfinished_in(folder: Path) -> Iterator[Path]:
    """A folder for what is not finished, on the disk that `folder` is on; it goes when the block ends."""
    unfinished = folder / NOTES / _UNFINISHED
    unfinished.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=unfinished) as temporary:
        yield Path(temporary)


@contextmanager
def making_in(folder: Path, inputs: Path, argument: str) -> Iterator[None]:
    """Makes the folder for what is made of the `inputs`, keeps other runs out of it, and clears what killed ones left.

    Raises InputError, which names the `argument` that the folder was given for, if it cannot serve.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{argument}: {folder} is a file; name a folder.")
    if inputs.is_dir() and folder.is_dir() and folder.samefile(inputs):
        raise InputError(f"{argument}: {folder} is the folder of the inputs; name another, or they would be mixed up.")
    with alone_in(folder):
        unfinished = folder / NOTES / _UNFINISHED
        if unfinished.exists():
            shutil.rmtree(unfinished)
        yield
