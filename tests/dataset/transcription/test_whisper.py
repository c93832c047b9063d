"""Whisper models of the true format through the true loader; only what they say was laid down beforehand."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv.audio.io import Samples, load
from gsv.dataset.transcription.models import whisper_folder
from gsv.dataset.transcription.recogniser import RATE, Choice, Heard
from gsv.dataset.transcription.whisper import load as load_whisper
from gsv.errors import CheckpointError, InputError
from gsv.paths import Project

from . import tiny_whisper
from .conftest import SAID, SAMPLE

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def speech() -> Samples:
    return load(sorted(SAMPLE.iterdir())[0], RATE)


def folder_of(project: Project, size: str) -> tuple[Path, ...]:
    return (whisper_folder(size).require(project),)


def test_the_language_is_detected(whisper: Project, speech: Samples) -> None:
    recognise = load_whisper(folder_of(whisper, "large"), Choice("auto", "large", "float32"), CPU)
    assert recognise(speech) == Heard("こんにちは。", "ja")


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_chosen_language_is_taken(whisper: Project, speech: Samples, precision: str) -> None:
    recognise = load_whisper(folder_of(whisper, "large-v3"), Choice("yue", "large-v3", precision), CPU)
    assert recognise(speech) == Heard("こんにちは。", "yue")


def test_no_speech_is_no_text(whisper: Project) -> None:
    recognise = load_whisper(folder_of(whisper, "tiny"), Choice("auto", "tiny", "float32"), CPU)
    noise = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    assert recognise(noise).text == recognise(np.zeros(2 * RATE, np.float32)).text == ""


def test_a_model_for_english_alone_takes_no_other_language(tmp_path: Path, speech: Samples) -> None:
    folder = tiny_whisper.write(tmp_path / "faster-whisper-tiny.en", "en", SAID, languages=0)
    assert load_whisper((folder,), Choice("auto", "tiny.en", "float32"), CPU)(speech) == Heard("Hello world.", "en")
    with pytest.raises(InputError, match=r"asr_lang: the size tiny\.en knows English alone, not zh"):
        load_whisper((folder,), Choice("zh", "tiny.en", "float32"), CPU)


def test_a_folder_without_a_tokenizer_counts_as_missing(whisper: Project, tmp_path: Path) -> None:
    (source,) = folder_of(whisper, "tiny")
    project = Project(tmp_path)
    copy = tmp_path / "tools" / "asr" / "models" / source.name
    shutil.copytree(source, copy)
    assert whisper_folder("tiny").find(project) == copy
    (copy / "tokenizer.json").unlink()
    assert whisper_folder("tiny").find(project) is None


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_damaged_model_is_named(whisper: Project, tmp_path: Path, name: str) -> None:
    (source,) = folder_of(whisper, "tiny")
    shutil.copytree(source, tmp_path / "model")
    (tmp_path / "model" / name).write_bytes((source / name).read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="model holds no Whisper model that can be loaded"):
        load_whisper((tmp_path / "model",), Choice("en", "tiny", "float32"), CPU)
