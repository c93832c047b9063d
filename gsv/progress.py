"""How long work tells how far it has come, whoever listens: a terminal, or the process that started it."""

import sys
from typing import Any, Protocol

from tqdm import tqdm


class Progress(Protocol):
    """Told by work that takes long. Stretches of work follow one another; each has a title and a number of units."""

    def begin(self, title: str, total: int, unit: str, done: int = 0) -> None:
        """A stretch of `total` units begins, `done` of which were done earlier."""
        ...

    def advance(self, count: int = 1, note: str = "") -> None:
        """So many units more are done; the note is what there is to say about them, such as a loss."""
        ...

    def say(self, message: str) -> None:
        """A line for the log that does not disturb the display."""
        ...

    def end(self) -> None:
        """The stretch is over, whether all of it was done or not."""
        ...


class TerminalProgress:
    """A bar on stderr."""

    def __init__(self) -> None:
        self.bar: Any = None

    def begin(self, title: str, total: int, unit: str, done: int = 0) -> None:
        self.end()
        self.bar = tqdm(total=total, initial=done, desc=title, unit=unit, file=sys.stderr, smoothing=0.1)

    def advance(self, count: int = 1, note: str = "") -> None:
        if note:
            self.bar.set_postfix_str(note, refresh=False)
        self.bar.update(count)

    def say(self, message: str) -> None:
        tqdm.write(message, file=sys.stderr)

    def end(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None
