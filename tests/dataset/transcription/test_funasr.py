"""FunASR's own loader on small untrained folders of the true layout, and on folders that mean harm."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from gsv.audio.io import Samples, load
from gsv.dataset.transcription import funasr
from gsv.dataset.transcription.recogniser import RATE, Choice
from gsv.errors import CheckpointError, UnsafeCheckpointError

from . import tiny_funasr
from .conftest import SAMPLE

CPU = torch.device("cpu")
MANDARIN = Choice("zh", "large", "float32")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No way out of this machine; and what the loader changes in its process is undone."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something reaches for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HF_HUB_OFFLINE", os.environ.get("HF_HUB_OFFLINE", "0"))
    monkeypatch.setitem(sys.modules, "torchaudio", sys.modules.get("torchaudio"))


@pytest.fixture(scope="module")
def speech() -> Samples:
    return load(sorted(SAMPLE.iterdir())[0], RATE)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ...]]:
    """Folders of recogniser, pauses and punctuation. Do not write to them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setitem(sys.modules, "torchaudio", None)
        home = tmp_path_factory.mktemp("funasr")
        yield (
            tiny_funasr.write_paraformer(home / "recogniser"),
            tiny_funasr.write_pauses(home / "pauses"),
            tiny_funasr.write_punctuation(home / "punctuation"),
        )


@pytest.fixture
def folders(originals: tuple[Path, ...], tmp_path: Path) -> tuple[Path, ...]:
    """Copies of them, under a name that a command line would trip over."""
    return tuple(Path(shutil.copytree(path, tmp_path / "-模 型's" / path.name)) for path in originals)


def changed(folder: Path, **values: Any) -> None:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | values), encoding="utf-8")


class Exploit:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.target),))


def test_mandarin_comes_with_punctuation(folders: tuple[Path, ...], speech: Samples) -> None:
    recognise = funasr.load_damo(folders, MANDARIN, CPU)
    heard = recognise(speech)
    assert heard.language == "zh"
    assert set(heard.text) & set(tiny_funasr.SIGNS) and set(heard.text) & set("，。？、")
    assert set(heard.text) <= {*tiny_funasr.SIGNS, *"，。？、.,?"}
    assert recognise(np.zeros(RATE // 10, np.float32)).text == ""
    assert recognise(speech).text == heard.text


def test_cantonese_comes_from_one_folder(tmp_path: Path, speech: Samples) -> None:
    folder = tiny_funasr.write_uniasr(tmp_path / "uniasr")
    (folder / "model.pt").rename(folder / "model.pb")
    heard = funasr.load_damo((folder,), Choice("yue", "large", "float32"), CPU)(speech)
    assert heard.language == "yue"
    assert heard.text and set(heard.text) <= set(tiny_funasr.SIGNS)


def test_fun_asr_nano_speaks_through_its_language_model(
    originals: tuple[Path, ...], tmp_path: Path, speech: Samples
) -> None:
    folder = tiny_funasr.write_nano(tmp_path / "Fun-ASR-Nano-2512")
    recognise = funasr.load_nano((folder, originals[1]), Choice("en", "large", "float32"), CPU)
    heard = recognise(speech)
    assert heard.text and heard.language == "en" and recognise(speech) == heard
    assert recognise(np.zeros(RATE // 10, np.float32)).text == ""


def test_sense_voice_says_which_language_it_heard(originals: tuple[Path, ...], tmp_path: Path, speech: Samples) -> None:
    folder = tiny_funasr.write_sense_voice(tmp_path / "SenseVoiceSmall")
    heard = funasr.load_sense_voice((folder, originals[1]), Choice("auto", "large", "float32"), CPU)(speech)
    assert heard.language == "ja"
    assert heard.text and set(heard.text) <= set("".join(tiny_funasr.SENTENCES))
    chosen = funasr.load_sense_voice((folder, originals[1]), Choice("ko", "large", "float32"), CPU)
    assert chosen(speech).language == "ko"


@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("wrapped", [False, True])
def test_weights_that_would_run_code_are_refused(folders: tuple[Path, ...], part: int, wrapped: bool) -> None:
    path = folders[part] / "model.pt"
    evil: dict[str, Any] = torch.load(path, weights_only=True) | {"harm": Exploit(path.parent / "ran")}
    torch.save({"state_dict": evil} if wrapped else evil, path)
    with pytest.raises(UnsafeCheckpointError, match="mkdir"):
        funasr.load_damo(folders, MANDARIN, CPU)
    assert not (path.parent / "ran").exists()


def test_code_beside_the_weights_is_not_run(folders: tuple[Path, ...]) -> None:
    for folder in folders:
        (folder / "model.py").write_text(f"import os\nos.mkdir({str(folder / 'ran')!r})\n")
        (folder / "requirements.txt").write_text("a-package-that-does-not-exist\n")
        changed(folder, trust_remote_code=True, remote_code=str(folder / "model.py"))
    funasr.load_damo(folders, MANDARIN, CPU)
    assert not any((folder / "ran").exists() for folder in folders)


def test_a_configuration_cannot_call_for_further_models(folders: tuple[Path, ...], tmp_path: Path) -> None:
    other = tmp_path / "other.pt"
    torch.save({"harm": Exploit(tmp_path / "ran")}, other)
    changed(folders[0], spk_model="iic/speech_campplus_sv_zh-cn_16k-common", init_param=str(other), hub="hf")
    path = folders[0] / "configuration.json"
    content = json.loads(path.read_text())
    content["file_path_metas"]["init_param"] = "../../other.pt"
    path.write_text(json.dumps(content))
    model = funasr._loaded(CPU, funasr._Part(folders[0], ("Paraformer",)))
    assert (model.spk_model, model.vad_model) == (None, None)
    changed(folders[0], audio_encoder_conf={"hub": "ms"})
    with pytest.raises(CheckpointError, match="asks for an encoder to be downloaded"):
        funasr.load_damo(folders, MANDARIN, CPU)


def test_another_network_in_the_folder_is_refused(folders: tuple[Path, ...]) -> None:
    changed(folders[0], model="LLMASR")
    with pytest.raises(CheckpointError, match="names the network 'LLMASR', where Paraformer or"):
        funasr.load_damo(folders, MANDARIN, CPU)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_weights_that_lack_a_parameter_are_refused(folders: tuple[Path, ...], part: int) -> None:
    path = folders[part] / "model.pt"
    state = torch.load(path, weights_only=True)
    lost = next(name for name in state if name.endswith("weight"))
    del state[lost]
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=f"has no {lost} of the shape"):
        funasr.load_damo(folders, MANDARIN, CPU)


@pytest.mark.parametrize("name", ["model.pt", "config.yaml", "configuration.json", "tokens.json"])
def test_a_damaged_file_is_an_error_that_names_the_folder(folders: tuple[Path, ...], name: str) -> None:
    (folders[0] / name).write_bytes(b"\x80\x04 no such thing: [")
    with pytest.raises(CheckpointError, match="recogniser"):
        funasr.load_damo(folders, MANDARIN, CPU)


def test_it_works_beside_a_torchaudio_that_cannot_be_imported(originals: tuple[Path, ...], tmp_path: Path) -> None:
    broken = tmp_path / "torchaudio"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('libcudart.so: cannot open shared object file')\n")
    script = (
        "import sys, numpy, torch; from pathlib import Path; from gsv.dataset.transcription import funasr\n"
        "from gsv.dataset.transcription.recogniser import Choice\n"
        "folders = tuple(Path(path) for path in sys.argv[1:])\n"
        "recognise = funasr.load_damo(folders, Choice('zh', 'large', 'float32'), torch.device('cpu'))\n"
        "print(repr(recognise(numpy.zeros(16000, numpy.float32)).language))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, originals)],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (result.returncode, result.stdout) == (0, "'zh'\n"), result.stderr
