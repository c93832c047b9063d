"""Two hundred jobs opened and closed at random moments: nothing is left, and no half of anything counts as done."""

import random
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import soundfile

from gsv.jobs.process import Job
from gsv.jobs.registry import Jobs
from gsv.jobs.stages import STAGES
from gsv.paths import Project

from .conftest import marked_processes
from .toys import CONTENT, TOY

SAMPLE = Path(__file__).parents[1] / "sample"
# Real stages spend their first seconds in importing libraries; the toy is where it is quickly.
TOYS, REAL = 172, 28
SIDE_BY_SIDE = 4
# What waits for real stages to be at work waits in vain only for those that cannot be.
TOY_SECONDS, REAL_SECONDS = 2.0, 60.0
# So much of a job's life is the time before it tells of any progress, of which nothing can be seen from here.
STARTING, STARTING_SECONDS = 0.4, 0.4


@pytest.fixture
def jobs(narrow: Project, tmp_path: Path) -> Iterator[Jobs]:
    (tmp_path / "pretrained_models").symlink_to(narrow.pretrained)
    jobs = Jobs(Project(tmp_path))
    yield jobs
    jobs.close_all()


def open_handles() -> int:
    me = psutil.Process()
    return me.num_fds() if hasattr(me, "num_fds") else me.num_handles()


def values(stage: str, made: Path) -> dict[str, Any]:
    """What to give to each stage, so that it would do something."""
    recordings = SAMPLE / "clips"
    return {
        "slice": {"inp": recordings, "opt_root": made, "n_parts": 1},
        "denoise": {"denoise_inp_dir": recordings, "denoise_opt_dir": made, "n_parts": 1},
        "separate": {"inp": recordings, "vocal_root": made, "format": "wav", "method": "hpss"},
        "transcribe": {"asr_inp_dir": recordings, "asr_opt_dir": made, "asr_model": "pocketsphinx"},
        "prepare": {"list_path": SAMPLE / "sample.list", "audio_folder": recordings, "experiment": made.name},
        "train-sovits": {"exp": made.name, "epochs": 1},
        "train-gpt": {"exp": made.name, "epochs": 1},
    }[stage]


def at_some_moment(job: Job, moment: float, longest: float) -> None:
    """Returns at a moment of the job's life between its start, 0, and its end, 1; but after `longest` in any case."""
    deadline = time.monotonic() + longest
    while time.monotonic() < deadline and not job.status.ended:
        if moment <= STARTING:
            time.sleep(moment * STARTING_SECONDS / STARTING)
            return
        if job.status.total and job.status.fraction >= (moment - STARTING) / (1 - STARTING):
            return
        time.sleep(0.005)


def test_two_hundred_openings_and_closings_leave_nothing(jobs: Jobs) -> None:
    made = jobs.project.root / "made"
    moments = random.Random(4)
    names = ["toy"] * TOYS + [name for name, _ in zip(list(STAGES) * REAL, range(REAL), strict=False)]
    moments.shuffle(names)
    plans = [(number, name, moments.uniform(0, 1.1)) for number, name in enumerate(names)]

    def cycle(plan: tuple[int, str, float]) -> tuple[str, bool]:
        """The final state, and whether it is that of a real stage that was at work."""
        number, name, moment = plan
        if name == "toy":
            given: dict[str, Any] = {"folder": made / f"toy-{number}", "count": 8, "pause": 0.02}
            job = jobs.open(TOY, given, f"toy-{number}")
        else:
            job = jobs.open(STAGES[name], values(name, made / f"{name}-{number}"), f"{name}-{number}")
        at_some_moment(job, moment, TOY_SECONDS if name == "toy" else REAL_SECONDS)
        jobs.close(job.name)
        return job.status.state, name != "toy" and job.status.total > 0

    cycle((-1, "toy", 0))
    before = open_handles()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as openers:
        ends = list(openers.map(cycle, plans))

    states = [state for state, _ in ends]
    assert len(states) == TOYS + REAL
    # Training fails at once, because nothing was prepared.
    assert set(states) <= {"done", "cancelled", "failed"}
    assert states.count("cancelled") > 50
    assert ends.count(("cancelled", True)) > 5
    assert not marked_processes()
    assert jobs.running() == []
    assert open_handles() <= before
    shown = [path for path in made.rglob("*") if path.is_file() and not _hidden(path.relative_to(made))]
    toys = [path for path in shown if path.parent.name.startswith("toy-")]
    assert toys
    assert all(path.read_text() == CONTENT for path in toys)
    prepared = [path for path in jobs.project.root.glob("logs/*/5-wav32k/*") if not path.name.startswith(".")]
    sounds = [*prepared, *(path for path in shown if path.suffix == ".wav")]
    # Others are often ended before they have made anything.
    assert {stage_of(path) for path in sounds} >= {"slice", "denoise"}
    for path in sounds:
        assert abs(soundfile.info(path).duration - whole_seconds(path)) < 0.001, path


def stage_of(path: Path) -> str:
    folder = path.parents[1] if path.parent.name == "5-wav32k" else path.parent
    return folder.name.rpartition("-")[0]


def whole_seconds(path: Path) -> float:
    """How long a result is if nothing of it is missing."""
    if stage_of(path) == "slice":
        start, end = path.stem.split("_")[-2:]
        return (int(end) - int(start)) / 32000
    (number,) = re.findall(r"[0-9]{2}", path.name)
    return float(soundfile.info(SAMPLE / "clips" / f"{number}.flac").duration)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
