"""Whatever is sent to any interface: no answer of 500 or more, no hang, and the server lives.

Few inputs in the suite; thousands with: pytest tests/servers/test_fuzz.py --hypothesis-profile=many
"""

import base64
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import schemathesis
from http_server import CLIP, WORDS, House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from gsv.audio.encoder import encode
from gsv.audio.io import load
from gsv.errors import TextError
from gsv.servers.sentences import Incoming

MANY = 1000
WEB = httpx.Client(timeout=60)
JSON = {"Content-Type": "application/json"}
NOBODY = "0" * 64

# One request to every place that takes one, which is right but for what is changed; few of them come to be spoken.
TTS = {"text": "Hi there.", "text_lang": "en", "ref_audio_path": str(CLIP), "prompt_lang": "en", "prompt_text": WORDS}
POSTS: dict[str, tuple[str, dict[str, Any]]] = {
    "api_v2": ("/tts", {**TTS, "top_k": 5, "seed": 1, "streaming_mode": 0, "aux_ref_audio_paths": [], "top_p": 1}),
    "api2": ("/", {"text": "Hi there.", "text_language": "en", "refer_wav_path": "x.wav", "prompt_text": WORDS}),
    "openai": ("/v1/audio/speech", {"model": "gsv", "input": "Hi.", "voice": "nobody", "speed": 1, "stream": False}),
    "voices": ("/tts", {"text": "Hi.", "prompt_id": "narrator", "audio_format": "pcm", "instruct_text": "sad"}),
    "clone": ("/clone", {"prompt_audio": "x.wav", "prompt_text": "Hi.", "prompt_id": "x", "prompt_lang": "en"}),
    "remove": ("/remove", {"prompt_id": "x", "prompt_ids": ["y"]}),
    "save": ("/cache/save", {"cache_dir": "cache", "prompt_ids": ["nobody"]}),
    "load": ("/cache/load", {"cache_path": "cache", "prompt_ids": ["nobody"]}),
    "task": ("/api/v1/tts", {"text": "Hi.", "prompt_audio_id": NOBODY, "emo_control_method": 0, "emo_text": "sad"}),
    "sync": ("/api/v1/tts/sync", {"text": "Hi.", "prompt_audio_id": NOBODY, "emo_vector": [0] * 8, "top_p": 0.5}),
    "control": ("/control", {"command": "x"}),
}  # fmt: skip
GETS: dict[str, tuple[str, ...]] = {
    "/tts": ("text", "text_lang", "ref_audio_path", "prompt_lang", "media_type", "seed", "aux_ref_audio_paths"),
    "/": ("text", "text_language", "refer_wav_path", "prompt_text", "prompt_language"),
    "/control": ("command",),
    "/set_gpt_weights": ("weights_path",),
    "/set_sovits_weights": ("weights_path",),
    "/set_refer_audio": ("refer_audio_path",),
    "/api/v1/tasks": ("limit", "status"),
}
PATHS = ("/api/v1/task/", "/api/v1/audio/", "/api/v1/file/", "/", "/api_v2/", "/voices/", "/docs/", "/v1/")

WORDS_ILL_CHOSEN = st.one_of(
    st.text(st.characters(), max_size=60),
    st.sampled_from(
        [
            "\x00", "a\x00b", "\ud800", "😀" * 500, "x" * 3000, "../../../../../../../../etc/passwd", "/dev/zero",
            "/proc/self/mem", "/dev/stdin", "C:\\Windows\\win.ini", "file:///etc/passwd", "http://127.0.0.1:1/", "%00",
            "https://[::1]/a.wav", "http://0x7f.1/", "'; exit", "${HOME}", "NaN", "1e999", "9" * 5000, "true", "\u202e",
            "\ufeff", "。", "...", "<speak>", "１２３", "{}", "[]", "data:audio/wav;base64,", "data:;base64,!!!!",
            "A" * 401, "QUJD" * 200, "narrator", "..", "con", "a/b", "\n", "ｈｉ", "ẞ", "x̸̢" * 40, "\U000e0001",
        ]
    ),
)  # fmt: skip
ILL_CHOSEN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40), st.floats(), WORDS_ILL_CHOSEN,
    st.lists(st.one_of(st.text(max_size=5), st.floats(), st.none()), max_size=9),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


def few(number: int = 12, share: float = 0.1) -> settings:
    """So many inputs, or a share of the profile's number if one was asked for on the command line."""
    asked = settings().max_examples
    return settings(
        max_examples=int(share * asked) if asked > MANY else number,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )


def lives(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert isinstance(answer.json(), dict)


@pytest.fixture(scope="module")
def crowded(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The server with a speaker, and in a folder of its own."""
    before = Path.cwd()
    # What is saved to relative paths.
    os.chdir(tmp_path_factory.mktemp("where"))
    house.service.speakers.clone(house.service.pool.engine(), "narrator", CLIP, WORDS, "en")
    yield house
    os.chdir(before)


@pytest.fixture(autouse=True)
def _still_there(crowded: House) -> Iterator[None]:
    yield
    health = WEB.get(f"{crowded.url}/health").json()
    assert health["status"] == "ok"


@pytest.mark.parametrize("name", POSTS)
def test_no_field_breaks_the_server(crowded: House, name: str) -> None:
    path, fields = POSTS[name]
    # The speaker, and what would be written anywhere on this machine, stay.
    changed = sorted({*fields, "seed", "more"} - ({"prompt_ids"} if name == "save" else set()))

    @few()
    @given(st.dictionaries(st.sampled_from(changed), ILL_CHOSEN, min_size=1, max_size=3))
    def sent(changes: dict[str, Any]) -> None:
        lives(WEB.post(crowded.url + path, content=json.dumps({**fields, **changes}), headers=JSON))

    sent()


@pytest.mark.parametrize("path", sorted({path for path, _ in POSTS.values()} | {"/api/v1/upload/audio"}))
def test_no_body_breaks_the_server(crowded: House, path: str) -> None:
    nested = st.recursive(ILL_CHOSEN, lambda one: st.lists(one, max_size=3), max_leaves=5)
    large = [b"[" * 90_000, b'{"a":' * 9000, b'{"text":"' + b"x" * 120_000, b"9" * 9000, b"\xff\xfe{\0}\0"]
    bodies = st.one_of(
        st.binary(max_size=300), nested.map(lambda one: json.dumps(one).encode()), st.sampled_from(large)
    )
    types = st.sampled_from(
        ["application/json", "text/plain", "", "multipart/form-data", "multipart/form-data; boundary=x"]
    )

    @few()
    @given(bodies, types)
    def sent(body: bytes, kind: str) -> None:
        lives(WEB.post(crowded.url + path, content=body, headers={"Content-Type": kind} if kind else {}))

    sent()


@pytest.mark.parametrize("path", GETS)
def test_no_query_breaks_the_server(crowded: House, path: str) -> None:
    @few(8, 0.05)
    @given(st.dictionaries(st.sampled_from(GETS[path]), WORDS_ILL_CHOSEN, max_size=3))
    def asked(query: dict[str, str]) -> None:
        # Not every text can be in a query.
        right = {name: text.encode("utf-8", "replace") for name, text in query.items()}
        lives(WEB.get(crowded.url + path, params=right))

    asked()


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_no_path_breaks_the_server(crowded: House, method: str) -> None:
    @few(15, 0.1)
    @given(st.sampled_from(PATHS), WORDS_ILL_CHOSEN)
    def asked(start: str, rest: str) -> None:
        path = "".join(f"%{byte:02x}" for byte in rest.encode("utf-8", "replace")[:2000])
        lives(WEB.request(method, f"{crowded.url}{start}{path}"))

    asked()


WAVE = load(CLIP, 16000)[:24000]
SOUNDS = {name: encode(name, WAVE, 16000) for name in ("wav", "flac", "ogg", "mp3", "m4a", "opus", "aac")}
BOMB = encode("flac", np.zeros(48000 * 130, np.float32), 48000)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound file that was cut, overwritten in places, or put together wrongly."""
    data = bytearray(draw(st.sampled_from([*SOUNDS.values(), BOMB, b"PK\x03\x04" + bytes(500), b"", bytes(700)])))
    data = data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data
    for place in draw(st.lists(st.integers(0, 600 if draw(st.booleans()) else 20_000), max_size=6)):
        data[place : place + 4] = draw(st.binary(min_size=1, max_size=4))
    return bytes(data)


def test_no_upload_breaks_the_server(crowded: House) -> None:
    @few(40, 0.25)
    @given(
        damaged(),
        st.sampled_from(["a.wav", "a.mp3", "a.m4a", "a.flac", "../a.wav", "\x00.wav", "a.wav\n", "", "ä.WAV"]),
    )
    def sent(data: bytes, name: str) -> None:
        lives(WEB.post(f"{crowded.url}/api/v1/upload/audio", files={"file": (name, data)}))

    sent()


def test_no_reference_breaks_the_server(crowded: House, tmp_path: Path) -> None:
    path = tmp_path / "reference"

    @few(20, 0.15)
    @given(damaged(), st.booleans())
    def sent(data: bytes, by_path: bool) -> None:
        path.write_bytes(data)
        if by_path:
            lives(WEB.post(f"{crowded.url}/tts", json={**TTS, "ref_audio_path": str(path), "text": "..."}))
            return
        audio = base64.b64encode(data).decode()
        lives(WEB.post(f"{crowded.url}/clone", json={"prompt_audio": audio, "prompt_id": "narrator2"}))

    sent()


@st.composite
def talk(draw: st.DrawFn) -> list[str | bytes]:
    """Messages of a conversation, mostly wrong."""
    first = {"prompt_id": "narrator", "audio_format": draw(st.sampled_from(["pcm", "wav", "opus", "mp3", "m4a"]))}
    if draw(st.booleans()):
        first[draw(st.sampled_from(["prompt_id", "audio_format", "sample_rate", "instruct_text"]))] = draw(ILL_CHOSEN)
    messages: list[Any] = [{"req_params": first}] if draw(st.integers(0, 3)) else []
    messages += draw(
        st.lists(
            st.one_of(
                st.binary(max_size=50),
                st.text(max_size=50),
                ILL_CHOSEN,
                st.fixed_dictionaries({"text": WORDS_ILL_CHOSEN, "done": st.one_of(st.booleans(), ILL_CHOSEN)}),
            ),
            max_size=4,
        )
    )
    return [one if isinstance(one, bytes) else json.dumps(one) for one in messages]


def test_no_conversation_breaks_the_server(crowded: House) -> None:
    @few(25, 0.15)
    @given(talk())
    def held(messages: list[str | bytes]) -> None:
        with connect(crowded.url.replace("http", "ws") + "/tts") as web:
            try:
                for message in messages:
                    web.send(message)
                web.send(json.dumps({"text": "", "done": True}))
                while True:
                    said = json.loads(web.recv(timeout=60))
                    assert said["error"] is False or "Something went wrong" not in said["message"], said
            except ConnectionClosed as closed:
                # 1011 is what a server says that has failed.
                assert closed.rcvd is not None and closed.rcvd.code != 1011

    held()


HANDSHAKE = (
    b"GET /tts HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HEADS = [
    HANDSHAKE, b"GET /tts HTTP/1.1\r\n", b"POST /tts HTTP/1.1\r\nContent-Length: 5\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -5\r\n", b"POST /clone HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
    b"GET http://a/ HTTP/9.9\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n", b"",
    b"OPTIONS * HTTP/1.1\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"GET /%ff%00 HTTP/1.1\r\nHost: \xff\r\n",
]  # fmt: skip


def test_no_bytes_break_the_server(crowded: House) -> None:
    host, port = crowded.url.removeprefix("http://").split(":")

    @few(40, 0.3)
    @given(st.sampled_from(HEADS), st.sampled_from([f"Host: {host}\r\n".encode(), b""]), st.binary(max_size=300))
    def sent(head: bytes, named: bytes, rest: bytes) -> None:
        with socket.create_connection((host, int(port)), timeout=60) as client:
            # It may hang up while it is still being sent to.
            try:
                client.sendall(head + named + b"\r\n" + rest)
                client.shutdown(socket.SHUT_WR)
                answer = client.recv(12)
            except ConnectionError:
                return
        assert answer[9:10] not in {b"5"}, answer

    sent()


def test_no_handshake_breaks_the_server(crowded: House) -> None:
    @few(8, 0.03)
    @given(st.sampled_from(["/tts", "/", "/voices/tts", "/api_v2/tts", "/nowhere", "/api/v1/tts"]), st.booleans())
    def knocked(path: str, foreign: bool) -> None:
        try:
            with connect(crowded.url.replace("http", "ws") + path, origin="https://x.example" if foreign else None):
                assert path in {"/tts", "/voices/tts"} and not foreign
        except InvalidHandshake as refused:
            assert "50" not in str(refused)

    knocked()


@pytest.mark.parametrize("name", ["api_v2", "api2", "openai", "voices", "indextts", "status"])
def test_what_the_openapi_document_allows_has_no_answer_of_500(crowded: House, name: str) -> None:
    document = WEB.get(f"{crowded.url}/{name}/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert operations
    for operation in operations:
        if operation.path == "/cache/save":
            # It would write wherever it is told to.
            continue

        @few(8, 0.03)
        @given(case=operation.as_strategy())
        def called(case: Any) -> None:
            answer = case.call(base_url=f"{crowded.url}/{name}", timeout=60)
            assert answer.status_code < 500, answer.text

        called()


def test_sentences_are_found_in_any_text_and_none_is_lost() -> None:
    @few(40, 0.3)
    @given(st.lists(st.one_of(WORDS_ILL_CHOSEN, st.sampled_from(["Hi. ", "3.14", "Dr. ", "好。", "?!"])), max_size=8))
    def cut(bits: list[str]) -> None:
        incoming = Incoming(100_000)
        said = [sentence for bit in bits for sentence in incoming.add(bit)]
        try:
            said += incoming.end()
        except TextError:
            assert not said
            return
        spoken = "".join(said)
        assert "".join(bits).startswith(spoken)
        assert not any(mark.isalnum() for mark in "".join(bits)[len(spoken) :])

    cut()
