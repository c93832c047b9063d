"""Whisper through faster-whisper, with models in the format of CTranslate2, which holds numbers and no code."""

from pathlib import Path

import torch

from gsv.audio.io import Samples
from gsv.dataset.transcription.recogniser import Choice, Heard, Recogniser, one_line
from gsv.errors import CheckpointError, InputError

# Pauses of this length and more are not listened to.
_SILENCE_MS = 700
_BEAMS = 5


def load(folders: tuple[Path, ...], choice: Choice, device: torch.device) -> Recogniser:
    """The recogniser from the one folder.

    Raises CheckpointError for a folder that holds no such model, and InputError for a precision that the device cannot
    compute in or a language that the model does not know.
    """
    from ctranslate2 import get_cuda_device_count, get_supported_compute_types
    from faster_whisper import WhisperModel

    (folder,) = folders
    kind = "cuda" if device.type == "cuda" and get_cuda_device_count() else "cpu"
    index = device.index or 0 if kind == "cuda" else 0
    possible = get_supported_compute_types(kind, index)
    if choice.precision not in possible:
        usable = ", ".join(name for name in ("float32", "float16", "int8") if name in possible)
        raise InputError(f"asr_precision: this {kind} cannot compute in {choice.precision}; choose one of {usable}.")
    try:
        model = WhisperModel(
            str(folder),
            device=kind,
            device_index=index,
            compute_type=choice.precision,
            cpu_threads=torch.get_num_threads(),
            local_files_only=True,
        )
    except Exception as error:  # Of CTranslate2, tokenizers and json, whose errors share no base.
        raise CheckpointError(f"{folder} holds no Whisper model that can be loaded ({error}); get it again.") from error
    _check_language(model, choice)

    def recognise(wave: Samples) -> Heard:
        segments, info = model.transcribe(
            wave,
            language=None if choice.language == "auto" else choice.language,
            beam_size=_BEAMS,
            vad_filter=True,
            vad_parameters={"min_silence_duration_ms": _SILENCE_MS},
        )
        return Heard(one_line("".join(segment.text for segment in segments)), info.language)

    return recognise


def _check_language(model: "WhisperModel", choice: Choice) -> None:  # type: ignore[name-defined]  # noqa: F821
    if choice.language == "auto":
        return
    if not model.model.is_multilingual and choice.language != "en":
        raise InputError(
            f"asr_lang: the size {choice.size} knows English alone, not {choice.language}; choose a size without .en."
        )
    if model.model.is_multilingual and model.hf_tokenizer.token_to_id(f"<|{choice.language}|>") is None:
        raise InputError(
            f"asr_lang: the size {choice.size} does not know {choice.language}; large-v3 and large-v3-turbo do."
        )
