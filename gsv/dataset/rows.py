"""Tables with a row per utterance that several workers write: `2-name2text.txt` and `6-name2semantic.tsv`.

Each worker appends whole lines to a part of its own (`2-name2text-0.txt`); the parent joins them under the final name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gsv.paths import written_whole


@dataclass(frozen=True)
class RowFile:
    """A tab-separated table whose first column is the utterance's name.

    `lasting` says whether rows of a run that was broken off are worth keeping for the next one.
    """

    path: Path
    columns: int
    header: str | None = None
    lasting: bool = True

    def part(self, number: int) -> Path:
        """The file that worker `number` appends to."""
        return self.path.with_name(f"{self.path.stem}-{number}{self.path.suffix}")

    def append(self, number: int, columns: Sequence[str]) -> None:
        """Adds a row to a worker's part."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.part(number).open("a", encoding="utf-8", newline="\n") as file:
            file.write("\t".join(columns) + "\n")

    def rows(self) -> dict[str, list[str]]:
        """All rows so far by name, those of the parts last; a row cut short by a crash does not count."""
        found: dict[str, list[str]] = {}
        for path in (self.path, *self._parts()):
            if path.exists():
                lines = path.read_text(encoding="utf-8").split("\n")
                # What follows the last line break is a row that was being written.
                rows = [line.split("\t") for line in lines[:-1] if line != self.header]
                found |= {row[0]: row for row in rows if len(row) == self.columns}
        return found

    def join(self, names: Iterable[str]) -> None:
        """Makes the table of the rows of these names, in their order; without any row the table stays as it was."""
        rows = self.rows()
        kept = [rows[name] for name in names if name in rows]
        if kept:
            lines = ([self.header] if self.header else []) + ["\t".join(row) for row in kept]
            with written_whole(self.path) as temporary:
                temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
        self._drop_parts()

    def settle(self) -> None:
        """Clears away the parts that a broken-off run has left: into the table if they last."""
        if self.lasting and self._parts():
            self.join(self.rows())
        self._drop_parts()

    def _drop_parts(self) -> None:
        for part in self._parts():
            part.unlink()

    def _parts(self) -> list[Path]:
        found = self.path.parent.glob(f"{self.path.stem}-*{self.path.suffix}")
        return sorted(path for path in found if path.stem.removeprefix(f"{self.path.stem}-").isdecimal())
