"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data and recordings that lies beside the project, where there is one.

    It is not shipped. Without it the tests that need it are skipped, except in CI, where its absence is a failure.
    """
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        message = "needs the reference data in ../shared, which is not shipped with the project"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
