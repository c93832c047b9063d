"""v3 and v4 from text to audio, on narrow untrained weights: flow matching in chunks behind a reference."""

import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from gsv import Engine, SpeechOptions
from gsv.checkpoints import read_generator, write_content, write_generator
from gsv.errors import CheckpointError, InputError, MissingWeightsError
from gsv.models.bandwidth import BandwidthConfig, BandwidthExtension
from gsv.models.flow_sovits import FlowSovits
from gsv.paths import Project
from gsv.synthesis.flow import FlowPrompt, FlowSpeaker
from gsv.synthesis.speakers import Speakers
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice
from gsv.versions import version_named

pytestmark = pytest.mark.usefixtures("short_takes")

CLIP = Path(__file__).parent.parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."
QUICK = SpeechOptions(seed=3, sample_steps=4)


@pytest.fixture(scope="module", params=["v3", "v4"])
def engine(request: pytest.FixtureRequest, narrow_projects: Callable[[str], Project]) -> Engine:
    return Engine.load(version=request.param, project=narrow_projects(request.param), device="cpu")


@pytest.fixture(scope="module")
def voice(engine: Engine) -> Voice:
    return engine.voice(CLIP, WORDS, "en")


def wave(engine: Engine, voice: Voice, options: SpeechOptions, text: str = "Hello there.") -> np.ndarray:
    return engine.speak(text, "en", voice, options).wave


def test_speech_is_a_finite_wave_of_the_versions_rate(engine: Engine, voice: Voice) -> None:
    speech = engine.speak("Hello there, my friend.", "en", voice, QUICK)
    assert speech.sampling_rate == {"v3": 24000, "v4": 48000}[engine.version.name]
    assert np.isfinite(speech.wave).all()
    assert 0 < np.abs(speech.wave).max() <= 1
    # 25 tokens a second, and the pause.
    spoken = speech.seconds - QUICK.pause
    assert spoken == pytest.approx(speech.fragments[0].tokens / 25, abs=0.05)


def test_the_seed_decides_the_sound_and_so_do_the_steps_and_the_guidance(engine: Engine, voice: Voice) -> None:
    first = wave(engine, voice, QUICK)
    assert np.array_equal(first, wave(engine, voice, QUICK))
    for changed in (replace(QUICK, sample_steps=8), replace(QUICK, guidance=1.0)):
        other = wave(engine, voice, changed)
        assert other.shape == first.shape
        assert not np.array_equal(first, other)
    assert not np.array_equal(first, wave(engine, voice, replace(QUICK, seed=4)))


def test_a_piece_sounds_the_same_alone_and_in_a_batch(engine: Engine, voice: Voice) -> None:
    text = "Hello there. How are you? I am fine."
    options = replace(QUICK, split="cut5")
    assert np.array_equal(wave(engine, voice, options, text), wave(engine, voice, replace(options, batch_size=3), text))


def test_a_faster_pace_shortens_the_speech(engine: Engine, voice: Voice) -> None:
    natural, fast = (wave(engine, voice, replace(QUICK, pause=0, speed=speed)) for speed in (1.0, 2.0))
    assert len(fast) == pytest.approx(len(natural) / 2, rel=0.1)


def test_what_the_versions_cannot_do_is_refused_in_a_sentence(engine: Engine, voice: Voice) -> None:
    with pytest.raises(InputError, match="cannot do without its transcript"):
        engine.voice(CLIP)
    with pytest.raises(InputError, match="further ones cannot be averaged in"):
        engine.voice(CLIP, WORDS, "en", [CLIP])
    with pytest.raises(InputError, match="no chunks within it"):
        next(engine.stream_audio("Hello.", "en", voice, QUICK, Streaming("growing")))
    chunks = engine.stream_audio("Hello there.", "en", voice, QUICK, engine.soonest)
    assert np.array_equal(np.concatenate(list(chunks)), wave(engine, voice, QUICK))


@pytest.mark.parametrize("steps", [0, 3, 129])
def test_numbers_of_steps_outside_the_limits_are_refused(steps: int) -> None:
    with pytest.raises(InputError, match="between 4 and 128"):
        SpeechOptions(sample_steps=steps)


@pytest.fixture
def super_sampler(narrow_projects: Callable[[str], Project]) -> Iterator[Path]:
    """A narrow untrained network where v3 looks for one."""
    name = version_named("v3").super_sampler
    assert name is not None
    path = narrow_projects("v3").pretrained / name
    config = {"ConvNeXt_channels": 16, "ConvNeXt_layers": 2}
    torch.manual_seed(0)
    write_content(path, {"generator": BandwidthExtension(BandwidthConfig.from_dict(config)).state_dict()})
    path.with_name("config.json").write_text(json.dumps(config))
    yield path
    shutil.rmtree(path.parent)


def test_super_sampling_makes_48_khz_of_v3_and_nothing_of_others(
    narrow_projects: Callable[[str], Project], super_sampler: Path
) -> None:
    options = replace(QUICK, super_sampling=True)
    for version, rates in {"v3": (24000, 48000), "v4": (48000, 48000)}.items():
        engine = Engine.load(version=version, project=narrow_projects(version), device="cpu")
        voice = engine.voice(CLIP, WORDS, "en")
        plain, wider = (engine.speak("Hello there.", "en", voice, one) for one in (QUICK, options))
        assert (plain.sampling_rate, wider.sampling_rate) == rates
        assert engine.rate_with(options) == rates[1]
        assert wider.seconds == pytest.approx(plain.seconds, abs=0.001)
        assert np.array_equal(
            np.concatenate(list(engine.stream_audio("Hello there.", "en", voice, options))), wider.wave
        )


def test_without_its_network_super_sampling_is_refused_before_anything_is_spoken(
    narrow_projects: Callable[[str], Project],
) -> None:
    engine = Engine.load(version="v3", project=narrow_projects("v3"), device="cpu")
    voice = engine.voice(CLIP, WORDS, "en")
    with pytest.raises(MissingWeightsError, match=r"g_24kto48k.zip and config.json of AP-BWE in the folder"):
        next(engine.stream("Hello.", "en", voice, replace(QUICK, super_sampling=True)))


def test_a_stop_comes_between_two_steps(engine: Engine, voice: Voice) -> None:
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 40

    options = replace(QUICK, sample_steps=128)
    assert list(engine.stream("Hello there.", "en", voice, options, stopped)) == []
    assert asked < 60


def test_a_saved_speaker_keeps_what_is_gone_on_from(engine: Engine, voice: Voice, tmp_path: Path) -> None:
    Speakers(tmp_path).clone(engine, "anna", CLIP, WORDS, "en")
    again = Speakers(tmp_path).voice("anna", engine)
    assert voice.mel is not None and again.mel is not None
    assert torch.equal(again.mel, voice.mel)
    assert np.array_equal(wave(engine, again, QUICK), wave(engine, voice, QUICK))


def test_without_the_vocoder_the_message_names_it_and_the_command(
    engine: Engine, narrow_projects: Callable[[str], Project], tmp_path: Path
) -> None:
    facts = engine.version.flow
    assert facts is not None
    project = narrow_projects(engine.version.name)
    (tmp_path / "pretrained_models").mkdir()
    for path in project.pretrained.iterdir():
        if not facts.vocoder.startswith(path.name):
            (tmp_path / "pretrained_models" / path.name).symlink_to(path)
    generator = tmp_path / "voice.pth"
    generator.symlink_to(project.base(engine.version).generator)
    with pytest.raises(MissingWeightsError, match=f"gsv download {engine.version.name}"):
        Engine.load(sovits=generator, project=type(project)(tmp_path), device="cpu")


def test_a_file_that_lacks_a_part_of_the_flow_matcher_is_refused(engine: Engine, tmp_path: Path) -> None:
    file = read_generator(engine.project.base(engine.version).generator)
    for name in ("cfm.estimator.proj_out.weight", "wns1.pre.weight"):
        weight = {key: tensor for key, tensor in file.weight.items() if key != name}
        write_generator(tmp_path / "a.pth", replace(file, weight=weight))
        with pytest.raises(CheckpointError, match=name):
            Engine.load(sovits=tmp_path / "a.pth", project=engine.project, device="cpu")


class Recorder(torch.nn.Module):
    """In the flow matcher's place: notes what it is asked, and answers with frames that tell their places."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[Tensor, Tensor]] = []
        self.made = 0

    def sampling(self, mu: Tensor, prompt: Tensor, noise: Tensor, steps: int, guidance: float) -> Iterator[Tensor]:
        self.asked.append((mu, prompt))
        state = torch.zeros_like(noise)
        new = state[..., prompt.shape[-1] :]
        new += torch.arange(self.made, self.made + new.shape[-1])
        self.made += new.shape[-1]
        for _ in range(steps):
            yield state


def test_a_long_piece_is_made_in_chunks_that_go_on_from_each_other(
    engine: Engine, voice: Voice, monkeypatch: pytest.MonkeyPatch
) -> None:
    sovits, facts = engine.sovits, engine.version.flow
    assert isinstance(sovits, FlowSovits) and facts is not None and voice.transcript is not None
    assert voice.mel is not None and engine.vocoder is not None
    recorder, heard = Recorder(), []
    monkeypatch.setitem(sovits._modules, "cfm", recorder)

    @contextmanager
    def turn() -> Iterator[None]:
        yield

    def vocoder(mel: Tensor) -> Tensor:
        heard.append(mel)
        return mel[:, :1]

    # Longer than what is heard of a reference.
    mel = voice.mel.repeat(1, 1, 3)
    prompt = FlowPrompt(voice.prompt.repeat(3), voice.transcript.ids, voice.timbre, mel)
    speaker = FlowSpeaker(
        sovits,
        vocoder,
        prompt,
        voice.transcript.ids,
        1.0,
        4,
        0.0,
        torch.Generator(),
        turn,  # type: ignore[arg-type]
    )
    codes = torch.arange(400) % 100
    with torch.inference_mode():
        speaker.whole(codes)
        whole = sovits.condition(codes[None], voice.transcript.ids[None], voice.timbre)
        reference = sovits.condition(prompt.codes[None], voice.transcript.ids[None], voice.timbre)
    size = facts.chunk_frames - facts.prompt_frames
    assert len(recorder.asked) == math.ceil(whole.shape[-1] / size) >= 3
    both = min(reference.shape[-1], mel.shape[-1])
    mu, given = recorder.asked[0]
    assert torch.equal(given, mel[..., :both][..., -facts.prompt_frames :])
    assert torch.equal(mu[..., : facts.prompt_frames], reference[..., :both][..., -facts.prompt_frames :])
    assert torch.equal(mu[..., facts.prompt_frames :], whole[..., :size])
    mu, given = recorder.asked[1]
    kept = min(size, facts.prompt_frames)
    assert given.shape[-1] == kept
    assert torch.equal(given[0, 0], torch.arange(size - kept, size).float())
    assert torch.equal(mu[..., kept:], whole[..., size : 2 * size])
    assert heard[0].shape[-1] == whole.shape[-1]
    # The frames in order, at the scale of log-Mel values.
    assert (heard[0][0, 0].diff() > 0).all()
