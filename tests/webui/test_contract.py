"""The endpoints that scripts call: their names, keywords and defaults, what comes back, and how they refuse."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from webui_server import Server

from gsv.paths import Project
from gsv.versions import version_named

SAMPLE = Path(__file__).parents[1] / "sample"
WHISPER = "Faster Whisper (多语种)"
DAMO = "达摩 ASR (中文)"

# The keywords of each, with defaults where scripts rely on them; `...` is one that must be given, None one whose
# default is the app's own.
ENDPOINTS: dict[str, dict[str, Any]] = {
    "change_lang_choices": {"key": ...},
    "change_size_choices": {"key": ...},
    "change_precision_choices": {"key": ...},
    "open_asr": {
        "asr_inp_dir": ...,
        "asr_opt_dir": "output/asr_opt",
        "asr_model": DAMO,
        "asr_model_size": "large",
        "asr_lang": "zh",
        "asr_precision": "float32",
    },
    "close_asr": {},
    "open_slice": {
        "inp": ...,
        "opt_root": "output/slicer_opt",
        "threshold": "-34",
        "min_length": "4000",
        "min_interval": "300",
        "hop_size": "10",
        "max_sil_kept": "500",
        "_max": 0.9,
        "alpha": 0.25,
        "n_parts": 4,
    },
    "close_slice": {},
    "open_denoise": {"denoise_inp_dir": ..., "denoise_opt_dir": "output/denoise_opt"},
    "close_denoise": {},
    "change_label": {"path_list": ...},
    "change_label_1": {"path_list": ...},
    "change_uvr5": {},
    "change_uvr5_1": {},
    "open1a": {
        "inp_text": ...,
        "inp_wav_dir": ...,
        "exp_name": None,
        "gpu_numbers": "0-0",
        "bert_pretrained_dir": None,
    },
    "close1a": {},
    "open1b": {"inp_text": ..., "inp_wav_dir": ..., "exp_name": None, "gpu_numbers": "0-0", "ssl_pretrained_dir": None},
    "close1b": {},
    "open1c": {"inp_text": ..., "exp_name": None, "gpu_numbers": "0-0", "pretrained_s2G_path": None},
    "close1c": {},
    "open1abc": {
        "inp_text": ...,
        "inp_wav_dir": ...,
        "exp_name": None,
        "gpu_numbers1a": "0-0",
        "gpu_numbers1Ba": "0-0",
        "gpu_numbers1c": "0-0",
        "bert_pretrained_dir": None,
        "ssl_pretrained_dir": None,
        "pretrained_s2G_path": None,
    },
    "close1abc": {},
    "open1Ba": {
        "batch_size": None,
        "total_epoch": 8,
        "exp_name": None,
        "text_low_lr_rate": 0.4,
        "if_save_latest": True,
        "if_save_every_weights": True,
        "save_every_epoch": 4,
        "gpu_numbers1Ba": "0",
        "pretrained_s2G": None,
        "pretrained_s2D": None,
        "if_grad_ckpt": False,
        "lora_rank": "32",
    },
    "close1Ba": {},
    "open1Bb": {
        "batch_size": None,
        "total_epoch": 15,
        "exp_name": None,
        "if_dpo": False,
        "if_save_latest": True,
        "if_save_every_weights": True,
        "save_every_epoch": 5,
        "gpu_numbers": "0",
        "pretrained_s1": None,
    },
    "close1Bb": {},
    "change_choices": {},
    "change_tts_inference": {
        "bert_path": None,
        "cnhubert_base_path": None,
        "gpu_number": "0",
        "gpt_path": None,
        "sovits_path": None,
        "batched_infer_enabled": False,
    },
    "sync": {"text": ...},
    "switch_version": {"version_": ...},
}
ENDPOINTS["change_tts_inference_1"] = ENDPOINTS["change_tts_inference"]


@pytest.fixture(scope="session")
def offered(client: Client) -> dict[str, Any]:
    endpoints: dict[str, Any] = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    return endpoints


@pytest.mark.parametrize("name", ENDPOINTS)
def test_an_endpoint_has_the_keywords_and_defaults_of_the_contract(offered: dict[str, Any], name: str) -> None:
    parameters = offered[f"/{name}"]["parameters"]
    assert [one["parameter_name"] for one in parameters] == list(ENDPOINTS[name])
    for one in parameters:
        expected = ENDPOINTS[name][one["parameter_name"]]
        assert one["parameter_has_default"] == (expected is not ...)
        if expected not in (..., None):
            assert one["parameter_default"] == expected


def test_every_endpoint_says_what_it_does_and_what_its_keywords_mean(offered: dict[str, Any]) -> None:
    for name, endpoint in offered.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["description"], (name, parameter["parameter_name"])


def test_recognisers_have_the_choices_that_scripts_expect(client: Client) -> None:
    def choices(name: str, key: str) -> Any:
        return client.predict(key=key, api_name=f"/change_{name}_choices")

    assert choices("lang", DAMO) == ["zh", "yue"]
    assert choices("lang", WHISPER) == ["auto", "zh", "en", "ja", "ko", "yue"]
    assert choices("size", DAMO) == ["large"]
    assert [size.removesuffix("-local") for size in choices("size", WHISPER)][:1] == ["tiny"]
    assert choices("precision", DAMO) == ["float32"]
    assert choices("precision", WHISPER) == ["float32", "float16", "int8"]


def test_a_version_is_switched_to_with_twelve_values(client: Client) -> None:
    values = client.predict(version_="v2Pro", api_name="/switch_version")
    assert isinstance(values, tuple) and len(values) == 12
    assert values[:3] == (
        "pretrained_models/v2Pro/s2Gv2Pro.pth",
        "pretrained_models/v2Pro/s2Dv2Pro.pth",
        "pretrained_models/s1v3.ckpt",
    )
    assert values[3:5] == (values[2], values[0])
    assert all(isinstance(number, int) and number > 0 for number in values[5:8])
    assert values[8:] == (True, False, False, False)
    values = client.predict(version_="v4", api_name="/switch_version")
    assert values[:3] == ("pretrained_models/gsv-v4-pretrained/s2Gv4.pth", "", "pretrained_models/s1v3.ckpt")
    assert values[6:] == (2, 1, False, False, False, True)
    with pytest.raises(AppError, match="version_: There is no version 'v9'"):
        client.predict(version_="v9", api_name="/switch_version")
    assert client.predict(version_="v2", api_name="/switch_version")[0].endswith("s2G2333k.pth")


def test_sync_gives_back_the_text(client: Client) -> None:
    assert client.predict(text="a b 中", api_name="/sync") == "a b 中"


def test_choices_are_the_weights_that_are_there(client: Client) -> None:
    sovits, gpt = client.predict(api_name="/change_choices")
    assert "pretrained_models/gsv-v2final-pretrained/s2G2333k.pth" in sovits
    assert any(name.endswith(".ckpt") for name in gpt)


@pytest.mark.parametrize("job", ["asr", "slice", "denoise"])
def test_closing_what_does_not_run_says_so(client: Client, job: str) -> None:
    assert client.predict(api_name=f"/close_{job}").endswith("is not running.")


def test_slicing_streams_its_status_and_ends_with_folders(client: Client, server: Server) -> None:
    folder = server.home / "cut"
    answers = list(
        client.submit(
            inp=str(SAMPLE / "clips"), opt_root=str(folder), min_length="500", n_parts=1, api_name="/open_slice"
        )
    )
    assert len(answers) > 1
    status, *folders = answers[-1]
    assert "Slicing is done" in status
    assert folders == [str(folder)] * 3
    assert list(folder.glob("*.wav"))


OPENED: dict[str, dict[str, Any]] = {
    "1a": {"inp_text": str(SAMPLE / "sample.list"), "inp_wav_dir": str(SAMPLE / "clips"), "exp_name": "closed"},
    "1b": {"inp_text": str(SAMPLE / "sample.list"), "inp_wav_dir": str(SAMPLE / "clips"), "exp_name": "closed"},
    # With GPUs that differ, one job follows another.
    "1abc": {
        "inp_text": str(SAMPLE / "sample.list"),
        "inp_wav_dir": str(SAMPLE / "clips"),
        "exp_name": "closed",
        "gpu_numbers1Ba": "0",
    },
    "_slice": {"inp": str(SAMPLE / "clips"), "opt_root": "output/closed", "n_parts": 1},
    "_denoise": {"denoise_inp_dir": str(SAMPLE / "clips"), "denoise_opt_dir": "output/clean"},
    "_asr": {"asr_inp_dir": str(SAMPLE / "clips"), "asr_model": "pocketsphinx", "asr_lang": "en"},
    "1c": {"inp_text": str(SAMPLE / "sample.list"), "exp_name": "prepared"},
    "1Ba": {"exp_name": "prepared"},
    "1Bb": {"exp_name": "prepared", "batch_size": 2},
}


@pytest.fixture(scope="session")
def prepared(client: Client) -> None:
    """The experiment that stages 1c, 1Ba and 1Bb work on."""
    lines = {"inp_text": str(SAMPLE / "sample.list"), "inp_wav_dir": str(SAMPLE / "clips")}
    client.predict(**lines, exp_name="prepared", api_name="/open1abc")


@pytest.mark.parametrize("job", OPENED)
@pytest.mark.usefixtures("prepared")
def test_a_job_is_closed_in_the_middle_and_occupied_until_then(client: Client, job: str) -> None:
    name = f"/open{job}"
    running = client.submit(**OPENED[job], api_name=name)
    _until(lambda: bool(running.outputs()))
    again = client.submit(**OPENED[job], api_name=name)
    again.result(timeout=120)
    (answer,) = again.outputs()
    assert "occupied" in (answer if isinstance(answer, str) else answer[0])
    assert client.predict(api_name=f"/close{job}").endswith("was stopped.")
    last = running.result(timeout=120)
    assert (last if isinstance(last, str) else last[0]).endswith("was stopped.")


@pytest.mark.usefixtures("prepared")
def test_v3_is_trained_by_lora(client: Client, server: Server, narrow_projects: Callable[[str], Project]) -> None:
    base = Project(server.home).base(version_named("v3")).generator
    client.predict(version_="v3", api_name="/switch_version")
    given = {"exp_name": "prepared", "batch_size": 12, "total_epoch": 1, "lora_rank": "64", "api_name": "/open1Ba"}
    try:
        with pytest.raises(AppError, match=r"^pretrained_s2G: .*s2Gv3\.pth.*gsv download v3"):
            client.predict(**given)
        base.symlink_to(narrow_projects("v3").base(version_named("v3")).generator)
        client.predict(**given, if_grad_ckpt=True)
        (voice,) = (server.home / "SoVITS_weights_v3").iterdir()
        assert voice.name.startswith("prepared_e1_s") and voice.name.endswith("_l64.pth")
        assert f"SoVITS_weights_v3/{voice.name}" in client.predict(api_name="/change_choices")[0]
    finally:
        base.unlink(missing_ok=True)
        shutil.rmtree(server.home / "SoVITS_weights_v3", ignore_errors=True)
        client.predict(version_="v2", api_name="/switch_version")


def test_weights_that_are_not_there_are_named_with_what_gets_them(client: Client, server: Server) -> None:
    client.predict(version_="v1", api_name="/switch_version")
    try:
        with pytest.raises(AppError, match=r"^pretrained_s2G_path: .*s2G488k\.pth.*gsv download v1"):
            client.predict(inp_text=str(SAMPLE / "sample.list"), exp_name="v1", api_name="/open1c")
    finally:
        client.predict(version_="v2", api_name="/switch_version")


def _until(holds: Callable[[], bool], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
