"""Two hundred jobs opened and closed at random moments: nothing is left, and no half of anything counts as done."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import soundfile

from gsv.jobs.registry import Jobs
from gsv.jobs.stages import STAGES
from gsv.paths import Project

from .conftest import marked_processes
from .toys import CONTENT, TOY

SAMPLE = Path(__file__).parents[1] / "sample"
# Real stages spend their first seconds in importing libraries; the toy is where it is quickly.
TOYS, REAL = 144, 56
SIDE_BY_SIDE = 4


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
        "denoise": {"inp": recordings, "opt_root": made},
        "separate": {"inp": recordings, "vocal_root": made, "format": "wav", "method": "hpss"},
        "transcribe": {"asr_inp_dir": recordings, "asr_opt_dir": made, "asr_model": "pocketsphinx"},
        "prepare": {"list_path": SAMPLE / "sample.list", "audio_folder": recordings, "experiment": made.name},
        "train-sovits": {"exp": made.name, "epochs": 1},
        "train-gpt": {"exp": made.name, "epochs": 1},
    }[stage]


def test_two_hundred_openings_and_closings_leave_nothing(jobs: Jobs) -> None:
    made = jobs.project.root / "made"
    moments = random.Random(4)
    plans: list[tuple[str, float]] = [("toy", moments.uniform(0, 0.5)) for _ in range(TOYS)]
    plans += [(name, moments.uniform(0, 2.5)) for _, name in zip(range(REAL), list(STAGES) * REAL, strict=False)]
    moments.shuffle(plans)

    def cycle(plan: tuple[int, tuple[str, float]]) -> str:
        number, (name, seconds) = plan
        if name == "toy":
            given: dict[str, Any] = {"folder": made / f"toy-{number}", "count": 8, "pause": 0.04}
            job = jobs.open(TOY, given, f"toy-{number}")
        else:
            job = jobs.open(STAGES[name], values(name, made / f"{name}-{number}"), f"{name}-{number}")
        time.sleep(seconds)
        jobs.close(job.name)
        return job.status.state

    cycle((-1, ("toy", 0)))
    before = open_handles()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as openers:
        states = list(openers.map(cycle, enumerate(plans)))

    assert len(states) == TOYS + REAL
    # A stage whose input another has not made fails, if it comes so far.
    assert set(states) <= {"done", "cancelled", "failed"}
    assert states.count("cancelled") > 50
    assert not marked_processes()
    assert jobs.running() == []
    assert open_handles() <= before
    shown = [path for path in made.rglob("*") if path.is_file() and not path.name.startswith(".")]
    toys = [path for path in shown if path.parent.name.startswith("toy-")]
    assert toys
    assert all(path.read_text() == CONTENT for path in toys)
    for path in shown:
        if path.suffix == ".wav" and not any(part.startswith(".") for part in path.relative_to(made).parts):
            assert soundfile.info(path).frames > 0
