"""Whole trainings, small enough for a CPU: they learn, go on after being stopped, export, and say what is wrong."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gsv.checkpoints import (
    DiscriminatorFile,
    GeneratorFile,
    halved,
    read_generator,
    read_gpt,
    read_resume,
    write_discriminator,
    write_generator,
)
from gsv.errors import CheckpointError, GsvError, InputError, MissingWeightsError, TrainingError
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.models.t2s import T2S, T2SConfig
from gsv.paths import Project
from gsv.training.data import GptBatch
from gsv.training.gpt import GptTrainOptions, train_gpt
from gsv.training.loop import Machine, TrainReport
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from gsv.versions import version_named

from .conftest import MakeExperiment

V2 = version_named("v2")
CPU = Machine(accelerator="cpu", workers=0)
Options = SovitsTrainOptions | GptTrainOptions
Train = Callable[[Options], TrainReport]


def sovits(project: Project) -> SovitsTrainOptions:
    return SovitsTrainOptions(
        "tones", epochs=3, batch_size=25, from_scratch=Path("s2.json"), machine=CPU, project=project
    )


def gpt(project: Project) -> GptTrainOptions:
    return GptTrainOptions("tones", epochs=3, batch_size=25, from_scratch=Path("s1.yaml"), machine=CPU, project=project)


KINDS = pytest.mark.parametrize(
    ("options_of", "train"), [(sovits, train_sovits), (gpt, train_gpt)], ids=["sovits", "gpt"]
)


def written(project: Project) -> set[str]:
    return {str(path.relative_to(project.root)) for path in project.root.rglob("*") if path.is_file()}


def logged(folder: Path, tag: str) -> dict[int, float]:
    """Step and value of a logged scalar, as TensorBoard shows it; fails if a step comes twice."""
    board = EventAccumulator(str(folder))
    board.Reload()
    steps = [event.step for event in board.Scalars(tag)]
    assert len(steps) == len(set(steps))
    return {event.step: event.value for event in board.Scalars(tag)}


def test_sovits_learns_and_exports_an_official_voice(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2, 1.4, 0.8)
    report = train_sovits(replace(sovits(narrow), epochs=4, batch_size=8))
    history = report.outcome.history
    assert history[-1]["loss/g/mel"] < 0.75 * history[0]["loss/g/mel"]
    assert history[-1]["loss/d/total"] < history[0]["loss/d/total"]
    assert report.weights == narrow.root / "SoVITS_weights_v2" / "tones_e4_s52.pth"
    file = read_generator(report.weights)
    assert file.version == "v2"
    assert file.info == "4epoch_52iteration"
    assert not any("enc_q" in name for name in file.weight)
    assert {tensor.dtype for tensor in file.weight.values()} == {torch.float16}
    assert file.config["model"]["version"] == "v2"
    network = Sovits(SovitsConfig.from_weights(file.config["model"], file.weight))
    report_of_loading = network.load_state_dict(file.weight, strict=False)
    assert all(name.startswith("enc_q.") for name in report_of_loading.missing_keys)
    assert not report_of_loading.unexpected_keys


@pytest.mark.parametrize("dpo", [False, True])
def test_gpt_learns_and_exports_an_official_model(narrow: Project, make_experiment: MakeExperiment, dpo: bool) -> None:
    make_experiment(1.0, 1.2, 1.4, 0.8)
    report = train_gpt(replace(gpt(narrow), epochs=8, batch_size=8, dpo=dpo))
    history = report.outcome.history
    assert history[-1]["loss/per_token"] < 0.8 * history[0]["loss/per_token"]
    assert report.weights == narrow.root / "GPT_weights_v2" / "tones-e8.ckpt"
    file = read_gpt(report.weights)
    assert file.info == "GPT-e8"
    assert file.config["data"]["max_sec"] == 54
    assert {tensor.dtype for tensor in file.weight.values()} == {torch.float16}
    T2S(T2SConfig.from_dict(file.config["model"])).load_state_dict(
        {name.removeprefix("model."): tensor for name, tensor in file.weight.items()}
    )


@pytest.mark.parametrize("dropout", [0.0, None])
def test_gpt_drops_out_as_much_as_its_configuration_says(
    narrow: Project, make_experiment: MakeExperiment, dropout: float | None
) -> None:
    if dropout is not None:
        settings = narrow.root / "s1.yaml"
        config = yaml.safe_load(settings.read_text())
        config["model"]["training_dropout"] = dropout
        settings.write_text(yaml.safe_dump(config))
    make_experiment(1.0)
    networks: list[T2S] = []

    def guidance(network: T2S) -> Callable[[GptBatch], torch.Tensor]:
        networks.append(network)
        return lambda batch: torch.zeros(())

    train_gpt(replace(gpt(narrow), epochs=1), guidance=guidance)
    (network,) = networks
    phonemes, tokens = torch.tensor([[1, 2, 3]]), torch.tensor([[4, 5, 6, 7]])
    bert = torch.zeros(1, network.config.bert_dim, 3)

    def logits() -> torch.Tensor:
        return network.train()(phonemes, torch.tensor([3]), tokens, torch.tensor([4]), bert)

    assert torch.equal(logits(), logits()) == (dropout == 0)


@KINDS
def test_a_resumed_training_equals_one_without_a_break(
    narrow: Project,
    make_experiment: MakeExperiment,
    tmp_path: Path,
    options_of: Callable[[Project], Options],
    train: Train,
) -> None:
    experiment = make_experiment(1.0, 1.2, 1.4, 0.8)
    other = Project(tmp_path / "other")
    (other.root / "logs").mkdir(parents=True)
    for name in ("s2.json", "s1.yaml"):
        (other.root / name).write_bytes((narrow.root / name).read_bytes())
    shutil.copytree(experiment.root, other.root / "logs" / "tones")

    whole = train(options_of(narrow))
    parts = [train(replace(options_of(other), epochs=epochs)) for epochs in (1, 2, 3)]
    assert [part.outcome.resumed_from for part in parts] == [0, 1, 2]
    assert whole.outcome.history == tuple(row for part in parts for row in part.outcome.history)
    assert whole.weights.name == parts[-1].weights.name
    read = read_generator if isinstance(options_of(narrow), SovitsTrainOptions) else read_gpt
    first, second = read(whole.weights).weight, read(parts[-1].weights).weight
    assert all(torch.equal(first[name], second[name]) for name in first)


@KINDS
def test_epochs_already_trained_are_not_trained_again_but_exported(
    narrow: Project, make_experiment: MakeExperiment, options_of: Callable[[Project], Options], train: Train
) -> None:
    make_experiment(1.0, 1.2)
    first = train(replace(options_of(narrow), epochs=2))
    first.weights.unlink()
    again = train(replace(options_of(narrow), epochs=1))
    assert again.outcome.history == ()
    assert again.outcome.epochs == 2
    assert again.weights == first.weights
    assert again.weights.is_file()
    assert str(again).startswith("All 2 epochs were trained already")


KILLED = """
import sys, torch
from pathlib import Path
from dataclasses import replace
sys.path.insert(0, {tests!r})
from training import test_training as trial
from gsv.paths import Project
torch.set_num_threads(1)
options = replace(trial.sovits(Project(Path({root!r}))), epochs=4)
trial.train_sovits(options)
print("finished")
"""


def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(
    narrow: Project, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    experiment = make_experiment(1.0, 1.2, 1.4, 0.8)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    shutil.copy(narrow.root / "s2.json", other.root)
    shutil.copytree(narrow.root / "logs", other.root / "logs")
    script = KILLED.format(tests=str(Path(__file__).parent.parent), root=str(other.root))
    chance = random.Random(5)
    kills = 0
    for attempt in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        folder = other.root / "logs" / "tones" / "logs_s2_v2"
        if kills < 3:
            # Let it get going, so that kills hit training and saving rather than imports.
            deadline = time.monotonic() + 120
            known = {path.name for path in folder.glob("events*")}
            while time.monotonic() < deadline and process.poll() is None:
                if {path.name for path in folder.glob("events*")} - known:
                    break
                time.sleep(0.02)
            time.sleep(chance.uniform(0.2, 2.0))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
        said, _ = process.communicate()
        if "finished" in said:
            break
        assert attempt < 19, "never finished"
    assert kills == 3
    whole = train_sovits(replace(sovits(narrow), epochs=4))
    weights = other.root / "SoVITS_weights_v2" / whole.weights.name
    first, second = read_generator(whole.weights).weight, read_generator(weights).weight
    assert all(torch.equal(first[name], second[name]) for name in first)
    for tag in ("loss/g/mel", "loss/d/total"):
        once = logged(experiment.sovits_logs(V2), tag)
        assert sorted(once) == list(range(1, 17))
        assert logged(folder, tag) == once
    assert [path.name for path in folder.glob(".*")] == [".lock"]


def test_weights_and_states_are_kept_as_asked(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0)
    report = train_sovits(replace(sovits(narrow), epochs=3, save_every_epoch=2, keep_only_latest=False))
    assert [path.name for path in report.outcome.exported] == ["tones_e2_s8.pth", "tones_e3_s12.pth"]
    states = sorted(path.name for path in (narrow.root / "logs/tones/logs_s2_v2").glob("*.pth"))
    assert states == ["D_233333333333.pth", "D_8.pth", "G_233333333333.pth", "G_8.pth"]
    assert read_resume(narrow.root / "logs/tones/logs_s2_v2/G_8.pth").iteration == 2


def test_only_the_last_weights_are_exported_if_asked(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0)
    report = train_gpt(replace(gpt(narrow), epochs=3, save_every_epoch=1, save_every_weights=False))
    assert [path.name for path in report.outcome.exported] == ["tones-e3.ckpt"]
    states = sorted(path.name for path in (narrow.root / "logs/tones/logs_s1_v2").glob("*.pth"))
    assert states == ["T_233333333333.pth"]


def test_losses_pictures_and_sounds_are_logged(narrow: Project, make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0)
    train_sovits(replace(sovits(narrow), epochs=1))
    board = EventAccumulator(str(experiment.sovits_logs(V2)))
    board.Reload()
    tags = board.Tags()
    assert {"loss/g/total", "loss/d/total", "loss/g/kl", "learning_rate"} <= set(tags["scalars"])
    assert {"slice/mel_real", "slice/mel_made"} <= set(tags["images"])
    assert {"slice/real", "slice/made"} <= set(tags["audio"])


def test_what_the_content_encoder_hears_is_a_loss_if_the_configuration_has_a_weight_for_it(
    narrow: Project, make_experiment: MakeExperiment
) -> None:
    make_experiment(1.0, 1.2)
    module = "gsv-tiny/content"
    shutil.copytree(Project.default().content_encoder(module), narrow.content_encoder(module))
    config = scratch_config(narrow, "train", c_content=60.0)
    config.write_text(json.dumps({**json.loads(config.read_text()), "content_module": module}), encoding="utf-8")
    deaf = train_sovits(replace(sovits(narrow), epochs=1))
    unheard = read_generator(deaf.weights).weight
    shutil.rmtree(narrow.root / "logs/tones/logs_s2_v2")
    hearing = train_sovits(replace(sovits(narrow), epochs=1, from_scratch=config))
    assert "loss/g/content" not in deaf.outcome.history[0]
    assert hearing.outcome.history[0]["loss/g/content"] > 0
    # Its gradient reaches the network.
    heard = read_generator(hearing.weights).weight
    assert any(not torch.equal(heard[name], tensor) for name, tensor in unheard.items())


def test_gradient_checkpointing_changes_memory_not_results(
    narrow: Project, make_experiment: MakeExperiment, tmp_path: Path
) -> None:
    make_experiment(1.0, 1.2)
    plain = train_sovits(replace(sovits(narrow), epochs=1))
    for path in (narrow.root / "logs/tones/logs_s2_v2").iterdir():
        path.unlink()
    saving = train_sovits(replace(sovits(narrow), epochs=1, grad_checkpointing=True))
    assert saving.outcome.resumed_from == 0
    for name, value in plain.outcome.history[0].items():
        assert saving.outcome.history[0][name] == pytest.approx(value, rel=1e-3), name


def test_text_parts_learn_at_a_reduced_rate(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2)
    train_sovits(replace(sovits(narrow), epochs=1, text_low_lr_rate=0.0))
    state = read_resume(narrow.root / "logs/tones/logs_s2_v2/G_233333333333.pth")
    rates = [group["lr"] for group in state.optimizer["param_groups"]]
    assert rates == [pytest.approx(4e-3 * 0.999875), 0, 0, 0]


def test_two_processes_train_together(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2, 1.4)
    machine = replace(CPU, gpus=(0, 1))
    first = train_sovits(replace(sovits(narrow), epochs=1, batch_size=13, machine=machine))
    assert first.outcome.steps == 4
    again = train_sovits(replace(sovits(narrow), epochs=2, batch_size=13, machine=machine))
    assert again.outcome.resumed_from == 1
    assert again.weights.is_file()
    assert train_gpt(replace(gpt(narrow), epochs=1, machine=machine)).weights.is_file()


def test_an_error_in_one_of_several_processes_keeps_its_sentence(
    narrow: Project, make_experiment: MakeExperiment
) -> None:
    experiment = make_experiment(1.0, 1.2)
    train_gpt(replace(gpt(narrow), epochs=1))
    (experiment.gpt_logs(V2) / "T_233333333333.pth").write_bytes(b"PK, and then nothing of use")
    with pytest.raises(TrainingError, match=r"^\S*T_233333333333.pth .* is damaged"):
        train_gpt(replace(gpt(narrow), epochs=2, machine=replace(CPU, gpus=(0, 1))))


def untrained_base(project: Project, keep_posterior: bool = True) -> tuple[Path, Path]:
    """A generator and discriminators, as files to fine-tune from, from a training of one epoch."""
    train_sovits(replace(sovits(project), epochs=1))
    logs = project.root / "logs" / "tones" / "logs_s2_v2"
    config = read_generator(next((project.root / "SoVITS_weights_v2").iterdir())).config
    generator, discriminator = (read_resume(logs / f"{name}_233333333333.pth").model for name in "GD")
    weight = {name: tensor for name, tensor in generator.items() if keep_posterior or "enc_q" not in name}
    write_generator(project.root / "g.pth", GeneratorFile(halved(weight), config, "", "v2"))
    write_discriminator(project.root / "d.pth", DiscriminatorFile(halved(discriminator)))
    for path in logs.iterdir():
        path.unlink()
    return project.root / "g.pth", project.root / "d.pth"


def test_fine_tuning_starts_from_the_pretrained_weights(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2)
    path_g, path_d = untrained_base(narrow)
    options = replace(sovits(narrow), epochs=1, from_scratch=None, pretrained_g=path_g, pretrained_d=path_d)
    report = train_sovits(options)
    before, after = read_generator(path_g).weight, read_generator(report.weights).weight
    moved = {name: (after[name].float() - before[name].float()).abs().max().item() for name in after}
    # Four steps at a rate of 1e-4 move a weight by little, and the quantizer by nothing.
    assert 0 < max(moved.values()) < 5e-3
    assert all(moved[name] == 0 for name in moved if name.startswith(("quantizer.", "ssl_proj.")))


def test_gpt_fine_tuning_runs_at_the_constant_rate(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2)
    first = train_gpt(replace(gpt(narrow), epochs=1))
    base = first.weights.rename(narrow.root / "base.ckpt")
    for path in (narrow.root / "logs/tones/logs_s1_v2").iterdir():
        path.unlink()
    report = train_gpt(replace(gpt(narrow), epochs=2, from_scratch=None, pretrained=base))
    assert [row["learning_rate"] for row in report.outcome.history] == [pytest.approx(0.002)] * 2


def test_gpt_fine_tuning_runs_at_the_rate_that_the_weights_ask_for(
    narrow: Project, make_experiment: MakeExperiment
) -> None:
    make_experiment(1.0, 1.2)
    config = yaml.safe_load((narrow.root / "s1.yaml").read_text(encoding="utf-8"))
    config["optimizer"]["lr_fine_tune"] = 0.0003
    (narrow.root / "s1.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    base = train_gpt(replace(gpt(narrow), epochs=1)).weights.rename(narrow.root / "base.ckpt")
    for path in (narrow.root / "logs/tones/logs_s1_v2").iterdir():
        path.unlink()
    report = train_gpt(replace(gpt(narrow), epochs=1, from_scratch=None, pretrained=base))
    assert report.outcome.history[0]["learning_rate"] == pytest.approx(0.0003)


Change = Callable[[Project], Options]


def scratch_config(project: Project, group: str = "model", **settings: object) -> Path:
    config = json.loads((project.root / "s2.json").read_text(encoding="utf-8"))
    config[group].update(settings)
    path = project.root / "changed.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


WRONG: dict[str, tuple[Change, type[GsvError], str]] = {
    "no experiment": (
        lambda p: replace(sovits(p), exp="nowhere"),
        TrainingError,
        r"nowhere/4-cnhubert is missing; make the content features \(stage 1b\)",
    ),
    "no tokens": (lambda p: replace(gpt(p), exp="nowhere"), TrainingError, r"6-name2semantic.tsv is missing"),
    "bad name": (lambda p: replace(gpt(p), exp="../x"), InputError, r"experiment name '../x'"),
    "version": (lambda p: replace(sovits(p), version="v9"), InputError, r"no version 'v9'; choose one of v1, v2"),
    "no speakers": (lambda p: replace(sovits(p), version="v2Pro"), TrainingError, r"7-sv_cn is missing"),
    "epochs": (lambda p: replace(gpt(p), epochs=0), TrainingError, r"epochs is 0; it must be at least 1"),
    "saving": (lambda p: replace(gpt(p), save_every_epoch=0), TrainingError, r"save_every_epoch is 0"),
    "batch": (lambda p: replace(sovits(p), batch_size=0), TrainingError, r"batch_size is 0; it must be at least 1"),
    "batch of tokens": (lambda p: replace(gpt(p), batch_size=-1), TrainingError, r"batch_size is -1"),
    "text rate": (lambda p: replace(sovits(p), text_low_lr_rate=1.5), TrainingError, r"text_low_lr_rate is 1.5"),
    "rate": (lambda p: replace(sovits(p), learning_rate=0.0), TrainingError, r"learning_rate is 0.0"),
    "no base": (
        lambda p: replace(sovits(p), from_scratch=None),
        MissingWeightsError,
        r"s2G2333k.pth .*gsv-v2final-pretrained; get it with: gsv download v2",
    ),
    "no gpt base": (lambda p: replace(gpt(p), from_scratch=None), MissingWeightsError, r"gsv download v2"),
    "no discriminator": (
        lambda p: replace(sovits(p), from_scratch=None, pretrained_g=Path("s2.json")),
        MissingWeightsError,
        r"s2D2333k.pth .* gsv download v2",
    ),
    "no configuration": (
        lambda p: replace(sovits(p), from_scratch=Path("none.json")),
        TrainingError,
        r"There is no configuration .*none.json",
    ),
    "no model group": (
        lambda p: replace(gpt(p), from_scratch=write(p, "empty.yaml", "train: {}")),
        TrainingError,
        r"has no group `model`",
    ),
    "not yaml": (
        lambda p: replace(gpt(p), from_scratch=write(p, "bad.yaml", "a: [")),
        TrainingError,
        r"bad.yaml cannot be read as a configuration",
    ),
    "no schedule": (
        lambda p: replace(gpt(p), from_scratch=write(p, "m.yaml", "model: {vocab_size: 9, EOS: 8, hidden_dim: 16}")),
        TrainingError,
        r"The configuration has no optimizer.lr_init",
    ),
    "upsampling": (
        lambda p: replace(sovits(p), from_scratch=scratch_config(p, upsample_rates=[10, 8, 2, 2, 1])),
        TrainingError,
        r"upsample_rates multiply to 320; they must multiply to 640",
    ),
    "voice width": (
        lambda p: replace(sovits(p), from_scratch=scratch_config(p, gin_channels=32)),
        TrainingError,
        r"gin_channels is 32 and model.mrte_channels 16",
    ),
    "heads": (
        lambda p: replace(gpt(p), from_scratch=write(p, "h.yaml", "model: {vocab_size: 9, EOS: 8, hidden_dim: -4}")),
        TrainingError,
        r"widths in the configuration do not fit together",
    ),
    "no content encoder": (
        lambda p: replace(sovits(p), from_scratch=scratch_config(p, "train", c_content=1.0)),
        MissingWeightsError,
        r"chinese-hubert-base .* gsv download",
    ),
    "codebook": (
        lambda p: replace(sovits(p), from_scratch=scratch_config(p, codebook_size=4000)),
        TrainingError,
        r"tokens of content and the codebook 4000 entries; give more clips",
    ),
    "gpu": (
        lambda p: replace(gpt(p), machine=Machine(accelerator="cuda", gpus=(99,))),
        TrainingError,
        r"There is no GPU 99",
    ),
    "gpu twice": (lambda p: replace(gpt(p), machine=replace(CPU, gpus=(0, 0))), TrainingError, r"name each GPU once"),
    "no machine": (lambda p: replace(gpt(p), machine=replace(CPU, nodes=0)), TrainingError, r"nodes is 0"),
    "not text": (
        lambda p: replace(gpt(p), from_scratch=write(p, "bytes.yaml", "\udcff")),
        TrainingError,
        r"bytes.yaml cannot be read as a configuration",
    ),
    "half on cpu": (
        lambda p: replace(gpt(p), machine=replace(CPU, precision="16-mixed")),
        TrainingError,
        r"16-mixed needs a GPU",
    ),
}


def write(project: Project, name: str, text: str) -> Path:
    path = project.root / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_before_anything_is_written(
    narrow: Project, make_experiment: MakeExperiment, case: str
) -> None:
    experiment = make_experiment(1.0, 1.2)
    for path in experiment.speaker.iterdir():
        path.unlink()
    experiment.speaker.rmdir()
    change, kind, sentence = WRONG[case]
    options = change(narrow)
    before = written(narrow)
    with pytest.raises(kind, match=sentence) as raised:
        train_sovits(options) if isinstance(options, SovitsTrainOptions) else train_gpt(options)
    assert "\n" not in str(raised.value)
    assert written(narrow) == before
    assert not list(experiment.root.glob("logs_*"))


def test_weights_that_do_not_fit_are_refused(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 1.2)
    path_g, path_d = untrained_base(narrow)
    options = replace(sovits(narrow), epochs=1, from_scratch=None, pretrained_g=path_g, pretrained_d=path_d)

    def refused(changed: SovitsTrainOptions, sentence: str) -> None:
        with pytest.raises((CheckpointError, TrainingError), match=sentence):
            train_sovits(changed)

    refused(replace(options, version="v1"), r"g.pth is a model of version v2; version v1 was asked for")
    refused(replace(options, pretrained_g=path_d), r"is a discriminator file")
    voice = next((narrow.root / "SoVITS_weights_v2").iterdir())
    refused(replace(options, pretrained_g=voice), r"has no posterior encoder, like all exported voices")
    file = read_generator(path_g)
    del file.weight["flow.flows.2.post.bias"]
    write_generator(narrow.root / "less.pth", file)
    refused(
        replace(options, pretrained_g=narrow.root / "less.pth"), r"lacks 1 of .* the first is flow.flows.2.post.bias"
    )


def test_features_of_another_hubert_are_refused(narrow: Project, make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 1.2)
    path_g, path_d = untrained_base(narrow)
    for path in experiment.hubert.iterdir():
        torch.save(torch.zeros(1, 24, 49), path)
    options = replace(sovits(narrow), from_scratch=None, pretrained_g=path_g, pretrained_d=path_d)
    with pytest.raises(TrainingError, match=r"are 24 wide and this model takes 16; make them again \(stage 1b\)"):
        train_sovits(options)


def test_a_training_that_breaks_down_stops_and_keeps_its_last_state(
    narrow: Project, make_experiment: MakeExperiment
) -> None:
    experiment = make_experiment(1.0, 1.2)
    train_gpt(replace(gpt(narrow), epochs=1))
    torch.save(torch.full((1024, 8), float("nan")), experiment.bert / "clip0.wav.pt")
    with pytest.raises(TrainingError, match=r"broke down in epoch 2: loss/total is nan; the state of epoch 1 is kept"):
        train_gpt(replace(gpt(narrow), epochs=3))
    state = read_resume(experiment.gpt_logs(V2) / "T_233333333333.pth")
    assert state.iteration == 1
    assert all(tensor.isfinite().all() for tensor in state.model.values())


def test_the_report_counts_what_was_used_and_left_out(narrow: Project, make_experiment: MakeExperiment) -> None:
    make_experiment(1.0, 0.5, 1.2)
    report = train_sovits(replace(sovits(narrow), epochs=1))
    assert report.data.used == 2
    assert re.search(r"on 2 clips, each 50 times an epoch; 1 left out: shorter than 0.66 s \(clip1.wav\)", str(report))
