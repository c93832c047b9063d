"""Worker processes: shares, failures, a killed worker, an interrupted parent. Nothing is left running or unsaid."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil
import pytest
import torch

from gsv.dataset.workers import Item, Skip, run, worker_devices
from gsv.errors import AudioError, InputError, MissingWeightsError
from gsv.paths import written_whole
from gsv.progress import TerminalProgress

Made = Literal["done", "kept"]


@dataclass(frozen=True)
class Scripted:
    """Does what a line's text says, and writes down which worker did it."""

    folder: Path
    title: str = "scripted"

    def start(self, device: torch.device, part: int) -> Callable[[Item], Made]:
        if (self.folder / "no weights").exists():
            raise MissingWeightsError("The weights x are not in the folder y; get it with: gsv download v2")

        def handle(item: Item) -> Made:
            path = self.folder / f"{item.name}.out"
            if path.exists():
                return "kept"
            if item.text == "skip":
                raise Skip("left out by a rule")
            if item.text == "fail":
                raise AudioError("no sound in it")
            if item.text == "bug":
                raise KeyError("a bug\nof ours")
            with written_whole(path) as temporary:
                temporary.write_text(f"{part} {device} {torch.get_num_threads()}")
                if item.text == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if item.text == "ended":
                    os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(float(item.text or 0))
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return (self.folder / f"{item.name}.out",)


def items(*texts: str) -> list[Item]:
    return [Item(f"{index}", Path("x"), "en", text) for index, text in enumerate(texts)]


def no_child_left() -> bool:
    return not multiprocessing.active_children()


def test_each_worker_takes_every_nth_line(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    outcomes = run(Scripted(tmp_path), items("", "", "", "", ""), ["cpu", "cpu"], TerminalProgress())
    assert sorted((outcome.name, outcome.state, outcome.reason) for outcome in outcomes) == [
        (str(index), "done", "") for index in range(5)
    ]
    share = max(1, threads // 2)
    written = [(tmp_path / f"{index}.out").read_text() for index in range(5)]
    assert written == [f"{index % 2} cpu {share}" for index in range(5)]
    assert no_child_left()


def test_a_line_that_cannot_be_done_does_not_cost_the_others(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    outcomes = run(Scripted(tmp_path), items("", "skip", "fail", "bug", ""), ["cpu"], TerminalProgress())
    assert [(outcome.state, outcome.reason) for outcome in outcomes] == [
        ("done", ""),
        ("skipped", "left out by a rule"),
        ("failed", "no sound in it"),
        ("failed", "KeyError: 'a bug\\nof ours'"),
        ("done", ""),
    ]
    errors = capfd.readouterr().err
    assert "Traceback" in errors and "in handle" in errors and "scripted" in errors and "5/5" in errors


@pytest.mark.parametrize(("text", "said"), [("killed", "was killed by signal 9"), ("ended", "ended with exit code 1")])
def test_a_killed_worker_is_reported_and_leaves_no_half_file(tmp_path: Path, text: str, said: str) -> None:
    outcomes = run(Scripted(tmp_path), items("", "", text, "", "", ""), ["cpu", "cpu"], TerminalProgress())
    states = {outcome.name: outcome.state for outcome in outcomes}
    assert states == {"0": "done", "1": "done", "2": "failed", "3": "done", "4": "failed", "5": "done"}
    assert all(said in outcome.reason for outcome in outcomes if outcome.state == "failed")
    assert sorted(path.name for path in tmp_path.glob("*.out") if not path.name.startswith(".")) == [
        "0.out",
        "1.out",
        "3.out",
        "5.out",
    ]
    if text == "ended":
        assert len(list(tmp_path.iterdir())) == 4, "a worker that is asked to end removes its temporary file"
    again = run(Scripted(tmp_path), items(*[""] * 6), ["cpu"], TerminalProgress())
    assert [outcome.state for outcome in again] == ["kept", "kept", "done", "kept", "done", "kept"]


def test_what_keeps_a_worker_from_starting_is_raised(tmp_path: Path) -> None:
    (tmp_path / "no weights").touch()
    with pytest.raises(MissingWeightsError, match="gsv download v2"):
        run(Scripted(tmp_path), items("", "", ""), ["cpu", "cpu"], TerminalProgress())
    assert no_child_left()


PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_workers import Scripted, items
from gsv.dataset.workers import run
from gsv.progress import TerminalProgress
if __name__ == "__main__":
    try:
        run(Scripted(Path(sys.argv[2])), items(*["0.2"] * 200), ["cpu", "cpu"], TerminalProgress())
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_parent_leaves_no_worker_and_no_half_file(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    out = tmp_path / "out"
    out.mkdir()
    here = Path(__file__).parent
    environment = {**os.environ, "PYTHONPATH": str(here.parent.parent), "OMP_NUM_THREADS": "1"}
    parent = subprocess.Popen(
        [sys.executable, str(script), str(here), str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
        text=True,
    )
    workers: list[psutil.Process] = []
    try:
        wait_for(lambda: len(list(out.glob("[0-9]*.out"))) >= 2)
        workers = psutil.Process(parent.pid).children(recursive=True)
        if how == signal.SIGINT:
            os.killpg(parent.pid, how)  # As a terminal does it: the workers get it too.
        else:
            parent.send_signal(how)
        printed, _ = parent.communicate(timeout=60)
        assert ("interrupted" in printed) == (how == signal.SIGINT)
        wait_for(lambda: not any(worker.is_running() and worker.status() != "zombie" for worker in workers))
    finally:
        for process in (*workers, parent):
            if psutil.pid_exists(process.pid):
                process.kill()
    made = list(out.iterdir())
    assert 2 <= len(made) < 100
    assert all(path.suffix == ".out" and path.read_text().endswith("cpu 1") for path in made)
    assert not [path for path in made if path.name.startswith(".")]


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_gpu_numbers_are_workers() -> None:
    if torch.cuda.is_available():
        last = torch.cuda.device_count() - 1
        assert worker_devices("0-0") == ["cuda:0", "cuda:0"]
        assert worker_devices(f"{last}-99") == [f"cuda:{last}", "cuda:0"]
    else:
        assert worker_devices("0") == ["cpu"]
        assert worker_devices(" 0-0-7 ") == ["cpu", "cpu", "cpu"]


@pytest.mark.parametrize("gpus", ["", "a", "0-", "-1", "0,1", "0--1", "1.5", "²"])
def test_malformed_gpu_numbers_are_named(gpus: str) -> None:
    with pytest.raises(InputError, match="GPU numbers"):
        worker_devices(gpus)
