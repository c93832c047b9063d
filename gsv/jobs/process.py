"""A stage at work in a process of its own, as its parent sees it.

What the process says of itself is believed only after it has ended well and the files it named were found.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import psutil

from gsv.errors import GsvError
from gsv.fields import gpu_numbers
from gsv.jobs import devices
from gsv.jobs.events import Event, Reader
from gsv.jobs.parameters import values_of
from gsv.jobs.results import Problem, Result, State
from gsv.jobs.stages import Stage
from gsv.jobs.trees import HARD_SECONDS, MARK, kill_family
from gsv.jobs.worker import INTERRUPTED, POLITE_SECONDS

# A process that is asked to end gets a little longer than it gives its own children; then it is ended.
PATIENCE_SECONDS = POLITE_SECONDS + 0.5
# All that a process has printed is read soon after its end, unless something unknown keeps its output open.
_LISTENING_SECONDS = 30.0
_STATUS_SECONDS = 0.2
_GPUS = "gpus"
# Modules are found where this program finds them, and not in whatever folder the user happens to be.
_ENTRY = "import json, sys; sys.path = json.loads(sys.argv[1]); from gsv.jobs.worker import main; main()"


@dataclass(frozen=True)
class Status:
    """How far a job is, at one moment.

    Args:
        title, done, total, unit: the present stretch of the work.
        rate: units per second, once it is known; `seconds_left` follows from it, for this stretch.
        message: the last thing to say: a note, a problem, or in the end what came of it.
        counts, files, problems, logs: what came of it, when it has ended.
        log: all that the processes printed.
    """

    name: str
    stage: str
    state: State
    log: Path
    title: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    rate: float | None = None
    seconds_left: float | None = None
    message: str = ""
    counts: Mapping[str, int] | None = None
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()
    logs: tuple[Path, ...] = ()

    @property
    def fraction(self) -> float:
        return self.done / self.total if self.total else 0.0

    @property
    def ended(self) -> bool:
        return self.state != "running"


class Job:
    """A stage at work. It starts at once.

    `ended` is called when it is over, from a thread of the job's own, before anybody who waits is told.
    """

    def __init__(
        self,
        stage: Stage,
        options: Any,
        *,
        name: str = "",
        ended: Callable[["Job"], None] = lambda _: None,
    ) -> None:
        self.stage = stage
        self.name = name or stage.name
        self.mark = f"gsv-{secrets.token_hex(16)}"
        self.log = _new_log(options.project.root / "logs" / "jobs", self.name)
        self._ended = ended
        self._status = Status(self.name, stage.name, "running", self.log)
        self._changed = threading.Condition()
        self._closing = False
        self._result: Result | None = None
        self._error: str | None = None
        values, environment = _placed(values_of(options))
        order = {
            "mark": self.mark,
            "stage": stage.as_event(),
            "project": options.project.root.absolute(),
            "values": values,
        }
        self._process = _start(stage.name, self.mark, environment)
        self.pid = self._process.pid
        self.started_at = _birth(self.pid)
        self._tell(json.dumps(order, default=str))
        self._watcher = threading.Thread(target=self._watch, name=f"job {self.name}", daemon=True)
        self._watcher.start()

    @property
    def status(self) -> Status:
        return self._status

    def statuses(self) -> Iterator[Status]:
        """The status whenever it has changed, until the job has ended; the last one is the final one."""
        seen: Status | None = None
        while seen is None or not seen.ended:
            with self._changed:
                self._changed.wait_for(lambda: self._status is not seen)  # noqa: B023 - called at once
                seen = self._status
            yield seen
            if not seen.ended:
                time.sleep(_STATUS_SECONDS)

    def wait(self, seconds: float | None = None) -> Status:
        """The final status; TimeoutError if there is none after `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._status.ended, seconds):
                raise TimeoutError(f"{self.name} is still at work.")
        return self._status

    def close(self) -> Status:
        """Ends the job with all its processes, politely if they let it within three seconds, and waits for that."""
        self._closing = True
        with suppress(OSError):
            self._stdin.close()
        with suppress(TimeoutError):
            return self.wait(PATIENCE_SECONDS)
        kill_family(self.mark, self.pid)
        try:
            return self.wait(HARD_SECONDS)
        except TimeoutError:
            raise GsvError(f"The processes of {self.name} could not be ended; the first is {self.pid}.") from None

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def _tell(self, order: str) -> None:
        # A process that is gone already shows that by its exit status.
        with suppress(OSError):
            self._stdin.write(order.encode() + b"\n")
            self._stdin.flush()

    def _watch(self) -> None:
        listener = threading.Thread(target=self._listen, name=f"output of {self.name}", daemon=True)
        listener.start()
        code = self._process.wait()
        # What it started may live on, and keep the output open.
        orphans_gone = kill_family(self.mark, None)
        listener.join(_LISTENING_SECONDS)
        with suppress(OSError):
            self._stdin.close()
        status = self._verdict(code)
        if not orphans_gone:
            status = replace(status, message=f"{status.message} Some of its processes could not be ended.")
        self._note(f"{_now()} {status.state}: {status.message}")
        try:
            self._ended(self)
        finally:
            self._show(status)

    def _note(self, line: str) -> None:
        """Adds to the log. A full disk is no reason to stop listening: the process would wait for that."""
        with suppress(OSError), self.log.open("a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(line + "\n")

    def _listen(self) -> None:
        output = self._process.stdout
        assert output is not None
        reader = Reader(self.mark)
        self._note(f"{_now()} {self.name} begins")
        with output:
            while data := os.read(output.fileno(), 1 << 16):
                for part in reader.feed(data):
                    self._hear(part)
            for part in reader.close():
                self._hear(part)

    def _hear(self, part: Event | str) -> None:
        if isinstance(part, str):
            self._note(part)
            return
        kind = part.pop("event")
        if kind == "progress":
            part["message"] = part.pop("note") or self._status.message
            self._show(replace(self._status, **part))
        elif kind == "say":
            self._note(part["message"])
            self._show(replace(self._status, message=part["message"].partition("\n")[0]))
        elif kind == "result":
            self._result = Result.from_event(part)
        elif kind == "error":
            self._error = part["message"]

    def _show(self, status: Status) -> None:
        with self._changed:
            self._status = status
            self._changed.notify_all()

    def _verdict(self, code: int) -> Status:
        """What to believe of it, now that it is over."""
        now = replace(self._status, rate=None, seconds_left=None)
        result = self._result
        if code == 0 and result is not None:
            now = replace(now, counts=result.counts, files=result.files, problems=result.problems, logs=result.logs)
            if result.missing:
                count = f" and {len(result.missing) - 1} more were" if len(result.missing) > 1 else " was"
                return replace(now, state="failed", message=f"{result.missing[0]}{count} to be made and is not there.")
            return replace(now, state=result.state, message=result.summary)
        if self._closing:
            return replace(now, state="cancelled", message=f"{self.name} was stopped before its end.")
        return replace(now, state="failed", message=self._error or _how_it_ended(code))


def _start(title: str, mark: str, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-u", "-c", _ENTRY, json.dumps(sys.path), title],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment, MARK: mark, "PYTHONIOENCODING": "utf-8:backslashreplace"},
        **_apart(),
    )


def _apart() -> dict[str, Any]:
    """So that Ctrl-C and the end of the terminal reach the parent alone, which then sees to its jobs."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _placed(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values with the GPUs as the process will number them, and the environment that shows it those alone."""
    if _GPUS not in values:
        return values, {}
    gpus = values[_GPUS]
    # One worker a number where it is a text; devices to train on, each once, where it is a list.
    choice = devices.choose(gpu_numbers(gpus) if isinstance(gpus, str) else gpus, devices.gpus())
    chosen = choice.numbers
    if isinstance(gpus, str):
        return {**values, _GPUS: "-".join(map(str, chosen))}, devices.visible_to(choice)
    return {**values, _GPUS: tuple(dict.fromkeys(chosen))}, devices.visible_to(choice)


def _new_log(folder: Path, name: str) -> Path:
    """An empty file `<date>-<name>-<n>.log`, where n counts the day's jobs of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        path = folder / f"{datetime.now():%Y-%m-%d}-{name}-{number}.log"
        try:
            path.open("x").close()
        except FileExistsError:
            number += 1
        else:
            return path


def _now() -> str:
    return f"{datetime.now():%Y-%m-%d %H:%M:%S}"


def _birth(pid: int) -> float | None:
    """When a process began, by which it is known again; None if it has ended."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _how_it_ended(code: int) -> str:
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "no name"
        why = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"Its process was killed by signal {-code} ({name}){why}."
    if code == INTERRUPTED:
        return "Its process was told to end by somebody else."
    if code == 0:
        return "Its process ended without saying what came of it; see the log."
    return f"Its process ended with exit status {code}; see the log."
