"""Interpreters of their own for stages whose libraries do not get along with gsv's.

`gsv install NAME` makes `environments/NAME/` in the project folder: a virtual environment with the pinned libraries of
`gsv/requirements/NAME.txt`. torch is not among them: after its own libraries the environment sees the folder in which
gsv's torch lies, so that the gigabytes of a CUDA build are there once and are the ones that fit the machine. gsv's own
environment is never changed by it.
"""

import json
import platform
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from gsv.errors import GsvError, InputError, MissingLibraryError
from gsv.paths import Project, alone_in, written_whole
from gsv.progress import Progress

_REQUIREMENTS = Path(__file__).parent / "requirements"
# The program that an environment is for.
_PROGRAMS = {"uvr5": Path(__file__).parent / "dataset" / "uvr5_process.py"}
_PATIENCE_SECONDS = 5
# How pip begins the line about each library.
_PIP_STEPS = ("Collecting ", "Processing ", "Requirement already satisfied:")


class HelperDied(GsvError):
    """The program of an environment ended without an answer."""


@dataclass(frozen=True)
class Environment:
    """An interpreter with libraries of its own, in the folder `root`, whether it was made yet or not."""

    name: str
    root: Path

    @property
    def interpreter(self) -> Path:
        return self.root / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def program(self) -> Path:
        return _PROGRAMS[self.name]

    def problem(self) -> str:
        """Why it cannot be used, in a sentence with the command that helps; empty if it can."""
        if not self._mark.is_file():
            return f"The environment {self.name} is not installed; make it with: gsv install {self.name}"
        if self._mark.read_text(encoding="utf-8") != self._wanted() or not self.interpreter.exists():
            return f"The environment {self.name} is out of date; renew it with: gsv install {self.name}"
        return ""

    def check(self) -> None:
        """Raises MissingLibraryError, with the command that helps, if it cannot be used."""
        problem = self.problem()
        if problem:
            raise MissingLibraryError(problem)

    def start(self) -> "Helper":
        """Starts its program, which must be installed."""
        return Helper([str(self.interpreter), "-I", str(self.program)])

    def install(self, progress: Progress) -> str:
        """Makes it, or goes on with what a broken-off run has left; returns what there is now, in words.

        Raises GsvError with pip's own reason. An environment counts as installed only after its program has started.
        """
        with alone_in(self.root.parent):
            if not self.problem():
                return f"{self.root} is up to date."
            self._mark.unlink(missing_ok=True)
            # pip must not take gsv's own libraries for the environment's.
            self._core.unlink(missing_ok=True)
            if not self._runs():
                self._make()
            self._install_libraries(progress)
            self._core.write_text("".join(f"{folder}\n" for folder in _torch_folders()), encoding="utf-8")
            self._try()
            with written_whole(self._mark) as temporary:
                temporary.write_text(self._wanted(), encoding="utf-8")
        size = sum(path.stat().st_size for path in self.root.rglob("*") if path.is_file())
        return f"{self.root}: {len(self._libraries())} libraries, {size / 1e6:.0f} MB."

    @property
    def _mark(self) -> Path:
        return self.root / "installed.json"

    @property
    def _core(self) -> Path:
        """Names the folders that are searched after the environment's own."""
        folder = "Lib" if sys.platform == "win32" else f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
        return self.root / folder / "site-packages" / "gsv-torch.pth"

    @property
    def _list(self) -> Path:
        return _REQUIREMENTS / f"{self.name}.txt"

    def _libraries(self) -> set[str]:
        """Names; a library can have several lines, each for other versions of Python."""
        lines = self._list.read_text(encoding="utf-8").splitlines()
        return {line.partition("==")[0] for line in lines if line and not line.startswith("#")}

    def _wanted(self) -> str:
        """What an installed environment was made of, as its mark says."""
        listed = self._list.read_text(encoding="utf-8").splitlines()
        made_of = {"python": platform.python_version(), "torch": _torch_folders(), "libraries": listed}
        return json.dumps(made_of, indent=1)

    def _runs(self) -> bool:
        """Whether its interpreter is there, with pip, and of this Python."""
        show = "import pip, platform; print(platform.python_version())"
        try:
            result = subprocess.run([self.interpreter, "-I", "-c", show], capture_output=True, text=True)
        except OSError:
            return False
        return result.stdout.strip() == platform.python_version()

    def _install_libraries(self, progress: Progress) -> None:
        # Ready-made files alone: nothing is built here, and no library's build script runs.
        command = [str(self.interpreter), "-I", "-m", "pip", "install", "--requirement", str(self._list)]
        command += ["--no-deps", "--only-binary", ":all:", "--no-input", "--progress-bar", "off"]
        last = ""
        progress.begin(f"install {self.name}", len(self._libraries()), "library")
        try:
            with subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
            ) as pip:
                assert pip.stdout
                for line in pip.stdout:
                    last = line.strip() if line.startswith("ERROR") or not last else last
                    if line.startswith(_PIP_STEPS):
                        progress.advance()
        finally:
            progress.end()
        if pip.returncode:
            raise GsvError(f"The libraries of {self.name} could not be installed ({last}); run the command again.")

    def _make(self) -> None:
        command = [sys.executable, "-m", "venv", "--clear", str(self.root)]
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace"
        )
        if result.returncode:
            reason = _last_line(result.stderr or result.stdout)
            raise GsvError(f"The environment {self.name} could not be made: {reason}")

    def _try(self) -> None:
        helper = self.start()
        try:
            for _ in helper.ask({}):
                pass
        except HelperDied as error:
            raise GsvError(f"The environment {self.name} was made and does not work: {error}") from error
        finally:
            helper.close()


class Helper:
    """A program of an environment at work. It is sent requests and tells of events, each a JSON object on a line.

    It ends when its input does, so also when this process is gone, however it went. Use it in one thread.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._errors = TemporaryFile()  # noqa: SIM115 (closed by close())
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, encoding="utf-8"
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Sends a request and yields its events to the last one, which has `done` or `failed`.

        Raises HelperDied, with the program's last words, if it ends before.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._death() from None
        for line in self._process.stdout:
            event = json.loads(line)
            yield event
            if "done" in event or "failed" in event:
                return
        raise self._death()

    def close(self) -> None:
        """Ends it, whatever it is doing."""
        assert self._process.stdin and self._process.stdout
        with suppress(OSError):  # It died with a request half sent.
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _death(self) -> HelperDied:
        code = self._process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        self._errors.seek(0)
        words = _last_line(self._errors.read().decode("utf-8", "replace"))
        return HelperDied(f"The process at work on it {how}{f' ({words})' if words else ''}.")


def environment(name: str, project: Project) -> Environment:
    """The environment of that name. InputError for an unknown name."""
    if name not in _PROGRAMS:
        raise InputError(f"There is no environment {name!r}; choose one of: {', '.join(_PROGRAMS)}.")
    return Environment(name, project.root / "environments" / name)


def install(name: str, project: Project, progress: Progress) -> str:
    """Makes or renews an environment, as the command `gsv install` does; returns what there is now, in words."""
    return environment(name, project).install(progress)


def _torch_folders() -> list[str]:
    """Where gsv's torch and what it needs lie."""
    torch = find_spec("torch")
    assert torch and torch.origin
    return [str(Path(torch.origin).resolve().parent.parent)]


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
