"""Untrained sets of weights, and trainings that start from them."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
import torch

from gsv.checkpoints import read_discriminator, read_generator, read_gpt
from gsv.errors import InputError, TrainingError
from gsv.models.encoders import ContentEncoder
from gsv.paths import Project
from gsv.training.gpt import GptTrainOptions, train_gpt
from gsv.training.loop import Machine
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from gsv.training.start import read_config, untrained_generator
from gsv.versions import version_named

from .conftest import SSL_DIM, MakeExperiment

ROOT = Path(__file__).parent.parent.parent
V2 = version_named("v2")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("init_weights", ROOT / "tools" / "init_weights.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def configs(narrow: Project) -> Path:
    hubert = json.loads((ROOT / "configs" / "narrow" / "hubert.json").read_text(encoding="utf-8"))
    hubert.update(hidden_size=SSL_DIM, num_attention_heads=2, intermediate_size=16, conv_dim=[8] * 7)
    (narrow.root / "hubert.json").write_text(json.dumps(hubert), encoding="utf-8")
    return narrow.root


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(2):
        soundfile.write(folder / f"{number}.wav", random.standard_normal(32000) * 0.1, 16000)
    (folder / "notes.txt").write_text("not a sound")
    return folder


def test_a_set_has_the_official_layout_and_says_that_it_is_untrained(
    tool: ModuleType, configs: Path, clips: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    tool.write_set(project.pretrained, configs, V2, clips, seed=1)
    assert "notes.txt" in capsys.readouterr().err
    base = project.pretrained / V2.base.generator
    generator = read_generator(base)
    assert (generator.version, generator.info) == ("v2", "untrained")
    assert any(name.startswith("enc_q.") for name in generator.weight)
    assert read_gpt(project.pretrained / V2.base.gpt).info == "untrained"
    assert read_discriminator(project.pretrained / V2.base.discriminator).weight
    assert ContentEncoder.load(project.hubert).width == SSL_DIM
    assert "untrained" in (project.pretrained / "UNTRAINED.txt").read_text()


def test_the_same_seed_makes_the_same_set(tool: ModuleType, configs: Path, clips: Path, tmp_path: Path) -> None:
    sets = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        tool.write_set(tmp_path / name, configs, V2, clips, seed)
        sets.append(read_generator(tmp_path / name / V2.base.generator).weight)
    same, other = ([torch.equal(sets[0][name], weight[name]) for name in sets[0]] for weight in sets[1:])
    assert all(same)
    assert not all(other)


def test_a_training_starts_from_the_set_at_its_own_rates(
    tool: ModuleType, configs: Path, clips: Path, project: Project, make_experiment: MakeExperiment
) -> None:
    tool.write_set(project.pretrained, configs, V2, clips, seed=1)
    make_experiment(1.0, 1.2)
    machine = Machine(accelerator="cpu")
    voice = train_sovits(SovitsTrainOptions("tones", epochs=1, batch_size=25, machine=machine, project=project))
    assert voice.outcome.history[0]["learning_rate"] == pytest.approx(4e-3 * 0.999875)
    model = train_gpt(GptTrainOptions("tones", epochs=1, batch_size=25, machine=machine, project=project))
    assert model.outcome.history[0]["learning_rate"] == pytest.approx(0.01)
    # What came out is a trained voice, which a further training fine-tunes.
    assert read_generator(voice.weights).info == "1epoch_4iteration"


def test_real_weights_are_never_replaced(tool: ModuleType, configs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pretrained_models"
    folder.mkdir()
    (folder / "s2G488k.pth").write_bytes(b"precious")
    with pytest.raises(InputError, match="is not empty"):
        tool.write_set(folder, configs, V2, None, seed=1)
    assert [path.name for path in folder.iterdir()] == ["s2G488k.pth"]


def test_vocabulary_and_codebook_must_agree(tool: ModuleType, configs: Path, tmp_path: Path) -> None:
    config = read_config(configs / "s2.json")
    config["model"]["codebook_size"] = 12
    (configs / "s2.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match="must have EOS 12 and vocab_size 13"):
        tool.write_set(tmp_path / "new", configs, V2, None, seed=1)
    assert not (tmp_path / "new").exists()


def test_a_folder_without_sound_is_refused(tool: ModuleType, configs: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no sound file"):
        tool.write_set(tmp_path / "new", configs, V2, tmp_path / "empty", seed=1)


def test_the_narrow_configurations_belong_together(tool: ModuleType, tmp_path: Path) -> None:
    tool.write_set(tmp_path / "set", ROOT / "configs" / "narrow", V2, None, seed=1)
    generator = read_generator(tmp_path / "set" / V2.base.generator)
    assert (
        generator.weight["ssl_proj.weight"].shape[1] == ContentEncoder.load(tmp_path / "set/chinese-hubert-base").width
    )


def test_the_codebook_fits_the_clips(narrow: Project) -> None:
    """Every token is near its codebook entry, and all entries are used: the content has as many kinds as entries."""
    config = read_config(narrow.root / "s2.json")
    kinds = torch.randn(8, SSL_DIM) * 3
    said = torch.randint(8, (500,), generator=torch.Generator().manual_seed(0))
    content = kinds[said].repeat_interleave(2, 0).T + 0.01 * torch.randn(SSL_DIM, 1000)
    network = untrained_generator(config, V2, SSL_DIM, [content], seed=3)
    tokens = network.quantize(content[None])[0]
    assert len(tokens.unique()) == 8
    points = network.ssl_proj(content[None])[0].T
    nearest = network.quantizer.codebook.decode(tokens[None])[0]
    assert (points - nearest).norm() < 0.05 * points.norm()


def test_too_few_clips_for_the_codebook_are_an_error(narrow: Project) -> None:
    config = read_config(narrow.root / "s2.json")
    with pytest.raises(TrainingError, match="5 tokens of content and the codebook 8 entries"):
        untrained_generator(config, V2, SSL_DIM, [torch.randn(SSL_DIM, 11)], seed=3)
