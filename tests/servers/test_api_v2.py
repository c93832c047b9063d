"""Every row of the page of HTTP synthesis API 3.0, through a real socket."""

import io
import json
import re
import shutil
import wave
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
import torch
import yaml
from http_server import CLIP, WORDS, House

from gsv.synthesis.engine import Engine, Fragment, SpeechOptions
from gsv.synthesis.sampling import SamplingOptions
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice

# A client of its own for every request would take longer than most requests.
WEB = httpx.Client(timeout=300)

FIELDS = {
    "text": "Hello there.",
    "text_lang": "en",
    "ref_audio_path": str(CLIP),
    "prompt_lang": "en",
    "prompt_text": WORDS,
    "seed": 7,
}


def get(house: House, **changes: Any) -> httpx.Response:
    return WEB.get(f"{house.url}/tts", params={**FIELDS, **changes})


def post(house: House, **changes: Any) -> httpx.Response:
    fields = {name: value for name, value in {**FIELDS, **changes}.items() if value is not ...}
    return WEB.post(f"{house.url}/tts", json=fields)


def samples(answer: httpx.Response) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return soundfile.read(io.BytesIO(answer.content))[0]


def refused(answer: httpx.Response, *words: str) -> None:
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"message", "Exception"}
    for word in words:
        assert word in answer.json()["message"]


def test_get_and_post_say_the_same(house: House) -> None:
    first, second = get(house), post(house)
    assert first.headers["content-type"] == second.headers["content-type"] == "audio/wav"
    assert len(samples(first)) > 8000
    assert first.content == second.content


@pytest.mark.parametrize("name", ["text", "text_lang", "ref_audio_path", "prompt_lang"])
@pytest.mark.parametrize("value", ["", None, ...])
def test_required_fields_are_required(house: House, name: str, value: Any) -> None:
    refused(post(house, **{name: value}), name, "required")
    if value == "":
        refused(get(house, **{name: value}), name, "required")


@dataclass
class Asked:
    """What the engine was last asked to say, and how."""

    voice: Voice
    options: SpeechOptions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """Everything that the engine is asked; it says it all the same."""
    seen: list[Asked] = []
    original = Engine.stream

    def noting(
        self: Engine, text: str, language: str, voice: Voice, options: SpeechOptions, *more: Any
    ) -> Iterator[Fragment]:
        seen.append(Asked(voice, options))
        return original(self, text, language, voice, options, *more)

    monkeypatch.setattr(Engine, "stream", noting)
    return seen


def test_without_prompt_text_only_the_timbre_of_the_reference_is_used(house: House, asked: list[Asked]) -> None:
    for text in ("", None, ...):
        assert post(house, prompt_text=text).status_code == 200
        assert asked[-1].voice.transcript is None
    assert post(house).status_code == 200
    assert asked[-1].voice.transcript is not None


def test_further_references_are_averaged_in(house: House, asked: list[Asked]) -> None:
    other = str(CLIP.with_name("02.flac"))
    for one in (post(house), post(house, aux_ref_audio_paths=[other]), get(house, aux_ref_audio_paths=[other])):
        assert one.status_code == 200
    alone, averaged, again = (one.voice.timbre for one in asked)
    assert not torch.equal(alone, averaged)
    assert torch.equal(averaged, again)
    refused(post(house, aux_ref_audio_paths=["none.wav"]), "aux_ref_audio_paths")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, SpeechOptions(SamplingOptions(5, 1, 1, 1.35), 1.0, 0.3, "cut5", 1, 0.75, 7)),
        ({"sample_steps": 8}, SpeechOptions(SamplingOptions(5, 1, 1, 1.35), 1.0, 0.3, "cut5", 1, 0.75, 7)),
        ({"seed": ...}, SpeechOptions(SamplingOptions(5, 1, 1, 1.35), 1.0, 0.3, "cut5", 1, 0.75, -1)),
        (
            {
                "top_k": 9, "top_p": 0.5, "temperature": 0.6, "repetition_penalty": 1.5, "speed_factor": 1.25,
                "fragment_interval": 0.5, "text_split_method": "cut2", "batch_size": 3, "batch_threshold": 0.5,
            },
            SpeechOptions(SamplingOptions(9, 0.5, 0.6, 1.5), 1.25, 0.5, "cut2", 3, 0.5, 7),
        ),
        (
            {"batch_size": 3, "split_bucket": False},
            SpeechOptions(SamplingOptions(5, 1, 1, 1.35), 1.0, 0.3, "cut5", 3, 0.0, 7),
        ),
        (
            {"batch_size": 3, "parallel_infer": False},
            SpeechOptions(SamplingOptions(5, 1, 1, 1.35), 1.0, 0.3, "cut5", 1, 0.75, 7),
        ),
    ],
)  # fmt: skip
def test_options_reach_the_engine(
    house: House, asked: list[Asked], change: dict[str, Any], expected: SpeechOptions
) -> None:
    for ask in (get, post):
        if ask is post or ... not in change.values():
            assert ask(house, **change).status_code == 200
            assert asked[-1].options == replace(expected, sample_steps=change.get("sample_steps", 32))


@pytest.mark.parametrize("mode", [2, 3])
def test_the_chunks_that_are_asked_for_reach_the_engine(
    house: House, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    seen: list[Streaming] = []
    original = Engine.stream_audio

    def noting(self: Engine, *args: Any) -> Any:
        seen.append(args[4])
        return original(self, *args)

    monkeypatch.setattr(Engine, "stream_audio", noting)
    for given in ({}, {"overlap_length": 3, "min_chunk_length": 20}):
        assert post(house, streaming_mode=mode, **given).status_code == 200
    name = "growing" if mode == 2 else "fixed"
    assert seen == [Streaming(name, 2, 16), Streaming(name, 3, 20)]


def test_what_belongs_to_other_versions_is_taken_and_changes_nothing(house: House) -> None:
    plain = post(house).content
    assert post(house, sample_steps=8, super_sampling=True).content == plain
    assert get(house, sample_steps=8, super_sampling="true").content == plain


def test_another_seed_says_it_otherwise(house: House) -> None:
    assert post(house, seed=8).content != post(house).content


def test_the_pause_after_a_piece_is_as_long_as_asked(house: House) -> None:
    long, short = (samples(post(house, fragment_interval=pause)) for pause in (1.0, 0.25))
    assert len(long) - len(short) == int(0.75 * 32000)


def test_batches_say_the_same_pieces(house: House) -> None:
    text = "One small boat came in. Three boats came in."
    alone = samples(post(house, text=text))
    together = samples(post(house, text=text, batch_size=3))
    assert len(together) == len(alone)
    assert np.abs(together - alone).max() < 0.01


def test_no_seed_draws_one(house: House) -> None:
    assert post(house, seed=-1).content != post(house, seed=...).content


@pytest.mark.parametrize("media_type", ["wav", "raw", "ogg", "aac"])
@pytest.mark.parametrize("streaming_mode", [0, 1])
def test_media_types_hold_the_same_sound_whole_and_streamed(house: House, media_type: str, streaming_mode: int) -> None:
    answer = post(house, media_type=media_type, streaming_mode=streaming_mode)
    assert answer.headers["content-type"] == f"audio/{media_type}"
    assert ("content-length" in answer.headers) == (not streaming_mode)
    assert answer.content == post(house, media_type=media_type, streaming_mode=streaming_mode).content
    expected = len(samples(post(house)))
    if media_type == "raw":
        assert len(answer.content) == 2 * expected
    elif media_type == "aac":
        assert answer.content[:1] == b"\xff"
    else:
        assert len(samples(answer)) == expected


@pytest.mark.parametrize("given", [True, 1, "true", "1"])
def test_mode_1_streams_exactly_the_whole_with_one_header(house: House, given: Any) -> None:
    text = "One small boat. Two large boats."
    streamed = post(house, text=text, streaming_mode=given)
    assert streamed.headers["transfer-encoding"] == "chunked"
    whole = post(house, text=text)
    assert streamed.content[44:] == whole.content[44:]
    assert streamed.content.count(b"RIFF") == 1
    with wave.open(io.BytesIO(streamed.content)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (32000, 1, 2)


@pytest.mark.parametrize("given", [False, 0, "false", "0"])
def test_mode_0_is_whole(house: House, given: Any) -> None:
    answer = get(house, streaming_mode=given)
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("mode", [2, 3])
def test_modes_2_and_3_stream_about_as_much_sound(house: House, mode: int) -> None:
    text = "One small boat came into the harbour today. Two large boats."
    whole = len(post(house, text=text, media_type="raw").content)
    streamed = get(house, text=text, media_type="raw", streaming_mode=mode, overlap_length=2, min_chunk_length=16)
    assert streamed.status_code == 200
    assert len(streamed.content) == pytest.approx(whole, rel=0.05)
    assert streamed.content == post(house, text=text, media_type="raw", streaming_mode=mode).content


def test_the_first_piece_comes_before_the_last_is_made(house: House) -> None:
    text = "One small boat came in. " * 80
    with WEB.stream("POST", f"{house.url}/tts", json={**FIELDS, "text": text, "streaming_mode": 1}) as answer:
        parts = answer.iter_raw()
        first = next(parts)
        running = WEB.get(f"{house.url}/health").json()["running"]
    assert first.startswith(b"RIFF")
    assert running >= 1


@pytest.mark.parametrize(
    "change",
    [
        {"text_lang": "xx"}, {"prompt_lang": "tlh"}, {"text_lang": "jp"}, {"media_type": "mp4"}, {"top_k": -1},
        {"text_split_method": "cut9"}, {"streaming_mode": 4}, {"streaming_mode": "maybe"}, {"top_p": 0},
        {"text": "..."},
        {"temperature": "hot"}, {"speed_factor": 0}, {"batch_size": 0}, {"seed": 2**32}, {"fragment_interval": -1},
        {"ref_audio_path": "not-there.wav"}, {"overlap_length": -1}, {"min_chunk_length": 0}, {"sample_steps": 0},
        {"text": "x" * 2001}, {"tts_infer_yaml_path": "not-there.yaml"}, {"text": "a\x00\x07"[1:]},
    ],
    ids=str,
)  # fmt: skip
def test_wrong_values_are_refused(house: House, change: dict[str, Any]) -> None:
    refused(post(house, **change))
    refused(get(house, **change))


def test_a_body_that_is_no_json_is_refused(house: House) -> None:
    for body in (b"{", b"[]", b"null", b'{"text": NaN}', b"\xff\xfe", b"[" * 50_000):
        refused(WEB.post(f"{house.url}/tts", content=body))


def test_a_body_without_a_type_is_read_as_json(house: House) -> None:
    answer = WEB.post(f"{house.url}/tts", content=json.dumps(FIELDS))
    assert answer.content == post(house).content


def test_what_is_no_sound_is_refused_without_a_word_of_it(house: House, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("pass phrase")
    answer = post(house, ref_audio_path=str(secret))
    refused(answer, "ref_audio_path")
    assert "pass phrase" not in answer.text
    answer = post(house, tts_infer_yaml_path=str(secret))
    refused(answer)
    assert "pass phrase" not in answer.text


def test_another_configuration_speaks_with_its_weights(house: House, other_weights: Path) -> None:
    path = house.project.root / "other.yaml"
    base = "GPT_SoVITS/pretrained_models/gsv-v2final-pretrained"
    section = {
        "bert_base_path": "GPT_SoVITS/pretrained_models/chinese-roberta-wwm-ext-large",
        "cnhuhbert_base_path": "GPT_SoVITS/pretrained_models/chinese-hubert-base",
        "device": "cpu", "is_half": False, "version": "v2", "vits_weights_path": str(other_weights),
        "t2s_weights_path": f"{base}/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt",
    }  # fmt: skip
    path.write_text(yaml.safe_dump({"custom": section, "v1": {"version": "v1"}}))
    plain = post(house).content
    assert post(house, tts_infer_yaml_path=str(path)).content != plain
    assert post(house).content == plain
    section["vits_weights_path"] = f"{base}/s2G2333k.pth"
    path.write_text(yaml.safe_dump({"custom": section}))
    assert post(house, tts_infer_yaml_path="other.yaml").content == plain
    section["vits_weights_path"] = "gone.pth"
    path.write_text(yaml.safe_dump({"custom": section}))
    refused(post(house, tts_infer_yaml_path="other.yaml"), "gone.pth")


@pytest.fixture(scope="module")
def other_weights(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SoVITS weights of another training."""
    source = house.project.pretrained / "gsv-v2final-pretrained" / "s2G2333k.pth"
    target = tmp_path_factory.mktemp("weights") / "other.pth"
    content = torch.load(source, weights_only=True)
    generator = torch.Generator().manual_seed(1)
    for name, tensor in content["weight"].items():
        if name.startswith("dec."):
            tensor.mul_(1 + 0.1 * torch.randn(tensor.shape, generator=generator).to(tensor.dtype))
    torch.save(content, target)
    return target


def test_weights_are_set_for_everybody(house: House, other_weights: Path) -> None:
    plain = post(house).content
    names = {
        "sovits": ("gsv-v2final-pretrained/s2G2333k.pth", "s2G2333k.pth"),
        "gpt": ("gsv-v2final-pretrained/s1bert25hz-5kh-longer-epoch=12-step=369668.ckpt", "s1.ckpt"),
    }

    def change(kind: str, path: str) -> httpx.Response:
        return WEB.get(f"{house.url}/set_{kind}_weights", params={"weights_path": path})

    for kind, path in (("sovits", str(other_weights)), ("gpt", f"GPT_SoVITS/pretrained_models/{names['gpt'][0]}")):
        answer = change(kind, path)
        assert (answer.status_code, answer.json()) == (200, {"message": "success"})
    changed = post(house).content
    assert changed != plain
    # Whoever names the server's own configuration means the server as it is, though no such file is there.
    assert post(house, tts_infer_yaml_path="GPT_SoVITS/configs/tts_infer.yaml").content == changed
    assert (
        change("sovits", f"GPT_SoVITS\\pretrained_models\\{names['sovits'][0]}".replace("\\", "/")).status_code == 200
    )
    assert post(house).content == plain
    for kind, wrong in (("gpt", "gone.ckpt"), ("sovits", ""), ("gpt", str(other_weights)), ("sovits", str(CLIP))):
        refused(change(kind, wrong))
    assert post(house).content == plain


def test_a_request_ends_with_the_weights_it_began_with(house: House, other_weights: Path) -> None:
    fields = {**FIELDS, "text": "One small boat came in. " * 3, "streaming_mode": 1}
    url, path = f"{house.url}/set_sovits_weights", "pretrained_models/gsv-v2final-pretrained/s2G2333k.pth"
    expected = WEB.post(f"{house.url}/tts", json=fields).content
    with WEB.stream("POST", f"{house.url}/tts", json=fields) as answer:
        parts = answer.iter_raw()
        first = next(parts)
        assert WEB.get(url, params={"weights_path": str(other_weights)}).status_code == 200
        try:
            assert first + b"".join(parts) == expected
        finally:
            assert WEB.get(url, params={"weights_path": path}).status_code == 200


def test_a_default_reference_serves_requests_that_give_none(house: House) -> None:
    refused(post(house, ref_audio_path=...), "ref_audio_path")
    refused(WEB.get(f"{house.url}/set_refer_audio", params={"refer_audio_path": "none.wav"}))
    answer = WEB.get(f"{house.url}/set_refer_audio", params={"refer_audio_path": "123.flac"})
    assert (answer.status_code, answer.json()) == (200, {"message": "success"})
    assert post(house, ref_audio_path=...).content == post(house).content


@pytest.mark.parametrize("command", ["restart", "exit"])
def test_control_is_passed_on(house: House, command: str) -> None:
    house.commands.clear()
    assert WEB.get(f"{house.url}/control", params={"command": command}).status_code == 200
    assert WEB.post(f"{house.url}/control", json={"command": command}).status_code == 200
    assert house.commands == [command, command]
    refused(WEB.get(f"{house.url}/control"), "command")
    refused(WEB.post(f"{house.url}/control", json={"command": "rm"}), "command")


def test_the_examples_of_the_document_work_as_they_stand(house: House, shared: Path) -> None:
    text = next((shared / "seeds").glob("000_*.txt")).read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if one.startswith("http://127.0.0.1:9880/tts?"))
    shutil.copy(CLIP, house.project.root / "archive_jingyuan_1.wav")
    # Only the port is another one.
    answer = WEB.get(line.replace("http://127.0.0.1:9880", house.url))
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"RIFF")
    body = re.search(r"endpoint: `/tts`.*?```json\n(.*?)```", text, re.DOTALL)
    assert body
    lines = [line.split("#")[0] for line in body[1].splitlines()]
    plain = "\n".join(lines).replace("True", "true").replace("“", '"').replace("”", '"')
    fields = json.loads(plain)
    refused(WEB.post(f"{house.url}/tts", json=fields), "required")
    fields |= {name: value for name, value in FIELDS.items() if fields[name] == ""}
    assert WEB.post(f"{house.url}/tts", json=fields).content.startswith(b"RIFF")
    (command,) = re.findall(r"POST:\s+```json\n(\{\s+\"command\".*?)```", text, re.DOTALL)
    house.commands.clear()
    assert WEB.post(f"{house.url}/control", content=command).status_code == 200
    one = next(line for line in text.splitlines() if line.startswith("http://127.0.0.1:9880/control"))
    assert WEB.get(one.replace("http://127.0.0.1:9880", house.url)).status_code == 200
    assert house.commands == ["restart", "restart"]
    for path in ("s1bert25hz-2kh-longer-epoch=68e-step=50232.ckpt", "s2G488k.pth"):
        one = next(line for line in text.splitlines() if line.startswith("http") and line.endswith(path))
        refused(WEB.get(one.replace("http://127.0.0.1:9880", house.url)), path)
