"""FRCRN is loaded from the files of the published model, safely and completely, and works on sound of any length."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from modelscope.models.audio.ans.frcrn import FRCRN

from gsv.dataset import frcrn
from gsv.dataset.denoising import DenoiseOptions, denoise
from gsv.dataset.frcrn import Frcrn
from gsv.errors import CheckpointError, InputError, UnsafeCheckpointError
from gsv.paths import Project

# As the published model describes itself.
MODEL = {
    "type": "speech_frcrn_ans_cirm_16k",
    "complex": True,
    "model_complexity": 45,
    "model_depth": 14,
    "log_amp": False,
    "padding_mode": "zeros",
    "win_len": 640,
    "win_inc": 320,
    "fft_len": 640,
    "win_type": "hann",
}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return FRCRN(**MODEL).eval()


@pytest.fixture(scope="module")
def home(network: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with an untrained model where the original program has it. Only read it."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "tools" / "denoise-model" / frcrn.NAME
    folder.mkdir(parents=True)
    torch.save(network.state_dict(), folder / "pytorch_model.bin")
    settings = {"framework": "pytorch", "task": "acoustic-noise-suppression", "model": MODEL}
    (folder / "configuration.json").write_text(json.dumps(settings), encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    found = frcrn.find(Project(home))
    assert found is not None
    return found


def other_weights(folder: Path, to: Path, content: object) -> Path:
    to.mkdir()
    shutil.copy(folder / "configuration.json", to)
    torch.save(content, to / "pytorch_model.bin")
    return to


def test_the_network_hears_speech_at_its_level_and_gives_back_the_speakers(
    network: torch.nn.Module, folder: Path
) -> None:
    noisy = (0.01 * np.random.default_rng(0).standard_normal((12000, 1))).astype(np.float32)
    active = noisy[noisy**2 > (noisy**2).mean()]
    level = 10 ** (-25 / 20) / np.sqrt((active**2).mean())
    with torch.inference_mode():
        wanted = network(torch.from_numpy(noisy[:, 0] * level)[None])[4][0].numpy() / level
    clean = Frcrn(folder, CPU)(noisy)
    assert clean.shape == noisy.shape and clean.dtype == np.float32
    assert np.abs(clean).max() > 0
    np.testing.assert_allclose(clean[: len(wanted), 0], wanted[:12000], atol=1e-5)


def test_silence_stays_silent(folder: Path) -> None:
    np.testing.assert_array_equal(Frcrn(folder, CPU)(np.zeros((9000, 1), np.float32)), 0)


def test_either_name_of_a_layer_will_do(network: torch.nn.Module, folder: Path, tmp_path: Path) -> None:
    by_list = {name: tensor for name, tensor in network.state_dict().items() if ".encoder0" not in name}
    Frcrn(other_weights(folder, tmp_path / "a", by_list), CPU)
    wrapped = {"state_dict": {f"model.{name}": tensor for name, tensor in by_list.items()}}
    Frcrn(other_weights(folder, tmp_path / "b", wrapped), CPU)


def test_files_that_are_not_the_model_are_refused(network: torch.nn.Module, folder: Path, tmp_path: Path) -> None:
    whole = network.state_dict()
    half = {name: tensor for name, tensor in whole.items() if name.startswith("unet.")}
    with pytest.raises(CheckpointError, match=r"lacks \d+ of FRCRN's \d+ tensors"):
        Frcrn(other_weights(folder, tmp_path / "half", half), CPU)
    with pytest.raises(CheckpointError, match="does not fit"):
        Frcrn(
            other_weights(folder, tmp_path / "shape", {name: tensor[..., None] for name, tensor in whole.items()}), CPU
        )
    bad = other_weights(folder, tmp_path / "unsafe", Calls(tmp_path / "called"))
    with pytest.raises(UnsafeCheckpointError):
        Frcrn(bad, CPU)
    assert not (tmp_path / "called").exists()
    (bad / "configuration.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="does not describe"):
        Frcrn(bad, CPU)


class Calls:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_a_recording_comes_out_at_16_khz(home: Path, tmp_path: Path) -> None:
    sound = 0.05 * np.random.default_rng(0).standard_normal((16000, 2))
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.flac", sound, 32000)
    assert not frcrn.problem(Project(home))
    report = denoise(DenoiseOptions(tmp_path / "in", tmp_path / "out", project=Project(home)))
    assert report.files == (tmp_path / "out" / "a.wav",)
    wave, rate = soundfile.read(report.files[0])
    assert rate == 16000 and wave.shape == (8000,) and np.abs(wave).max() > 0


def test_asked_for_without_its_files_it_says_how_to_get_them(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(9), 16000)
    options = DenoiseOptions(tmp_path / "a.wav", tmp_path / "out", denoiser="frcrn", project=Project(tmp_path))
    with pytest.raises(InputError, match=r"modelscope download --model iic/speech_frcrn_ans_cirm_16k --local_dir"):
        denoise(options)
    assert not (tmp_path / "out").exists()
