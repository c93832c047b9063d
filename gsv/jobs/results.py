"""What came of a stage, in a form that all stages share and that travels between processes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

FinalState = Literal["done", "partly done", "failed", "cancelled"]
State = Literal["running", "done", "partly done", "failed", "cancelled"]


class Failure(Protocol):
    """A line or file that gave nothing."""

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Report(Protocol):
    """What the function of a stage returns; as a string, it is what to tell the user."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of what, in the user's words."""
        ...

    @property
    def files(self) -> Sequence[Path]:
        """What was made or was there already; each is there, and not empty."""
        ...

    @property
    def problems(self) -> Sequence[Failure]: ...

    @property
    def logs(self) -> Sequence[Path]:
        """Files that name the problems."""
        ...


@dataclass(frozen=True)
class Problem:
    """A line or file that was left out by a rule ("skipped") or failed."""

    name: str
    state: str
    reason: str


@dataclass(frozen=True)
class Result:
    """A report, as it is told to the parent process."""

    summary: str
    counts: Mapping[str, int]
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()
    logs: tuple[Path, ...] = ()

    @classmethod
    def of(cls, report: Report) -> "Result":
        problems = dict.fromkeys(Problem(one.name, one.state, one.reason) for one in report.problems)
        # Several inputs may share a file, such as a list.
        files = dict.fromkeys(report.files)
        return cls(str(report), dict(report.counts), tuple(files), tuple(problems), tuple(report.logs))

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> "Result":
        return cls(
            event["summary"],
            event["counts"],
            tuple(Path(path) for path in event["files"]),
            tuple(Problem(**problem) for problem in event["problems"]),
            tuple(Path(path) for path in event["logs"]),
        )

    def as_event(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def failed(self) -> tuple[Problem, ...]:
        """Problems that nobody wanted; what a rule left out is not among them."""
        return tuple(problem for problem in self.problems if problem.state == "failed")

    @property
    def state(self) -> Literal["done", "partly done"]:
        return "partly done" if self.failed else "done"

    @property
    def missing(self) -> tuple[Path, ...]:
        """Files that were to be there and are not, or are empty."""
        return tuple(path for path in self.files if not path.is_file() or not path.stat().st_size)
