"""Environments: made whole or not counted as made, by plain commands, and never at the cost of gsv's own."""

import subprocess
from pathlib import Path

import pytest
import torch

from gsv import environments
from gsv.environments import Environment, environment, install
from gsv.errors import GsvError, InputError, MissingLibraryError
from gsv.paths import Project


class Counter:
    """Progress that only counts."""

    def __init__(self) -> None:
        self.total = self.count = 0
        self.ended = False

    def begin(self, title: str, total: int, unit: str, done: int = 0) -> None:
        self.total = total

    def advance(self, count: int = 1, note: str = "") -> None:
        self.count += count

    def say(self, message: str) -> None: ...

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of lists and a program, for an environment `uvr5` that needs nothing from the internet."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "uvr5.txt").write_text("# Nothing.\n")
    program = folder / "program.py"
    program.write_text("import sys\nfor line in sys.stdin: print('{\"done\": true}', flush=True)\n")
    monkeypatch.setattr(environments, "_REQUIREMENTS", folder)
    monkeypatch.setattr(environments, "_PROGRAMS", {"uvr5": program})
    # As on a machine without a network.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


def test_an_environment_counts_as_installed_only_when_it_is(lists: Path, tmp_path: Path) -> None:
    project = Project(tmp_path / "a folder with 'quotes' 声")
    place = environment("uvr5", project)
    with pytest.raises(MissingLibraryError, match="not installed; make it with: gsv install uvr5"):
        place.check()

    # Not all libraries can be had.
    (lists / "uvr5.txt").write_text("no-such-library-of-anybody==1.0\n")
    progress = Counter()
    with pytest.raises(GsvError, match=r"could not be installed \(ERROR: .*no-such-library.*run the command again"):
        install("uvr5", project, progress)
    assert progress.ended and progress.total == 1
    assert "not installed" in place.problem()

    # They are there, and what they are for does not start.
    (lists / "uvr5.txt").write_text("# Nothing.\n")
    program = (lists / "program.py").read_text()
    (lists / "program.py").write_text("raise SystemExit('a library is broken')")
    with pytest.raises(GsvError, match=r"was made and does not work: .*a library is broken"):
        install("uvr5", project, progress)
    assert "not installed" in place.problem()

    (lists / "program.py").write_text(program)
    assert "0 libraries" in install("uvr5", project, progress)
    place.check()
    assert "up to date" in install("uvr5", project, progress)

    # Another list: renewed on demand, and not used as it is.
    (lists / "uvr5.txt").write_text("# Nothing either.\n")
    with pytest.raises(MissingLibraryError, match="out of date; renew it with: gsv install uvr5"):
        place.check()
    install("uvr5", project, progress)
    place.check()


def test_gsvs_torch_is_seen_after_the_environments_own_libraries(uvr5: Environment) -> None:
    show = "import torch, numpy; print(torch.__file__); print(numpy.__file__)"
    result = subprocess.run([uvr5.interpreter, "-I", "-c", show], capture_output=True, text=True, check=True)
    torch_file, numpy_file = result.stdout.split("\n")[:2]
    assert Path(torch_file).samefile(torch.__file__)
    assert Path(numpy_file).is_relative_to(uvr5.root)


def test_an_unknown_environment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose one of: uvr5"):
        environment("../..", Project(tmp_path))
