"""A project folder for jobs, and the certainty that no test leaves a process behind."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gsv.jobs.trees import MARK, alive
from gsv.paths import Project


def marked_processes() -> list[psutil.Process]:
    """All that any job has left."""
    found = []
    for process in psutil.process_iter():
        try:
            if MARK in process.environ() and alive(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = set(marked_processes())
    yield
    assert not [process for process in marked_processes() if process not in before]
