"""One job of a name at a time, whoever asks and whichever program asks; what still runs is found and can be ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gsv.errors import InputError
from gsv.jobs.process import Job
from gsv.jobs.registry import Jobs, Occupied
from gsv.jobs.trees import family
from gsv.paths import Project

from .toys import TOY


@pytest.fixture
def jobs(project: Project) -> Iterator[Jobs]:
    jobs = Jobs(project)
    yield jobs
    jobs.close_all()


def opened(jobs: Jobs, name: str = "", **values: Any) -> Job:
    return jobs.open(TOY, {"folder": jobs.project.root / "made", "pause": "50", **values}, name)


def test_a_second_job_of_a_name_is_refused_and_starts_nothing(jobs: Jobs) -> None:
    job = opened(jobs)
    with pytest.raises(Occupied, match="toy is at work already"):
        opened(jobs)
    assert [record.pid for record in jobs.running()] == [job.pid]
    assert len(list(jobs.folder.glob("*.log"))) == 1


def test_two_names_run_side_by_side_and_are_closed_by_name(jobs: Jobs) -> None:
    opened(jobs, "1a")
    other = opened(jobs, "1b")
    status = jobs.close("1a")
    assert status is not None and status.state == "cancelled"
    assert [record.name for record in jobs.running()] == ["1b"]
    assert jobs.job("1b") is other


def test_a_name_is_free_again_after_the_end(jobs: Jobs) -> None:
    assert opened(jobs, pause=0).wait(60).state == "done"
    assert jobs.running() == []
    assert opened(jobs, pause=0).wait(60).state == "done"


def test_closing_what_does_not_run_says_nothing(jobs: Jobs) -> None:
    assert jobs.close("toy") is None


def test_of_twenty_who_ask_at_once_one_gets_it(jobs: Jobs) -> None:
    def ask(_: int) -> bool:
        try:
            opened(jobs)
        except Occupied:
            return False
        return True

    with ThreadPoolExecutor(20) as clients:
        assert sorted(clients.map(ask, range(20))) == [False] * 19 + [True]
    assert len(jobs.running()) == 1


def test_two_programs_do_not_run_the_same_stage_of_a_project(jobs: Jobs) -> None:
    job = opened(jobs)
    second = Jobs(jobs.project)
    with pytest.raises(Occupied):
        opened(second)
    assert [record.pid for record in second.running()] == [job.pid]
    assert second.close("toy") is None
    assert job.wait(10).state == "failed"
    assert second.running() == []


@pytest.mark.parametrize("name", ["", "-x", "a/b", "../x", "a b", "a;b"])
def test_a_name_that_is_no_name_is_refused(jobs: Jobs, name: str) -> None:
    if name:
        with pytest.raises(InputError):
            opened(jobs, name)
    assert not jobs.running()


def test_a_wrong_value_starts_nothing(jobs: Jobs) -> None:
    with pytest.raises(InputError, match="count is '0'"):
        opened(jobs, count="0")
    assert jobs.job("toy") is None
    assert not jobs.folder.exists()


_STUCK = """
import sys, time
from pathlib import Path
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from jobs.toys import TOY
project = Project(Path(sys.argv[1]))
job = Jobs(project).open(TOY, {"folder": project.root / "made", "pause": 50})
while "sees" not in job.log.read_text():
    time.sleep(0.05)
print(job.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_a_program_that_starts_anew_finds_what_still_runs_and_can_end_it(jobs: Jobs) -> None:
    first = subprocess.Popen(
        [sys.executable, "-c", _STUCK, str(jobs.project.root)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert first.stdout is not None
    with first.stdout:
        pid = int(first.stdout.readline())
    # So that the process cannot notice its parent's death.
    os.kill(pid, signal.SIGSTOP)
    first.kill()
    first.wait()
    found = jobs.running()
    assert [(record.name, record.pid) for record in found] == [("toy", pid)]
    with pytest.raises(Occupied):
        opened(jobs)
    jobs.close("toy")
    assert not family(found[0].mark, pid)
    assert jobs.running() == []


def test_records_that_are_damaged_or_of_processes_long_gone_do_not_count(jobs: Jobs) -> None:
    jobs.folder.mkdir(parents=True)
    (jobs.folder / "toy.json").write_text("{")
    (jobs.folder / "old.json").write_text(
        '{"name": "old", "stage": "toy", "pid": 1, "started_at": 1.5, "mark": "gsv-none", "log": "x.log"}'
    )
    assert jobs.running() == []
    assert opened(jobs, pause=0).wait(60).state == "done"
