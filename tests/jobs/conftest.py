"""A project folder for jobs, and the certainty that no test leaves a process behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gsv.jobs.trees import MARK, alive
from gsv.paths import Project

# All that is started from here carries this too, so that jobs of other programs are not counted.
_OURS = "GSV_TESTS"
os.environ[_OURS] = str(os.getpid())


def marked_processes() -> list[psutil.Process]:
    """All that any job of this test run has left."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            if MARK in environment and environment.get(_OURS) == os.environ[_OURS] and alive(process):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    assert not marked_processes()
