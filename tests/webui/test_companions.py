"""The apps beside the main one: opened and closed by the same call, each at its own port and with its own endpoints."""

import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
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


def test_a_crowd_that_opens_and_closes_at_random_is_always_told_the_truth(
    server: Server, tool: Callable[[str], ModuleType]
) -> None:
    """The long form, with every job: python tools/crowd.py --seconds 300."""
    report = tool("crowd").crowd(server.url, server.pid, ["_slice", "_denoise", "1a"], clients=20, seconds=20)
    assert report.wrong == []
    assert {"stopped", "idle", "occupied"} <= {answer.says for answer in report.answers}
    assert not list((server.home / "logs" / "jobs").glob("*.json"))


def test_untrue_answers_would_be_noticed(tool: Callable[[str], ModuleType]) -> None:
    crowd = tool("crowd")

    def answer(opening: bool, says: str, begun: float, ended: float, first: float | None = None) -> Any:
        return crowd.Answer("_slice", opening, begun, ended, says, "", first)

    ran, stop = answer(True, "stopped", 0, 100, 1), answer(False, "stopped", 95, 100)
    assert list(crowd.untrue([ran, stop, answer(True, "occupied", 50, 51), answer(False, "idle", 101, 102)])) == []
    for lie in (answer(False, "idle", 50, 51), answer(True, "occupied", 101, 102), answer(True, "done", 20, 60, 22)):
        assert len(list(crowd.untrue([ran, stop, lie]))) == 1, lie
    assert len(list(crowd.untrue([ran]))) == 1, "nobody had closed it"
