"""The jobs of a project: at most one of a name at a time, whoever asks, and whichever program started it.

A file `logs/jobs/NAME.json` stands for each job that runs. A program that starts anew therefore finds what an earlier
one left running, or what another one runs.
"""

import json
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from gsv.errors import GsvError, InputError
from gsv.jobs.process import Job, Status
from gsv.jobs.stages import Stage
from gsv.jobs.trees import family, kill_family
from gsv.paths import Project, alone_in, written_whole

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Occupied(GsvError):
    """A job of that name is at work; nothing was started."""


@dataclass(frozen=True)
class Running:
    """What is known of a job that runs, wherever it was started. `started_at` in seconds since 1970."""

    name: str
    stage: str
    pid: int
    started_at: float
    mark: str
    log: Path


class Jobs:
    """The jobs that this program has started, and what it finds of others. May be used from many threads."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.root / "logs" / "jobs"
        self._jobs: dict[str, Job] = {}
        # Held for the moments of looking and starting, never while a job works.
        self._lock = threading.Lock()

    def open(
        self,
        stage: Stage,
        values: Mapping[str, object],
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Job:
        """Starts a stage with the given values of its parameters; `labels` are what the user knows parameters by.

        Raises Occupied if a job of that name runs, and InputError if a value is not right; nothing was started then.
        """
        name = name or stage.name
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} cannot name a job; letters, digits, - and _ can.")
        options = stage.read(values, self.project, labels)
        with self._lock, alone_in(self.folder):
            own, other = self._jobs.get(name), self._running(name)
            if other is not None or (own is not None and not own.status.ended):
                raise Occupied(f"{name} is at work already; stop it or wait for its end.")
            job = Job(stage, options, name=name, ended=self._forget)
            self._jobs[name] = job
            self._remember(job)
        return job

    def job(self, name: str) -> Job | None:
        """The last job of that name that this program started, at work or not."""
        return self._jobs.get(name)

    def running(self) -> list[Running]:
        """All jobs of the project that are at work, those of other programs too."""
        names = [path.stem for path in sorted(self.folder.glob("*.json"))]
        return [record for record in map(self._running, names) if record is not None]

    def close(self, name: str) -> Status | None:
        """Ends the job of that name, with all its processes; its final status if it was this program's."""
        job = self._jobs.get(name)
        if job is not None and not job.status.ended:
            return job.close()
        record = self._running(name)
        if record is not None:
            if not kill_family(record.mark, record.pid):
                raise GsvError(f"The processes of {name} could not be ended; the first is {record.pid}.")
            self._record(name).unlink(missing_ok=True)
        return job.status if job is not None else None

    def close_all(self) -> None:
        """Ends all that this program started."""
        closers = [threading.Thread(target=job.close) for job in list(self._jobs.values()) if not job.status.ended]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join()

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _running(self, name: str) -> Running | None:
        """The record of that name if it is true: its process is there, or something that this has started."""
        try:
            content: dict[str, Any] = json.loads(self._record(name).read_text(encoding="utf-8"))
            record = Running(**{**content, "log": Path(content["log"])})
        except (OSError, ValueError, TypeError, KeyError):  # None, or from a program that knows another form.
            return None
        with suppress(psutil.Error):
            process = psutil.Process(record.pid)
            if process.create_time() == record.started_at and process.status() != psutil.STATUS_ZOMBIE:
                return record
        return record if family(record.mark) else None

    def _remember(self, job: Job) -> None:
        if job.started_at is None:  # It has ended already.
            return
        record = Running(job.name, job.stage.name, job.pid, job.started_at, job.mark, job.log)
        with written_whole(self._record(job.name)) as temporary:
            temporary.write_text(json.dumps(asdict(record), default=str), encoding="utf-8")
        if job.status.ended:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        """Called before the job counts as ended, so nobody else's record can be in its place yet."""
        self._record(job.name).unlink(missing_ok=True)
