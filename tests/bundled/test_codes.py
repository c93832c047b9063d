"""Codes, pairs of clips, and the way from a content encoder to halves that can be trained."""

import json
import shutil
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import yaml

from gsv.checkpoints import read_generator, read_gpt
from gsv.dataset.steps import name_to_semantic, name_to_text
from gsv.errors import InputError
from gsv.models.encoders import ContentEncoder
from gsv.paths import Project
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.reference import Reference
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from gsv.training.start import UNTRAINED
from tiny.codes import (
    VERSION,
    TinyFiles,
    aligned,
    judge_codes,
    places_in_pairs,
    prepare_part,
    write_pairs,
    write_prompts,
    write_start,
)
from tiny.content import ContentPlan, train_content
from tiny.corpus import Corpus, speaker_of
from tiny.gates import trained_content, trained_sovits
from tiny.halves import StepsPlan, train_tokens, train_voice
from tiny.restoring import restore
from tiny.shipping import ship

from .test_content import CPU, WIDTHS

CONTENT = ContentPlan(1, 10, 10, 0.1, 5, 0.6, 0.01, 4, 0.25, 0.2, 0.5)
CONFIGS = Path(__file__).parent.parent.parent / "configs" / "tiny"


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """The shipped configurations, narrower still."""
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "hubert.json").write_text(json.dumps(WIDTHS))
    (folder / "content.yaml").write_text(yaml.safe_dump(asdict(CONTENT)))
    settings = json.loads((CONFIGS / "s2.json").read_text())
    settings["model"] |= {
        "inter_channels": 8,
        "hidden_channels": 16,
        "filter_channels": 16,
        "n_layers": 2,
        "gin_channels": 16,
        "mrte_channels": 16,
        "codebook_size": 8,
        "posterior_layers": 1,
        "flow_layers": 1,
        "vocoder_channels": 16,
        "vocoder_blocks": 1,
    }
    # What takes hours there must show within seconds.
    settings["train"] |= {"learning_rate": 0.005, "lr_decay": 1.0, "mel_floor": 0.0015}
    settings["train"]["segment_size"] = settings["fine_tune"]["segment_size"] = 10240
    settings["discriminator"] = {"scale": [4, 16, 64, 256, 256, 256], "period": [4, 4, 4, 4, 4]}
    (folder / "s2.json").write_text(json.dumps(settings))
    gpt = yaml.safe_load((CONFIGS / "s1.yaml").read_text())
    gpt["model"] |= {"vocab_size": 9, "EOS": 8, "embedding_dim": 16, "hidden_dim": 16, "head": 2, "n_layer": 3}
    (folder / "s1.yaml").write_text(yaml.safe_dump(gpt))
    return folder


def test_codes_that_name_the_phone_share_all_its_information() -> None:
    perfect = judge_codes([(0, 3), (1, 5), (0, 3), (2, 7)], codebook=4)
    assert (perfect.purity, perfect.shared, perfect.used) == (pytest.approx(1), pytest.approx(1), 0.75)
    blind = judge_codes([(0, 3), (0, 5)], codebook=1)
    assert (blind.purity, blind.shared) == (pytest.approx(0.5), pytest.approx(0, abs=1e-9))


def test_the_whole_way_in_miniature(corpus: Corpus, configs: Path, tmp_path: Path) -> None:
    files = TinyFiles(tmp_path)
    train_content(corpus, files.work, configs / "hubert.json", CONTENT, files.content, machine=CPU)
    for part, count in (("train", 20), ("held", 4)):
        assert [step.usable for step in prepare_part(files, part, ("1a", "1b"), 1).steps] == [count, count]
    write_start(files, configs, seed=1)
    for part in ("train", "held"):
        prepare_part(files, part, ("1c",), 1)
    start = read_generator(files.generator)
    assert start.info == UNTRAINED
    assert start.config["content_module"] == "gsv-tiny/content"
    assert judge_codes(aligned(files, "held"), 8).shared > 0.3

    write_prompts(files)
    prompts = files.prompts.rows()
    pairs = write_pairs(files, seed=3)
    experiment = files.project.experiment("pairs")
    texts, codes = name_to_text(experiment).rows(), name_to_semantic(experiment).rows()
    single = name_to_semantic(files.project.experiment("train")).rows()
    speakers = speaker_of(corpus)
    examples = [name.split("+") for name in texts]
    assert {len(names) for names in examples} == {2, 3}
    spoken = [name for names in examples for name in names]
    assert len(set(spoken)) == len(spoken)
    left_out = Counter(speakers[name] for name in single.keys() - set(spoken))
    assert set(left_out.values()) <= {1}
    own_pace = 0
    for example in pairs:
        *before, last = example.clips[: example.prompted]
        rest = example.clips[example.prompted :]
        assert rest
        assert {speakers[name] for name in rest} == {speakers[last]}
        prompt = " ".join((*(single[clip][1] for clip in before), prompts[last][1])).split()
        heard = [prompt[place] for place in example.heard]
        own_pace += example.heard == tuple(range(len(prompt)))
        assert codes[example.name][1].split() == [*heard, *" ".join(single[clip][1] for clip in rest).split()]
        # At its own pace or another, but in order and to its end.
        assert list(example.heard) == sorted(example.heard)
        assert example.heard[0] == 0
        assert len(prompt) - 3 <= example.heard[-1] < len(prompt)
        # The silence behind a prompt, 0.6 s.
        assert len(prompts[last][1].split()) - len(single[last][1].split()) in {14, 15, 16}
    assert {example.prompted for example in pairs} == {1, 2}
    assert 0 < own_pace < len(pairs)
    names = write_pairs(files, seed=2)
    assert set(name_to_text(experiment).rows()) != set(texts)

    phonemes_of = {name: row[1].split() for name, row in name_to_text(files.project.experiment("train")).rows().items()}
    for (name, places), example in zip(places_in_pairs(files, names).items(), names, strict=True):
        before, rest = example.clips[: example.prompted], example.clips[example.prompted :]
        tokens, phonemes = name_to_semantic(experiment).rows()[name][1], name_to_text(experiment).rows()[name][1]
        assert len(places) == len(tokens.split())
        assert max(places) < len(phonemes.split())
        assert min(places[len(example.heard) :]) >= sum(len(phonemes_of[clip]) for clip in before)
        # Each clip's tokens look at its own text.
        last = len(single[rest[-1]][1].split())
        assert min(places[-last:]) >= len(phonemes.split()) - len(phonemes_of[rest[-1]])

    steps = StepsPlan(seed=1, sovits_epochs=4, sovits_batch_size=10, gpt_epochs=2, gpt_batch_size=1, reference="a")
    voice = train_voice(files, steps)
    assert voice.outcome.epochs == steps.sovits_epochs
    # No discriminator judges a voice that is not one yet.
    assert "loss/d/total" not in voice.outcome.history[0]
    assert voice.outcome.history[-1]["loss/g/mel"] < voice.outcome.history[0]["loss/g/mel"]
    reports = list(train_tokens(files, steps))
    assert [report.outcome.epochs for report in reports] == [1, 2]
    assert reports[1].outcome.history[0]["loss/guidance"] < reports[0].outcome.history[0]["loss/guidance"]
    assert read_gpt(reports[-1].weights).info != UNTRAINED
    assert (experiment.gpt_logs(VERSION)).is_dir()

    home = Project(tmp_path / "home")
    ship(files, home, steps.reference)
    engine = Engine.load(project=home, device="cpu")
    assert engine.notice
    own = Reference.of(home.base(VERSION))
    assert own is not None
    speech = engine.speak(
        "See a star.", "en", engine.voice(own.audio, own.transcript, own.language), SpeechOptions(seed=1)
    )
    assert speech.seconds > 0.2
    shutil.copytree(
        files.project.experiment("train").root, home.root / "logs" / "mine", ignore=lambda *_: ["logs_s2_v2"]
    )
    tuned = train_sovits(SovitsTrainOptions("mine", epochs=1, batch_size=10, machine=CPU, project=home))
    # At the rate that the set itself names, and with its own losses.
    rate = json.loads((configs / "s2.json").read_text())["fine_tune"]["learning_rate"]
    assert tuned.outcome.history[0]["learning_rate"] == pytest.approx(rate, rel=0.01)
    assert tuned.outcome.history[0]["loss/g/content"] > 0
    assert tuned.outcome.history[0]["loss/g/stft"] > 0
    assert Engine.load(sovits=tuned.weights, project=home, device="cpu").notice

    again = TinyFiles(tmp_path / "again")
    with pytest.raises(InputError, match="nothing to go on from"):
        restore(again, configs, Project(tmp_path / "nowhere"))
    restore(again, configs, home)
    before, after = read_generator(files.generator).weight, read_generator(again.generator).weight
    for name in ("ssl_proj.weight", "quantizer.vq.layers.0._codebook.embed"):
        assert torch.equal(before[name], after[name])
    wave = torch.randn(1, 16000)
    assert torch.equal(*(ContentEncoder.load(part.content)(wave) for part in (files, again)))
    heads = [trained_content(part, configs).heads.weight for part in (files, again)]
    torch.testing.assert_close(*heads, atol=1e-3, rtol=1e-3)
    with pytest.raises(InputError, match="holds parts of a voice already"):
        restore(again, configs, home)
    shutil.copytree(tmp_path / "corpus", again.work / "corpus")
    prepare_part(again, "train", ("1a", "1b", "1c"), 1)
    # Training goes on from what was kept, in half precision.
    kept, going_on = trained_sovits(files).state_dict(), trained_sovits(again).state_dict()
    assert kept.keys() == going_on.keys()
    for name, tensor in kept.items():
        torch.testing.assert_close(going_on[name], tensor, atol=1e-3, rtol=2e-3)
    assert train_voice(again, steps).outcome.epochs == steps.sovits_epochs
