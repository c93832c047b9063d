"""Whatever is sent: no answer of 500 or more, no hang, and the server lives.

Few inputs in the suite; thousands with: pytest tests/servers/test_fuzz.py --hypothesis-profile=many
"""

import json
from typing import Any

import httpx
import pytest
import schemathesis
from http_server import CLIP, WORDS, House
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

settings.register_profile("many", max_examples=1700, deadline=None, suppress_health_check=list(HealthCheck))
FEW = 40
WEB = httpx.Client(timeout=60)

TTS = {"text": "Hi there.", "text_lang": "en", "ref_audio_path": str(CLIP), "prompt_lang": "en", "prompt_text": WORDS}
API2 = {"text": "Hi there.", "text_language": "en"}
SPEECH = {"model": "gsv", "input": "Hi there.", "voice": "nobody"}
NASTY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(st.characters(), max_size=60),
    st.sampled_from(
        [
            "\x00", "a\x00b", "\ud800", "😀" * 500, "x" * 3000, "../../../etc/passwd", "/dev/zero",
            "/proc/self/mem", "~",
            "C:\\Windows\\win.ini", "file:///etc/passwd", "http://127.0.0.1:1/", "%00", "'; exit", "${HOME}", "NaN",
            "1e999", "99999999999999999999", "true", "\u202e", "\ufeff", "。", "...", "<speak>", "１２３", "{}", "[]",
        ]
    ),
    st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)  # fmt: skip


def few() -> settings:
    """The profile's number if one was asked for on the command line."""
    asked = settings().max_examples
    return settings(
        max_examples=asked if asked > 1000 else FEW,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )


def lives(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert isinstance(answer.json(), dict)


@pytest.mark.parametrize(("path", "fields"), [("/tts", TTS), ("/", API2), ("/v1/audio/speech", SPEECH)])
def test_no_field_breaks_the_server(house: House, path: str, fields: dict[str, Any]) -> None:
    names = [*fields, "top_k", "seed", "speed_factor", "streaming_mode", "aux_ref_audio_paths", "media_type", "speed"]

    @few()
    @given(st.dictionaries(st.sampled_from(names), NASTY, min_size=1, max_size=3))
    def sent(changes: dict[str, Any]) -> None:
        body = json.dumps({**fields, **changes})
        lives(WEB.post(house.url + path, content=body, headers={"Content-Type": "application/json"}))

    sent()
    assert WEB.get(f"{house.url}/health").status_code == 200


@pytest.mark.parametrize("path", ["/tts", "/", "/control", "/v1/audio/speech"])
def test_no_body_breaks_the_server(house: House, path: str) -> None:
    @few()
    @given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda text: json.dumps(text).encode())))
    def sent(body: bytes) -> None:
        lives(WEB.post(house.url + path, content=body))

    sent()
    assert WEB.get(f"{house.url}/health").status_code == 200


@pytest.mark.parametrize("name", ["api_v2", "api2", "openai", "status"])
def test_what_the_openapi_document_allows_has_no_answer_of_500(house: House, name: str) -> None:
    document = WEB.get(f"{house.url}/{name}/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert operations
    for operation in operations:

        @settings(few(), max_examples=min(few().max_examples, 100) // 4)
        @given(case=operation.as_strategy())
        def called(case: Any) -> None:
            answer = case.call(base_url=f"{house.url}/{name}", timeout=60)
            assert answer.status_code < 500, answer.text

        called()
    assert WEB.get(f"{house.url}/health").status_code == 200
