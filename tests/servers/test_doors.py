"""`python api_v2.py`, as its users start it: it speaks, begins anew when it is told to, and ends."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
from http_server import CLIP
from webui_server import PROJECT, free_port

from gsv.paths import Project


def wait_for(log: Path, lines: int) -> None:
    deadline = time.monotonic() + 120
    while log.read_text(encoding="utf-8").count("Running on") < lines:
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.1)


def test_the_door_opens_restarts_and_ends(narrow: Project, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, str(PROJECT / "api_v2.py"), "-a", "None", "-p", str(port)]
    command += ["-c", "GPT_SoVITS/configs/tts_infer.yaml", "--home", str(narrow.root)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "OMP_NUM_THREADS": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=tmp_path, env=environment)
    try:
        wait_for(log, 1)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as web:
            fields = {"text": "", "text_lang": "en", "ref_audio_path": str(CLIP), "prompt_lang": "en"}
            assert web.post("/tts", json=fields).status_code == 400
            if socket.has_dualstack_ipv6():
                assert httpx.get(f"http://[::1]:{port}/health").status_code == 200
            assert web.get("/control", params={"command": "restart"}).status_code == 200
            wait_for(log, 2)
        answer = httpx.post(f"http://127.0.0.1:{port}/control", json={"command": "exit"}, timeout=60)
        assert answer.status_code == 200
        assert process.wait(60) == 0
    finally:
        process.kill()
