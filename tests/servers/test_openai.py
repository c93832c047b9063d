"""Speech in OpenAI's form, /health and /metrics."""

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import av
import httpx
import pytest
import soundfile
from http_server import CLIP, WORDS, House

WEB = httpx.Client(timeout=300)
SPEECH = {"model": "tts-1", "input": "Hello there.", "voice": "narrator", "seed": 5}


@pytest.fixture(scope="module")
def spoken_for(house: House) -> Iterator[House]:
    """A server with a saved speaker."""
    engine = house.service.pool.engine()
    house.service.speakers.clone(engine, "narrator", CLIP, WORDS, "en")
    yield house
    house.service.speakers.remove(["narrator"])


def ask(house: House, **changes: Any) -> httpx.Response:
    return WEB.post(f"{house.url}/v1/audio/speech", json={**SPEECH, **changes})


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("mp3", "audio/mpeg"), ("opus", "audio/ogg"), ("aac", "audio/aac"), ("flac", "audio/flac"),
        ("wav", "audio/wav"), ("pcm", "audio/pcm"),
    ],
)  # fmt: skip
def test_every_format_is_the_speech(spoken_for: House, format: str, media_type: str) -> None:
    whole, streamed = ask(spoken_for, response_format=format), ask(spoken_for, response_format=format, stream=True)
    for answer in (whole, streamed):
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == media_type
    assert "content-length" in whole.headers
    assert "content-length" not in streamed.headers
    assert whole.content == ask(spoken_for, response_format=format).content
    wav = soundfile.read(io.BytesIO(ask(spoken_for, response_format="wav").content))[0]
    seconds = len(wav) / 32000
    if format == "pcm":
        assert len(whole.content) / 2 / 24000 == pytest.approx(seconds, abs=0.001)
    else:
        with av.open(io.BytesIO(whole.content)) as file:
            heard = sum(frame.samples / frame.sample_rate for frame in file.decode(audio=0))
        assert heard == pytest.approx(seconds, abs=0.15)


def test_mp3_is_what_one_gets_without_asking(spoken_for: House) -> None:
    assert ask(spoken_for).headers["content-type"] == "audio/mpeg"


def test_speed_is_the_pace(spoken_for: House) -> None:
    slow, fast = (len(ask(spoken_for, response_format="pcm", speed=speed).content) for speed in (0.5, 2))
    assert slow > fast * 1.5


def test_a_voice_may_be_given_by_id_and_instructions_change_the_manner(spoken_for: House) -> None:
    plain = ask(spoken_for, response_format="pcm").content
    assert ask(spoken_for, response_format="pcm", voice={"id": "narrator"}).content == plain
    slowly = ask(spoken_for, response_format="pcm", instructions="very slowly").content
    assert len(slowly) > 1.1 * len(plain)


@pytest.mark.parametrize("stream", [False, True])
def test_a_header_tells_what_of_the_instructions_was_not_understood(spoken_for: House, stream: bool) -> None:
    def told(instructions: str | None) -> str | None:
        answer = ask(spoken_for, response_format="pcm", instructions=instructions, stream=stream)
        assert answer.status_code == 200
        header = answer.headers.get("x-gsv-message")
        assert header is None or header.isascii()
        return None if header is None else unquote(header)

    assert told(None) is None and told("  ") is None
    pirate = told("Speak cheerfully, like a Caribbean pirate.")
    assert pirate and pirate.startswith("Understood: cheerfully. Not understood, and of no effect: caribbean pirate.")
    assert "非常" not in (known := told("非常开心，像客服一样") or "") and "开心" in known and "客服" in known
    assert (told("gizmo") or "").startswith("No word of instructions is known")
    assert len(told("very happy " + "\U0001f600 x\n" * 300) or "") < 1000


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"voice": "nobody"}, 400), ({"input": ""}, 400), ({"input": 7}, 400), ({"model": "gpt-3"}, 404),
        ({"response_format": "wma"}, 400), ({"speed": 9}, 400), ({"stream_format": "sse"}, 400),
    ],
    ids=str,
)  # fmt: skip
def test_errors_have_openais_form(spoken_for: House, change: dict[str, Any], status: int) -> None:
    answer = ask(spoken_for, **change)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_models_and_voices_are_listed(spoken_for: House) -> None:
    models = WEB.get(f"{spoken_for.url}/v1/models").json()
    assert models["object"] == "list"
    assert {"gsv", "tts-1"} <= {one["id"] for one in models["data"]}
    assert "narrator" in [one["id"] for one in WEB.get(f"{spoken_for.url}/v1/voices").json()["data"]]


def test_metrics_count_what_was_done(spoken_for: House) -> None:
    def value(name: str) -> float:
        lines = WEB.get(f"{spoken_for.url}/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    names = (
        'gsv_requests_total{interface="Speech in OpenAI\'s form",status="200"}', "gsv_tokens_total",
        "gsv_audio_seconds_total", "gsv_real_time_factor_count", "gsv_tokens_per_second_count",
        'gsv_first_chunk_seconds_count{interface="openai"}',
    )  # fmt: skip
    before = {name: value(name) for name in names}
    assert ask(spoken_for).status_code == 200
    assert all(value(name) > before[name] for name in names)
    assert value("gsv_memory_bytes") > 1e8
    assert value("gsv_requests_running") == value("gsv_requests_waiting") == 0


def test_health_tells_the_interfaces(house: House) -> None:
    answer = WEB.get(f"{house.url}/health").json()
    assert answer["status"] == "ok"
    assert {"api_v2", "api2", "openai"} <= set(answer["interfaces"])
