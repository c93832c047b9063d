"""Many clients who open and close the jobs of one WebUI at random, and whether it always tells them the truth.

    python tools/crowd.py --seconds 300 --clients 20

starts a WebUI on a temporary project folder with a narrow untrained model and lets the crowd loose on it. It prints how
often what was answered, and ends with status 1 if an answer was an error or untrue, or if a process was left.
"""

import argparse
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from gradio_client import Client

PROJECT = Path(__file__).resolve().parents[1]
SAMPLE = PROJECT / "tests" / "sample"
_LIST, _CLIPS = str(SAMPLE / "sample.list"), str(SAMPLE / "clips")
# The experiment that training jobs work on; every one has a copy of its own.
PREPARED = "crowd"
# What each job is opened with; its endpoints are open + name and close + name.
JOBS: dict[str, dict[str, Any]] = {
    "_slice": {"inp": _CLIPS, "opt_root": "output/crowd/slice", "n_parts": 1},
    "_denoise": {"denoise_inp_dir": _CLIPS, "denoise_opt_dir": "output/crowd/denoise"},
    "_asr": {"asr_inp_dir": _CLIPS, "asr_opt_dir": "output/crowd/asr", "asr_model": "pocketsphinx", "asr_lang": "en"},
    "1a": {"inp_text": _LIST, "inp_wav_dir": _CLIPS, "exp_name": "crowd-1a", "gpu_numbers": "0"},
    "1b": {"inp_text": _LIST, "inp_wav_dir": _CLIPS, "exp_name": "crowd-1b", "gpu_numbers": "0"},
    "1abc": {"inp_text": _LIST, "inp_wav_dir": _CLIPS, "exp_name": "crowd-1abc"},
    "1Ba": {"exp_name": PREPARED, "batch_size": 2, "total_epoch": 10_000},
    "1Bb": {"exp_name": PREPARED, "batch_size": 2, "total_epoch": 10_000},
}
# How answers end or what they hold, by what they say.
_SAYS = {
    "done": "is done",
    "stopped": "was stopped",
    "idle": "is not running",
    "occupied": "(occupied)",
}
_PATIENCE_SECONDS = 300
_LONGEST_PAUSE = 0.6
# That a job has ended is known at once to the server, and to who waits for it at most so much later.
_NEWS_SECONDS = 10


@dataclass(frozen=True)
class Answer:
    """One call: seconds on one clock at which it was made and answered, and of an opening that of its first status."""

    job: str
    opening: bool
    begun: float
    ended: float
    says: str
    text: str
    first: float | None = None


@dataclass(frozen=True)
class Report:
    answers: Sequence[Answer]
    wrong: Sequence[str]

    def lines(self) -> Iterator[str]:
        counts = Counter((answer.opening, answer.says) for answer in self.answers)
        for (opening, says), count in sorted(counts.items()):
            yield f"{'open' if opening else 'close':5} {says:8} {count:5}"
        for kind, opening in (("close", False), ("open that was occupied", True)):
            took = sorted(
                answer.ended - answer.begun
                for answer in self.answers
                if answer.opening == opening and (not opening or answer.says == "occupied")
            )
            if took:
                yield f"{kind}: median {statistics.median(took):.2f} s, slowest {took[-1]:.2f} s"
        yield f"{len(self.answers)} calls, {len(self.wrong)} wrong"
        yield from self.wrong[:20]


def crowd(url: str, server: int, jobs: Sequence[str], clients: int, seconds: float, seed: int = 1) -> Report:
    """Lets clients loose on the WebUI at `url`, whose process is `server`, and closes everything in the end."""
    answers: list[Answer] = []
    wrong: list[str] = []
    everybody = [_client(url) for _ in range(clients)]
    end = time.monotonic() + seconds

    def visit(number: int, client: Client) -> None:
        draw = random.Random(f"{seed} {number}")  # noqa: S311 - no secrets
        while time.monotonic() < end:
            job, opening = draw.choice(jobs), draw.random() < 0.5
            try:
                answers.append(_call(client, job, opening))
            except Exception as error:
                wrong.append(f"{'open' if opening else 'close'}{job}: {type(error).__name__}: {error}")
            time.sleep(draw.random() * _LONGEST_PAUSE)

    visitors = [threading.Thread(target=visit, args=one) for one in enumerate(everybody)]
    for visitor in visitors:
        visitor.start()
    last = _client(url)
    while time.monotonic() < end:
        time.sleep(0.5)
    # Whoever waits for a training waits for somebody to stop it.
    while any(visitor.is_alive() for visitor in visitors):
        for job in jobs:
            answers.append(_call(last, job, False))
        time.sleep(0.5)
    wrong += [f"close{job} in the end: {text}" for job in jobs if (text := _left(last, job)) is not None]
    left = [process for process in psutil.Process(server).children(recursive=True) if _works(process)]
    wrong += [f"left over: {process.pid} {' '.join(process.cmdline())[:200]}" for process in left]
    return Report(answers, [*wrong, *untrue(answers)])


def untrue(answers: Sequence[Answer]) -> Iterator[str]:
    """Answers that what others were told at the same time says cannot be true."""
    for answer in answers:
        others = [one for one in answers if one.job == answer.job and one is not answer]
        works = [one for one in others if one.opening and one.says in ("done", "stopped")]
        meeting = [one for one in works if one.begun <= answer.ended and answer.begun <= one.ended]
        if answer.says == "occupied" and not meeting:
            yield f"{answer}: but nobody's job ran"
        if answer.says == "idle":
            through = (one for one in works if one.first is not None and one.first < answer.begun)
            yield from (f"{answer}: but it ran, {one}" for one in through if answer.ended < one.ended - _NEWS_SECONDS)
        if answer.says == "stopped" and answer.opening:
            closings = (one for one in others if not one.opening and one.begun <= answer.ended)
            if not any(answer.begun <= one.ended for one in closings):
                yield f"{answer}: but nobody closed it"
        if answer.says == "done" and answer.opening and any(one.first and _within(answer, one) for one in works):
            yield f"{answer}: but another one ran meanwhile"


def _within(answer: Answer, other: Answer) -> bool:
    """Whether the other job was at work from before this one's first status to after its end."""
    first = answer.first
    return (
        first is not None
        and other.first is not None
        and other.first < first
        and answer.ended < other.ended - _NEWS_SECONDS
    )


def _client(url: str) -> Client:
    return Client(url, verbose=False, httpx_kwargs={"timeout": _PATIENCE_SECONDS})


def _call(client: Client, job: str, opening: bool) -> Answer:
    begun = time.monotonic()
    first: float | None = None
    if opening:
        running = client.submit(**JOBS[job], api_name=f"/open{job}")
        for _ in running:
            first = first or time.monotonic()
        text: Any = running.result(_PATIENCE_SECONDS)
    else:
        text = client.predict(api_name=f"/close{job}")
    text = text if isinstance(text, str) else text[0]
    says = next((name for name, part in _SAYS.items() if part in text), None)
    if says is None:
        raise RuntimeError(f"an answer of no known kind: {text!r}")
    return Answer(job, opening, begun, time.monotonic(), says, text, first)


def _left(client: Client, job: str) -> str | None:
    text = client.predict(api_name=f"/close{job}")
    return None if _SAYS["idle"] in text else text


def _works(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _served(home: Path) -> Iterator[tuple[str, int]]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, str(PROJECT / "webui.py"), "en", "--port", str(port), "--home", str(home)]
    process = subprocess.Popen(command)
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit("webui.py ended.")
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def main() -> None:
    from gsv.versions import version_named
    from init_weights import write_set

    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--clients", type=int, default=20)
    reader.add_argument("--seconds", type=float, default=300)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--jobs", nargs="+", choices=list(JOBS), default=list(JOBS))
    given = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        write_set(
            home / "pretrained_models", PROJECT / "configs" / "narrow", version_named("v2"), SAMPLE / "clips", seed=1
        )
        with _served(home) as (url, pid):
            prepare(url)
            before = psutil.Process(pid).memory_info().rss
            report = crowd(url, pid, given.jobs, given.clients, given.seconds, given.seed)
            after = psutil.Process(pid).memory_info().rss
            for line in report.lines():
                print(line)
            print(f"memory of the WebUI: {before / 2**20:.0f} MiB before, {after / 2**20:.0f} MiB after")
    sys.exit(bool(report.wrong))


def prepare(url: str) -> None:
    """Makes the experiment that training jobs work on."""
    lines: Mapping[str, Any] = {"inp_text": _LIST, "inp_wav_dir": _CLIPS}
    _client(url).predict(**lines, exp_name=PREPARED, api_name="/open1abc")


if __name__ == "__main__":
    main()
