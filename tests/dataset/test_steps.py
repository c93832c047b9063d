"""What the stages make of a line: the files that existing programs read, and no other."""

from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

import gsv.dataset.steps as steps
from gsv.audio.io import load, resample
from gsv.checkpoints import read_generator
from gsv.dataset.steps import AudioStep, SemanticStep, SpeakerStep, TextStep, blended, name_to_semantic, name_to_text
from gsv.dataset.workers import Item, Skip
from gsv.errors import AudioError, CheckpointError, TextError
from gsv.models.encoders import ContentEncoder, TextEncoder
from gsv.models.sovits import Sovits
from gsv.paths import Experiment, Project
from gsv.versions import VERSIONS

from .conftest import BERT_WIDTH, TEXTS, WIDTH, Clips

CPU = torch.device("cpu")


@pytest.fixture
def experiment(project: Project) -> Experiment:
    return project.experiment("anna")


def item(clips: Clips, name: str, text: str | None = None, language: str | None = None) -> Item:
    return Item(name, clips.folder / name, language or TEXTS[name][0], text or TEXTS[name][1])


def text_step(experiment: Experiment, project: Project, with_features: bool = True) -> TextStep:
    return TextStep(experiment, VERSIONS["v2"], project.roberta, None, with_features)


def audio_step(experiment: Experiment, project: Project) -> AudioStep:
    return AudioStep(experiment, project.hubert)


# --- 1a -------------------------------------------------------------------------------------------------------------


def test_an_english_line_becomes_a_row_without_features(clips: Clips, experiment: Experiment, project: Project) -> None:
    handle = text_step(experiment, project, with_features=False).start(CPU, 0)
    assert handle(item(clips, "a.wav")) == "done"
    name, phones, counts, norm_text = (experiment.root / "2-name2text-0.txt").read_text().rstrip("\n").split("\t")
    assert (name, counts, norm_text) == ("a.wav", "None", TEXTS["a.wav"][1])
    assert phones.startswith("HH AH0 L OW1 DH EH1 R , ")
    assert not experiment.bert.exists()


def test_a_mandarin_line_has_features_of_each_phone(clips: Clips, experiment: Experiment, project: Project) -> None:
    text_step(experiment, project).start(CPU, 2)(item(clips, "c.wav"))
    _, phones, counts, norm_text = (experiment.root / "2-name2text-2.txt").read_text().rstrip("\n").split("\t")
    assert phones == "n i2 h ao3 , sh ir4 j ie4 ."
    assert (counts, norm_text) == ("[2, 2, 1, 2, 2, 1]", "你好,世界.")
    features = torch.load(experiment.bert / "c.wav.pt", weights_only=True)
    assert features.shape == (BERT_WIDTH, 10) and features.dtype == torch.float32 and features.is_contiguous()
    expected = TextEncoder.load(project.roberta).features(norm_text, [2, 2, 1, 2, 2, 1])
    torch.testing.assert_close(features, expected)


def test_lines_of_other_languages_have_no_features_beside_mandarin(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    handle = text_step(experiment, project).start(CPU, 0)
    for language, text in (("yue", "你好。"), ("JP", "はい。"), ("ko", "네.")):
        assert handle(item(clips, "c.wav", text, language)) == "done"
        assert not (experiment.bert / "c.wav.pt").exists()


def test_text_features_are_kept_only_for_the_text_they_were_made_of(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    path = experiment.bert / "c.wav.pt"

    def again(text: str | None = None, language: str | None = None) -> str:
        made = text_step(experiment, project).start(CPU, 0)(item(clips, "c.wav", text, language))
        name_to_text(experiment).join(["c.wav"])
        return made

    assert again() == "done"
    first = path.read_bytes()
    assert again() == "kept"
    assert again("世界，你好。") == "done"  # As many phones as before.
    assert path.read_bytes() != first
    path.write_bytes(b"damaged")
    assert again("世界，你好。") == "done"
    assert torch.load(path, weights_only=True).shape == (BERT_WIDTH, 10)
    assert again("Hello there.", "en") == "done"
    assert not path.exists()
    assert again("Hello there.", "en") == "kept"


def test_a_line_with_nothing_to_say_is_an_error_and_leaves_no_row(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    with pytest.raises(TextError):
        text_step(experiment, project).start(CPU, 0)(item(clips, "c.wav", "……"))
    assert name_to_text(experiment).rows() == {}


# --- 1b -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.wav", "b.flac"])
def test_a_clip_becomes_wav_and_content_features(
    clips: Clips, experiment: Experiment, project: Project, name: str
) -> None:
    assert audio_step(experiment, project).start(CPU, 0)(item(clips, name)) == "done"
    data = (experiment.wav32k / name).read_bytes()
    samples, rate = soundfile.read(experiment.wav32k / name, dtype="int16")
    assert data[:4] == b"RIFF" and len(data) == 44 + 2 * len(samples) and rate == 32000

    wave = load(clips.folder / name, 32000)
    loud = wave / np.abs(wave).max() * (0.95 * 0.5 * 32768) + 0.5 * 32768 * wave
    np.testing.assert_array_equal(samples, loud.astype(np.int16))

    features = torch.load(experiment.hubert / f"{name}.pt", weights_only=True)
    heard = wave / np.abs(wave).max() * (0.95 * 0.5 * 1145.14) + 0.5 * 1145.14 * wave
    expected = ContentEncoder.load(project.hubert)(torch.from_numpy(resample(heard, 32000, 16000))[None])
    assert features.shape == (1, WIDTH, expected.shape[-1]) and features.dtype == torch.float32
    assert not features.requires_grad
    torch.testing.assert_close(features, expected.detach())
    assert abs(features.shape[-1] - len(samples) // 640) <= 1


def test_sound_beyond_full_scale_is_clipped_not_wrapped(clips: Clips, experiment: Experiment, project: Project) -> None:
    wave = 2.0 * np.sin(np.arange(32000) / 30)
    soundfile.write(clips.folder / "a.wav", wave, 32000, subtype="FLOAT")
    audio_step(experiment, project).start(CPU, 0)(item(clips, "a.wav"))
    samples, _ = soundfile.read(experiment.wav32k / "a.wav", dtype="int16")
    assert samples.max() == 32767 and samples.min() == -32768
    assert np.abs(np.diff(samples.astype(int))).max() < 5000


def test_broken_clips_leave_nothing_behind(clips: Clips, experiment: Experiment, project: Project) -> None:
    handle = audio_step(experiment, project).start(CPU, 0)
    soundfile.write(clips.folder / "loud.wav", np.full(32000, 2.5), 32000, subtype="FLOAT")
    soundfile.write(clips.folder / "silent.wav", np.zeros(16000), 16000)
    soundfile.write(clips.folder / "short.wav", np.full(100, 0.1), 16000)
    (clips.folder / "corrupt.wav").write_bytes(b"RIFF....WAVE")
    cases: list[tuple[str, type[Exception], str]] = [
        ("loud.wav", Skip, r"peaks at 2\.5 times full scale"),
        ("silent.wav", AudioError, "silent"),
        ("short.wav", AudioError, "at least 400"),
        ("corrupt.wav", AudioError, "cannot be decoded"),
        ("missing.wav", AudioError, "no sound file"),
    ]
    for name, error, said in cases:
        with pytest.raises(error, match=said):
            handle(Item(name, clips.folder / name, "en", "x"))
    assert not experiment.root.exists()


def test_audio_is_made_again_only_if_a_file_is_missing_or_damaged(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    handle = audio_step(experiment, project).start(CPU, 0)
    wav, features = experiment.wav32k / "a.wav", experiment.hubert / "a.wav.pt"
    assert [handle(item(clips, "a.wav")), handle(item(clips, "a.wav"))] == ["done", "kept"]
    whole = features.read_bytes()
    for path, content in (
        (features, whole[: len(whole) // 2]),
        (features, None),
        (wav, b"RIFF"),
        (wav, None),
    ):
        path.write_bytes(content) if content is not None else path.unlink()
        assert handle(item(clips, "a.wav")) == "done"
        assert torch.load(features, weights_only=True).shape[1] == WIDTH and soundfile.info(wav).frames > 0
    torch.save(torch.zeros(1, WIDTH + 1, 5), features)  # Another encoder's.
    assert handle(item(clips, "a.wav")) == "done"


def test_the_speaker_vector_is_made_of_the_clip_at_32_khz(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    handle = SpeakerStep(experiment, project.speaker_encoder).start(CPU, 0)
    with pytest.raises(Skip, match="no sound file"):
        handle(item(clips, "a.wav"))
    audio_step(experiment, project).start(CPU, 0)(item(clips, "a.wav"))
    assert [handle(item(clips, "a.wav")), handle(item(clips, "a.wav"))] == ["done", "kept"]
    vector = torch.load(experiment.speaker / "a.wav.pt", weights_only=True)
    assert vector.shape == (1, 8 * 320) and vector.dtype == torch.float32


class Overflowing(nn.Module):
    """Gives infinity in half precision only."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(300.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.scale * (self.scale * x)


def test_what_overflows_in_half_precision_is_done_again_in_single(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "working_dtype", lambda device: torch.float16)
    encoder = steps._Encoder(Overflowing(), CPU)
    small = encoder(lambda network, dtype: network(torch.tensor([0.1], dtype=dtype)))
    large = encoder(lambda network, dtype: network(torch.tensor([1.0], dtype=dtype)))
    assert small.dtype == torch.float16 and large.dtype == torch.float32 and large.item() == 90000
    assert encoder.network.scale.dtype == torch.float16
    with pytest.raises(AudioError, match="not finite"):
        encoder(lambda network, dtype: network(torch.tensor([torch.inf], dtype=dtype)))


# --- 1c -------------------------------------------------------------------------------------------------------------


def test_content_features_become_tokens_of_the_generator(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    generator = project.pretrained / VERSIONS["v2"].base.generator
    audio_step(experiment, project).start(CPU, 0)(item(clips, "a.wav"))
    assert SemanticStep(experiment, generator).start(CPU, 1)(item(clips, "a.wav")) == "done"
    name, tokens = (experiment.root / "6-name2semantic-1.tsv").read_text().rstrip("\n").split("\t")
    features = torch.load(experiment.hubert / "a.wav.pt", weights_only=True)
    file = read_generator(generator)
    expected = Sovits.from_weights(file.config["model"], file.weight).quantize(features)[0].tolist()
    assert name == "a.wav" and [int(token) for token in tokens.split(" ")] == expected
    assert len(expected) == features.shape[-1] // 2


def test_half_precision_features_of_another_program_become_tokens(
    clips: Clips, experiment: Experiment, project: Project
) -> None:
    experiment.hubert.mkdir(parents=True)
    torch.save(torch.randn(1, WIDTH, 9, requires_grad=True).half(), experiment.hubert / "a.wav.pt")
    handle = SemanticStep(experiment, project.pretrained / VERSIONS["v2"].base.generator).start(CPU, 0)
    assert handle(item(clips, "a.wav")) == "done"
    assert len(name_to_semantic(experiment).rows()["a.wav"][1].split(" ")) == 4


def test_lines_without_content_features_are_left_out(clips: Clips, experiment: Experiment, project: Project) -> None:
    handle = SemanticStep(experiment, project.pretrained / VERSIONS["v2"].base.generator).start(CPU, 0)
    experiment.hubert.mkdir(parents=True)
    for tensor in (None, torch.zeros(1, WIDTH + 1, 8), torch.zeros(1, WIDTH, 0)):
        if tensor is not None:
            torch.save(tensor, experiment.hubert / "a.wav.pt")
        with pytest.raises(Skip, match="no content features"):
            handle(item(clips, "a.wav"))


def test_the_wrong_kind_of_generator_is_named(experiment: Experiment, project: Project) -> None:
    with pytest.raises(CheckpointError, match="plain tensor"):
        SemanticStep(experiment, project.speaker_encoder).start(CPU, 0)


def test_the_blend_is_computed_in_single_precision() -> None:
    wave = np.array([0.5, -0.25], np.float32)
    result: Any = blended(wave, 0.5, 100.0)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, [72.5, -36.25])
