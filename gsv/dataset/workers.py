"""Work on the lines of a list, shared out over processes: line i goes to worker i modulo their number.

Each worker has a pipe of its own to the parent, so a worker that is killed cannot take a lock with it. A worker stops
after its present line when the parent closes the pipe, dies, or is interrupted.
"""

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import torch

from gsv.errors import GsvError, InputError
from gsv.progress import Progress

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

State = Literal["done", "kept", "skipped", "failed"]

# Longer than any one line takes; a worker that is still at it then is ended.
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Item:
    """An utterance to work on. `name` is the base name of its outputs."""

    name: str
    audio: Path
    language: str
    text: str


@dataclass(frozen=True)
class Outcome:
    """What became of a line: made now, already there, left out by a rule, or failed; the last two say why.

    `files` were seen to be there afterwards. `traceback` is that of an error that nobody foresaw.
    """

    name: str
    state: State
    reason: str = ""
    traceback: str = ""
    files: tuple[Path, ...] = ()

    def tell(self, progress: Progress) -> None:
        """Says why there is nothing of the line, if so."""
        if self.reason:
            progress.say(f"{self.state}: {self.name}: {self.reason}\n{self.traceback}".strip())


class Skip(Exception):
    """Raised by a step for a line that its rules leave out; the message is the reason."""


class Step(Protocol):
    """Something that is done for every line. It is sent to the workers, so it must be picklable."""

    @property
    def title(self) -> str: ...

    def start(self, device: torch.device, part: int) -> Callable[[Item], Literal["done", "kept"]]:
        """Loads what worker number `part` needs and returns what does the work for one line.

        That raises Skip or an error for a line; the other lines go on.
        """
        ...

    def files(self, item: Item) -> Sequence[Path]:
        """The files of its own that a line has once the work for it is done; it failed if one is missing or empty."""
        ...


def worker_devices(gpus: str) -> list[str]:
    """The device of each worker: "0-0" is two workers on GPU 0, "0-1" one each on GPUs 0 and 1.

    A GPU that does not exist falls back to the first; without any the workers share the CPU. InputError if malformed.
    """
    parts = gpus.strip().split("-")
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise InputError(f"The GPU numbers {gpus!r} cannot be read; write one per worker, such as 0 or 0-0 or 0-1.")
    if not torch.cuda.is_available():
        return ["cpu"] * len(parts)
    count = torch.cuda.device_count()
    return [f"cuda:{int(part) if int(part) < count else 0}" for part in parts]


def run(step: Step, items: Sequence[Item], devices: Sequence[str], progress: Progress) -> list[Outcome]:
    """Does the step for all items; the outcomes come in the order in which they happened.

    Raises the GsvError with which a worker could not start. Lines of a worker that was killed count as failed.
    """
    context = _context(step)
    shares = [items[part :: len(devices)] for part in range(len(devices))]
    threads = max(1, torch.get_num_threads() // sum(1 for share in shares if share))
    workers: dict[Connection, tuple[BaseProcess, dict[str, Item]]] = {}
    outcomes: list[Outcome] = []
    progress.begin(step.title, len(items), "file")
    with _ended(workers, progress):
        for part, (share, device) in enumerate(zip(shares, devices, strict=True)):
            if share:
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, step, part, device, threads, share), daemon=True)
                process.start()
                theirs.close()
                workers[ours] = (process, {item.name: item for item in share})
        while workers:
            speaking = wait(list(workers))
            for connection in [connection for connection in workers if connection in speaking]:
                worker, left = workers[connection]
                for outcome in _received(connection, worker, left):
                    outcomes.append(outcome)
                    outcome.tell(progress)
                    progress.advance()
                if not left:
                    del workers[connection]
                    connection.close()
                    worker.join()
    return outcomes


def _context(step: Step) -> "ForkServerContext | SpawnContext":
    """How workers are started: without the parent's memory and threads, as CUDA needs it.

    On Linux what takes seconds to import is imported once, by a server process that does nothing else.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([type(step).__module__])
    return context


def _received(ready: Connection, process: BaseProcess, left: dict[str, Item]) -> list[Outcome]:
    """The outcome that a worker sent, or the failure of all its lines if it is gone."""
    try:
        message = ready.recv()
    except (EOFError, OSError):
        process.join()
        code = process.exitcode
        how = f"was killed by signal {-code}" if code and code < 0 else f"ended with exit code {code}"
        lost = [Outcome(name, "failed", f"Its worker process {how} before this line was done.") for name in left]
        left.clear()
        return lost
    if isinstance(message, GsvError):
        raise message
    del left[message.name]
    return [message]


@contextmanager
def _ended(workers: dict[Connection, tuple[BaseProcess, dict[str, Item]]], progress: Progress) -> Iterator[None]:
    """Whatever happens inside, no worker is left behind: each finishes its line, and one that does not is ended."""
    try:
        yield
    finally:
        progress.end()
        for connection in workers:
            connection.close()
        for process, _ in workers.values():
            process.join(_PATIENCE_SECONDS)
            if process.is_alive():
                process.terminate()
                process.join()


def _work(connection: Connection, step: Step, part: int, device: str, threads: int, share: Sequence[Item]) -> None:
    """A worker's whole life."""
    # Ctrl-C reaches the parent, which closes the pipe. Being ended politely removes temporary files on the way out.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    torch.set_num_threads(threads)
    try:
        try:
            handle = step.start(torch.device(device), part)
        except GsvError as error:
            connection.send(error)
            return
        for item in share:
            if connection.poll():  # Nothing is ever sent to a worker: the pipe was closed.
                return
            connection.send(_outcome(step, handle, item))
    except BrokenPipeError:
        return


def _outcome(step: Step, handle: Callable[[Item], Literal["done", "kept"]], item: Item) -> Outcome:
    try:
        state = handle(item)
        files = tuple(step.files(item))
        for path in files:
            if not path.is_file() or not path.stat().st_size:
                return Outcome(item.name, "failed", f"{path} was to be made and is not there.")
        return Outcome(item.name, state, files=files)
    except Skip as skip:
        return Outcome(item.name, "skipped", str(skip))
    except GsvError as error:
        return Outcome(item.name, "failed", str(error))
    except OSError as error:
        return Outcome(item.name, "failed", f"Its files cannot be read or written: {error}.")
    except Exception as error:  # One line must not cost the others; a bug is reported in full all the same.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Outcome(item.name, "failed", reason, traceback.format_exc())
