"""What a list was made of, kept beside it in a hidden folder, so that a later run can tell what still holds.

Every worker appends to a part of its own as it goes; when a run is through, the whole is settled in one file.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from gsv.errors import InputError
from gsv.paths import written_whole


@dataclass(frozen=True)
class Entry:
    """A transcribed file: its name, the state of the file then, and by what it was transcribed, as what."""

    name: str
    sound: str
    recipe: str
    language: str
    text: str


@dataclass(frozen=True)
class Ledger:
    """The entries in a folder."""

    folder: Path

    def append(self, part: int, entry: Entry) -> None:
        """Adds an entry to a worker's part."""
        with self._part(part).open("a", encoding="utf-8", newline="\n") as file:
            file.write(_row(entry))

    def settled(self) -> dict[str, Entry]:
        """What the list was last written from, by name."""
        return _read(self._settled)

    def gather(self) -> dict[str, Entry]:
        """What was transcribed since, by name, in this run or in one that was broken off. No worker may be writing."""
        found = {name: entry for path in self._parts() for name, entry in _read(path).items()}
        if found:
            _write(self._gathered, found.values())
        for part in self._parts():
            # It may end in half an entry, to which the next one would be appended.
            if part != self._gathered:
                part.unlink()
        return found

    def settle(self, entries: Iterable[Entry]) -> None:
        """Says that the list has now been written from these entries."""
        _write(self._settled, entries)
        for path in self._parts():
            path.unlink()

    @property
    def _settled(self) -> Path:
        return self.folder / "settled.jsonl"

    @property
    def _gathered(self) -> Path:
        return self.folder / "fresh.jsonl"

    def _part(self, number: int) -> Path:
        return self.folder / f"fresh-{number}.jsonl"

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("fresh*.jsonl"))


def _row(entry: Entry) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _write(path: Path, entries: Iterable[Entry]) -> None:
    with written_whole(path) as temporary:
        temporary.write_text("".join(map(_row, entries)), encoding="utf-8", newline="\n")


def _read(path: Path) -> dict[str, Entry]:
    if not path.exists():
        return {}
    # What follows the last line break is an entry that was being written.
    rows = path.read_bytes().split(b"\n")[:-1]
    try:
        entries = [Entry(**json.loads(row)) for row in rows]
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged; delete it, and what it tells of is transcribed again.") from error
    return {entry.name: entry for entry in entries}
