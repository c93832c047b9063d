"""A made-up experiment: tones with the features that belong to them, small enough to train on in seconds."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml

from gsv.paths import Experiment, Project

SSL_DIM = 16
CODES = 8
PHONES = ("AA1", "B", "K", "IY0", "S")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Tiny networks are faster so, and several processes share the machine."""
    torch.set_num_threads(1)


def write_clip(
    experiment: Experiment, name: str, seconds: float, seed: int, phones: int | None = None, ssl_dim: int = SSL_DIM
) -> None:
    """The files that stages 1a, 1b and 1c would make of one clip: a tone that changes its pitch twice a second."""
    random = np.random.default_rng(seed)
    samples = int(seconds * 32000)
    halves = random.integers(0, CODES, int(seconds * 2) + 1)
    pitch = 110.0 * 2.0 ** (np.repeat(halves, 16000)[:samples] / 4)
    wave = 0.3 * np.sin(2 * np.pi * np.cumsum(pitch) / 32000)
    for folder in (experiment.wav32k, experiment.hubert, experiment.bert, experiment.speaker):
        folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(experiment.wav32k / name, wave.astype(np.float32), 32000, subtype="PCM_16")
    frames = samples // 640 - 1
    which = np.repeat(halves, 25)[:frames]
    basis = np.random.default_rng(0).standard_normal((ssl_dim, CODES)).astype(np.float32)
    ssl = torch.from_numpy(basis[:, which])[None] + 0.1 * torch.randn(1, ssl_dim, frames)
    torch.save(ssl.half(), experiment.hubert / f"{name}.pt")
    torch.save(torch.randn(1, 20480), experiment.speaker / f"{name}.pt")
    said = [PHONES[code % len(PHONES)] for code in random.integers(0, 5, phones or max(2, int(seconds * 8)))]
    with experiment.phones.open("a", encoding="utf-8") as text:
        text.write(f"{name}\t{' '.join(said)}\t{[1] * len(said)}\tsome text\n")
    if not experiment.semantic.exists():
        experiment.semantic.write_text("item_name\tsemantic_audio\n", encoding="utf-8")
    with experiment.semantic.open("a", encoding="utf-8") as tokens:
        tokens.write(f"{name}\t{' '.join(map(str, which[::2]))}\n")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


MakeExperiment = Callable[..., Experiment]


@pytest.fixture
def make_experiment(project: Project) -> MakeExperiment:
    """Makes the experiment `tones` with clips of the given lengths in seconds."""

    def make(*seconds: float) -> Experiment:
        torch.manual_seed(0)
        experiment = project.experiment("tones")
        for number, length in enumerate(seconds):
            write_clip(experiment, f"clip{number}.wav", length, number)
        return experiment

    return make


@pytest.fixture
def narrow(project: Project) -> Project:
    """The project with `s2.json` and `s1.yaml`: networks for trials from scratch, only just wide enough to learn."""
    s2 = {
        "train": {"learning_rate": 4e-3, "segment_size": 5120},
        "model": {
            "inter_channels": 8,
            "hidden_channels": 16,
            "filter_channels": 16,
            "n_layers": 2,
            "p_dropout": 0.1,
            "resblock_kernel_sizes": [3],
            "resblock_dilation_sizes": [[1, 3, 5]],
            "upsample_initial_channel": 32,
            "gin_channels": 16,
            "mrte_channels": 16,
            "style_channels": 16,
            "codebook_size": CODES,
            "posterior_layers": 2,
            "flow_layers": 1,
        },
        "discriminator": {"scale": [4, 16, 16], "period": [4, 4, 8]},
    }
    s1 = {
        "optimizer": {"lr": 0.03, "lr_init": 0.01, "lr_end": 0.01, "warmup_steps": 5, "decay_steps": 100},
        "model": {
            "vocab_size": CODES + 1,
            "EOS": CODES,
            "hidden_dim": 16,
            "embedding_dim": 16,
            "head": 2,
            "n_layer": 1,
        },
    }
    (project.root / "s2.json").write_text(json.dumps(s2), encoding="utf-8")
    (project.root / "s1.yaml").write_text(yaml.safe_dump(s1), encoding="utf-8")
    return project
