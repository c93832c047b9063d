"""Separation models on disk: what they are called, what they are made of, and the settings they were trained with.

Three families, told by content and not by name:

VR        `.pth`: a mask over the magnitudes of a spectrum in several bands. Settings are UVR's: `vr_model_param`, a
          band layout, and `primary_stem`, what the mask is of.
MDX       `.onnx`, or a folder with `vocals.onnx`. Settings are UVR's: `compensate`, `mdx_dim_f_set`, `mdx_dim_t_set`,
          `mdx_n_fft_scale_set`, `primary_stem`.
Roformer  `.ckpt` or `.pth` with a `.yaml` of the same name: BS-Roformer and Mel-Band Roformer.

UVR's settings come from `NAME.json` beside the model, from UVR's tables of all models (`vr_model_data.json` and
`mdx_model_data.json` in the same folder, by the file's hash), or are known here for the models that GPT-SoVITS offers.

Weight files are read with gsv's own reader, which runs nothing in them, before the separation process sees them. Their
settings are read as data alone.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from gsv.checkpoints import Weight, read_network
from gsv.errors import CheckpointError, InputError, MissingWeightsError
from gsv.paths import Project

Family = Literal["vr", "mdx", "roformer"]
Settings = dict[str, Any]

_FOLDERS = ("pretrained_models/uvr5_weights", "tools/uvr5/uvr5_weights")
_SUFFIXES = (".pth", ".ckpt", ".onnx")
_ONNX_IN_FOLDER = "vocals.onnx"
# UVR's hash of a model is that of so many bytes at its end.
_HASHED_BYTES = 10000 * 1024
_VOICES = {"vocals", "vocal", "voice", "speech", "lead vocals", "dry", "noreverb", "noecho", "clean"}

# What UVR's tables say about the models that GPT-SoVITS offers, by what their names hold.
_KNOWN: dict[str, Settings] = {
    r"^HP[25][_-]": {"vr_model_param": "4band_v2", "primary_stem": "Instrumental"},
    r"^HP3[_-]": {"vr_model_param": "4band_v2", "primary_stem": "Vocals"},
    r"De-?Echo": {"vr_model_param": "4band_v3", "primary_stem": "No Echo"},
    r"dereverb_By_FoxJoy": {
        "compensate": 1.0,
        "mdx_dim_f_set": 3072,
        "mdx_dim_t_set": 9,
        "mdx_n_fft_scale_set": 6144,
        "primary_stem": "Reverb",
        "denoise": True,
    },
}
_WANTED: dict[Family, tuple[str, ...]] = {
    "vr": ("vr_model_param", "primary_stem"),
    "mdx": ("compensate", "mdx_dim_f_set", "mdx_dim_t_set", "mdx_n_fft_scale_set", "primary_stem"),
    "roformer": ("model", "training"),
}
# The layouts of the older VR networks, as the library numbers them, by their narrowest width and whether the part
# between encoder and decoder has a seventh branch. (The library goes by the file's size, which is that of another
# layout for files in half precision, as those that GPT-SoVITS offers are.)
_VR_SIZES = {(16, False): 31191, (16, True): 33966, (32, False): 123821, (64, True): 537238}
_VR_DEEPER = 129605


@dataclass(frozen=True)
class SeparationModel:
    """A model, checked and ready to be handed to the separation process.

    `voice_is_target`: whether what the network finds is the voice, or else what is to be taken away.
    """

    name: str
    path: Path
    family: Family
    settings: Settings
    voice_is_target: bool


def model_files(project: Project) -> dict[str, Path]:
    """The separation models of the project by name, of both folders that they may lie in. Reads no file."""
    found: dict[str, Path] = {}
    for folder in _FOLDERS:
        place = project.root / folder
        if place.is_dir():
            for path in sorted(place.iterdir()):
                if path.suffix in _SUFFIXES and path.is_file():
                    found.setdefault(path.stem, path)
                elif (path / _ONNX_IN_FOLDER).is_file():
                    found.setdefault(path.name, path / _ONNX_IN_FOLDER)
    return found


def model_file(name: str, project: Project) -> tuple[str, Path]:
    """Name and file of a model that is given by its name, with or without suffix, or by its path.

    Raises MissingWeightsError, which says what there is and how to get more, if it is not there.
    """
    files = model_files(project)
    for known in (name, Path(name).stem):
        if known in files:
            return known, files[known]
    path = project.resolve(name)
    if path.is_file():
        return path.stem, path
    there = f"there are {', '.join(files)}" if files else "there is none"
    raise MissingWeightsError(
        f"There is no separation model {name} in {project.root / _FOLDERS[0]} ({there}); put it there, or get the "
        "usual ones with: gsv download uvr5"
    )


def read_model(name: str, project: Project, aggression: int) -> SeparationModel:
    """Checks a model and finds its settings. `aggression` is for VR models.

    Raises MissingWeightsError, UnsafeCheckpointError for a file that would run code, CheckpointError for one that is
    damaged or of another kind, InputError where settings are missing or wrong.
    """
    name, path = model_file(name, project)
    if path.suffix == ".onnx":
        # Plain data; the runtime that reads it checks it.
        settings = _uvr_settings("mdx", name, path)
        return SeparationModel(name, path, "mdx", settings, _is_voice(settings["primary_stem"]))
    weight = read_network(path)
    if "out.weight" in weight and any(tensor.startswith("stg1_low_band_net.") for tensor in weight):
        settings = {**_uvr_settings("vr", name, path), **_vr_layout(weight, path), "aggression": aggression}
        if not re.fullmatch(r"[A-Za-z0-9_]+", str(settings["vr_model_param"])):
            raise InputError(f"{path.name}: its vr_model_param {settings['vr_model_param']!r} is no band layout.")
        return SeparationModel(name, path, "vr", settings, _is_voice(settings["primary_stem"]))
    if any(tensor.startswith("band_split.") for tensor in weight):
        settings = _roformer_settings(path)
        return SeparationModel(name, path, "roformer", settings, _is_voice(settings["stem"]))
    raise CheckpointError(
        f"{path} is a weight file of another kind; VR, Roformer and MDX (.onnx) models can be used for separation."
    )


def _uvr_settings(family: Family, name: str, path: Path) -> Settings:
    for settings in _uvr_candidates(family, name, path):
        missing = [key for key in _WANTED[family] if key not in settings]
        if missing:
            raise InputError(f"The settings of {path} lack {', '.join(missing)}; take them from UVR's table of models.")
        return settings
    beside = path.with_suffix(".json") if path.name != _ONNX_IN_FOLDER else path.parent.with_suffix(".json")
    raise InputError(
        f"The settings of {path} are not known; write {beside}, with {', '.join(_WANTED[family])} as UVR's table of "
        f"models has them, or put that table into the folder as {family}_model_data.json."
    )


def _uvr_candidates(family: Family, name: str, path: Path) -> Iterator[Settings]:
    folder = path.parent.parent if path.name == _ONNX_IN_FOLDER else path.parent
    beside = folder / f"{name}.json"
    if beside.is_file():
        yield _json(beside)
    table = folder / f"{family}_model_data.json"
    if table.is_file():
        settings = _json(table).get(_hash(path))
        if isinstance(settings, dict):
            yield settings
    for pattern, settings in _KNOWN.items():
        if re.search(pattern, name, re.IGNORECASE) and set(_WANTED[family]) <= settings.keys():
            yield settings


def _vr_layout(weight: Weight, path: Path) -> Settings:
    """Which network the tensors are of."""
    lstm = weight.get("stg3_full_band_net.lstm_dec2.lstm.weight_ih_l0")
    if lstm is not None:
        # Of four gates in each of two directions.
        return {"nout": weight["out.weight"].shape[1], "nout_lstm": lstm.shape[0] // 4 * 2}
    first = weight.get("stg1_low_band_net.enc1.conv1.conv.0.weight")
    width = 0 if first is None else len(first)
    branches = any(".aspp.conv7." in tensor for tensor in weight)
    if width == 16 and any(".enc5." in tensor for tensor in weight):
        return {"size": _VR_DEEPER}
    if (width, branches) not in _VR_SIZES:
        raise CheckpointError(f"{path} is a VR network of a layout that is not known (width {width}).")
    return {"size": _VR_SIZES[width, branches]}


def _roformer_settings(path: Path) -> Settings:
    beside = path.with_suffix(".yaml")
    if not beside.is_file():
        raise InputError(
            f"{path.name} is a Roformer and needs its settings: put {beside.name}, which is offered with it, into "
            f"{path.parent}."
        )
    try:
        settings = yaml.load(beside.read_text(encoding="utf-8"), _DataLoader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{beside} cannot be read as settings in YAML: {reason}") from error
    if not isinstance(settings, dict) or not all(isinstance(settings.get(key), dict) for key in _WANTED["roformer"]):
        raise InputError(f"{beside} lacks a section {' or '.join(_WANTED['roformer'])}; take the one of this model.")
    model, training = settings["model"], settings["training"]
    if ("freqs_per_bands" in model) == ("num_bands" in model):
        raise InputError(f"{beside}: a Roformer has either freqs_per_bands (BS) or num_bands (Mel-Band).")
    instruments = [str(stem) for stem in training.get("instruments") or []]
    target = training.get("target_instrument")
    if not instruments:
        raise InputError(f"{beside}: training.instruments, the parts that the model finds, is missing.")
    stem = str(target) if target else next((stem for stem in instruments if _is_voice(stem)), instruments[0])
    inference = dict(settings.get("inference") or {})
    if "dim_t" not in inference:
        # The frames of a stretch, which some programs' settings state in samples.
        chunk = (settings.get("audio") or {}).get("chunk_size")
        hop = model.get("stft_hop_length")
        if not (isinstance(chunk, int) and isinstance(hop, int) and hop > 0):
            raise InputError(f"{beside}: neither inference.dim_t nor audio.chunk_size says how long a stretch is.")
        inference["dim_t"] = chunk // hop + 1
    training = {**training, "instruments": instruments, "target_instrument": target}
    return {"model": model, "training": training, "inference": inference, "stem": stem, "is_roformer": True}


class _DataLoader(yaml.SafeLoader):
    """Plain data, and the tuples that these files mark as Python's."""


def _tuple(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_DataLoader.add_constructor("tag:yaml.org,2002:python/tuple", _tuple)


def _is_voice(stem: object) -> bool:
    name = str(stem).lower()
    for negation in ("no ", "no_"):
        if name.startswith(negation):
            return not _is_voice(name.removeprefix(negation))
    return name in _VOICES


def _json(path: Path) -> Settings:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as settings in JSON: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no settings by name; take UVR's.")
    return content


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _HASHED_BYTES))
        return hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
