"""The programs as their users start them: they speak, begin anew when they are told to, and end."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import typer
from http_server import CLIP, WORDS
from typer.testing import CliRunner
from websockets.sync.client import connect
from webui_server import PROJECT, free_port

from gsv.cli import app
from gsv.paths import Project


@dataclass(frozen=True)
class Door:
    """A running program: its address, what it says, and its process."""

    url: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def wait_for(self, starts: int) -> None:
        deadline = time.monotonic() + 120
        while self.log.read_text(encoding="utf-8").count("Running on") < starts:
            assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, self.log.read_text(encoding="utf-8")
            time.sleep(0.1)


@contextmanager
def opened(folder: Path, program: str, *flags: str) -> Iterator[Door]:
    """`python PROGRAM FLAGS` in a folder, at a port of its own; it may not be up yet."""
    port = free_port()
    log = folder / f"log-{port}"
    command = [sys.executable, *program.replace("HERE", str(PROJECT)).split(), *flags, "-p", str(port)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment)
    try:
        yield Door(f"http://127.0.0.1:{port}", log, process)
    finally:
        process.kill()
        process.wait()


def test_the_door_opens_restarts_and_ends(narrow: Project, tmp_path: Path) -> None:
    flags = ["-a", "None", "-c", "GPT_SoVITS/configs/tts_infer.yaml", "--home", str(narrow.root)]
    with opened(tmp_path, "HERE/api_v2.py", *flags) as door:
        door.wait_for(1)
        port = int(door.url.rsplit(":", 1)[1])
        with httpx.Client(base_url=door.url, timeout=60) as web:
            fields = {"text": "", "text_lang": "en", "ref_audio_path": str(CLIP), "prompt_lang": "en"}
            assert web.post("/tts", json=fields).status_code == 400
            if socket.has_dualstack_ipv6():
                assert httpx.get(f"http://[::1]:{port}/health").status_code == 200
            assert web.get("/control", params={"command": "restart"}).status_code == 200
            door.wait_for(2)
        answer = httpx.post(f"{door.url}/control", json={"command": "exit"}, timeout=60)
        assert answer.status_code == 200
        assert door.process.wait(60) == 0


def test_two_of_them_with_different_weights_stand_side_by_side(home: Project, tmp_path: Path) -> None:
    for name in ("5.wav", "123.wav", "wavs/10.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CLIP, tmp_path / name)
    folder = home.pretrained / "gsv-v2final-pretrained"
    for own, base in (("SoVITS_weights/mymode-e200.pth", "s2G*.pth"), ("GPT_weights/mymode-e200.ckpt", "s1*.ckpt")):
        (tmp_path / own).parent.mkdir()
        shutil.copy(next(folder.glob(base)), tmp_path / own)
    usual = ["-dr", "123.wav", "-dt", "一二三四五六七。", "-dl", "zh", "-d", "cpu"]
    own = ["-s", "SoVITS_weights/mymode-e200.pth", "-g", "GPT_weights/mymode-e200.ckpt", "-dr", "wavs/10.wav"]
    own += ["-dt", "御弟哥哥，为什么甘愿守孤灯", "-dl", "zh", "-c", "3", "-a", "127.0.0.1", "-fp"]
    with (
        opened(tmp_path, "HERE/api2.py", *usual, "--home", str(home.root)) as first,
        opened(tmp_path, "HERE/api2.py", *own, "--home", str(home.root)) as second,
    ):
        for door in (first, second):
            door.wait_for(1)
            # What was never trained can take long to end, so that nothing is waited for but the first sound.
            with httpx.stream("GET", door.url, params={"text": "你好。", "text_language": "zh"}, timeout=120) as answer:
                assert answer.status_code == 200
                assert next(answer.iter_raw()).startswith(b"RIFF")
            assert httpx.get(door.url, params={"text": "", "text_language": "zh"}).json()["code"] == 400


def test_all_of_them_at_one_address(home: Project, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "pretrained_models").symlink_to(home.pretrained)
    with opened(tmp_path, "-m gsv.cli serve all", "--home", str(folder)) as door:
        door.wait_for(1)
        with httpx.Client(base_url=door.url, timeout=60) as web:
            assert set(web.get("/health").json()["interfaces"]) == {"api_v2", "api2", "openai", "voices", "indextts"}
            assert web.get("/speakers").json() == []
            fields = {"prompt_audio": str(CLIP), "prompt_text": WORDS, "prompt_id": "anna"}
            assert web.post("/clone", json=fields).json() == {"existed": False, "prompt_id": "anna"}
            assert web.get("/v1/voices").json()["data"][0]["id"] == "anna"
            assert web.get("/api/v1/health").json() == {"status": "healthy", "model_loaded": True}
            # The same path is of two interfaces.
            assert web.post("/tts", json={"prompt_id": "bert", "text": "Hi."}).json()["error"] is True
            assert set(web.post("/tts", json={"text": "Hi."}).json()) == {"message", "Exception"}
            assert web.get("/", params={"text": "Hi.", "text_language": "en"}).json()["code"] == 400
            with connect(door.url.replace("http", "ws") + "/tts") as talk:
                talk.send(json.dumps({"req_params": {"prompt_id": "bert"}}))
                assert json.loads(talk.recv(timeout=60))["error"] is True
            assert web.get("/control", params={"command": "exit"}).status_code == 200
        assert door.process.wait(60) == 0
    assert (folder / "speakers").is_dir() and (folder / "tasks").is_dir()


@pytest.mark.parametrize(
    ("name", "port"), [("api-v2", 9880), ("api2", 9880), ("voices", 12244), ("indextts", 8000), ("all", 9880)]
)
def test_a_server_is_for_this_machine_unless_told_otherwise(name: str, port: int) -> None:
    serve = typer.main.get_command(app).commands["serve"].commands[name]  # type: ignore[attr-defined]
    defaults = {one.name: one.default for one in serve.params}
    assert (defaults["host"], defaults["port"], defaults["cors"]) == ("127.0.0.1", port, None)
    assert defaults["allow_control"] is False
    assert CliRunner().invoke(app, ["serve", name, "--help"]).exit_code == 0
