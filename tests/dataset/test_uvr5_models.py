"""Separation models on disk: found by name, told by content, and never able to run anything."""

import hashlib
import json
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

from gsv.dataset.uvr5_models import model_file, model_files, read_model
from gsv.errors import CheckpointError, GsvError, InputError, MissingWeightsError, UnsafeCheckpointError
from gsv.paths import Project

ROFORMER_YAML = """
audio: {chunk_size: 88200}
model: {dim: 8, stft_hop_length: 441, freqs_per_bands: !!python/tuple [2, 4, 1019]}
training: {instruments: [vocals, other], target_instrument: null}
inference: {num_overlap: 2}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "pretrained_models" / "uvr5_weights").mkdir(parents=True)
    return Project(tmp_path)


def weights(project: Project) -> Path:
    return project.pretrained / "uvr5_weights"


def older_vr(width: int = 32, extra: tuple[str, ...] = ()) -> dict[str, torch.Tensor]:
    names = ("stg1_low_band_net.enc1.conv1.conv.0.weight", "out.weight", *extra)
    return OrderedDict((name, torch.zeros(width, 2, 3, 3)) for name in names)


def newer_vr(nout: int, nout_lstm: int) -> dict[str, torch.Tensor]:
    return {
        "stg1_low_band_net.0.enc1.conv.0.weight": torch.zeros(nout // 2, 2, 3, 3),
        "stg3_full_band_net.lstm_dec2.lstm.weight_ih_l0": torch.zeros(nout_lstm // 2 * 4, 336),
        "out.weight": torch.zeros(2, nout, 1, 1),
    }


def roformer() -> dict[str, torch.Tensor]:
    return {"band_split.to_features.0.0.gamma": torch.zeros(4)}


class Payload:
    """What an attacker pickles: reading it with Python's own unpickler runs a program."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.marker}'",)


def test_models_of_both_folders_are_found_by_name(project: Project) -> None:
    original = project.root / "tools" / "uvr5" / "uvr5_weights"
    (original / "onnx_dereverb_By_FoxJoy").mkdir(parents=True)
    (original / "onnx_dereverb_By_FoxJoy" / "vocals.onnx").touch()
    (original / "HP2_all_vocals.pth").touch()
    for name in ("HP2_all_vocals.pth", "kim_mel_band_roformer.ckpt", "kim_mel_band_roformer.yaml", "Kim_Vocal_2.onnx"):
        (weights(project) / name).touch()
    files = model_files(project)
    assert set(files) == {"HP2_all_vocals", "kim_mel_band_roformer", "Kim_Vocal_2", "onnx_dereverb_By_FoxJoy"}
    assert files["HP2_all_vocals"].parent == weights(project)
    assert model_file("HP2_all_vocals.pth", project) == model_file("HP2_all_vocals", project)
    assert model_file(str(weights(project) / "Kim_Vocal_2.onnx"), project)[1] == weights(project) / "Kim_Vocal_2.onnx"


def test_a_model_that_is_not_there_is_answered_with_what_is_and_where_to_get_more(project: Project) -> None:
    with pytest.raises(MissingWeightsError, match=r"HP5.*there is none.*gsv download uvr5"):
        read_model("HP5_only_main_vocal", project, 10)
    (weights(project) / "HP2_all_vocals.pth").touch()
    with pytest.raises(MissingWeightsError, match="there are HP2_all_vocals"):
        read_model("HP5_only_main_vocal", project, 10)


# The official files hold half-precision weights, whose size is that of a narrower network: names and shapes decide.
@pytest.mark.parametrize(
    ("weight", "layout"),
    [
        (older_vr(16), {"size": 31191}),
        (older_vr(16, ("stg1_low_band_net.aspp.conv7.conv.0.weight",)), {"size": 33966}),
        (older_vr(16, ("stg1_low_band_net.enc5.conv1.conv.0.weight",)), {"size": 129605}),
        (older_vr(32), {"size": 123821}),
        (older_vr(64, ("stg1_low_band_net.aspp.conv7.conv.0.weight",)), {"size": 537238}),
        (newer_vr(48, 128), {"nout": 48, "nout_lstm": 128}),
        (newer_vr(64, 128), {"nout": 64, "nout_lstm": 128}),
    ],
)
def test_the_layout_of_a_vr_network_is_read_from_its_tensors(
    project: Project, weight: dict[str, torch.Tensor], layout: dict[str, int]
) -> None:
    torch.save({name: tensor.half() for name, tensor in weight.items()}, weights(project) / "HP5_only_main_vocal.pth")
    model = read_model("HP5_only_main_vocal", project, 7)
    assert model.family == "vr"
    assert layout.items() <= model.settings.items()
    assert model.settings["aggression"] == 7


@pytest.mark.parametrize(
    ("name", "bands", "voice_is_target"),
    [
        ("HP2_all_vocals", "4band_v2", False),
        ("HP3_all_vocals", "4band_v2", True),
        ("HP5_only_main_vocal", "4band_v2", False),
        ("HP5-主旋律人声vocals+其他instrumentals", "4band_v2", False),
        ("VR-DeEchoAggressive", "4band_v3", True),
        ("VR-DeEchoDeReverb", "4band_v3", True),
    ],
)
def test_the_models_that_gpt_sovits_offers_need_no_settings(
    project: Project, name: str, bands: str, voice_is_target: bool
) -> None:
    torch.save(older_vr(), weights(project) / f"{name}.pth")
    model = read_model(name, project, 10)
    assert model.settings["vr_model_param"] == bands
    assert model.voice_is_target is voice_is_target


def test_other_models_take_their_settings_from_beside_them_or_from_uvrs_tables(project: Project) -> None:
    path = weights(project) / "mine.pth"
    torch.save(older_vr(), path)
    with pytest.raises(InputError, match=r"mine\.json, with vr_model_param, primary_stem"):
        read_model("mine", project, 10)
    digest = hashlib.md5(path.read_bytes()).hexdigest()
    table = {digest: {"vr_model_param": "3band_44100", "primary_stem": "Vocals"}}
    (weights(project) / "vr_model_data.json").write_text(json.dumps(table))
    model = read_model("mine", project, 10)
    assert (model.settings["vr_model_param"], model.voice_is_target) == ("3band_44100", True)
    beside = path.with_suffix(".json")
    beside.write_text(json.dumps({"vr_model_param": "4band_44100", "primary_stem": "No Vocals"}))
    model = read_model("mine", project, 10)
    assert (model.settings["vr_model_param"], model.voice_is_target) == ("4band_44100", False)
    beside.write_text(json.dumps({"vr_model_param": "../../secret", "primary_stem": "Vocals"}))
    with pytest.raises(InputError, match="no band layout"):
        read_model("mine", project, 10)
    beside.write_text("{")
    with pytest.raises(InputError, match=r"mine\.json cannot be read as settings"):
        read_model("mine", project, 10)
    beside.write_text('{"primary_stem": "Vocals"}')
    with pytest.raises(InputError, match="lack vr_model_param"):
        read_model("mine", project, 10)


def test_a_roformer_needs_its_settings_and_they_are_data_alone(project: Project, tmp_path: Path) -> None:
    path = weights(project) / "some_roformer.ckpt"
    torch.save({"state_dict": roformer(), "epoch": 3}, path)
    with pytest.raises(InputError, match=r"put some_roformer\.yaml"):
        read_model("some_roformer", project, 10)
    settings = path.with_suffix(".yaml")
    settings.write_text(ROFORMER_YAML)
    model = read_model("some_roformer", project, 10)
    assert (model.family, model.settings["stem"], model.voice_is_target) == ("roformer", "vocals", True)
    assert model.settings["model"]["freqs_per_bands"] == [2, 4, 1019]
    # The length of a stretch, which programs state in two ways.
    assert model.settings["inference"]["dim_t"] == 201
    settings.write_text(ROFORMER_YAML.replace("null", "other"))
    assert not read_model("some_roformer", project, 10).voice_is_target
    for wrong, reason in (
        (ROFORMER_YAML.replace("freqs_per_bands", "bands"), "either freqs_per_bands"),
        (ROFORMER_YAML.replace("[vocals, other]", "[]"), "training.instruments"),
        (ROFORMER_YAML.replace("chunk_size", "size"), "how long a stretch is"),
        ("- 1", "lacks a section"),
        ("a: [", "cannot be read as settings in YAML"),
    ):
        settings.write_text(wrong)
        with pytest.raises(InputError, match=reason):
            read_model("some_roformer", project, 10)
    marker = tmp_path / "ran"
    settings.write_text(f"model: !!python/object/apply:os.system ['touch {marker}']\ntraining: {{}}\n")
    with pytest.raises(InputError, match="cannot be read as settings in YAML"):
        read_model("some_roformer", project, 10)
    assert not marker.exists()


def exploits(marker: Path) -> dict[str, Any]:
    return {
        "bare": Payload(marker),
        "beside weights": {**older_vr(), "state": Payload(marker)},
        "in a wrapper": {"state_dict": {**roformer(), "x": Payload(marker)}},
        "as a key's value": {"model": roformer(), "hyper_parameters": [Payload(marker)]},
    }


# CVE-2025-49837, -49838 (VR) and -49839 (Roformer): a weight file of the original's separation page could run programs.
@pytest.mark.parametrize("kind", ["bare", "beside weights", "in a wrapper", "as a key's value"])
@pytest.mark.parametrize("name", ["HP5_only_main_vocal.pth", "VR-DeEchoNormal.pth", "bs_roformer.ckpt"])
@pytest.mark.parametrize("writer", ["zip", "legacy", "pickle"])
def test_a_weight_file_runs_nothing(project: Project, tmp_path: Path, kind: str, name: str, writer: str) -> None:
    marker = tmp_path / "ran"
    path = weights(project) / name
    path.with_suffix(".yaml").write_text(ROFORMER_YAML)
    content = exploits(marker)[kind]
    if writer == "pickle":
        path.write_bytes(pickle.dumps(content, 2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=writer == "zip")
    with pytest.raises(UnsafeCheckpointError, match=r"asks for code to be run \(.*system"):
        read_model(path.name, project, 10)
    assert not marker.exists()
    # The file is a real exploit: the loader that the original used runs it.
    try:
        torch.load(path, weights_only=False)
    except Exception:
        pickle.loads(path.read_bytes())
    assert marker.exists()


def test_a_damaged_file_and_one_of_another_kind_are_named(project: Project) -> None:
    path = weights(project) / "HP5_only_main_vocal.pth"
    torch.save(older_vr(), path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CheckpointError, match="damaged"):
        read_model("HP5_only_main_vocal", project, 10)
    path.write_bytes(b"RIFF not a model")
    with pytest.raises(CheckpointError, match="damaged or is not a weight file"):
        read_model("HP5_only_main_vocal", project, 10)
    torch.save({"bert.embeddings": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="of another kind"):
        read_model("HP5_only_main_vocal", project, 10)
    torch.save(older_vr(17), path)
    with pytest.raises(CheckpointError, match="layout that is not known"):
        read_model("HP5_only_main_vocal", project, 10)


def test_mdx_models_are_known_by_name_or_by_their_settings(project: Project) -> None:
    folder = weights(project) / "onnx_dereverb_By_FoxJoy"
    folder.mkdir()
    (folder / "vocals.onnx").write_bytes(b"x")
    model = read_model("onnx_dereverb_By_FoxJoy", project, 10)
    assert (model.family, model.voice_is_target) == ("mdx", False)
    assert model.settings["mdx_n_fft_scale_set"] == 6144
    (weights(project) / "Kim_Vocal_2.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"Kim_Vocal_2\.json, with compensate"):
        read_model("Kim_Vocal_2", project, 10)
    settings = {"compensate": 1.009, "mdx_dim_f_set": 3072, "mdx_dim_t_set": 8, "mdx_n_fft_scale_set": 7680}
    (weights(project) / "Kim_Vocal_2.json").write_text(json.dumps({**settings, "primary_stem": "Vocals"}))
    assert read_model("Kim_Vocal_2", project, 10).voice_is_target


def test_every_refusal_is_one_of_gsvs_own_errors(project: Project) -> None:
    for name in ("", "..", "../..", "a\0b", str(project.root)):
        with pytest.raises(GsvError):
            read_model(name, project, 10)
