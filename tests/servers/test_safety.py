"""Who is let in, which files may be named, how much is taken on, and what happens when a client leaves."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from http_server import CLIP, WORDS, House, listening_app

from gsv.errors import InputError, SynthesisError
from gsv.paths import Project
from gsv.servers import api2, api_v2
from gsv.servers.access import Access, Denied, is_local
from gsv.servers.configurations import Configuration
from gsv.servers.files import Files
from gsv.servers.interface import Service
from gsv.servers.limits import Limits
from gsv.servers.together import Part, together
from gsv.synthesis.engine import Engine, Fragment
from gsv.synthesis.reference import Reference

WEB = httpx.Client(timeout=20)
SAY = {
    "text": "Hello there.",
    "text_lang": "en",
    "ref_audio_path": str(CLIP),
    "prompt_lang": "en",
    "prompt_text": WORDS,
}
LONG = {**SAY, "text": "One small boat came in. " * 20, "streaming_mode": 1}


def house_of(house: House, **changes: Any) -> Any:
    """A server with other checks or limits on the same engines."""
    access = changes.pop("access", Access(port=0))
    limits = changes.pop("limits", Limits(text=2000))
    service = Service.of(house.project, house.service.pool, access, changes.pop("files", None), limits)
    configuration = Configuration(device="cpu")
    parts = [
        Part("api_v2", api_v2.build(service, configuration, house.commands.append)),
        Part("api2", api2.build(service, api2.Setup(configuration, Reference(CLIP, WORDS, "en")))),
    ]
    return listening_app(together(service, parts)), service


def asked_by(headers: dict[str, str], client: str = "127.0.0.1") -> dict[str, Any]:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "headers": pairs, "client": (client, 5000)}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"}, {"Host": "evil.example:9880"}, {"Host": "127.0.0.1.evil.example"}, {}, {"Host": "["},
        {"Host": "localhost", "Origin": "https://evil.example"}, {"Host": "localhost", "Origin": "null"},
        {"Host": "localhost:9880", "Origin": "http://localhost:3000"},
        {"Host": "localhost", "Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)  # fmt: skip
def test_pages_from_elsewhere_cannot_drive_a_local_server(house: House, headers: dict[str, str]) -> None:
    with pytest.raises(Denied):
        Access().check(asked_by(headers))
    if "Host" in headers and headers["Host"] != "[":
        answer = WEB.get(f"{house.url}/tts", params=SAY, headers=headers)
        assert answer.status_code == 403
        assert set(answer.json()) == {"message", "Exception"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "localhost"}, {"Host": "127.0.0.1:9880"}, {"Host": "[::1]:9880"}, {"Host": "LOCALHOST:1"},
        {"Host": "localhost:9880", "Origin": "http://localhost:9880"}, {"Host": "localhost", "Sec-Fetch-Site": "none"},
    ],
    ids=str,
)  # fmt: skip
def test_callers_on_this_machine_are_let_in(headers: dict[str, str]) -> None:
    Access().check(asked_by(headers))


def test_cors_is_off_unless_an_origin_is_allowed(house: House) -> None:
    page = {"Origin": "https://studio.example"}
    answer = WEB.get(f"{house.url}/health", headers=page)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    server, _ = house_of(house, access=Access(port=0, origins=("https://studio.example",)))
    with server as url:
        answer = WEB.get(f"{url}/health", headers=page)
        assert answer.headers["access-control-allow-origin"] == "https://studio.example"
        assert WEB.get(f"{url}/health", headers={"Origin": "https://other.example"}).status_code == 403


def test_keys_are_asked_for(house: House) -> None:
    server, _ = house_of(house, access=Access(port=0, keys=("right", "two")))
    with server as url:
        for headers in (
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic right"},
            {"X-API-Key": "Right"},
        ):
            answer = WEB.get(f"{url}/tts", params=SAY, headers=headers)
            assert answer.status_code == 401, headers
            assert "key" in answer.json()["message"]
        for headers in ({"Authorization": "Bearer right"}, {"X-API-Key": "two"}):
            assert WEB.get(f"{url}/health", headers=headers).status_code == 200


@pytest.mark.parametrize(("client", "more", "local"), [
    ("127.0.0.1", {}, True), ("::1", {}, True), ("::ffff:127.0.0.1", {}, True), ("192.168.0.7", {}, False),
    ("127.0.0.1", {"X-Forwarded-For": "1.2.3.4"}, False), ("127.0.0.1", {"Forwarded": "for=1.2.3.4"}, False),
])  # fmt: skip
def test_who_is_local(client: str, more: dict[str, str], local: bool) -> None:
    scope = asked_by({"Host": "localhost", **more}, client)
    assert is_local(scope) == local
    if local:
        Access().check_control(scope)
    else:
        with pytest.raises(Denied):
            Access(host="0.0.0.0").check_control(scope)
        Access(allow_control=True).check_control(scope)


@pytest.mark.parametrize("path", ["control?command=exit", "set_gpt_weights?weights_path=x", "set_refer_audio"])
def test_what_changes_the_server_is_refused_to_other_machines(house: House, path: str) -> None:
    house.commands.clear()
    answer = WEB.get(f"{house.url}/{path}", headers={"X-Forwarded-For": "203.0.113.5"})
    assert answer.status_code == 403
    assert "--allow-control" in answer.json()["message"]
    assert house.commands == []


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that the file system is asked for through pathlib."""
    seen: list[str] = []
    for name in ("exists", "is_file", "stat", "resolve", "open", "is_dir"):
        original = getattr(Path, name)

        def noting(self: Path, *args: Any, _original: Any = original, **more: Any) -> Any:
            seen.append(str(self))
            return _original(self, *args, **more)

        monkeypatch.setattr(Path, name, noting)
    return seen


@pytest.mark.parametrize(
    "text",
    ["/etc/passwd", "../../etc/passwd", "/home/nobody/voice.wav", "wavs/../../../etc/passwd", "//server/share/x.wav"],
)
def test_a_server_open_to_others_refuses_before_it_looks(
    tmp_path: Path, text: str, untouched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    files = Files(Project(tmp_path / "home"), wide=True)
    with pytest.raises(InputError, match=r"ref_audio_path .*--allow"):
        files.path(text, "ref_audio_path")
    # Only where the allowed folders themselves lie.
    assert {Path(one).parent for one in untouched} <= {tmp_path}


def test_a_link_does_not_lead_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "temporary"))
    home, outside = tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (outside / "secret.wav").write_bytes(b"x")
    (home / "link.wav").symlink_to(outside / "secret.wav")
    (home / "folder").symlink_to(outside)
    wide = Files(Project(home), wide=True)
    for text in ("link.wav", "folder/secret.wav", str(home / "link.wav"), str(outside / "secret.wav")):
        with pytest.raises(InputError, match="--allow"):
            wide.path(text, "field")
        assert replace(wide, allowed=(outside,)).path(text, "field") == outside / "secret.wav"
        assert replace(wide, wide=False).path(text, "field") == outside / "secret.wav"


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "\ud800.wav", "x" * 5000, "''"])
def test_what_cannot_be_a_path_is_refused(tmp_path: Path, text: str) -> None:
    for wide in (True, False):
        with pytest.raises(InputError, match="field"):
            Files(Project(tmp_path), wide).recording(text, "field")


def test_a_server_open_to_others_answers_with_the_rule(house: House) -> None:
    access = Access(host="0.0.0.0", port=0)
    server, _ = house_of(house, access=access, files=Files(house.project, True))
    with server as url:
        answer = WEB.post(f"{url}/tts", json={**SAY, "ref_audio_path": "/etc/passwd"})
        assert answer.status_code == 400
        assert "--allow" in answer.json()["message"]
        assert WEB.post(f"{url}/tts", json={**SAY, "ref_audio_path": "123.flac"}).status_code == 200


def test_a_bomb_of_silence_is_not_decoded_to_its_end(house: House, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.flac"
    with soundfile.SoundFile(bomb, "w", 48000, 1, format="FLAC") as file:
        file.write(np.zeros((48000 * 125, 1), np.int16))
    assert bomb.stat().st_size < 1e5
    answer = WEB.post(f"{house.url}/tts", json={**SAY, "ref_audio_path": str(bomb)})
    assert answer.status_code == 400
    assert "longer than 120 s" in answer.json()["message"]


@pytest.mark.parametrize("content", [b"", b"RIFF", CLIP.read_bytes()[:200], CLIP.read_bytes()[:5000], b"PK\3\4" * 99])
def test_truncated_and_foreign_files_are_refused(house: House, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "cut.flac"
    path.write_bytes(content)
    answer = WEB.post(f"{house.url}/tts", json={**SAY, "ref_audio_path": str(path)})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("path", ["/nowhere", "/a%0Ab", "/api_v2/a%0Ab", "/api2/%2e%2e/x", "//", "/docs/x"])
def test_what_is_not_there_is_said_in_the_form_of_an_interface(house: House, path: str) -> None:
    answer = WEB.get(house.url + path)
    assert answer.status_code == 404
    assert {"message"} <= set(answer.json()) or {"error"} <= set(answer.json())


def test_bodies_and_texts_have_limits(house: House) -> None:
    answer = WEB.post(f"{house.url}/tts", json={**SAY, "text": "x" * 200_000})
    assert answer.status_code == 413
    assert "100000 bytes" in answer.json()["message"]

    def parts() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 1000

    assert WEB.post(f"{house.url}/tts", content=parts()).status_code == 413
    assert "2000" in WEB.post(f"{house.url}/tts", json={**SAY, "text": "x" * 2001}).json()["message"]


@pytest.mark.parametrize("path", ["/tts", "/"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_request_that_comes_drop_by_drop_is_not_waited_for(house: House, path: str, chunked: bool) -> None:
    server, _ = house_of(house, limits=Limits(asking=0.4))
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 1000"
    with server as url:
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as client:
            client.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n\r\n".encode())
            client.settimeout(0.05)
            answer, began = b"", time.monotonic()
            while not answer and time.monotonic() - began < 15:
                client.sendall(b"1\r\n \r\n" if chunked else b" ")
                try:
                    answer = client.recv(65536)
                except TimeoutError:
                    continue
        assert answer.startswith(b"HTTP/1.1 408"), answer
        assert WEB.get(f"{url}/health").status_code == 200


def test_a_request_of_which_nothing_comes_is_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[bool] = []

    def endless(self: Engine, *args: Any) -> Iterator[Fragment]:
        while not args[-1]():
            time.sleep(0.01)
        ends.append(True)
        yield from ()

    server, service = house_of(house, limits=Limits(patience=0.5))
    monkeypatch.setattr(Engine, "stream", endless)
    with server as url:
        answer = WEB.post(f"{url}/tts", json=SAY)
        assert answer.status_code == 400 and "0.5 s" in answer.json()["message"]
        wait_until(lambda: ends == [True], 10)
        wait_until(lambda: service.line.running == 0, 10)


def wait_until(true: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_too_many_requests_are_told_to_come_again(house: House) -> None:
    server, service = house_of(house, limits=Limits(running=1, waiting=1, retry_seconds=7))
    with server as url:
        with WEB.stream("POST", f"{url}/tts", json=LONG) as first:
            parts = first.iter_raw()
            next(parts)
            with httpx.Client(timeout=300) as other:
                waiting: list[int] = []
                thread = threading.Thread(target=lambda: waiting.append(other.post(f"{url}/tts", json=SAY).status_code))
                thread.start()
                wait_until(lambda: service.line.waiting == 1)
                for answer in (
                    WEB.post(f"{url}/tts", json=SAY),
                    WEB.get(url, params={"text": "Hi there.", "text_language": "en"}),
                ):
                    assert answer.status_code == 429
                    assert answer.headers["retry-after"] == "7"
                first.close()
                thread.join(60)
        assert waiting == [200]
        wait_until(lambda: service.line.running == service.line.waiting == 0)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the engine was told each time it asked whether to stop; True also where nobody took its sound any more."""
    told: list[bool] = []
    original = Engine.stream

    def noting(self: Engine, text: str, language: str, voice: Any, options: Any, stopped: Any) -> Iterator[Fragment]:
        def asked() -> bool:
            told.append(stopped())
            return told[-1]

        try:
            yield from original(self, text, language, voice, options, asked)
        except GeneratorExit:
            told.append(True)
            raise

    monkeypatch.setattr(Engine, "stream", noting)
    return told


@pytest.mark.parametrize("streaming_mode", [0, 1])
def test_a_client_that_leaves_stops_its_work_within_a_step(
    house: House, steps: list[bool], streaming_mode: int
) -> None:
    host, port = house.url.removeprefix("http://").split(":")
    body = httpx.Request("POST", house.url, json={**LONG, "streaming_mode": streaming_mode}).content
    with socket.create_connection((host, int(port))) as client:
        head = f"POST /tts HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body)
        wait_until(lambda: len(steps) > 3)
    wait_until(lambda: house.service.line.running == 0, 5)
    wait_until(lambda: any(steps), 10)
    seen = len(steps)
    time.sleep(0.5)
    # Once it has been told to, it does not ask again but where several rows of a batch are told at once.
    assert sum(steps) <= 2
    assert len(steps) <= seen + 1


def test_a_failure_in_the_middle_ends_the_connection_and_adds_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Engine.stream

    def failing(self: Engine, *args: Any) -> Iterator[Fragment]:
        for number, fragment in enumerate(original(self, *args)):
            if number == 2:
                raise SynthesisError("It failed in the middle.")
            yield fragment

    fields = {**LONG, "text": "One small boat came in. " * 5, "seed": 3}
    whole = WEB.post(f"{house.url}/tts", json=fields).content
    monkeypatch.setattr(Engine, "stream", failing)
    received = b""
    with pytest.raises(httpx.RemoteProtocolError), WEB.stream("POST", f"{house.url}/tts", json=fields) as one:
        assert one.status_code == 200
        for part in one.iter_raw():
            received += part
    assert len(received) > 10_000
    assert whole.startswith(received)
    answer = WEB.post(f"{house.url}/tts", json={**fields, "streaming_mode": 0})
    assert (answer.status_code, answer.json()["message"]) == (400, "It failed in the middle.")


def test_a_bug_is_no_reason_to_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> Iterator[Fragment]:
        raise ZeroDivisionError("secret detail")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "stream", broken)
        answer = WEB.post(f"{house.url}/tts", json=SAY)
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert WEB.post(f"{house.url}/tts", json=SAY).status_code == 200


def test_a_client_that_takes_nothing_is_waited_for_only_so_long(house: House) -> None:
    server, service = house_of(house, limits=Limits(patience=2.0))
    text = {**LONG, "fragment_interval": 60, "media_type": "raw"}
    with server as url:
        host, port = url.removeprefix("http://").split(":")
        body = httpx.Request("POST", url, json=text).content
        with socket.create_connection((host, int(port))) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(f"POST /tts HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            wait_until(lambda: service.line.running == 1)
            wait_until(lambda: service.line.running == 0, 60)
