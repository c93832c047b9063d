"""The apps beside the main one: opened and closed by the same call, each at its own port and with its own endpoints."""

import socket
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from webui_server import Server

SAMPLE = Path(__file__).parents[1] / "sample"
APPS: list[tuple[str, dict[str, Any], int, str]] = [
    ("change_label", {"path_list": str(SAMPLE / "sample.list")}, 9871, "/label_save"),
    ("change_tts_inference_1", {}, 9872, "/get_tts_wav"),
    ("change_tts_inference", {"batched_infer_enabled": True}, 9872, "/inference"),
    ("change_uvr5_1", {}, 9873, "/uvr_convert"),
]


@pytest.mark.parametrize(("name", "given", "port", "endpoint"), APPS)
def test_an_app_is_opened_and_closed_by_the_same_call(
    client: Client, name: str, given: dict[str, Any], port: int, endpoint: str
) -> None:
    opened = client.predict(**given, api_name=f"/{name}")
    url = f"http://127.0.0.1:{port}/"
    assert opened.endswith(f"is open: {url}")
    app = Client(url, verbose=False)
    endpoints = app.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert endpoint in endpoints
    assert client.predict(**given, api_name=f"/{name}").endswith("was stopped.")
    with pytest.raises(OSError):
        urllib.request.urlopen(url, timeout=5)


def test_a_port_that_is_taken_is_named(client: Client) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 9873))
        listener.listen()
        with pytest.raises(AppError, match=r"Port 9873 of 127\.0\.0\.1 cannot be used"):
            client.predict(api_name="/change_uvr5")


def test_apps_end_with_the_main_one(narrow: Any, tmp_path: Path) -> None:
    import psutil
    from webui_server import home_like, served

    with served(home_like(narrow.root, tmp_path)) as server:
        Client(server.url, verbose=False).predict(api_name="/change_uvr5")
        children = psutil.Process(server.pid).children(recursive=True)
        assert children
        psutil.Process(server.pid).kill()
        deadline = time.monotonic() + 120
        while any(child.is_running() for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_every_call_at_once_is_answered_truly(client: Client, server: Server) -> None:
    """Many clients open and close at random: each call is answered with a state, and in the end nothing runs."""
    import random

    draw = random.Random(7)
    given = {"inp": str(SAMPLE / "clips"), "n_parts": 1}
    calls = []
    for number in range(40):
        if draw.random() < 0.5:
            calls.append(client.submit(**given, opt_root=f"output/many{number}", api_name="/open_slice"))
        else:
            calls.append(client.submit(api_name="/close_slice"))
        time.sleep(draw.random() / 2)
    answers = [call.result(timeout=240) for call in calls]
    texts = [answer if isinstance(answer, str) else answer[0] for answer in answers]
    known = ("is done", "was stopped", "is not running", "occupied")
    assert [text for text in texts if not any(part in text for part in known)] == []
    client.predict(api_name="/close_slice")
    assert client.predict(api_name="/close_slice") == "Slicing is not running."
    assert not list((server.home / "logs" / "jobs").glob("slice*.json"))
