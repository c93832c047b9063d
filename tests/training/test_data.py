"""What is chosen from an experiment for training, why the rest is not, and in which order it comes."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from gsv.audio.spectral import Stft, spectrogram
from gsv.errors import TrainingError
from gsv.training.data import BucketBatches, GptData, SovitsData
from gsv.versions import version_named

from .conftest import CODES, SSL_DIM, MakeExperiment, write_clip

V2 = version_named("v2")


def reasons(dropped: dict[str, list[str]]) -> dict[str, str]:
    """The reason for each name."""
    return {name: reason for reason, names in dropped.items() for name in names}


def test_clips_for_sovits_are_left_out_with_a_reason(make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 0.5, 39.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    (experiment.hubert / "clip3.wav.pt").unlink()
    (experiment.wav32k / "clip4.wav").write_bytes(b"RIFF, but nothing after it")
    soundfile.write(experiment.wav32k / "clip5.wav", np.zeros(16000), 16000)
    torch.save(torch.zeros(1, SSL_DIM, 12), experiment.hubert / "clip6.wav.pt")
    (experiment.hubert / "clip7.wav.pt").write_bytes(b"not a tensor")
    with experiment.phones.open("a") as text:
        text.write("gone.wav\tAA1 B\t[1, 1]\tx\n")
        text.write("strange.wav\tAA1 QQQ\t[1, 1]\tx\n")
        text.write("a line of another shape\n")
    soundfile.write(experiment.wav32k / "textless.wav", np.zeros(64000), 32000)

    data = SovitsData(experiment, V2)
    assert {clip.name for clip in data.clips} == {"clip0.wav"}
    assert data.report.used == 1
    dropped = reasons(data.report.dropped)
    assert "shorter" in dropped["clip1.wav"]
    assert "longer" in dropped["clip2.wav"]
    assert dropped["clip3.wav"] == "no file in 4-cnhubert"
    assert "damaged" in dropped["clip4.wav"]
    assert "32000 Hz" in dropped["clip5.wav"]
    assert "another length" in dropped["clip6.wav"]
    assert "damaged" in dropped["clip7.wav"]
    assert dropped["gone.wav"] == "no file in 4-cnhubert" or dropped["gone.wav"] == "no file in 5-wav32k"
    assert "QQQ" in dropped["strange.wav"]
    assert "4 columns" in dropped["line 11"]
    assert dropped["textless.wav"] == "no line in 2-name2text.txt"
    assert len(dropped) == 11
    assert "7 left out" not in str(data.report)
    assert "(clip1.wav)" in str(data.report)


def test_speaker_vectors_are_needed_only_by_versions_that_use_them(make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 1.2)
    (experiment.speaker / "clip1.wav.pt").unlink()
    assert SovitsData(experiment, V2).report.used == 2
    data = SovitsData(experiment, version_named("v2Pro"))
    assert data.report.used == 1
    assert reasons(data.report.dropped) == {"clip1.wav": "no file in 7-sv_cn"}
    speaker = data.collate([data[0]]).speaker
    assert speaker is not None
    assert speaker.shape == (1, 20480)


def test_small_experiments_are_gone_through_several_times(make_experiment: MakeExperiment) -> None:
    data = SovitsData(make_experiment(1.0, 1.0, 1.0), V2)
    assert data.report.repeats == 33
    assert len(data) == 99


def test_batch_holds_the_audio_its_spectrogram_and_the_features(make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 1.5)
    data = SovitsData(experiment, V2)
    clips = sorted({clip.name: clip for clip in data.clips}.values(), key=lambda clip: clip.name)
    batch = data.collate(clips)
    assert batch.spec_lengths.tolist() == [50, 75]
    assert batch.spec.shape == (2, 1025, 76)
    assert batch.ssl.shape == (2, SSL_DIM, 76)
    assert batch.wave.shape == (2, 1, 76 * 640)
    wave = torch.from_numpy(soundfile.read(experiment.wav32k / "clip1.wav", dtype="float32")[0])
    assert torch.equal(batch.wave[1, 0, :48000], wave)
    assert torch.allclose(batch.spec[1, :, :75], spectrogram(wave[None], Stft())[0])
    stored = torch.load(experiment.hubert / "clip1.wav.pt")[0].float()
    assert torch.equal(batch.ssl[1, :, :74], stored)
    assert torch.equal(batch.ssl[1, :, 74], stored[:, -1])
    assert batch.ssl[1, :, 75].eq(0).all()
    assert batch.text_lengths.tolist() == [8, 12]
    assert batch.text[0, 8:].eq(0).all()


def test_clips_for_gpt_are_left_out_with_a_reason(make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 60.0, 2.0)
    write_clip(experiment, "fast.wav", 1.0, 5, phones=40)
    write_clip(experiment, "slow.wav", 4.0, 6, phones=4)
    write_clip(experiment, "bert.wav", 1.0, 7, phones=8)
    torch.save(torch.zeros(1024, 9), experiment.bert / "bert.wav.pt")
    with experiment.semantic.open("a") as tokens:
        tokens.write("textless.wav\t1 2 3\nempty.wav\t\nnoise.wav\t1 x\n")
    data = GptData(experiment, V2, end=CODES)
    assert {clip.name for clip in data.clips} == {"clip0.wav", "clip2.wav"}
    dropped = reasons(data.report.dropped)
    assert dropped["clip1.wav"] == "longer than 54 s"
    assert "phonemes a second" in dropped["fast.wav"]
    assert "phonemes a second" in dropped["slow.wav"]
    assert "3-bert" in dropped["bert.wav"]
    assert dropped["textless.wav"] == "no line in 2-name2text.txt"
    assert "no tokens" in dropped["empty.wav"]
    assert "no tokens" in dropped["noise.wav"]
    assert len(dropped) == 7


def test_tokens_of_another_vocabulary_are_refused(make_experiment: MakeExperiment) -> None:
    with pytest.raises(TrainingError, match=r"tokens outside 0\.\.1"):
        GptData(make_experiment(2.0, 2.0), V2, end=2)


def test_text_features_are_zero_where_there_are_none(make_experiment: MakeExperiment) -> None:
    experiment = make_experiment(1.0, 1.0)
    torch.save(torch.ones(1024, 8).half(), experiment.bert / "clip1.wav.pt")
    data = GptData(experiment, V2, end=CODES)
    clips = sorted({clip.name: clip for clip in data.clips}.values(), key=lambda clip: clip.name)
    batch = data.collate(clips)
    assert batch.bert[0].eq(0).all()
    assert batch.bert[1].eq(1).all()
    assert batch.token_lengths.tolist() == [len(clip.tokens) for clip in clips]


@pytest.mark.parametrize("missing", ["2-name2text.txt", "4-cnhubert", "5-wav32k"])
def test_a_missing_stage_is_named(make_experiment: MakeExperiment, missing: str) -> None:
    experiment = make_experiment(1.0)
    (experiment.root / missing).rename(experiment.root / "elsewhere")
    with pytest.raises(TrainingError, match=rf"{missing} is missing; make the .* \(stage 1[ab]\)"):
        SovitsData(experiment, V2)


def test_an_experiment_with_nothing_usable_is_an_error_that_says_why(make_experiment: MakeExperiment) -> None:
    with pytest.raises(TrainingError, match=r"2 left out: shorter than 0.66 s"):
        SovitsData(make_experiment(0.4, 0.5), V2)


LENGTHS = [int(length) for length in np.random.default_rng(1).integers(33, 1900, 101)]


@pytest.mark.parametrize("world", [1, 2, 3])
def test_every_clip_comes_once_an_epoch_whatever_the_number_of_processes(world: int) -> None:
    ranks = [list(BucketBatches(LENGTHS, 100, 8, seed=1, rank=rank, world=world)) for rank in range(world)]
    assert {len(batches) for batches in ranks} == {len(BucketBatches(LENGTHS, 100, 8, 1, 0, world))}
    seen = sorted(index for batches in ranks for batch in batches for index in batch)
    assert set(seen) == set(range(len(LENGTHS)))
    # Only the remainder that does not divide among the processes comes twice.
    assert len(seen) - len(LENGTHS) < world
    for together in zip(*ranks, strict=True):
        assert len({len(batch) for batch in together}) == 1


def test_order_follows_from_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[list[int]]:
        batches = BucketBatches(LENGTHS, 100, 8, seed)
        batches.epoch = epoch
        return list(batches)

    assert order(1, 4) == order(1, 4)
    assert order(1, 4) != order(1, 5)
    assert order(1, 4) != order(2, 4)


def test_batches_hold_clips_of_similar_length() -> None:
    spreads = [
        max(LENGTHS[index] for index in batch) - min(LENGTHS[index] for index in batch)
        for batch in BucketBatches(LENGTHS, 100, 8, seed=1)
    ]
    assert max(spreads) < 500
    assert sum(spreads) / len(spreads) < 300


def test_features_of_another_kind_of_file_never_run_code(make_experiment: MakeExperiment, tmp_path: Path) -> None:
    experiment = make_experiment(1.0, 1.0)
    marker = tmp_path / "ran"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (marker,))  # type: ignore[return-value]

    torch.save(Trap(), experiment.hubert / "clip0.wav.pt")
    data = SovitsData(experiment, V2)
    assert not marker.exists()
    assert "damaged" in reasons(data.report.dropped)["clip0.wav"]
