"""Starts the WebUI as its users do, for tests."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
# Limits are for what hangs: a busy machine may take its time.
_PATIENCE_SECONDS = 240
_POLITE_SECONDS = 30


@dataclass(frozen=True)
class Server:
    """A running `webui.py` on a project folder of its own."""

    url: str
    home: Path
    log: Path
    pid: int


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def home_like(narrow: Path, folder: Path) -> Path:
    """A project folder of its own with the weights of another."""
    shutil.copytree(narrow / "pretrained_models", folder / "pretrained_models")
    return folder


@contextmanager
def served(home: Path, language: str = "en", *options: str) -> Iterator[Server]:
    """`python webui.py` until the block ends; it must leave no process."""
    port = free_port()
    url, log = f"http://127.0.0.1:{port}/", home / "webui.log"
    command = [sys.executable, str(PROJECT / "webui.py"), language, "--port", str(port), "--home", str(home), *options]
    paths = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=home)
    try:
        _wait_for(url, process, log)
        yield Server(url, home, log, process.pid)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends it as Ctrl-C does; where that is ignored, as in what a shell put into the background, more firmly."""
    try:
        for sign in (signal.SIGINT, signal.SIGTERM):
            process.send_signal(sign)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_POLITE_SECONDS)
                return
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"webui.py ended:\n{log.read_text(encoding='utf-8')}")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"webui.py did not answer:\n{log.read_text(encoding='utf-8')}")
