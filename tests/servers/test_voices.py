"""The interface of cloned speakers, through a real socket, by its contract."""

import base64
import io
import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
import soundfile
from http_server import CLIP, WORDS, listening_app
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from gsv.paths import Project
from gsv.servers import voices
from gsv.servers.access import Access
from gsv.servers.configurations import Configuration
from gsv.servers.fetching import Fetcher
from gsv.servers.interface import Service
from gsv.servers.limits import Limits
from gsv.synthesis.pool import Pool

BASE64 = base64.b64encode(CLIP.read_bytes()).decode()


@dataclass(frozen=True)
class Server:
    http: httpx.Client
    url: str
    service: Service

    @property
    def socket(self) -> str:
        return self.url.replace("http", "ws") + "/tts"

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)


@pytest.fixture(scope="module")
def server(home: Project, pool: Pool, short_takes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    limits = Limits(text=2000, body=2_000_000)
    service = Service.of(home, pool, Access(port=0), limits=limits)
    app = voices.build(service, voices.Setup(Configuration(device="cpu"), fetcher=Fetcher(seconds=5)))
    with listening_app(app) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Server(http, url, service)


@pytest.fixture(scope="module")
def anna(server: Server) -> str:
    answer = server.post("/clone", prompt_audio=str(CLIP), prompt_text=WORDS, prompt_id="anna")
    assert answer.json() == {"existed": False, "prompt_id": "anna"}
    return "anna"


def params(**values: Any) -> str:
    return json.dumps({"req_params": {"prompt_id": "anna", **values}})


def text(words: str, done: bool = False) -> str:
    return json.dumps({"text": words, "done": done})


def received(socket: ClientConnection) -> list[dict[str, Any]]:
    """All messages until the server closes."""
    messages = []
    try:
        while True:
            messages.append(json.loads(socket.recv(timeout=60)))
    except ConnectionClosed:
        return messages


# GET /speakers, POST /clone


def test_speakers_are_listed(server: Server, anna: str) -> None:
    answer = server.http.get("/speakers")
    assert answer.status_code == 200 and anna in answer.json()


def test_a_clone_that_is_there_is_kept_as_it_was(server: Server, anna: str) -> None:
    answer = server.post("/clone", prompt_audio="nothing that is looked at", prompt_text="x", prompt_id=anna)
    assert answer.json() == {"existed": True, "prompt_id": anna}


@pytest.mark.parametrize("audio", [BASE64, f"data:audio/flac;base64,{BASE64}", f' "{CLIP}" ', "123.flac"])
def test_a_recording_is_base64_or_a_path(server: Server, audio: str) -> None:
    answer = server.post("/clone", prompt_audio=audio, prompt_text=WORDS)
    assert answer.status_code == 200 and answer.json()["existed"] is False
    assert answer.json()["prompt_id"] in server.http.get("/speakers").json()


def test_a_clone_holds_what_synthesis_needs(server: Server, anna: str) -> None:
    engine = server.service.pool.engine()
    kept = server.service.speakers.voice(anna, engine)
    heard = engine.voice(CLIP, WORDS, "auto")
    assert kept.prompt.tolist() == heard.prompt.tolist() and np.array_equal(kept.timbre, heard.timbre)


def test_a_recording_is_an_address_on_the_network(server: Server, tmp_path: Path) -> None:
    (tmp_path / "voice.flac").write_bytes(CLIP.read_bytes())
    (tmp_path / "page.html").write_text("<p>secret")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    elsewhere = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{elsewhere.server_address[1]}"
    setup = voices.Setup(Configuration(device="cpu"), fetcher=Fetcher(seconds=20, inside=True))
    try:
        with listening_app(voices.build(server.service, setup)) as url, httpx.Client(base_url=url, timeout=60) as web:
            fields = {"prompt_text": WORDS, "prompt_id": "from afar"}
            answer = web.post("/clone", json={**fields, "prompt_audio": f"{address}/voice.flac"})
            assert answer.json() == {"existed": False, "prompt_id": "from afar"}
            assert web.post("/remove", json={"prompt_id": "from afar"}).json() == {"status": "ok"}
            for name in ("page.html", "gone.wav"):
                answer = web.post("/clone", json={**fields, "prompt_audio": f"{address}/{name}"})
                assert answer.status_code == 400 and "secret" not in answer.text
    finally:
        elsewhere.shutdown()
        elsewhere.server_close()


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (BASE64[:4001], "base64"),
        (base64.b64encode(CLIP.read_bytes()[:3000]).decode(), "prompt_audio"),
        (base64.b64encode(bytes(3000)).decode(), "prompt_audio"),
        (base64.b64encode(b"PK\x03\x04" + bytes(3000)).decode(), "prompt_audio"),
        ("/etc/passwd", "prompt_audio"),
        ("nowhere.wav", "prompt_audio"),
        ("a\0b", "prompt_audio"),
        ("ftp://example.org/a.wav", "neither http nor https"),
        ("file:///etc/passwd", "neither http nor https"),
        ("http://127.0.0.1:1/a.wav", "inside this network"),
        ("http://[::ffff:127.0.0.1]/a.wav", "inside this network"),
        ("http://169.254.169.254/latest/meta-data", "inside this network"),
        ("http://localhost/a.wav", "inside this network"),
        ("", "prompt_audio"),
    ],
)
def test_what_is_no_recording_is_refused_without_a_word_of_it(server: Server, audio: str, message: str) -> None:
    answer = server.post("/clone", prompt_audio=audio, prompt_text="x", prompt_id="bad")
    assert answer.status_code == 400
    assert answer.json()["error"] is True and message in answer.json()["message"]
    assert "root:" not in answer.text and "gsv-" not in answer.text
    assert "bad" not in server.http.get("/speakers").json()


def test_a_recording_that_is_small_as_a_file_and_endless_as_sound_is_refused(server: Server) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(16000 * 1000, np.int16), 16000, format="FLAC")
    bomb = base64.b64encode(buffer.getvalue()).decode()
    assert len(bomb) < 200_000
    answer = server.post("/clone", prompt_audio=bomb, prompt_id="bomb")
    assert answer.status_code == 400 and "lasts longer than" in answer.json()["message"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"prompt_audio": 1}', b'{"prompt_id": "x"}', b"[" * 10000]
)
def test_bodies_that_are_not_right_are_answered(server: Server, body: bytes) -> None:
    for path in ("/clone", "/remove", "/cache/save", "/cache/load", "/tts"):
        answer = server.http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in {400, 404} and answer.json()["error"] is True and answer.json()["message"]


# POST /remove


def test_speakers_are_removed_one_or_several(server: Server) -> None:
    for name in ("r1", "r2", "r3"):
        server.post("/clone", prompt_audio=str(CLIP), prompt_id=name)
    assert server.post("/remove", prompt_id="r1").json() == {"status": "ok"}
    assert server.post("/remove", prompt_ids=["r2", "r3"]).json() == {"status": "ok"}
    assert not {"r1", "r2", "r3"} & set(server.http.get("/speakers").json())
    assert server.post("/remove", prompt_id="r1").status_code == 404
    assert server.post("/remove").status_code == 400


# POST /cache/save, /cache/load


def test_speakers_are_saved_and_loaded(server: Server, anna: str, tmp_path: Path) -> None:
    kept = str(tmp_path / "cache")
    server.post("/clone", prompt_audio=str(CLIP), prompt_id="kept")
    assert server.post("/cache/save", cache_dir=kept, prompt_ids=["kept"]).json() == {"cache_path": kept}
    server.post("/remove", prompt_id="kept")
    answer = server.post("/cache/load", cache_path=kept, prompt_ids=["kept"])
    assert answer.json() == {"loaded_speakers": ["kept"]}
    assert server.post("/tts", text="Hello there.", prompt_id="kept").status_code == 200
    assert server.post("/cache/load", cache_path=kept).json() == {"loaded_speakers": ["kept"]}
    assert server.post("/cache/load", cache_path=kept, prompt_ids=["gone"]).status_code == 404
    assert server.post("/cache/save", cache_dir=kept, prompt_ids=["gone"]).status_code == 404
    assert server.post("/cache/load", cache_path=str(tmp_path / "nowhere")).status_code == 400


def test_a_server_for_other_machines_writes_only_where_it_may(home: Project, pool: Pool, tmp_path: Path) -> None:
    service = Service.of(home, pool, Access("0.0.0.0", 0))
    app = voices.build(service, voices.Setup(Configuration(device="cpu")))
    with listening_app(app) as url:
        for path, field in (("/cache/save", "cache_dir"), ("/cache/load", "cache_path")):
            answer = httpx.post(url + path, json={field: "/opt/gsv-elsewhere"})
            assert answer.status_code == 400 and "--allow" in answer.json()["message"]
        assert not Path("/opt/gsv-elsewhere").exists()
        answer = httpx.post(url + "/clone", json={"prompt_audio": "/etc/passwd"})
        assert answer.status_code == 400 and "--allow" in answer.json()["message"]


# POST /tts


@pytest.mark.parametrize("audio_format", ["wav", "pcm", "opus", "mp3", "flac", "aac", "m4a"])
def test_speech_comes_in_the_format_and_rate_that_was_asked_for(server: Server, anna: str, audio_format: str) -> None:
    answer = server.post(
        "/tts", text="Hi.", prompt_id=anna, audio_format=audio_format, sample_rate=16000, instruct_text=None
    )
    data = base64.b64decode(answer.json()["audio"], validate=True)
    begins = {"wav": b"RIFF", "opus": b"OggS", "flac": b"fLaC", "aac": b"\xff\xf1"}
    assert data.startswith(begins.get(audio_format, b"")) and len(data) > 500
    if audio_format in {"wav", "flac"}:
        assert soundfile.info(io.BytesIO(data)).samplerate == 16000


def test_the_rate_is_24000_and_the_format_wav_where_nothing_is_said(server: Server, anna: str) -> None:
    answer = server.post("/tts", text="Hello there.", prompt_id=anna)
    assert set(answer.json()) == {"audio"}
    sound = soundfile.info(io.BytesIO(base64.b64decode(answer.json()["audio"])))
    assert (sound.samplerate, sound.format, sound.channels) == (24000, "WAV", 1)


def test_the_answer_tells_what_of_an_instruction_was_understood(server: Server, anna: str) -> None:
    answer = server.post("/tts", text="Hi.", prompt_id=anna, instruct_text="非常开心, and slowly")
    assert "Understood: 开心, slowly." in answer.json()["message"]
    answer = server.post("/tts", text="Hi.", prompt_id=anna, instruct_text="gizmo")
    assert "No word of instruct_text" in answer.json()["message"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"text": ""}, 400),
        ({"text": "…！"}, 400),
        ({"text": "x" * 2001}, 400),
        ({"prompt_id": "nobody"}, 404),
        ({"audio_format": "exe"}, 400),
        ({"sample_rate": 1}, 400),
        ({"sample_rate": "fast"}, 400),
        ({"instruct_text": "x" * 2001}, 400),
        ({"instruct_text": 5}, 400),
    ],
)
def test_what_cannot_be_said_is_refused(server: Server, anna: str, values: dict[str, Any], status: int) -> None:
    answer = server.post("/tts", **{"text": "Hi.", "prompt_id": anna, **values})
    assert answer.status_code == status and answer.json()["error"] is True and answer.json()["message"]


# ws /tts


def test_text_that_comes_in_bits_is_spoken_while_more_is_coming(server: Server, anna: str) -> None:
    with connect(server.socket) as socket:
        socket.send(params(audio_format="pcm", sample_rate=16000, instruct_text=None))
        socket.send(text("One small bo"))
        socket.send(text("at. Then"))
        first = json.loads(socket.recv(timeout=60))
        socket.send(text(" came two."))
        socket.send(text("", done=True))
        messages = [first, *received(socket)]
    *sounds, last = messages
    assert {message["id"] for message in messages} == {first["id"]} and len(first["id"]) == 36
    assert [message["index"] for message in messages] == list(range(len(messages)))
    for sound in sounds:
        assert set(sound) == {"id", "error", "is_end", "index", "data", "audio_format", "sample_rate"}
        assert (sound["error"], sound["is_end"]) == (False, False)
        assert (sound["audio_format"], sound["sample_rate"]) == ("pcm", 16000)
    assert last == {
        "id": first["id"],
        "error": False,
        "is_end": True,
        "index": len(sounds),
        "data": None,
        "audio_format": None,
        "sample_rate": None,
    }
    samples = np.frombuffer(b"".join(base64.b64decode(sound["data"]) for sound in sounds), "<i2")
    assert len(samples) > 16000 and np.abs(samples).max() > 100


def test_a_stream_of_wav_has_one_header(server: Server, anna: str) -> None:
    with connect(server.socket) as socket:
        socket.send(params())
        socket.send(text("One boat. Two boats. Three boats.", done=True))
        data = b"".join(base64.b64decode(one["data"]) for one in received(socket)[:-1])
    assert data[:4] == b"RIFF" and data.count(b"WAVEfmt ") == 1
    assert int.from_bytes(data[24:28], "little") == 24000


@pytest.mark.parametrize("audio_format", ["wav", "pcm", "opus", "mp3", "flac", "aac", "m4a"])
def test_a_stream_is_one_sound_of_the_format_that_was_asked_for(server: Server, anna: str, audio_format: str) -> None:
    with connect(server.socket) as socket:
        socket.send(params(audio_format=audio_format, sample_rate=16000))
        socket.send(text("One. Two.", done=True))
        *sounds, last = received(socket)
    assert last["is_end"] is True and {sound["audio_format"] for sound in sounds} == {audio_format}
    assert len({sound["sample_rate"] for sound in sounds}) == 1
    data = b"".join(base64.b64decode(sound["data"]) for sound in sounds)
    if audio_format == "pcm":
        seconds = len(data) / 2 / 16000
    else:
        with av.open(io.BytesIO(data)) as file:
            seconds = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
    assert seconds > 0.5


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (["{"], "not right JSON"),
        (["[]"], "the message"),
        (["null"], "the message"),
        ([b"\x00\xff"], "text frame"),
        (['{"text": "no params"}'], "req_params"),
        ([json.dumps({"req_params": {"prompt_id": "nobody"}})], "there is no speaker"),
        ([params(audio_format="exe")], "audio_format"),
        ([params(sample_rate=1)], "sample_rate"),
        ([params(instruct_text=["x"])], "instruct_text"),
        ([params(), '{"text": 5}'], "text"),
        ([params(), text("…", done=True)], "nothing that can be spoken"),
        ([params(), text("", done=True)], "nothing that can be spoken"),
        ([params(), text("x" * 2001)], "2000 characters"),
        ([params(), text("Hi there. " * 300)], "2000 characters"),
        ([params(), text("Hello.", done=True), text("More.")], "said to be done"),
    ],
)
def test_an_error_is_told_and_ends_the_conversation(
    server: Server, anna: str, messages: list[str | bytes], expected: str
) -> None:
    with connect(server.socket) as socket:
        for message in messages:
            socket.send(message)
        last = received(socket)[-1]
    assert last["error"] is True and expected in last["message"]
    assert set(last) == {"error", "message"}


def test_a_client_that_leaves_stops_its_work(server: Server, anna: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[bool] = []
    original = voices.speak

    def watched(engine: Any, voice: Any, words: Any, stopped: Callable[[], bool]) -> Iterator[Any]:
        try:
            yield from original(engine, voice, words, stopped)
        finally:
            ends.append(stopped())

    monkeypatch.setattr(voices, "speak", watched)
    with connect(server.socket) as socket:
        socket.send(params())
        socket.send(text("This is a rather long sentence that takes its time to be spoken, " * 10 + ".", done=True))
        time.sleep(0.3)
    deadline = time.monotonic() + 30
    while server.service.line.running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.service.line.running == 0
    while not ends and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ends == [True]


def test_the_calls_of_the_seed_work_as_they_stand(server: Server, shared: Path, tmp_path: Path) -> None:
    (seed,) = shared.glob("seeds/003_*.txt")
    words = seed.read_text(encoding="utf-8")
    blocks = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", words, re.DOTALL)]
    clone = next(one for one in blocks if "prompt_audio" in one)
    shutil.copy(CLIP, server.service.project.root / clone["prompt_audio"].replace("/", "_"))
    answer = server.post("/clone", **{**clone, "prompt_audio": str(CLIP)})
    assert answer.json() == {"existed": False, "prompt_id": "example_speaker_id"}
    socket_params = next(one for one in blocks if "req_params" in one)
    socket_params["req_params"] |= {"audio_format": "opus", "instruct_text": None}
    bits = [one for one in blocks if "done" in one]
    with connect(server.socket) as socket:
        for message in (socket_params, *bits):
            socket.send(json.dumps(message))
        messages = received(socket)
    stream, end = (next(one for one in blocks if one.get("is_end") is flag) for flag in (False, True))
    assert set(messages[0]) == set(stream) and set(messages[-1]) == set(end)
    assert messages[-1]["is_end"] is True and messages[0]["sample_rate"] == 24000
    kept = str(tmp_path / "cache")
    ids = ["example_speaker_id"]
    assert server.post("/cache/save", cache_dir=kept, prompt_ids=ids).json() == {"cache_path": kept}
    assert server.post("/cache/load", cache_path=kept, prompt_ids=ids).json() == {"loaded_speakers": ids}
    assert server.post("/remove", prompt_id="example_speaker_id").json() == {"status": "ok"}
    assert "example_speaker_id" not in server.http.get("/speakers").json()


def test_only_so_many_conversations_are_open_at_once(server: Server, anna: str) -> None:
    limits = Limits(running=1, waiting=2, retry_seconds=3)
    service = Service.of(server.service.project, server.service.pool, Access(port=0), limits=limits)
    with listening_app(voices.build(service, voices.Setup(Configuration(device="cpu")))) as url:
        address = url.replace("http", "ws") + "/tts"
        idle = [connect(address) for _ in range(3)]
        for socket in idle:
            socket.send(params())
        while service.line.conversations < 3:
            time.sleep(0.01)
        with connect(address) as more:
            (said,) = received(more)
        assert said["error"] is True and "busy" in said["message"]
        for socket in idle:
            socket.close()
        deadline = time.monotonic() + 30
        while service.line.conversations and time.monotonic() < deadline:
            time.sleep(0.01)
        with connect(address) as again:
            again.send(params(audio_format="pcm"))
            again.send(text("Hi.", done=True))
            assert received(again)[-1].get("is_end") is True


def test_one_who_does_not_say_who_shall_speak_is_not_waited_for(server: Server) -> None:
    service = Service.of(server.service.project, server.service.pool, Access(port=0), limits=Limits(asking=0.3))
    app = voices.build(service, voices.Setup(Configuration(device="cpu")))
    with listening_app(app) as url, connect(url.replace("http", "ws") + "/tts") as socket:
        (said,) = received(socket)
    assert said["error"] is True and "Nothing has come" in said["message"]


@pytest.mark.parametrize(
    "more", [{"origin": "https://page.example"}, {}, {"additional_headers": {"X-API-Key": "wrong"}}], ids=str
)
def test_conversations_are_held_with_those_who_may_use_the_server(server: Server, more: dict[str, Any]) -> None:
    service = Service.of(server.service.project, server.service.pool, Access(port=0, keys=("right",)))
    with listening_app(voices.build(service, voices.Setup(Configuration(device="cpu")))) as url:
        address = url.replace("http", "ws") + "/tts"
        with pytest.raises(InvalidStatus) as refused:
            connect(address, **more)
        assert refused.value.response.status_code == 403
        with connect(address, additional_headers={"X-API-Key": "right"}) as socket:
            socket.send("{")
            assert "not right JSON" in received(socket)[0]["message"]


def test_a_client_that_leaves_stops_speech_that_is_not_streamed(
    server: Server, anna: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[bool] = []
    begun = threading.Event()

    def watched(engine: Any, words: str, language: str, how: Any, options: Any, stopped: Callable[[], bool]) -> Any:
        begun.set()
        deadline = time.monotonic() + 30
        while not stopped() and time.monotonic() < deadline:
            time.sleep(0.01)
        ends.append(stopped())
        yield from ()

    monkeypatch.setattr(voices, "spoken", watched)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server.url}/tts", json={"text": "Hi.", "prompt_id": anna}, timeout=httpx.Timeout(10, read=0.5))
    assert begun.wait(10)
    deadline = time.monotonic() + 10
    while not ends and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ends == [True]


def test_many_conversations_at_once_stay_apart(server: Server, anna: str) -> None:
    def talk() -> list[dict[str, Any]]:
        with connect(server.socket) as socket:
            socket.send(params(audio_format="pcm"))
            socket.send(text("Hello there. How are you?", done=True))
            return received(socket)

    with ThreadPoolExecutor(4) as executor:
        conversations = [talking.result() for talking in [executor.submit(talk) for _ in range(4)]]
    assert len({messages[0]["id"] for messages in conversations}) == 4
    for messages in conversations:
        assert messages[-1].get("is_end") is True
        assert len({message["id"] for message in messages}) == 1
