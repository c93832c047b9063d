"""The task-based interface, through a real socket, by its contract."""

import hashlib
import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from http_server import CLIP, WORDS, listening_app

from gsv.audio.encoder import encode
from gsv.audio.io import load
from gsv.paths import Project
from gsv.servers import indextts
from gsv.servers.access import Access
from gsv.servers.configurations import Configuration
from gsv.servers.interface import Service
from gsv.servers.limits import Limits
from gsv.servers.performing import Ears, segments_of
from gsv.synthesis.engine import Engine
from gsv.synthesis.pool import Pool

NOBODY = "0" * 64
GONE = "0" * 32


@dataclass(frozen=True)
class Server:
    http: httpx.Client
    service: Service
    folder: Path

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(f"/api/v1{path}", json=body)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(f"/api/v1{path}", params=query)

    def send(self, name: str, data: bytes) -> httpx.Response:
        return self.http.post("/api/v1/upload/audio", files={"file": (name, data)})

    def ended(self, id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            task = self.get(f"/task/{id}").json()
            if task["status"] in {"completed", "failed"}:
                return task
            time.sleep(0.05)
        raise AssertionError(f"task {id} has not ended: {task}")


@pytest.fixture(scope="module")
def server(home: Project, pool: Pool, short_takes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    service = Service.of(home, pool, Access(port=0), limits=Limits(text=2000, body=2_000_000))
    folder = tmp_path_factory.mktemp("tasks")
    app = indextts.build(service, indextts.Setup(Configuration(device="cpu"), folder))
    with listening_app(app) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Server(http, service, folder)


@pytest.fixture(scope="module")
def voice(server: Server) -> str:
    return str(server.send("voice.flac", CLIP.read_bytes()).json()["file_id"])


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the engine is asked to say."""
    asked: list[dict[str, Any]] = []
    original = Engine.stream

    def stream(self: Engine, text: str, language: str, voice: Any, options: Any, stopped: Any) -> Any:
        asked.append({"text": text, "voice": voice, "options": options})
        return original(self, text, language, voice, options, stopped)

    monkeypatch.setattr(Engine, "stream", stream)
    return asked


# GET /api/v1/health, /docs


def test_the_server_is_healthy_and_describes_itself(server: Server, voice: str) -> None:
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice)
    assert server.get("/health").json() == {"status": "healthy", "model_loaded": True}
    assert server.http.get("/docs").status_code == 200
    assert "/api/v1/tts/sync" in server.http.get("/openapi.json").json()["paths"]


# POST /api/v1/upload/audio, GET /api/v1/file/{file_id}


def test_the_same_content_is_kept_once(server: Server, voice: str) -> None:
    data = CLIP.read_bytes()
    again = server.send("other name.FLAC", data).json()
    assert again["success"] is True and again["is_duplicate"] is True
    assert again["file_id"] == voice == hashlib.sha256(data).hexdigest()
    assert again["original_filename"] == "other name.FLAC" and again["file_size"] == len(data)
    assert len([path for path in (server.folder / "uploads").iterdir() if path.name == voice]) == 1


@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a", "flac"])
def test_uploads_are_of_four_kinds(server: Server, suffix: str) -> None:
    data = encode(suffix, load(CLIP, 24000), 24000)
    answer = server.send(f"a.{suffix}", data)
    assert answer.status_code == 200 and answer.json()["is_duplicate"] is False
    info = server.get(f"/file/{answer.json()['file_id']}").json()
    assert info["file_size"] == len(data) and info["original_filename"] == f"a.{suffix}"
    assert info["uploaded_at"] <= info["last_used_at"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", CLIP.read_bytes()),
        ("a", CLIP.read_bytes()),
        ("a.wav", b""),
        ("a.wav", b"RIFF" + bytes(1000)),
        ("a.flac", CLIP.read_bytes()[:5000]),
        ("a.mp3", bytes(5000)),
        ("a.m4a", b"PK\x03\x04" + bytes(5000)),
        ("../../a.wav", b"no sound"),
    ],
)
def test_what_is_no_sound_is_refused_and_not_kept(server: Server, name: str, data: bytes) -> None:
    before = sorted((server.folder / "uploads").iterdir())
    answer = server.send(name, data)
    assert answer.status_code == 400
    assert answer.json()["success"] is False and answer.json()["message"]
    assert str(server.folder) not in answer.text
    assert sorted((server.folder / "uploads").iterdir()) == before


def test_a_small_file_of_endless_sound_is_refused(server: Server) -> None:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.zeros(16000 * 1000, np.int16), 16000, format="FLAC")
    answer = server.send("bomb.flac", buffer.getvalue())
    assert answer.status_code == 400 and "bomb.flac lasts longer than" in answer.json()["message"]


@pytest.mark.parametrize("id", ["x", "A" * 64, "../tasks.db", "0" * 63, "0" * 65, "%2e%2e%2ftasks.db", "0" * 63 + "g"])
def test_ids_that_are_none_are_refused_before_anything_is_looked_up(server: Server, id: str) -> None:
    answer = server.get(f"/file/{id}")
    assert answer.status_code in {400, 404} and answer.json()["success"] is False
    assert server.post("/tts", text="Hi.", prompt_audio_id=id).status_code == 400


def test_a_file_that_is_not_there_is_404(server: Server) -> None:
    assert server.get(f"/file/{NOBODY}").status_code == 404
    assert server.post("/tts", text="Hi.", prompt_audio_id=NOBODY).status_code == 404


# POST /api/v1/tts, GET /api/v1/task, /api/v1/audio, /api/v1/tasks, DELETE


def test_a_task_is_queued_spoken_and_fetched(server: Server, voice: str) -> None:
    queued = server.post("/tts", text="Hello there.", prompt_audio_id=voice).json()
    assert queued["success"] is True and queued["message"]
    task = server.ended(queued["task_id"])
    assert set(task) == {
        "task_id", "status", "progress", "message", "audio_url", "duration", "created_at", "completed_at",
    }  # fmt: skip
    assert (task["status"], task["progress"]) == ("completed", 1)
    assert task["created_at"] < task["completed_at"]
    for path in (task["audio_url"], f"/api/v1/audio/{task['task_id']}", f"/api/v1/audio/{task['task_id']}.wav"):
        answer = server.http.get(path)
        assert answer.status_code == 200 and answer.headers["content-type"] == "audio/wav"
        sound = soundfile.info(io.BytesIO(answer.content))
        assert sound.duration * 1000 == pytest.approx(task["duration"], abs=2)


def test_speech_can_be_had_at_once(server: Server, voice: str) -> None:
    answer = server.post("/tts/sync", text="Hello there.", prompt_audio_id=voice, prompt_text=WORDS)
    body = answer.json()
    assert answer.status_code == 200 and body["success"] is True and body["duration"] > 100
    assert server.http.get(body["audio_url"]).status_code == 200
    assert server.get(f"/task/{body['task_id']}").json()["status"] == "completed"


def test_tasks_are_listed_the_newest_first(server: Server, voice: str) -> None:
    ids = [server.post("/tts/sync", text="Hi.", prompt_audio_id=voice).json()["task_id"] for _ in range(2)]
    found = server.get("/tasks", limit=2).json()["tasks"]
    assert [task["task_id"] for task in found] == ids[::-1]
    assert {task["status"] for task in server.get("/tasks", status="completed").json()["tasks"]} == {"completed"}
    assert server.get("/tasks", status="asleep").status_code == 400
    assert server.get("/tasks", limit=0).status_code == 400


def test_a_deleted_task_and_its_sound_are_gone(server: Server, voice: str) -> None:
    id = server.post("/tts/sync", text="Hi.", prompt_audio_id=voice).json()["task_id"]
    assert (server.folder / "results" / f"{id}.wav").is_file()
    assert server.http.delete(f"/api/v1/task/{id}").json()["success"] is True
    assert not (server.folder / "results" / f"{id}.wav").exists()
    for answer in (server.get(f"/task/{id}"), server.get(f"/audio/{id}"), server.http.delete(f"/api/v1/task/{id}")):
        assert answer.status_code == 404 and answer.json()["success"] is False


def test_a_task_that_is_being_spoken_is_stopped_when_it_is_deleted(
    server: Server, voice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = threading.Event(), threading.Event()
    stream = Engine.stream

    def slow_stream(self: Engine, *args: Any) -> Iterator[Any]:
        begun.set()
        stopped = args[-1]
        deadline = time.monotonic() + 30
        while not stopped() and time.monotonic() < deadline:
            time.sleep(0.01)
        if stopped():
            ended.set()
        yield from stream(self, *args)

    monkeypatch.setattr(Engine, "stream", slow_stream)
    id = server.post("/tts", text="Hi.", prompt_audio_id=voice).json()["task_id"]
    assert begun.wait(30)
    assert server.get(f"/task/{id}").json()["status"] == "processing"
    unfinished = server.get(f"/audio/{id}")
    assert unfinished.status_code == 400 and unfinished.json()["success"] is False
    assert server.http.delete(f"/api/v1/task/{id}").status_code == 200
    assert ended.wait(10)
    assert server.get(f"/task/{id}").status_code == 404
    monkeypatch.undo()
    # The next one is not held up, and the stopped one has left nothing.
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice)
    assert not list((server.folder / "results").glob(f"*{id}*"))


@pytest.mark.parametrize("path", ["/task/x", f"/task/{GONE}", "/task/..%2f..", "/audio/x", f"/audio/{GONE}.wav"])
def test_unknown_tasks_are_404(server: Server, path: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 404 and answer.json()["success"] is False


def test_a_client_that_leaves_stops_its_task(server: Server, voice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(self: Engine, *args: Any) -> Iterator[Any]:
        begun.set()
        deadline = time.monotonic() + 30
        while not args[-1]() and time.monotonic() < deadline:
            time.sleep(0.01)
        if args[-1]():
            ended.set()
        yield from ()

    monkeypatch.setattr(Engine, "stream", endless)
    before = server.get("/tasks").json()["tasks"]
    url = f"{server.http.base_url}/api/v1/tts/sync"
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(url, json={"text": "Hi.", "prompt_audio_id": voice}, timeout=httpx.Timeout(10, read=0.5))
    assert begun.wait(10) and ended.wait(10)
    assert server.get("/tasks").json()["tasks"] == before


def test_a_task_that_fails_says_why(server: Server, voice: str) -> None:
    answer = server.post("/tts/sync", text="…！", prompt_audio_id=voice)
    assert answer.status_code == 400 and answer.json()["success"] is False and answer.json()["message"]
    task = server.get("/tasks", limit=1).json()["tasks"][0]
    assert task["status"] == "failed" and task["message"] == answer.json()["message"]
    assert server.get(f"/audio/{task['task_id']}").status_code == 400


# The request's fields


@pytest.mark.parametrize(
    "values",
    [
        {"text": ""}, {"text": None}, {"text": "x" * 2001},
        {"emo_control_method": 4}, {"emo_control_method": -1}, {"emo_control_method": "x"},
        {"emo_control_method": 1}, {"emo_control_method": 2}, {"emo_control_method": 3},
        {"emo_control_method": 1, "emo_audio_id": "x"},
        {"emo_control_method": 1, "emo_audio_path": "/etc/passwd"},
        {"emo_control_method": 2, "emo_vector": [0.5] * 7}, {"emo_control_method": 2, "emo_vector": [1.5] + [0] * 7},
        {"emo_control_method": 3, "emo_text": " "},
        {"emo_weight": 1.1}, {"emo_weight": -0.1}, {"emo_weight": "NaN"},
        {"max_text_tokens_per_segment": 19}, {"max_text_tokens_per_segment": 501},
        {"top_p": 1.1}, {"top_p": -0.1}, {"top_k": 101}, {"top_k": -1}, {"temperature": 0}, {"temperature": 2.1},
        {"length_penalty": 2.1}, {"num_beams": 0}, {"num_beams": 11}, {"repetition_penalty": 0},
        {"repetition_penalty": 21}, {"max_mel_tokens": 49}, {"max_mel_tokens": 3001},
    ],
)  # fmt: skip
def test_values_out_of_bounds_are_400(server: Server, voice: str, values: dict[str, Any]) -> None:
    for path in ("/tts", "/tts/sync"):
        answer = server.post(path, **{"text": "Hi.", "prompt_audio_id": voice, **values})
        assert answer.status_code == 400 and answer.json()["success"] is False and answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 10000, b'{"text": "\\ud800"}'])
def test_bodies_that_are_not_right_are_400(server: Server, body: bytes) -> None:
    answer = server.http.post("/api/v1/tts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["success"] is False


def test_a_voice_is_required_where_the_weights_bring_none(server: Server) -> None:
    answer = server.post("/tts", text="Hi.")
    assert answer.status_code == 400 and "prompt_audio_id is required" in answer.json()["message"]


def test_sampling_fields_reach_the_engine(server: Server, voice: str, spoken: list[dict[str, Any]]) -> None:
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, top_p=0.5, top_k=7, temperature=0.3)
    sampling = spoken[-1]["options"].sampling
    assert (sampling.top_k, sampling.top_p, sampling.temperature) == (7, 0.5, 0.3)
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice)
    sampling = spoken[-1]["options"].sampling
    assert (sampling.top_k, sampling.top_p, sampling.temperature) == (30, 0.8, 0.8)
    assert sampling.repetition_penalty == pytest.approx(1.35)
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, do_sample=False)
    assert spoken[-1]["options"].sampling.top_k == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"num_beams": 3}, "num_beams has no effect"),
        ({"length_penalty": 0.5}, "length_penalty has no effect"),
        ({"emo_random": True}, "emo_random has no effect"),
        ({"repetition_penalty": 1.0}, "repetition_penalty acts as 1.00"),
        ({"emo_vector": [0] * 8}, "emo_vector has no effect with emo_control_method 0"),
        ({"emo_text": "sad", "emo_audio_id": NOBODY}, ""),
        ({"emo_weight": 0.5}, "emo_weight has no effect"),
        ({"speed": 2, "\n语": {}}, "These are no fields of this interface and have no effect: 'speed', '\\n\\u8bed'"),
    ],
)
def test_what_a_field_does_not_do_is_said(server: Server, voice: str, values: dict[str, Any], words: str) -> None:
    queued = server.post("/tts", text="Hi.", prompt_audio_id=voice, **values)
    if words:
        assert words in queued.json()["message"] and words in server.ended(queued.json()["task_id"])["message"]
    else:
        assert queued.status_code == 404


def test_text_is_spoken_in_segments_of_bearable_length(
    server: Server, voice: str, spoken: list[dict[str, Any]]
) -> None:
    text = "One small boat came in today. " * 4
    server.post("/tts/sync", text=text, prompt_audio_id=voice, max_text_tokens_per_segment=20)
    assert len(spoken) == 2 and "".join(one["text"] for one in spoken) == text
    spoken.clear()
    server.post("/tts/sync", text=text, prompt_audio_id=voice, max_text_tokens_per_segment=120)
    assert [one["text"] for one in spoken] == [text]


@pytest.mark.parametrize("text", ["x" * 700, "你好" * 100, "Hello. " * 90, "一。" * 60, "", "…", "a, b; c\n" * 99])
def test_no_segment_is_longer_and_nothing_is_lost(text: str) -> None:
    segments = segments_of(text, 20)
    assert "".join(segments) == text
    for segment in segments:
        assert len(re.findall(r"[A-Za-z']{1,4}|[^\W_]", segment)) <= 20


def test_a_segment_is_cut_off_after_its_most_tokens_and_the_answer_says_so(server: Server, voice: str) -> None:
    whole = server.post("/tts/sync", text="Nine boats came in today. " * 3, prompt_audio_id=voice, seed=1).json()
    cut = server.post(
        "/tts/sync", text="Nine boats came in today. " * 3, prompt_audio_id=voice, seed=1, max_mel_tokens=50
    ).json()
    assert cut["duration"] < whole["duration"] and "was cut off after max_mel_tokens, 50" in cut["message"]


def test_the_same_seed_says_the_same(server: Server, voice: str) -> None:
    def sound(seed: int) -> bytes:
        return server.http.get(
            server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, seed=seed).json()["audio_url"]
        ).content

    assert sound(5) == sound(5) != sound(6)


# Emotion


def test_without_the_words_of_the_recording_the_answer_says_what_is_missing(
    server: Server, voice: str, spoken: list[dict[str, Any]]
) -> None:
    said = server.post("/tts/sync", text="Hi.", prompt_audio_id=voice).json()["message"]
    assert "not known what the voice's recording says" in said and spoken[-1]["voice"].transcript is None
    said = server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, prompt_text=WORDS).json()["message"]
    assert said == "The task is done." or "may be spoken wrongly" in said
    assert spoken[-1]["voice"].transcript is not None


def test_a_recogniser_finds_the_words(
    server: Server, voice: str, spoken: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ears, "transcript", lambda self, path: WORDS)
    server.post("/tts/sync", text="Hi.", prompt_audio_id=voice)
    assert spoken[-1]["voice"].transcript is not None


@pytest.mark.parametrize("by_path", [False, True])
def test_method_1_takes_the_manner_of_another_recording(
    server: Server, voice: str, spoken: list[dict[str, Any]], by_path: bool
) -> None:
    other = CLIP.with_name("02.flac")
    emotion = (
        {"emo_audio_path": str(other)}
        if by_path
        else {"emo_audio_id": server.send("b.flac", other.read_bytes()).json()["file_id"]}
    )
    words = {"prompt_text": WORDS, "emo_prompt_text": "She walked along the quiet river in the evening."}
    for weight in (1.0, 0.0):
        server.post(
            "/tts/sync", text="Hi.", prompt_audio_id=voice, emo_control_method=1, emo_weight=weight, **emotion, **words
        )
    manner, own = (one["voice"] for one in spoken[-2:])
    assert np.array_equal(manner.timbre, own.timbre)
    assert manner.prompt.tolist() != own.prompt.tolist()
    engine = server.service.pool.engine()
    assert manner.prompt.tolist() == engine.voice(other, words["emo_prompt_text"], "auto").prompt.tolist()


def test_method_2_goes_by_the_numbers_of_the_seed(server: Server, voice: str, spoken: list[dict[str, Any]]) -> None:
    vector = [0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.2, 0.3]
    answer = server.post(
        "/tts/sync", text="Hi.", prompt_audio_id=voice, emo_control_method=2, emo_vector=vector, emo_weight=1
    )
    assert answer.status_code == 200 and "made of pace, pitch, range and loudness" in answer.json()["message"]
    assert spoken[-1]["options"].speed > 1.03


def test_method_3_goes_by_words(server: Server, voice: str, spoken: list[dict[str, Any]]) -> None:
    answer = server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, emo_control_method=3, emo_text="非常悲伤")
    assert "Understood: 悲伤." in answer.json()["message"] and spoken[-1]["options"].speed < 0.95
    answer = server.post("/tts/sync", text="Hi.", prompt_audio_id=voice, emo_control_method=3, emo_text="gizmo")
    assert "No word of emo_text is known" in answer.json()["message"] and spoken[-1]["options"].speed == 1


# Queue and restart


def test_a_full_queue_says_when_to_come_again(home: Project, pool: Pool, short_takes: None, tmp_path: Path) -> None:
    service = Service.of(home, pool, Access(port=0), limits=Limits(waiting=0))
    app = indextts.build(service, indextts.Setup(Configuration(device="cpu"), tmp_path))
    with listening_app(app) as url, httpx.Client(base_url=url) as http:
        id = http.post("/api/v1/upload/audio", files={"file": ("a.flac", CLIP.read_bytes())}).json()["file_id"]
        answer = http.post("/api/v1/tts", json={"text": "Hi.", "prompt_audio_id": id})
    assert answer.status_code == 429 and answer.headers["retry-after"] and answer.json()["success"] is False


def test_tasks_survive_a_restart(home: Project, pool: Pool, short_takes: None, tmp_path: Path) -> None:
    service = Service.of(home, pool, Access(port=0))
    setup = indextts.Setup(Configuration(device="cpu"), tmp_path)
    with listening_app(indextts.build(service, setup)) as url, httpx.Client(base_url=url, timeout=60) as http:
        id = http.post("/api/v1/upload/audio", files={"file": ("a.flac", CLIP.read_bytes())}).json()["file_id"]
        request = {"text": "Hi.", "prompt_audio_id": id}
        done = http.post("/api/v1/tts/sync", json=request).json()["task_id"]
        sound = http.get(f"/api/v1/audio/{done}").content
        waiting = [http.post("/api/v1/tts", json=request).json()["task_id"] for _ in range(4)]
    with listening_app(indextts.build(service, replace(setup, workers=2))) as url:
        server = Server(httpx.Client(base_url=url, timeout=60), service, tmp_path)
        assert server.get(f"/audio/{done}").content == sound
        assert {server.ended(one)["status"] for one in waiting} == {"completed"}
        assert {task["task_id"] for task in server.get("/tasks").json()["tasks"]} == {done, *waiting}
        server.http.close()


def test_the_example_of_the_seed_works_as_it_stands(server: Server, shared: Path, tmp_path: Path) -> None:
    (seed,) = shared.glob("seeds/004_*.txt")
    code = re.findall(r"```python\n(.*?)```", _decoded(seed.read_text(encoding="utf-8")), re.DOTALL)[0]
    code = code.replace("http://localhost:8000", str(server.http.base_url).rstrip("/"))
    assert "import requests" in code and "emo_control_method" in code
    (tmp_path / "prompt.wav").write_bytes(encode("wav", load(CLIP, 24000), 24000))
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, env={"PYTHONUTF8": "1", "NO_PROXY": "*"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert soundfile.info(tmp_path / "output.wav").duration > 0.1


def _decoded(text: str) -> str:
    """The seed with the right code page, as far as the wrong one has left it."""
    data = b"".join(mark.encode("cp1252", "ignore") or mark.encode("latin-1", "ignore") for mark in text)
    return data.decode("utf-8", "ignore")


def test_a_text_of_database_commands_is_only_a_text(server: Server, voice: str) -> None:
    words = "'; DROP TABLE tasks; -- hello"
    id = server.post("/tts", text=words, prompt_audio_id=voice).json()["task_id"]
    assert server.ended(id)["status"] == "completed"
