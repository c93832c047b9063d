"""A job's state is a fact: what its process said, how it ended and what lies on the disk must agree."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from gsv.jobs.process import PATIENCE_SECONDS, Job, Status
from gsv.jobs.trees import all_gone, family
from gsv.jobs.worker import POLITE_SECONDS
from gsv.paths import Project

from .toys import CONTENT, TOY

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")


def start(project: Project, **values: Any) -> Job:
    return Job(TOY, TOY.read({"folder": project.root / "made", **values}, project))


def ended(project: Project, **values: Any) -> Status:
    return start(project, **values).wait(60)


def until_it_says(job: Job, word: str) -> str:
    """The line of its log with that word, as soon as it is there."""
    for _ in range(600):
        for line in job.log.read_text(encoding="utf-8").splitlines():
            if word in line:
                return line
        time.sleep(0.05)
    raise AssertionError(f"It never said {word!r}: {job.log.read_text(encoding='utf-8')}")


def test_work_that_was_done_is_done_with_its_files_and_counts(project: Project) -> None:
    status = ended(project, count=5)
    assert status.state == "done"
    assert status.counts == {"made": 5}
    assert status.fraction == 1
    assert [path.read_text() for path in status.files] == [CONTENT] * 5
    assert "5 made" in status.message
    assert not status.problems


def test_one_bad_input_of_ten_is_partly_done_and_is_named_with_the_nine_there(project: Project) -> None:
    status = ended(project, count=10, bad=[3])
    assert status.state == "partly done"
    assert [(problem.name, problem.reason) for problem in status.problems] == [("3", "It is bad.")]
    assert status.counts == {"made": 9, "failed": 1}
    assert len([path for path in status.files if path.is_file()]) == 9
    assert [path.name for path in status.logs] == ["problems.txt"]


def test_all_inputs_bad_is_failed_with_the_reason(project: Project) -> None:
    status = ended(project, count=2, bad=[0, 1])
    assert status.state == "failed"
    assert status.message == "toy made nothing of 2 inputs: It is bad."


@pytest.mark.parametrize("mode", ["lies", "leaves it empty"])
def test_a_result_that_names_files_that_are_not_there_is_not_believed(project: Project, mode: str) -> None:
    status = ended(project, mode=mode)
    assert status.state == "failed"
    assert str(project.root / "made" / "1") in status.message


def test_a_process_that_ends_well_without_a_result_has_failed(project: Project) -> None:
    status = ended(project, mode="says nothing")
    assert status.state == "failed"
    assert "without saying" in status.message


def test_a_bug_is_one_sentence_and_its_traceback_is_in_the_log(project: Project) -> None:
    status = ended(project, mode="has a bug")
    assert status.state == "failed"
    assert status.message.startswith("ZeroDivisionError: ")
    assert "Traceback" in status.log.read_text()


def test_nothing_that_is_printed_passes_for_an_event(project: Project) -> None:
    status = ended(project, mode="forges")
    assert status.state == "done"
    assert "forged" not in status.message
    assert status.log.read_text().count("forged") == 2


def test_the_log_has_what_was_printed_and_said_and_what_came_of_it(project: Project) -> None:
    status = ended(project, count=2, bad=[1])
    log = status.log.read_text()
    assert status.log.parent == project.root / "logs" / "jobs"
    assert "failed: 1: it is bad" in log
    assert "sees " in log
    assert "partly done" in log.splitlines()[-1]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
def test_a_folder_whose_name_is_no_text_is_one_like_any_other(project: Project) -> None:
    folder = project.root / os.fsdecode(b"caf\xe9")
    status = ended(project, folder=folder)
    assert status.state == "done"
    assert {path.parent for path in status.files} == {folder}
    assert "into " in status.log.read_text()


def test_each_job_has_a_log_of_its_own(project: Project) -> None:
    assert len({ended(project).log for _ in range(2)}) == 2


def test_progress_is_told_while_it_works(project: Project) -> None:
    statuses = list(start(project, count=12, pause=0.1).statuses())
    fractions = [status.fraction for status in statuses]
    assert fractions == sorted(fractions)
    assert any(0 < fraction < 1 for fraction in fractions)
    working = [status for status in statuses if status.rate]
    assert working
    assert all(status.title == "toying" and status.unit == "toy" and status.total == 12 for status in working)
    assert all((status.seconds_left or 0) > 0 for status in working if status.fraction < 1)
    assert any(status.message.startswith("made ") for status in working)
    assert statuses[-1].state == "done"
    assert [status.ended for status in statuses] == [False] * (len(statuses) - 1) + [True]


def test_closing_ends_it_and_what_was_half_written_is_gone(project: Project) -> None:
    job = start(project, count=2, pause=50)
    for _ in range(600):
        if list((project.root / "made").glob(".*")):
            break
        time.sleep(0.05)
    status = job.close()
    assert status.state == "cancelled"
    assert not list((project.root / "made").iterdir())
    assert not family(job.mark, job.pid)


def test_closing_before_it_has_begun_leaves_nothing(project: Project) -> None:
    job = start(project)
    assert job.close().state == "cancelled"
    assert not psutil.pid_exists(job.pid)


def test_closing_twice_and_after_the_end_changes_nothing(project: Project) -> None:
    job = start(project)
    assert job.wait(60).state == "done"
    assert job.close().state == "done"
    assert job.close().state == "done"


@posix
def test_what_heeds_no_polite_word_is_ended_all_the_same(project: Project) -> None:
    job = start(project, mode="is stubborn", pause=50)
    child = psutil.Process(int(until_it_says(job, "child").split()[-1]))
    assert job.close().state == "cancelled"
    assert all_gone([child], 0)
    assert not family(job.mark, job.pid)


def test_closing_gives_up_being_polite_in_time() -> None:
    assert POLITE_SECONDS < PATIENCE_SECONDS < 5 - 2


@posix
def test_a_killed_worker_is_failed_by_name_and_its_orphans_are_ended(project: Project) -> None:
    job = start(project, mode="starts others", pause=50)
    child = psutil.Process(int(until_it_says(job, "child").split()[-1]))
    os.kill(job.pid, signal.SIGKILL)
    status = job.wait(10)
    assert status.state == "failed"
    assert "SIGKILL" in status.message
    assert all_gone([child], 0)
    assert not [path for path in (project.root / "made").iterdir() if not path.name.startswith(".")]


@posix
def test_a_worker_that_others_end_politely_is_failed_not_cancelled(project: Project) -> None:
    job = start(project, pause=50)
    until_it_says(job, "sees")
    os.kill(job.pid, signal.SIGTERM)
    status = job.wait(10)
    assert status.state == "failed"
    assert "somebody else" in status.message


_PARENT = """
import sys, time
from pathlib import Path
from gsv.jobs.process import Job
from gsv.paths import Project
from jobs.toys import TOY
project = Project(Path(sys.argv[1]))
job = Job(TOY, TOY.read({"folder": project.root / "made", "mode": sys.argv[2], "pause": 50}, project))
while "sees" not in job.log.read_text():
    time.sleep(0.05)
print(job.pid, job.mark, flush=True)
time.sleep(600)
"""


@posix
@pytest.mark.parametrize("mode", ["works", "is stubborn", "starts others"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_child_survives_its_parent(project: Project, mode: str, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(project.root), mode],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid, mark = parent.stdout.readline().split()
    members = family(mark, int(pid))
    assert len(members) == (1 if mode == "works" else 2)
    parent.send_signal(how)
    parent.wait()
    assert all_gone(members, 5)
    assert not family(mark)


_PARENT_OF_MANY = """
import sys, time
from pathlib import Path
from gsv.jobs.process import Job
from gsv.jobs.stages import STAGES
from gsv.paths import Project
project = Project(Path(sys.argv[1]))
values = {"inp": project.root / "in", "opt_root": project.root / "made", "n_parts": 2}
job = Job(STAGES["slice"], STAGES["slice"].read(values, project))
while not list(project.root.glob("made/.made/unfinished/*/*")):
    assert not job.status.ended, job.status
    time.sleep(0.01)
print(job.pid, job.mark, flush=True)
time.sleep(600)
"""


@posix
def test_no_worker_of_a_real_stage_survives_the_parent_of_its_parent(project: Project) -> None:
    (project.root / "in").mkdir()
    for name in "ab":
        with soundfile.SoundFile(project.root / "in" / f"{name}.wav", "w", 8000, 1) as file:
            for _ in range(60):
                file.write(np.random.default_rng(0).normal(0, 0.1, 60 * 8000))
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT_OF_MANY, str(project.root)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid, mark = parent.stdout.readline().split()
    members = family(mark, int(pid))
    assert len(members) >= 3
    parent.kill()
    parent.wait()
    assert all_gone(members, 5)
    assert not family(mark)
    assert not list((project.root / "made").glob("*.wav"))


def test_the_chosen_gpus_alone_are_visible_and_numbered_anew(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsv.jobs.devices.gpus", lambda: ["4", "5", "6"])
    status = ended(project, gpus="2-1-2-9")
    assert "sees '4,5,6' and calls it 2-1-2-0" in status.log.read_text()
    assert "sees '5' and calls it 0-0" in ended(project, gpus="1-1").log.read_text()


def test_without_a_gpu_none_is_visible_and_there_are_as_many_workers(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gsv.jobs.devices.gpus", list)
    assert "sees '' and calls it 0-1" in ended(project, gpus="0-1").log.read_text()


def test_no_file_descriptor_is_left_open(project: Project) -> None:
    ended(project)
    me = psutil.Process()
    before = me.num_fds() if hasattr(me, "num_fds") else me.num_handles()
    for number in range(6):
        job = start(project, pause=0.2)
        if number % 2:
            job.close()
        else:
            job.wait(60)
    assert (me.num_fds() if hasattr(me, "num_fds") else me.num_handles()) <= before
