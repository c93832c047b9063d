"""FunASR: Paraformer with pauses and punctuation for Mandarin, UniASR for Cantonese, SenseVoice, Fun-ASR-Nano.

Only folders on disk are loaded, and nothing in them is run: FunASR reads their weights with torch's restricted
unpickler (the default of every torch that gsv runs on), code beside the weights stays unread, and a configuration may
name none but the network that belongs there.
"""

import contextlib
import io
import logging
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from gsv.audio.io import Samples
from gsv.checkpoints import read_content
from gsv.dataset.transcription.recogniser import Choice, Heard, Recogniser, one_line
from gsv.errors import CheckpointError


@dataclass(frozen=True)
class _Part:
    """A folder, the networks that belong into it, and what to set otherwise than its configuration does."""

    folder: Path
    networks: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def weights(self) -> Path:
        """Under the name that hubs give it now, or the one that they gave it."""
        earlier = self.folder / "model.pb"
        return earlier if earlier.is_file() else self.folder / "model.pt"

    def checked(self) -> Mapping[str, Tensor]:
        """The weights in the folder, once its configuration is seen to name the right network."""
        path = self.folder / "config.yaml"
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise CheckpointError(f"{path} cannot be read ({error}); get the model again.") from error
        network = config.get("model") if isinstance(config, dict) else None
        if network not in self.networks:
            wanted = " or ".join(self.networks)
            raise CheckpointError(f"{path} names the network {network!r}, where {wanted} belongs; get the model again.")
        if (config.get("audio_encoder_conf") or {}).get("hub"):
            raise CheckpointError(f"{path} asks for an encoder to be downloaded, which gsv does not do.")
        content: Any = read_content(self.weights)
        for wrapper in ("state_dict", "model_state_dict", "model"):
            content = content.get(wrapper, content)
        return {name.removeprefix("module."): value for name, value in content.items() if isinstance(value, Tensor)}

    def check_complete(self, network: nn.Module, stored: Mapping[str, Tensor]) -> None:
        """FunASR leaves parameters that a file lacks, or has in other shapes, at random values: here it is an error."""
        for name, parameter in network.named_parameters():
            if name not in stored or stored[name].shape != parameter.shape:
                raise CheckpointError(
                    f"{self.weights} has no {name} of the shape {tuple(parameter.shape)} that its configuration asks "
                    "for; get the model again."
                )


_PARAFORMERS = ("Paraformer", "BiCifParaformer", "SeacoParaformer", "ContextualParaformer")
_PAUSES = ("FsmnVADStreaming",)
_PUNCTUATION = ("CTTransformer", "CTTransformerStreaming")

# How Fun-ASR-Nano is asked for a language.
_NANO_LANGUAGES = {"zh": "中文", "en": "英文", "ja": "日文"}

_TAG = re.compile(r"<\|([^|]*)\|>")


def load_damo(folders: tuple[Path, ...], choice: Choice, device: torch.device) -> Recogniser:
    """Mandarin from the folders of recogniser, pauses and punctuation; Cantonese from one folder."""
    if choice.language == "yue":
        model = _loaded(device, _Part(folders[0], ("UniASR",)))
    else:
        recogniser, pauses, punctuation = folders
        model = _loaded(
            device, _Part(recogniser, _PARAFORMERS), _Part(pauses, _PAUSES), _Part(punctuation, _PUNCTUATION)
        )
    return lambda wave: Heard(one_line(_text(model.generate(input=wave))), choice.language)


def load_sense_voice(folders: tuple[Path, ...], choice: Choice, device: torch.device) -> Recogniser:
    """Five languages from the folders of recogniser and pauses; it says which one it heard."""
    recogniser, pauses = folders
    model = _loaded(device, _Part(recogniser, ("SenseVoiceSmall",)), _Part(pauses, _PAUSES))

    def recognise(wave: Samples) -> Heard:
        tagged = _text(model.generate(input=wave, language=choice.language, use_itn=True))
        tags = _TAG.findall(tagged)
        language = choice.language if choice.language != "auto" or not tags else tags[0]
        return Heard(one_line(_TAG.sub("", tagged)), language)

    return recognise


def load_nano(folders: tuple[Path, ...], choice: Choice, device: torch.device) -> Recogniser:
    """Three languages from the folders of recogniser and pauses."""
    recogniser, pauses = folders
    # Its second decoder gives times only, for which it would need torchaudio; and not all published files have it.
    model = _loaded(device, _Part(recogniser, ("FunASRNano",), {"ctc_decoder": None}), _Part(pauses, _PAUSES))
    language = _NANO_LANGUAGES[choice.language]
    return lambda wave: Heard(one_line(_text(model.generate(input=wave, language=language))), choice.language)


def _text(results: list[dict[str, Any]]) -> str:
    """The text of one clip's results, without signs that the model does not know; empty where nothing was heard."""
    return str(results[0]["text"]).replace("<unk>", "") if results else ""


def _loaded(
    device: torch.device, recogniser: _Part, pauses: _Part | None = None, punctuation: _Part | None = None
) -> Any:
    """FunASR's model of these folders; CheckpointError for a folder that is not what belongs there."""
    every = {"": recogniser, "vad_": pauses, "punc_": punctuation}
    parts = {prefix: part for prefix, part in every.items() if part is not None}
    stored = {prefix: part.checked() for prefix, part in parts.items()}
    # All is spelt out, because what is not here could stand in a configuration.
    safe = {"trust_remote_code": False, "disable_update": True, "disable_pbar": True, "log_level": "ERROR"}
    settings: dict[str, Any] = {"vad_model": None, "punc_model": None, "spk_model": None} | safe
    for prefix, part in parts.items():
        # Without the noise that is otherwise added, a clip says the same every time.
        own = safe | {"init_param": str(part.weights), "frontend_conf": {"dither": 0.0}} | dict(part.settings)
        settings |= {f"{prefix}model": str(part.folder)} | ({f"{prefix}kwargs": own} if prefix else own)
    auto_model = _auto_model()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            model = auto_model(**settings, device=_name(device), ncpu=torch.get_num_threads())
    except Exception as error:  # A wrong configuration can end in nearly any built-in error.
        folders = ", ".join(str(part.folder) for part in parts.values())
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise CheckpointError(f"FunASR cannot load what is in {folders} ({reason}); get the models again.") from error
    networks = {"": model.model, "vad_": model.vad_model, "punc_": model.punc_model}
    for prefix, part in parts.items():
        part.check_complete(networks[prefix], stored[prefix])
    return model


def _auto_model() -> Any:
    """FunASR's loader, imported so that it can neither download nor trip over torchaudio.

    FunASR takes torchaudio for its filter banks where it finds one, but the one that PyPI has for Linux cannot be
    imported beside a torch for CPUs; kaldi-native-fbank computes the same. For the life of a worker process.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.modules["torchaudio"] = None  # type: ignore[assignment]
    with contextlib.redirect_stdout(io.StringIO()):  # It talks about ffmpeg, which is not needed for samples.
        from funasr import AutoModel
    # It logs its steps through the root logger; the filter meets what is said there directly, not what comes up to it.
    root = logging.getLogger()
    if _is_serious not in root.filters:
        root.addFilter(_is_serious)
    return AutoModel


def _is_serious(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _name(device: torch.device) -> str:
    return f"cuda:{device.index or 0}" if device.type == "cuda" else "cpu"
