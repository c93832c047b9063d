"""python api.py as its users start it, and killed in the middle of its tasks."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from http_server import CLIP

from gsv.cli import main
from gsv.paths import Project

ROOT = Path(__file__).parent.parent.parent
FLAGS = ["--model_dir", "./checkpoints", "--port", "0", "--host", "127.0.0.1", "--workers", "2"]
WITHOUT_MEANING = ["--deepspeed", "--cuda_kernel", "--reload"]


@contextmanager
def started(home: Project, *flags: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str], str]]:
    """A client, the process, and what it said before it was up."""
    process = subprocess.Popen(
        [sys.executable, ROOT / "api.py", *FLAGS, *flags, "--home", str(home.root), "--device", "cpu"],
        cwd=home.root, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = ""
    try:
        assert process.stderr
        while "Running on" not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        url = re.search(r"Running on (\S+)", said)
        assert url
        with httpx.Client(base_url=f"{url[1]}/api/v1", timeout=60) as client:
            yield client, process, said
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def test_a_server_killed_in_the_middle_goes_on_where_it_was(home: Project) -> None:
    with started(home, *WITHOUT_MEANING) as (client, process, said):
        for flag in WITHOUT_MEANING:
            assert f"{flag} has no meaning" in said
        assert client.get("/health").json() == {"status": "healthy", "model_loaded": True}
        id = client.post("/upload/audio", files={"file": ("a.flac", CLIP.read_bytes())}).json()["file_id"]
        request = {"text": "One small boat came in today. " * 3, "prompt_audio_id": id}
        ids = [client.post("/tts", json=request).json()["task_id"] for _ in range(3)]
        deadline = time.monotonic() + 60
        while not client.get("/tasks", params={"status": "processing"}).json()["tasks"]:
            assert time.monotonic() < deadline
        os.kill(process.pid, signal.SIGKILL)
    with started(home) as (client, _, said):
        assert "has no meaning" not in said
        deadline = time.monotonic() + 120
        while any(client.get(f"/task/{id}").json()["status"] not in {"completed", "failed"} for id in ids):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        tasks = client.get("/tasks").json()["tasks"]
        assert sorted(task["task_id"] for task in tasks) == sorted(ids)
        assert {task["status"] for task in tasks} == {"completed"}, tasks
        for task in ids:
            assert client.get(f"/audio/{task}").content[:4] == b"RIFF"
    assert len(list((home.root / "tasks" / "results").iterdir())) == 3


def test_a_folder_without_weights_is_refused_in_one_sentence(home: Project, tmp_path: Path) -> None:
    for folder, words in ((tmp_path, "has no GPT weights"), (tmp_path / "nowhere", "There is no folder")):
        with pytest.raises(SystemExit, match=words):
            main(["serve", "indextts", "--model_dir", str(folder), "--home", str(home.root)])
