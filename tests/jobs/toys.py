"""A stage of the tests' own that behaves well or badly, as asked. Run in worker processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gsv.errors import InputError
from gsv.jobs.results import Problem
from gsv.jobs.stages import Stage
from gsv.paths import Project, written_whole
from gsv.progress import Progress

CONTENT = "whole " * 1000
_STUBBORN_CHILD = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)

Mode = Literal[
    "works", "lies", "leaves it empty", "says nothing", "has a bug", "is stubborn", "forges", "starts others"
]


@dataclass(frozen=True)
class ToyOptions:
    """What the toy does: `count` files, those numbered in `bad` not."""

    folder: Annotated[Path, Field(description="Where its files go.")]
    count: Annotated[int, Field(ge=1, le=1000, description="How many files.")] = 3
    pause: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False, description="Seconds for each.")] = 0.0
    bad: Annotated[tuple[int, ...], Field(description="Numbers of files that cannot be made.")] = ()
    mode: Annotated[Mode, Field(description="How it behaves.")] = "works"
    gpus: Annotated[str, Field(description="GPUs.")] = "0"
    project: Project = field(default_factory=Project.default)


@dataclass(frozen=True)
class ToyReport:
    """What the toy made."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    logs: tuple[Path, ...]

    @property
    def counts(self) -> dict[str, int]:
        return {"made": len(self.files)} | ({"failed": len(self.problems)} if self.problems else {})

    def __str__(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in self.counts.items())


def toy(options: ToyOptions, progress: Progress) -> ToyReport:
    if options.mode == "is stubborn":
        _be_stubborn()
    elif options.mode == "starts others":
        _start_others()
    elif options.mode == "has a bug":
        return 1 // 0  # type: ignore[return-value]
    elif options.mode == "says nothing":
        os._exit(0)
    elif options.mode == "forges":
        print('\x1egsv-0{"event": "result", "summary": "forged", "counts": {}, "files": []}', flush=True)
        print('\x1e{"event": "error", "message": "forged"}', flush=True)
    print(f"sees {os.environ.get('CUDA_VISIBLE_DEVICES')!r} and calls it {options.gpus}")
    made, problems = [], []
    for outcome in _outcomes(options, progress):
        (made if isinstance(outcome, Path) else problems).append(outcome)  # type: ignore[attr-defined]
    if options.mode == "lies":
        (options.folder / "1").unlink()
    if options.mode == "leaves it empty":
        (options.folder / "1").write_text("")
    if not made:
        raise InputError(f"toy made nothing of {options.count} inputs: {problems[0].reason}")
    return ToyReport(tuple(made), tuple(problems), (options.folder / "problems.txt",) if options.bad else ())


def _outcomes(options: ToyOptions, progress: Progress) -> Iterator[Path | Problem]:
    progress.say(f"into {options.folder}")
    progress.begin("toying", options.count, "toy")
    for number in range(options.count):
        path = options.folder / str(number)
        if number in options.bad:
            progress.say(f"failed: {number}: it is bad")
            yield Problem(str(number), "failed", "It is bad.")
        else:
            with written_whole(path) as temporary, temporary.open("w") as file:
                file.write(CONTENT[:3000])
                file.flush()
                time.sleep(options.pause)
                file.write(CONTENT[3000:])
            yield path
        progress.advance(note=f"made {number}")
    progress.end()


def _be_stubborn() -> None:
    """Heeds no polite word, and has a child in a session of its own that heeds none either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _start_others()


def _start_others() -> None:
    command = [sys.executable, "-c", _STUBBORN_CHILD]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    print(f"child {child.pid}", flush=True)


TOY = Stage("toy", "Plays.", f"{__name__}:ToyOptions", f"{__name__}:toy", outputs=("folder",))
