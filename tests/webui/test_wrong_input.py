"""Every endpoint, given what it cannot use: it says so in a sentence that names the argument, and starts nothing."""

import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from webui_server import Server

from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui.app import build
from gsv.webui.companions import Companions
from gsv.webui.home import Home
from gsv.webui.words import words_of

SAMPLE = Path(__file__).parents[1] / "sample"
CLIPS, LIST, CLIP = str(SAMPLE / "clips"), str(SAMPLE / "sample.list"), str(SAMPLE / "clips" / "01.flac")

SPHINX = {"asr_model": "pocketsphinx", "asr_lang": "en"}
SAID = {"ref_wav_path": CLIP, "text": "Hello.", "text_language": "en"}
SAYING = {"ref_audio_path": CLIP, "text": "Hello.", "text_lang": "en"}
GONE = "there is no file or folder /not/there"

# Endpoint, what it is given, and what the sentence is like. EMPTY, ROWS, HERE and OTHER are places of the test.
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("change_lang_choices", {"key": "nobody"}, "key: there is no recogniser 'nobody'; choose damo or"),
    ("change_size_choices", {"key": ""}, "key: there is no recogniser ''; choose"),
    ("change_precision_choices", {"key": "nobody"}, "key: there is no recogniser"),
    ("open_asr", {"asr_inp_dir": "/not/there"}, f"asr_inp_dir: {GONE}"),
    ("open_asr", {"asr_inp_dir": ""}, "asr_inp_dir: An empty path was given"),
    ("open_asr", {"asr_inp_dir": CLIPS, "asr_opt_dir": LIST}, "asr_opt_dir: .* is a file; name a folder"),
    ("open_asr", {"asr_inp_dir": CLIPS, "asr_model": "nobody"}, "asr_model: there is no recogniser"),
    (
        "open_asr",
        {"asr_inp_dir": CLIPS, **SPHINX, "asr_lang": "xx"},
        r"asr_lang: PocketSphinx .* has no 'xx'; choose one of en",
    ),
    (
        "open_asr",
        {"asr_inp_dir": CLIPS, **SPHINX, "asr_model_size": "vast"},
        "asr_model_size: PocketSphinx .* has no 'vast'; choose one of large",
    ),
    (
        "open_asr",
        {"asr_inp_dir": CLIPS, **SPHINX, "asr_precision": "int1"},
        "asr_precision: PocketSphinx .* has no 'int1'; choose one of float32",
    ),
    ("open_slice", {"inp": "/not/there"}, f"inp: {GONE}"),
    ("open_slice", {"inp": " "}, "inp: An empty path was given"),
    ("open_slice", {"inp": "a\0b"}, "inp: there is no file or folder .*a.b; name one"),
    ("open_slice", {"inp": "x" * 5000}, "inp: "),
    ("open_slice", {"inp": CLIPS, "opt_root": LIST}, "opt_root: .* is a file; name a folder"),
    ("open_slice", {"inp": CLIPS, "threshold": "$(x)"}, r"threshold is '\$\(x\)'; it must be a number from"),
    ("open_slice", {"inp": CLIPS, "min_length": "4000; touch x"}, "min_length is .*; it must be a whole number"),
    ("open_slice", {"inp": CLIPS, "min_interval": "-1"}, "min_interval is '-1'; it must be"),
    ("open_slice", {"inp": CLIPS, "hop_size": "0"}, "hop_size is '0'; it must be"),
    ("open_slice", {"inp": CLIPS, "max_sil_kept": ""}, "max_sil_kept is ''; it must be"),
    ("open_slice", {"inp": CLIPS, "_max": "nan"}, "_max is nan; it must be"),
    ("open_slice", {"inp": CLIPS, "alpha": -1}, "alpha is -1; it must be"),
    ("open_slice", {"inp": CLIPS, "n_parts": 1e99}, "n_parts is 1e.99; it must be a whole number"),
    ("open_denoise", {"denoise_inp_dir": "/not/there"}, f"denoise_inp_dir: {GONE}"),
    ("open_denoise", {"denoise_inp_dir": CLIPS, "denoise_opt_dir": LIST}, "denoise_opt_dir: .* is a file"),
    ("change_label", {"path_list": "/not/there.list"}, f"path_list: {GONE}"),
    ("change_label_1", {"path_list": "/not/there.list"}, f"path_list: {GONE}"),
    ("open1a", {"inp_text": "/not/there.list", "inp_wav_dir": ""}, f"inp_text: {GONE}"),
    ("open1a", {"inp_text": "EMPTY", "inp_wav_dir": ""}, "inp_text: .* is empty"),
    ("open1a", {"inp_text": CLIP, "inp_wav_dir": ""}, "inp_text: "),
    ("open1a", {"inp_text": LIST, "inp_wav_dir": "/not/there"}, f"inp_wav_dir: {GONE}"),
    ("open1a", {"inp_text": LIST, "inp_wav_dir": "", "exp_name": "a/b"}, "exp_name: The experiment name 'a/b'"),
    ("open1a", {"inp_text": LIST, "inp_wav_dir": "", "gpu_numbers": "0;1"}, "gpu_numbers is '0;1'; it must be such as"),
    ("open1a", {"inp_text": LIST, "inp_wav_dir": "", "bert_pretrained_dir": "/not/there"}, "bert_pretrained_dir: "),
    ("open1b", {"inp_text": "/not/there.list", "inp_wav_dir": ""}, f"inp_text: {GONE}"),
    (
        "open1b",
        {"inp_text": LIST, "inp_wav_dir": "", "ssl_pretrained_dir": "/not/there"},
        f"ssl_pretrained_dir: {GONE}",
    ),
    ("open1c", {"inp_text": LIST, "pretrained_s2G_path": "/no.pth"}, "pretrained_s2G_path: .* no.pth"),
    ("open1abc", {"inp_text": LIST, "inp_wav_dir": "", "gpu_numbers1a": "x"}, "gpu_numbers1a is 'x'"),
    ("open1abc", {"inp_text": LIST, "inp_wav_dir": "", "gpu_numbers1Ba": ""}, "gpu_numbers1Ba is ''"),
    ("open1abc", {"inp_text": LIST, "inp_wav_dir": "", "gpu_numbers1c": "x"}, "gpu_numbers1c is 'x'"),
    (
        "open1abc",
        {"inp_text": LIST, "inp_wav_dir": "", "pretrained_s2G_path": CLIPS},
        "pretrained_s2G_path: .* is a folder; name the weight file in it",
    ),
    ("open1Ba", {"exp_name": "nobody"}, "exp_name: there is no experiment nobody"),
    ("open1Ba", {"exp_name": "there", "batch_size": 0}, "batch_size is 0; it must be a whole number from 1"),
    ("open1Ba", {"exp_name": "there", "total_epoch": "many"}, "total_epoch is 'many'; it must be a whole number"),
    ("open1Ba", {"exp_name": "there", "text_low_lr_rate": 7}, "text_low_lr_rate is 7"),
    ("open1Ba", {"exp_name": "there", "lora_rank": "33"}, "lora_rank is '33'; it must be one of 16"),
    ("open1Ba", {"exp_name": "there", "gpu_numbers1Ba": "--help"}, "gpu_numbers1Ba: The GPUs '--help' cannot be read"),
    ("open1Ba", {"exp_name": "there", "save_every_epoch": 1.5}, "save_every_epoch is 1.5; it must be a whole number"),
    ("open1Ba", {"exp_name": "there", "pretrained_s2G": "/no.pth"}, "pretrained_s2G: .* no.pth"),
    ("open1Ba", {"exp_name": "there", "pretrained_s2D": "/no.pth"}, "pretrained_s2D: .* no.pth"),
    ("open1Ba", {"exp_name": "bare"}, "exp_name: .*2-name2text.txt is missing; run 1a for this experiment first"),
    ("open1Bb", {"exp_name": "nobody"}, "exp_name: there is no experiment nobody"),
    ("open1Bb", {"exp_name": "there", "save_every_epoch": -5}, "save_every_epoch is -5; it must be"),
    ("open1Bb", {"exp_name": "there", "gpu_numbers": "a"}, "gpu_numbers: The GPUs 'a' cannot be read"),
    ("open1Bb", {"exp_name": "there", "pretrained_s1": "/no.ckpt"}, "pretrained_s1: .* no.ckpt"),
    ("open1Bb", {"exp_name": "bare"}, "exp_name: .*2-name2text.txt is missing; run 1a for this experiment first"),
    ("change_tts_inference", {"gpu_number": "0-1"}, "gpu_number is '0-1'; it must be the number of one GPU"),
    ("change_tts_inference", {"bert_path": "/not/there"}, f"bert_path: {GONE}"),
    ("change_tts_inference", {"cnhubert_base_path": "/not/there"}, f"cnhubert_base_path: {GONE}"),
    ("change_tts_inference", {"gpt_path": "/no.ckpt"}, "gpt_path: .* no.ckpt"),
    ("change_tts_inference_1", {"sovits_path": "/no.pth"}, "sovits_path: .* no.pth"),
    ("switch_version", {"version_": "v9"}, "version_: There is no version 'v9'; choose one of v1"),
    ("uvr_convert", {"model_name": "hpss"}, "inp_root is empty; name a recording"),
    ("uvr_convert", {"model_name": "hpss", "inp_root": "/not/there"}, f"inp_root: {GONE}"),
    ("uvr_convert", {"model_name": " ", "inp_root": CLIPS}, "model_name is empty; choose one of"),
    ("uvr_convert", {"model_name": "nobody", "inp_root": CLIPS}, "model_name: There is no separation model nobody in"),
    ("uvr_convert", {"model_name": "hpss", "inp_root": CLIPS, "agg": 99}, "agg is 99; it must be"),
    ("uvr_convert", {"model_name": "hpss", "inp_root": CLIPS, "format0": "ogg"}, "format0 is 'ogg'; it must be"),
    (
        "uvr_convert",
        {"model_name": "hpss", "inp_root": CLIPS, "save_root_vocal": LIST},
        "save_root_vocal: .* is a file",
    ),
    ("uvr_convert", {"model_name": "hpss", "inp_root": CLIPS, "save_root_ins": LIST}, "save_root_ins: .* is a file"),
    ("label_open", {"path_list": "/not/there"}, f"path_list: {GONE}"),
    ("label_open", {"path_list": "HERE"}, "path_list: .* is a folder; name a list file in it"),
    ("label_page", {"path_list": ""}, "path_list: An empty path was given"),
    ("label_edit", {"path_list": LIST, "row": 999}, "The row 999 is not in the list any more"),
    ("label_edit", {"path_list": LIST, "row": 1, "language": "a|b"}, "The language 'a|b' cannot be used"),
    ("label_delete", {"path_list": LIST, "row": -1}, "The row -1 is not in the list any more"),
    (
        "label_split",
        {"path_list": "ROWS", "row": 1, "seconds": 1e6},
        "The row lasts .* cannot be split at 1000000.00 seconds",
    ),
    ("label_merge", {"path_list": LIST, "row": 1, "pause": -1}, "A pause of -1 s cannot be put"),
    ("label_merge", {"path_list": LIST, "row": 999}, "The row 999 is not in the list any more"),
    ("label_undo", {"path_list": "/not/there"}, f"path_list: {GONE}"),
    ("label_save", {"path_list": "/not/there"}, f"path_list: {GONE}"),
    ("change_gpt_weights", {"gpt_path": "none.ckpt"}, "gpt_path: The weights none.ckpt are not in the folder"),
    ("change_gpt_weights", {"gpt_path": "OTHER"}, "gpt_path: .* is damaged or is not a weight file"),
    ("change_sovits_weights", {"sovits_path": "/no.pth"}, "sovits_path: The weights no.pth are not in the folder"),
    ("change_sovits_weights", {"sovits_path": "OTHER"}, "sovits_path: .* is damaged or is not a weight file"),
    ("change_sovits_weights", {"sovits_path": "", "text_language": "xx"}, "text_language is 'xx'; it must be one of"),
    ("get_tts_wav", {**SAID, "ref_wav_path": "/not/there.wav"}, f"ref_wav_path: {GONE}"),
    ("get_tts_wav", {**SAID, "ref_wav_path": "OTHER"}, "ref_wav_path: .* cannot be decoded as sound"),
    ("get_tts_wav", {**SAID, "text": " "}, "text is empty; give what to say"),
    ("get_tts_wav", {**SAID, "text_language": "klingon"}, "text_language is 'klingon'; it must be one of"),
    ("get_tts_wav", {**SAID, "how_to_cut": "cut9"}, "how_to_cut is 'cut9'; it must be one of"),
    ("get_tts_wav", {**SAID, "top_k": -1}, "top_k is -1; it must be"),
    ("get_tts_wav", {**SAID, "top_p": 2}, "top_p is 2"),
    ("get_tts_wav", {**SAID, "temperature": 1000}, "temperature is 1000"),
    ("get_tts_wav", {**SAID, "speed": 0}, "speed is 0"),
    ("get_tts_wav", {**SAID, "pause_second": -1}, "pause_second is -1"),
    ("get_tts_wav", {**SAID, "inp_refs": ["/not/there"]}, f"inp_refs: {GONE}"),
    ("inference", {**SAYING, "ref_audio_path": "/not/there.wav"}, f"ref_audio_path: {GONE}"),
    ("inference", {**SAYING, "aux_ref_audio_paths": [CLIPS]}, "aux_ref_audio_paths: .* is a folder; name a sound file"),
    ("inference", {**SAYING, "prompt_lang": "xx"}, "prompt_lang is 'xx'; it must be one of"),
    ("inference", {**SAYING, "text_split_method": "x"}, "text_split_method is 'x'; it must be one of"),
    ("inference", {**SAYING, "batch_size": 0}, "batch_size is 0; it must be"),
    ("inference", {**SAYING, "speed_factor": 99}, "speed_factor is 99"),
    ("inference", {**SAYING, "fragment_interval": 99}, "fragment_interval is 99"),
    ("inference", {**SAYING, "seed": -7, "keep_random": False}, "seed is -7; it must be"),
    ("inference", {**SAYING, "repetition_penalty": 0}, "repetition_penalty is 0"),
    ("phones", {"text": "Hello.", "text_language": "xx"}, "text_language is 'xx'; it must be one of"),
    ("phones", {"text": "Hello.", "how_to_cut": "x"}, "how_to_cut is 'x'; it must be one of"),
    ("phones", {"text": "..."}, "nothing that can be spoken"),
    ("cut_text", {"text": "Hello.", "text_language": "xx"}, "text_language is 'xx'; it must be one of"),
    ("cut_text", {"text": "Hello.", "how_to_cut": "x"}, "how_to_cut is 'x'; it must be one of"),
    ("check_ref", {"ref_wav_path": "/not/there.wav"}, f"ref_wav_path: {GONE}"),
    ("references", {"path_list": "/not/there.list"}, f"path_list: {GONE}"),
]
# What has no value that is wrong by itself: any text is right, or there is nothing to give.
HARMLESS = {"sync", "change_choices", "stop", "uvr_models", "change_uvr5", "change_uvr5_1"}
# By the kinds that gradio's client knows; files, in any form, are of no kind to it.
OF_ANOTHER_KIND: dict[str, tuple[Any, ...]] = {
    "string": (["x"], {"no": "text"}, True),
    "integer": ("many", [1], {}, 1.5),
    "number": ("many", [1], {}),
    "boolean": ("perhaps", [True], 7),
    "": ([3], {"no": "file"}, 3),
}


@pytest.fixture
def places(server: Server) -> dict[str, str]:
    empty, other = server.home / "empty.list", server.home / "other.pth"
    empty.write_text("\n")
    other.write_bytes(b"no weights")
    for folder in ("bare", "there/4-cnhubert"):
        (server.home / "logs" / folder).mkdir(parents=True, exist_ok=True)
    for name in ("2-name2text.txt", "6-name2semantic.tsv"):
        (server.home / "logs" / "there" / name).touch()
    rows = server.home / "rows.list"
    rows.write_text(f"{CLIP}|ann|en|One.\n")
    return {"ROWS": str(rows), "EMPTY": str(empty), "OTHER": str(other), "HERE": str(server.home)}


@pytest.fixture
def idle(server: Server) -> Any:
    """Nothing may be at work when a test ends that began nothing."""
    yield
    assert list((server.home / "logs" / "jobs").glob("*.json")) == []


@pytest.mark.usefixtures("idle")
@pytest.mark.parametrize(("name", "given", "sentence"), WRONG, ids=lambda part: part if isinstance(part, str) else "")
def test_what_cannot_be_used_is_refused_by_the_name_of_the_argument(
    client: Client, places: Mapping[str, str], name: str, given: dict[str, Any], sentence: str
) -> None:
    given = {key: places.get(value, value) if isinstance(value, str) else value for key, value in given.items()}
    with pytest.raises(AppError, match=sentence) as told:
        client.predict(**given, api_name=f"/{name}")
    assert "Traceback" not in str(told.value) and "\n" not in str(told.value)


def test_no_endpoint_is_left_out(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    names = {name.removeprefix("/") for name in endpoints}
    closing = {name for name in names if name.startswith("close")}
    assert names == {name for name, _, _ in WRONG} | HARMLESS | closing


def test_every_argument_of_another_kind_is_refused_by_its_name(tmp_path: Path) -> None:
    right = {**SAID, **SAYING, "row": 1, "seconds": 0.5, "model_name": "hpss"}
    project = Project(tmp_path)
    blocks = build(Home(project, words_of("en_US"), Jobs(project)), Companions())
    endpoints = {one.api_name: one for one in blocks.fns.values() if one.api_visibility == "public"}
    assert len(endpoints) > 40
    for name, endpoint in endpoints.items():
        signature = inspect.signature(endpoint.fn)
        defaults = {argument: one.default for argument, one in signature.parameters.items()}
        usual = {
            argument: LIST if value is inspect.Parameter.empty else value for argument, value in defaults.items()
        } | {argument: value for argument, value in right.items() if argument in defaults}
        for argument, component in zip(defaults, endpoint.inputs, strict=True):
            for value in OF_ANOTHER_KIND[_kind(component.api_info())]:
                with pytest.raises(gr.Error) as told:
                    answer = endpoint.fn(*{**usual, argument: value}.values())
                    pytest.fail(
                        f"{name} took {value!r} for {argument}: {answer if isinstance(answer, str) else list(answer)}"
                    )
                assert re.match(rf"{argument}\b.* must be ", told.value.message), (name, argument, value, told.value)


def _kind(schema: Mapping[str, Any]) -> str:
    kinds = [schema, *schema.get("oneOf", ())]
    return next((one["type"] for one in kinds if one.get("type", "null") != "null"), "")
