"""v3 and v4 on narrow untrained base models: trained in full and by LoRA, exported, loaded again and heard."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save

from gsv import Engine, SpeechOptions
from gsv.audio.spectral import flow_scaled
from gsv.checkpoints import GeneratorFile, read_generator, read_resume, write_generator
from gsv.errors import CheckpointError, GsvError, MissingWeightsError, TrainingError
from gsv.lora import export_lora, read_voice
from gsv.models import flow_matching
from gsv.models.adapters import adapt
from gsv.models.flow_sovits import FlowSovits, FlowSovitsConfig
from gsv.paths import Project
from gsv.training.flow import FlowData
from gsv.training.loop import Machine
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from gsv.versions import Version, version_named
from training.conftest import write_clip

CPU = Machine(accelerator="cpu", workers=0)
CLIP = Path(__file__).parent.parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."
RANK = 16


@pytest.fixture(params=["v3", "v4"])
def version(request: pytest.FixtureRequest) -> Version:
    return version_named(request.param)


@pytest.fixture
def tuned(project: Project, version: Version, narrow_projects: Callable[[str], Project]) -> Project:
    """A project with the version's untrained narrow weights and the experiment `tones`."""
    project.pretrained.symlink_to(narrow_projects(version.name).pretrained)
    width = len(read_generator(project.base(version).generator).weight["ssl_proj.weight"])
    torch.manual_seed(0)
    for number, seconds in enumerate((1.0, 1.2, 0.8)):
        write_clip(project.experiment("tones"), f"clip{number}.wav", seconds, number, ssl_dim=width)
    return project


def options(project: Project, version: Version, lora_rank: int | None = None) -> SovitsTrainOptions:
    return SovitsTrainOptions(
        "tones", version.name, epochs=4, batch_size=33, lora_rank=lora_rank, machine=CPU, project=project
    )


def wave(project: Project, version: Version, sovits: Path) -> np.ndarray:
    engine = Engine.load(sovits=sovits, version=version.name, project=project, device="cpu")
    voice = engine.voice(CLIP, WORDS, "en")
    return engine.speak("Hello there.", "en", voice, SpeechOptions(seed=3, sample_steps=4)).wave


def distance(project: Project, version: Version, file: GeneratorFile) -> float:
    """How far the network is from the experiment's clips, at times and noise that are always the same.

    A training's own losses say little over a few steps: those of steps that are compared are much smaller than others.
    """
    data = FlowData(project.experiment("tones"), version)
    network = FlowSovits.from_weights(version, file.config["model"], file.weight).eval()
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(flow_matching, "CONSISTENCY_SHARE", 0.0)
        torch.manual_seed(0)
        batch = data.collate([data[number] for number in range(3)])
        return float(torch.stack([network(*batch) for _ in range(4)]).mean())


def test_the_mel_covers_the_same_time_as_the_features(tuned: Project, version: Version) -> None:
    data = FlowData(tuned.experiment("tones"), version)
    facts = version.flow
    assert facts is not None
    batch = data.collate([data[0], data[2]])
    assert batch.mel_lengths.tolist() == [int(frames * facts.frames_per_hidden) for frames in (50, 40)]
    assert batch.mel.shape == (2, facts.bands, batch.mel_lengths.max())
    spoken = batch.mel[0, :, : batch.mel_lengths[0]]
    assert spoken.min() >= flow_scaled(torch.tensor(1e-5).log())
    assert spoken.max() > 0 > spoken.min()
    assert not batch.mel[1, :, batch.mel_lengths[1] :].any()


@pytest.mark.usefixtures("short_takes")
def test_a_lora_learns_and_speaks_as_it_does_merged(tuned: Project, version: Version, tmp_path: Path) -> None:
    report = train_sovits(options(tuned, version, RANK))
    assert report.weights == tuned.root / version.sovits_folder / "tones_e4_s12_l16.pth"
    assert report.weights.read_bytes()[:2] == version.lora_header
    file, base = read_generator(report.weights), read_generator(tuned.base(version).generator)
    assert (file.version, file.lora_rank, file.info) == (version.name, RANK, "4epoch_12iteration")
    assert {tensor.dtype for tensor in file.weight.values()} == {torch.float16}
    assert not any(name.startswith(("enc_p.", "ssl_proj.")) or "base_layer" in name for name in file.weight)

    whole = read_voice(report.weights, tuned)
    assert distance(tuned, version, whole) < 0.95 * distance(tuned, version, base)
    moved = {name for name, tensor in whole.weight.items() if not torch.equal(tensor.half(), base.weight[name].half())}
    blocks = base.config["model"]["dit"]["depth"]
    adapted = {name for name in moved if name.startswith("cfm.")}
    assert len(adapted) == 4 * blocks and all(".attn.to_" in name for name in adapted)
    assert moved - adapted == {name for name in base.weight if name.startswith(("bridge.", "wns1."))}

    merged = tmp_path / "merged.pth"
    write_generator(merged, whole)
    heard = wave(tuned, version, report.weights)
    assert np.array_equal(heard, wave(tuned, version, merged))
    assert np.array_equal(heard, wave(tuned, version, report.weights))
    assert not np.array_equal(heard, wave(tuned, version, tuned.base(version).generator))


@pytest.mark.usefixtures("short_takes")
def test_a_whole_model_learns_and_can_be_trained_on(tuned: Project, version: Version) -> None:
    first = train_sovits(options(tuned, version))
    file, base = read_generator(first.weights), read_generator(tuned.base(version).generator)
    assert distance(tuned, version, file) < 0.95 * distance(tuned, version, base)
    assert (file.version, file.lora_rank, file.head) == (version.name, None, b"PK")
    assert file.weight.keys() == base.weight.keys()
    frozen = ("enc_p.", "ssl_proj.", "quantizer.", "ref_enc.", "linear_mel.")
    assert all(
        torch.equal(tensor, base.weight[name]) == name.startswith((*frozen, "cfm.estimator.rotary_embed."))
        for name, tensor in file.weight.items()
    )
    heard = wave(tuned, version, first.weights)
    assert np.array_equal(heard, wave(tuned, version, first.weights))
    again = options(tuned, version, RANK)
    lora = train_sovits(replace(again, epochs=1, pretrained_g=first.weights))
    # It belongs to that model, and its version's base model is another one.
    with pytest.raises(CheckpointError, match=r"was not trained on .*: its attention differs; put the base model"):
        read_voice(lora.weights, tuned)


@pytest.mark.parametrize("version", ["v4"], indirect=True)
def test_a_resumed_training_equals_one_without_a_break(tuned: Project, version: Version) -> None:
    wanted = replace(options(tuned, version, RANK), epochs=2)
    whole = read_generator(train_sovits(wanted).weights)
    logs = tuned.experiment("tones").sovits_logs(version, RANK)
    assert logs.name == f"logs_s2_{version.name}_lora_16"
    names = read_resume(logs / "G_233333333333.pth").model
    inside = "cfm.base_model.model.estimator.transformer_blocks.0.attn.to_out.0."
    assert {inside + "base_layer.weight", inside + "lora_A.default.weight"} <= names.keys()
    for path in logs.iterdir():
        path.unlink()
    for epochs in (1, 2):
        report = train_sovits(replace(wanted, epochs=epochs))
    assert report.outcome.resumed_from == 1
    assert save(read_generator(report.weights).weight) == save(whole.weight)


@pytest.mark.parametrize("version", ["v3"], indirect=True)
def test_gradient_checkpointing_changes_no_number(tuned: Project, version: Version) -> None:
    one = replace(options(tuned, version), epochs=1)
    plain = train_sovits(one)
    for path in tuned.experiment("tones").sovits_logs(version).iterdir():
        path.unlink()
    saving = train_sovits(replace(one, grad_checkpointing=True))
    (one_loss,), (same,) = ([row["loss/g/total"] for row in report.outcome.history] for report in (plain, saving))
    assert same == pytest.approx(one_loss, rel=1e-5)


def test_random_weights_can_be_started_from(tuned: Project, version: Version) -> None:
    config = tuned.root / "widths.json"
    base = read_generator(tuned.base(version).generator)
    (tuned.root / "pretrained_models").unlink()
    few = {**base.config, "model": {**base.config["model"], "codebook_size": 8}}
    config.write_text(json.dumps(few), encoding="utf-8")
    report = train_sovits(replace(options(tuned, version), epochs=1, from_scratch=config))
    assert read_generator(report.weights).version == version.name


def test_an_exported_lora_has_the_official_layout(shared: Path, version: Version) -> None:
    def table(name: str) -> dict[str, torch.Size]:
        rows = json.loads((shared / "reference" / "checkpoints" / name).read_text(encoding="utf-8"))["tensors"]
        return {name: torch.Size(shape) for name, (shape, _) in rows.items()}

    whole = {name: torch.empty(shape, device="meta") for name, shape in table(f"s2G_{version.name}.json").items()}
    model = json.loads((Path(__file__).parents[2] / "configs" / "s2.json").read_text(encoding="utf-8"))["model"]
    with torch.device("meta"):
        network = FlowSovits(FlowSovitsConfig.from_weights(version, model, whole))
        adapt(network, 32)
    plain = (
        name.replace("cfm.base_model.model.", "cfm.").replace(".base_layer.", ".") for name in network.state_dict()
    )
    assert {name for name in plain if "lora_" not in name} == whole.keys()
    # Only the shapes count, so no memory is taken for the numbers.
    state = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in network.state_dict().items()}
    kept = {name: tensor for name, tensor in state.items() if tensor.numel() < 1e5 or "lora_" in name}
    told = {"cfm.estimator.transformer_blocks.0.attn.to_q.weight": torch.zeros(2, 2)}
    made = export_lora(kept, told, {}, "", version, 32)
    official = table("s2G_v3_v4_lora_rank32.json")
    assert {name: tensor.shape for name, tensor in made.weight.items()} == {
        name: shape for name, shape in official.items() if shape.numel() < 1e5 or "lora_" in name
    }


def changed_base(project: Project, version: Version, **changes: object) -> Path:
    """The version's base model with other values in its fields."""
    path = project.root / "changed.pth"
    write_generator(path, replace(read_generator(project.base(version).generator), **changes))  # type: ignore[arg-type]
    return path


def a_lora(project: Project, version: Version) -> Path:
    state = {"cfm.base_model.model.estimator.transformer_blocks.0.attn.to_q.lora_A.default.weight": torch.zeros(16, 64)}
    return changed_base(project, version, weight=state, lora_rank=16, head=version.lora_header)


def without_a_part(project: Project, version: Version) -> Path:
    weight = read_generator(project.base(version).generator).weight
    del weight["bridge.0.bias"]
    return changed_base(project, version, weight=weight)


def labelled(project: Project, version: Version, label: str) -> Path:
    config = read_generator(project.base(version).generator).config
    return changed_base(project, version, config={**config, "model": {**config["model"], "version": label}})


def damaged(project: Project, version: Version) -> Path:
    path = project.root / "half.pth"
    path.write_bytes(project.base(version).generator.read_bytes()[:5000])
    return path


Change = Callable[[SovitsTrainOptions, Version], dict[str, object]]
WRONG: dict[str, tuple[Change, type[GsvError], str]] = {
    "no experiment": (
        lambda o, v: {"project": Project(o.project.root / "empty")},
        TrainingError,
        r"tones/4-cnhubert is missing; make the content features \(stage 1b\)",
    ),
    "low rank": (lambda o, v: {"lora_rank": 8}, TrainingError, r"lora_rank is 8; it must lie between 16 and 128"),
    "high rank": (lambda o, v: {"lora_rank": 129}, TrainingError, r"lora_rank is 129; it must lie between 16 and 128"),
    "rank of v2": (
        lambda o, v: {"lora_rank": 32, "version": "v2"},
        TrainingError,
        r"Version v2 is not trained by LoRA; leave lora_rank out",
    ),
    "rank from scratch": (
        lambda o, v: {"lora_rank": 32, "from_scratch": Path("s2.json")},
        TrainingError,
        r"A LoRA goes beside a trained model; leave lora_rank or from_scratch out",
    ),
    "no such file": (
        lambda o, v: {"pretrained_g": Path("none.pth")},
        MissingWeightsError,
        r"The weights none.pth are not in the folder",
    ),
    "a LoRA": (
        lambda o, v: {"pretrained_g": a_lora(o.project, v)},
        CheckpointError,
        r"changed.pth is a LoRA; training starts from a full model of version v3",
    ),
    "another version": (
        lambda o, v: {"pretrained_g": labelled(o.project, v, "v4")},
        CheckpointError,
        r"changed.pth is a model of version v4; version v3 was asked for",
    ),
    "a part less": (
        lambda o, v: {"pretrained_g": without_a_part(o.project, v)},
        CheckpointError,
        r"changed.pth lacks 1 of .* the first is bridge.0.bias",
    ),
    "damaged": (
        lambda o, v: {"pretrained_g": damaged(o.project, v)},
        CheckpointError,
        r"half.pth \(5000 bytes\) is damaged or is not a weight file",
    ),
    "another kind": (
        lambda o, v: {"pretrained_g": o.project.base(v).gpt},
        CheckpointError,
        r"is a GPT file; a SoVITS generator file was expected",
    ),
    "no widths": (
        lambda o, v: {"from_scratch": Path("none.json")},
        TrainingError,
        r"There is no configuration .*none.json",
    ),
    "batch": (lambda o, v: {"batch_size": 0}, TrainingError, r"batch_size is 0; it must be at least 1"),
    "rate": (lambda o, v: {"learning_rate": 1.5}, TrainingError, r"learning_rate is 1.5; it must lie between 0 and 1"),
}


@pytest.mark.parametrize("version", ["v3"], indirect=True)
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_before_anything_is_trained(tuned: Project, version: Version, case: str) -> None:
    change, kind, sentence = WRONG[case]
    given = options(tuned, version)
    with pytest.raises(kind, match=sentence) as raised:
        train_sovits(replace(given, **change(given, version)))  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)
    assert not list(tuned.experiment("tones").root.glob("logs_*"))
    assert not list(tuned.root.glob("SoVITS_weights*"))


def test_without_the_base_model_its_command_is_named(tuned: Project, version: Version) -> None:
    tuned.pretrained.unlink()
    with pytest.raises(MissingWeightsError, match=rf"s2Gv.*get it with: gsv download {version.name}"):
        train_sovits(options(tuned, version, RANK))


@pytest.mark.parametrize("version", ["v4"], indirect=True)
def test_features_of_another_hubert_are_refused(tuned: Project, version: Version) -> None:
    for path in tuned.experiment("tones").hubert.iterdir():
        torch.save(torch.zeros(1, 24, torch.load(path, weights_only=True).shape[-1]), path)
    with pytest.raises(
        TrainingError, match=r"tones are 24 wide and this model takes \d+; make them again \(stage 1b\)"
    ):
        train_sovits(options(tuned, version, RANK))


@pytest.mark.parametrize("version", ["v3"], indirect=True)
def test_clips_of_more_than_20_seconds_are_left_out(tuned: Project, version: Version) -> None:
    write_clip(tuned.experiment("tones"), "long.wav", 20.1, 9, phones=40)
    report = FlowData(tuned.experiment("tones"), version).report
    assert report.dropped == {"longer than 20 s": ["long.wav"]}
