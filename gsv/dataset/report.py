"""What a step made of its lines or files: counted, with a reason for each that gave nothing."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsv.dataset.workers import Item, Outcome, State, Step, run
from gsv.errors import InputError
from gsv.paths import written_whole
from gsv.progress import Progress


@dataclass(frozen=True)
class StepReport:
    """What one step made of the lines. `log` names those left out or failed, if there are any."""

    title: str
    outcomes: tuple[Outcome, ...]
    seconds: float
    log: Path | None

    def count(self, state: State) -> int:
        return sum(outcome.state == state for outcome in self.outcomes)

    @property
    def usable(self) -> int:
        """Lines whose files are there now."""
        return self.count("done") + self.count("kept")

    @property
    def problems(self) -> tuple[Outcome, ...]:
        """The lines that were left out or failed, each with its reason."""
        return tuple(outcome for outcome in self.outcomes if outcome.reason)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the step answers for."""
        return tuple(path for outcome in self.outcomes for path in outcome.files)

    @property
    def logs(self) -> tuple[Path, ...]:
        return (self.log,) if self.log else ()

    @property
    def counts(self) -> dict[str, int]:
        """How many lines in each state, in the user's words."""
        words: dict[State, str] = {"done": "made", "kept": "already there", "skipped": "left out", "failed": "failed"}
        counts = Counter(outcome.state for outcome in self.outcomes)
        return {word: counts[state] for state, word in words.items() if counts[state]}

    def __str__(self) -> str:
        parts = [f"{count} {word}" for word, count in self.counts.items()]
        log = f"; see {self.log}" if self.log else ""
        return f"{self.title}: {', '.join(parts)} in {self.seconds:.1f} s{log}"


def run_reported(
    step: Step,
    items: Sequence[Item],
    devices: Sequence[str],
    logs: Path,
    progress: Progress,
    rejected: Sequence[Outcome] = (),
) -> StepReport:
    """Does the step for all items, and writes the reasons of those that gave nothing to a file in the folder `logs`.

    `rejected` are lines that were found unusable before. Raises InputError if nothing came out at all.
    """
    started = time.monotonic()
    outcomes = (*rejected, *run(step, items, devices, progress))
    report = StepReport(step.title, outcomes, time.monotonic() - started, _log(logs, step.title, outcomes))
    if not report.usable:
        inputs = "1 input" if len(items) == 1 else f"{len(items)} inputs"
        raise InputError(f"{step.title} made nothing of {inputs}: {report.problems[-1].reason}")
    return report


def _log(folder: Path, title: str, outcomes: Sequence[Outcome]) -> Path | None:
    """The file of reasons; None, and no file, if there are none."""
    path = folder / f"{title.replace(' ', '-')}-problems.txt"
    problems = [f"{outcome.state}\t{outcome.name}\t{outcome.reason}\n" for outcome in outcomes if outcome.reason]
    if not problems:
        path.unlink(missing_ok=True)
        return None
    with written_whole(path) as temporary:
        # Names of files need not be text.
        temporary.write_text("".join(problems), encoding="utf-8", errors="backslashreplace")
    return path
