"""Every row of the page of the one-endpoint API, through a real socket."""

import io
import json
import re
import shutil
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_server import CLIP, WORDS, House, listening_app

from gsv.cli import main
from gsv.servers import api2
from gsv.servers.configurations import Configuration
from gsv.servers.together import Part, together
from gsv.synthesis import engine as engine_module
from gsv.synthesis.reference import Reference

WEB = httpx.Client(timeout=300)
SAY = {"text": "Hello there.", "text_language": "en"}
WITH = {"refer_wav_path": str(CLIP), "prompt_text": WORDS, "prompt_language": "en"}
NO_REFERENCE = {"code": 400, "message": "未指定参考音频且接口无预设"}


def spoken(answer: httpx.Response) -> bytes:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["transfer-encoding"] == "chunked"
    with wave.open(io.BytesIO(answer.content)) as file:
        assert file.getframerate() == 32000
    assert len(answer.content) > 10_000
    return answer.content


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The references that voices are made of, and how texts are cut."""
    seen: list[Any] = []
    original = api2.References.voice
    monkeypatch.setattr(
        api2.References, "voice", lambda self, engine, one: (seen.append(one), original(self, engine, one))[1]
    )
    stream = engine_module.Engine.stream

    def noting(self: Any, text: str, language: str, voice: Any, options: Any, *more: Any) -> Any:
        seen.append((language, options.split))
        return stream(self, text, language, voice, options, *more)

    monkeypatch.setattr(engine_module.Engine, "stream", noting)
    return seen


def test_get_and_post_speak_with_the_reference_that_is_given(house: House, chosen: list[Any]) -> None:
    other = {**WITH, "refer_wav_path": "123.flac"}
    spoken(WEB.get(house.url, params={**SAY, **other}))
    spoken(WEB.post(house.url, json={**SAY, **other}))
    expected = Reference(house.project.root / "123.flac", WORDS, "en")
    assert chosen == [expected, ("en", "cut5"), expected, ("en", "cut5")]


@pytest.mark.parametrize(
    ("language", "text"), [("zh", "你好, my friend."), ("ja", "こんにちは, my friend."), ("en", "Hello there.")]
)
def test_each_language_is_spoken_with_english_in_it(house: House, language: str, text: str) -> None:
    spoken(WEB.get(house.url, params={"text": text, "text_language": language}))


@pytest.mark.parametrize("left_out", [*WITH, ""])
def test_the_default_reference_speaks_if_one_of_three_fields_is_missing(
    house: House, chosen: list[Any], left_out: str
) -> None:
    fields = {name: value for name, value in {**WITH, "refer_wav_path": "123.flac"}.items() if name != left_out}
    spoken(WEB.post(house.url, json={**SAY, **(fields if left_out else {})}))
    assert chosen[0] == Reference(CLIP, WORDS, "en")


@pytest.fixture(scope="module")
def bare(house: House) -> Any:
    """A server without a default reference, which cuts every four sentences."""
    setup = api2.Setup(Configuration(device="cpu"), None, "cut1")
    with listening_app(together(house.service, [Part("api2", api2.build(house.service, setup))])) as url:
        yield replace(house, url=url)


def test_without_any_reference_it_is_refused(bare: House) -> None:
    for answer in (WEB.get(bare.url, params=SAY), WEB.post(bare.url, json={**SAY, "refer_wav_path": str(CLIP)})):
        assert (answer.status_code, answer.json()) == (400, NO_REFERENCE)


def test_texts_are_cut_as_the_server_was_told(bare: House, chosen: list[Any]) -> None:
    spoken(WEB.post(bare.url, json={**SAY, **WITH}))
    assert chosen[1] == ("en", "cut1")


@pytest.mark.parametrize(
    "change",
    [
        {"text": ""}, {"text": "..."}, {"text_language": "xx"}, {"text_language": "auto"}, {"text_language": None},
        {"prompt_language": "fr"}, {"refer_wav_path": "gone.wav"},
        {"text": 5}, {"text": "x" * 3000},
    ],
    ids=str,
)  # fmt: skip
def test_every_failure_is_400_with_code_and_message(house: House, change: dict[str, Any]) -> None:
    answer = WEB.post(house.url, json={**SAY, **WITH, **change})
    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message"}
    assert answer.json()["code"] == 400


def test_the_examples_of_the_document_work_as_they_stand(house: House, shared: Path) -> None:
    text = next((shared / "seeds").glob("001_*.txt")).read_text(encoding="utf-8")
    (house.project.root / "wavs").mkdir(exist_ok=True)
    shutil.copy(CLIP, house.project.root / "wavs" / "5.wav")
    addresses = re.findall(r"`(http://127\.0\.0\.1:9880\?[^`]*)`", text)
    bodies = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert (len(addresses), len(bodies)) == (2, 2)
    for one in addresses:
        # Only the port is another one.
        spoken(WEB.get(one.replace("http://127.0.0.1:9880", house.url)))
    for body in bodies:
        spoken(WEB.post(house.url, json=body))


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["-s", "own.pth", "-g", "own.ckpt"], "need a default reference"),
        (["-s", "own.pth", "-dr", "123.wav"], "all three"),
        (["-dr", "gone.wav", "-dt", "一二三四五六七。", "-dl", "zh"], "gone.wav"),
        (["-fp", "-hp"], "contradict"),
        (["-d", "gpu"], "no device"),
        (["-dr", str(CLIP), "-dt", WORDS, "-dl", "fr"], "-dl"),
        (["-s", "gone.pth", "-dr", str(CLIP), "-dt", WORDS, "-dl", "en"], "gone.pth"),
    ],
    ids=str,
)
def test_what_cannot_be_started_says_why(house: House, flags: list[str], words: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "api2", "--home", str(house.project.root), *flags])
    assert words in str(ended.value)
