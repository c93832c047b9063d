"""Narrow untrained networks of the official layouts, and a list of clips, for making features of."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import BertConfig, BertForMaskedLM, HubertConfig, HubertModel

from gsv.checkpoints import GeneratorFile, write_generator, write_tensors
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder
from gsv.paths import Project
from gsv.versions import VERSIONS

WIDTH = 24
BERT_WIDTH = 16
TEXTS = {
    "a.wav": ("en", "Hello there, my friend."),
    "b.flac": ("EN", "A second line."),
    "c.wav": ("zh", "你好，世界。"),
    "d.wav": ("ZH", "我们走吧。"),
}


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project folder whose base weights for v2 and v2Pro are narrow and untrained. Do not write to it."""
    project = Project(tmp_path_factory.mktemp("weights"))
    torch.manual_seed(0)
    hubert = HubertConfig(
        hidden_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=[8] * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=4,
    )
    hubert.save_pretrained(project.hubert)
    torch.save(HubertModel(hubert).state_dict(), project.hubert / "pytorch_model.bin")

    characters = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({*"".join(text for _, text in TEXTS.values())})]
    bert = BertConfig(
        vocab_size=len(characters),
        hidden_size=BERT_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
    )
    bert.save_pretrained(project.roberta)
    torch.save(BertForMaskedLM(bert).state_dict(), project.roberta / "pytorch_model.bin")
    (project.roberta / "vocab.txt").write_text("\n".join(characters), encoding="utf-8")

    project.speaker_encoder.parent.mkdir()
    speaker = SpeakerEncoder(SpeakerConfig(m_channels=8, seg_width=4))
    write_tensors(project.speaker_encoder, speaker.state_dict())
    for version in (VERSIONS["v2"], VERSIONS["v2Pro"]):
        model = {
            "inter_channels": 8,
            "hidden_channels": 8,
            "filter_channels": 8,
            "n_heads": 2,
            "n_layers": 2,
            "upsample_rates": (10, 8, 8),
            "upsample_initial_channel": 16,
            "upsample_kernel_sizes": (16, 16, 16),
            "gin_channels": 8,
            "ssl_dim": WIDTH,
            "codebook_size": 32,
            "style_channels": 8,
            "mrte_channels": 8,
        }
        network = Sovits(SovitsConfig.for_version(version, model))
        config = {"model": model, "data": {}, "train": {}}
        write_generator(
            project.pretrained / version.base.generator, GeneratorFile(network.state_dict(), config, "", "")
        )
    return project


@dataclass(frozen=True)
class Clips:
    """A folder of sounds and the list that names them under a folder that does not exist."""

    folder: Path
    list_path: Path

    def write(self, *lines: str) -> None:
        self.list_path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Four clips, two in English and two in Mandarin: voices with pauses, made of tones and noise."""
    folder = tmp_path / "clips"
    folder.mkdir()
    draw = np.random.default_rng(1)
    for index, name in enumerate(TEXTS):
        rate = (16000, 32000, 44100, 24000)[index]
        seconds = np.arange(int(rate * (0.9 + 0.2 * index))) / rate
        wave = 0.2 * np.sin(2 * np.pi * (150 + 60 * index) * seconds) * (1 + np.sin(2 * np.pi * 3 * seconds))
        soundfile.write(folder / name, wave + 0.01 * draw.standard_normal(len(wave)), rate)
    result = Clips(folder, tmp_path / "x.list")
    result.write(*(f"D:\\elsewhere\\{name}|anna|{language}|{text}" for name, (language, text) in TEXTS.items()))
    return result


@pytest.fixture
def project(tmp_path: Path, weights: Project) -> Project:
    """A project folder of one's own with the narrow weights in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "pretrained_models").symlink_to(weights.pretrained)
    return Project(home)
