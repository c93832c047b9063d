"""Many clients who ask one server for speech, and whether each gets what it gets alone.

    python tools/listeners.py --clients 8 --requests 2000      does memory grow?
    python tools/listeners.py --clients 16 --swaps 50          does anybody hear other weights than were in force?

starts `gsv serve api-v2` on the bundled voice and asks for speech of several references, texts, seeds, formats and
streaming modes. Every answer is compared, byte for byte, with what the same request got while the server had nothing
else to do. With --swaps the weights of the server change all the while, half of them at a time; an answer has to be of
weights that were in force while it was asked for. Ends with status 1 if an answer failed or was another one.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import torch

from gsv.paths import Project
from gsv.versions import version_named

PROJECT = Path(__file__).resolve().parents[1]
CLIPS = PROJECT / "tests" / "sample" / "clips"
_PATIENCE_SECONDS = 600
# Requests after which all that is loaded once has been loaded, and what the C library keeps has settled.
WARM_UP = 200
_LOOKS = 20

Fields = Mapping[str, Any]
# The GPT and the SoVITS file that are in force, by number.
Pair = tuple[int, int]


@dataclass(frozen=True)
class Swap:
    """From when on, on one clock, a pair of weights may have been in force: it was asked for then, and is by `done`."""

    pair: Pair
    asked: float
    done: float


@dataclass
class Report:
    """Answers by request: how long each took in seconds; what was wrong; resident bytes after so many answers."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    swaps: int = 0

    def lines(self) -> Iterator[str]:
        yield f"{len(self.seconds)} requests, {len(self.wrong)} wrong, {self.swaps} swaps of weights"
        if self.seconds:
            slowest = max(self.seconds)
            yield f"an answer: median {statistics.median(self.seconds):.2f} s, slowest {slowest:.2f} s"
        for count, size in self.memory:
            grown = 100 * (size / self.memory[0][1] - 1)
            yield f"after {count:5} requests: {size / 2**20:.1f} MiB resident, {grown:+.1f} %"
        yield from self.wrong[:20]


def requests() -> list[Fields]:
    """Short ones, no two of them alike in voice, text or seed."""
    texts = ("Hello there.", "One small boat.", "Good day.")
    media = ("wav", "raw", "ogg", "aac")
    return [
        {
            "text": texts[i % 3],
            "text_lang": "en",
            "ref_audio_path": str(CLIPS / f"{1 + (i + i // 4) % 4:02}.flac"),
            "prompt_lang": "en",
            "media_type": media[i // 4],
            "streaming_mode": i % 4,
            "seed": i,
        }
        for i in range(16)
    ]


@contextmanager
def served(home: Path, *flags: str) -> Iterator[tuple[str, int]]:
    """The address and process of a server on this project folder."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, str(PROJECT / "api_v2.py"), "-p", str(port), "--home", str(home), *flags]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(PROJECT)})
    url = f"http://127.0.0.1:{port}"
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit("The server ended.")
            try:
                httpx.get(f"{url}/health", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.3)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(60)


def altered(path: Path, where: Path, noise: float = 0.02) -> Path:
    """A copy of a weight file that speaks a little differently: with noise, in parts of the weights' own spread."""
    content = torch.load(path, weights_only=True)
    generator = torch.Generator().manual_seed(1)
    for tensor in content["weight"].values():
        if tensor.is_floating_point() and tensor.dim() > 1:
            tensor += noise * tensor.float().std() * torch.randn(tensor.shape, generator=generator)
    torch.save(content, where)
    return where


def ask(client: httpx.Client, fields: Fields) -> bytes:
    """The sound; RuntimeError with what the server said if there is none."""
    answer = client.post("/tts", json=fields)
    if answer.status_code != 200 or not answer.content:
        raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")
    return answer.content


def choose(client: httpx.Client, kind: str, path: Path) -> None:
    answer = client.get(f"/set_{kind}_weights", params={"weights_path": str(path)})
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code} {answer.text[:200]}")


def listen(
    url: str,
    clients: int,
    expected: Mapping[Pair, Sequence[bytes]],
    count: int | None = None,
    swaps: Callable[[Report, list[Swap]], None] | None = None,
    pid: int | None = None,
) -> Report:
    """So many clients ask, one request after another, until `count` answers or the end of the swaps.

    `expected` are the answers to the first of `requests()` with each pair of weights.
    """
    report = Report()
    history = [Swap((0, 0), 0.0, 0.0)]
    ended = threading.Event()
    lock = threading.Lock()
    everything = requests()[: len(expected[0, 0])]
    asked = iter(range(count or sys.maxsize))

    def visit() -> None:
        with httpx.Client(base_url=url, timeout=_PATIENCE_SECONDS) as client:
            while not ended.is_set():
                with lock:
                    number = next(asked, None)
                if number is None:
                    return
                kind = number % len(everything)
                begun = time.monotonic()
                try:
                    got = ask(client, everything[kind])
                except (RuntimeError, httpx.HTTPError) as error:
                    report.wrong.append(f"request {number}: {type(error).__name__}: {error}")
                    continue
                end = time.monotonic()
                with lock:
                    report.seconds.append(end - begun)
                    known = [pair for pair, answers in expected.items() if answers[kind] == got]
                    right = in_force(history, begun, end)
                    if not right.intersection(known):
                        heard = f"the weights {known[0]}" if known else "nothing that is known"
                        report.wrong.append(f"request {number}: heard {heard} where {sorted(right)} were in force")
                    done = len(report.seconds)
                    if pid and done >= WARM_UP and (done - WARM_UP) % max(1, (count or 0) // _LOOKS) == 0:
                        report.memory.append((done, psutil.Process(pid).memory_info().rss))

    visitors = [threading.Thread(target=visit) for _ in range(clients)]
    for visitor in visitors:
        visitor.start()
    try:
        if swaps:
            swaps(report, history)
            ended.set()
    finally:
        for visitor in visitors:
            visitor.join()
    if pid:
        report.memory.append((len(report.seconds), psutil.Process(pid).memory_info().rss))
    return report


def in_force(history: Sequence[Swap], begun: float, ended: float) -> set[Pair]:
    """The pairs of weights that a request may have met which was asked and answered at these times."""
    following = [*history[1:], Swap((0, 0), float("inf"), float("inf"))]
    both = zip(history, following, strict=True)
    return {one.pair for one, after in both if one.asked <= ended and begun <= after.done}


def swapping(
    url: str, files: Mapping[str, Sequence[Path]], swaps: int, answers: int
) -> Callable[[Report, list[Swap]], None]:
    """Changes one half of the weights after another, each time that so many more answers have come."""

    def work(report: Report, history: list[Swap]) -> None:
        with httpx.Client(base_url=url, timeout=_PATIENCE_SECONDS) as client:
            for number in range(swaps):
                gpt, sovits = history[-1].pair
                kind = ("gpt", "sovits")[number % 2]
                pair = (1 - gpt, sovits) if kind == "gpt" else (gpt, 1 - sovits)
                # Known before it can be in force.
                history.append(Swap(pair, time.monotonic(), float("inf")))
                choose(client, kind, files[kind][pair[number % 2]])
                history[-1] = Swap(pair, history[-1].asked, time.monotonic())
                report.swaps += 1
                while len(report.seconds) + len(report.wrong) < report.swaps * answers:
                    time.sleep(0.02)

    return work


def alone(
    url: str, files: Mapping[str, Sequence[Path]], pairs: Sequence[Pair], kinds: int | None = None
) -> dict[Pair, list[bytes]]:
    """What the first `kinds` of the requests get while nobody else asks; in the end the first weights are in force."""
    found: dict[Pair, list[bytes]] = {}
    with httpx.Client(base_url=url, timeout=_PATIENCE_SECONDS) as client:

        def become(pair: Pair) -> None:
            for kind, number in zip(("gpt", "sovits"), pair, strict=True):
                choose(client, kind, files[kind][number])

        for pair in pairs:
            become(pair)
            found[pair] = [ask(client, fields) for fields in requests()[:kinds]]
        become((0, 0))
    return found


@contextmanager
def house() -> Iterator[tuple[Path, dict[str, list[Path]]]]:
    """A project folder with the bundled voice, and two files of each kind that go together."""
    base = Project(PROJECT).base(version_named("v2"))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "pretrained_models").symlink_to(PROJECT / "pretrained_models")
        files = {
            "gpt": [base.gpt, altered(base.gpt, home / "other.ckpt")],
            "sovits": [base.generator, altered(base.generator, home / "other.pth")],
        }
        yield home, files


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--clients", type=int, default=8)
    reader.add_argument("--requests", type=int, help="end after so many answers")
    reader.add_argument("--swaps", type=int, help="end after so many changes of weights")
    given = reader.parse_args()
    if (given.requests is None) == (given.swaps is None):
        reader.error("give either --requests or --swaps")
    with house() as (home, files), served(home, "--pool", "2") as (url, pid):
        if given.swaps:
            pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
            expected = alone(url, files, pairs)
            report = listen(url, given.clients, expected, swaps=swapping(url, files, given.swaps, given.clients // 4))
        else:
            report = listen(url, given.clients, alone(url, files, [(0, 0)]), given.requests, pid=pid)
    for line in report.lines():
        print(line)
    sys.exit(bool(report.wrong))


if __name__ == "__main__":
    main()
