"""Fixtures shared by all tests."""

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from gsv.environments import Environment, environment
from gsv.paths import Project
from gsv.versions import version_named

PROJECT = Path(__file__).parent.parent
SAMPLE = PROJECT / "tests" / "sample"


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


@pytest.fixture(scope="session")
def tool() -> Callable[[str], ModuleType]:
    """Imports one of the scripts in tools/ by name."""

    def load(name: str) -> ModuleType:
        if name in sys.modules:
            return sys.modules[name]
        spec = importlib.util.spec_from_file_location(name, PROJECT / "tools" / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        # Dataclasses look their module up while it is being executed.
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def narrow(tool: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project folder with an untrained narrow set of v2 weights, its codebook fitted to the sample. Only read it."""
    home = tmp_path_factory.mktemp("narrow")
    tool("init_weights").write_set(
        home / "pretrained_models", PROJECT / "configs" / "narrow", version_named("v2"), SAMPLE / "clips", seed=1
    )
    return Project(home)


@pytest.fixture(scope="session")
def narrow_projects(
    tool: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Project]:
    """Like `narrow`, of the version of a name, with a random codebook. Only read them."""

    @cache
    def project(version: str) -> Project:
        home = tmp_path_factory.mktemp(f"narrow-{version}")
        row = version_named(version)
        tool("init_weights").write_set(home / "pretrained_models", PROJECT / "configs" / "narrow", row, None, seed=1)
        return Project(home)

    return project


@pytest.fixture
def short_takes() -> Iterator[None]:
    """Takes of a second or two."""
    import takes

    with takes.short():
        yield


@pytest.fixture(scope="session")
def uvr5() -> Environment:
    """The installed environment of separation models; tests that need it are skipped without, except in CI."""
    place = environment("uvr5", Project(PROJECT))
    problem = place.problem()
    if problem:
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)
    return place
