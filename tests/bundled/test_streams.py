"""Streams of the bundled voice, which is trained: how far they are from the speech without one, and their joints."""

import numpy as np
import pytest
import torch

from gsv import Engine, SpeechOptions
from gsv.audio.spectral import Stft, log_mel
from gsv.paths import Project
from gsv.synthesis.reference import Reference
from gsv.synthesis.sound import JOINT_SECONDS
from gsv.synthesis.streaming import Mode, Streaming
from gsv.synthesis.voice import Voice
from gsv.versions import version_named

TEXT = "The morning train left the small station a few minutes late, and nobody on the platform was surprised."
STFT = Stft(n_mels=80)
SEEDS = (1, 2, 3, 4)
DECIBELS = 20 / np.log(10)


@pytest.fixture(scope="module")
def engine() -> Engine:
    project = Project.default()
    base = project.base_of(version_named("v2"), "gsv-tiny/content")
    return Engine.load(base.gpt, base.generator, project=project, device="cpu")


@pytest.fixture(scope="module")
def voice(engine: Engine) -> Voice:
    reference = Reference.of(engine.project.base_of(engine.version, engine.content_module))
    assert reference is not None
    return engine.voice(reference.audio, reference.transcript, reference.language)


@pytest.fixture(scope="module")
def whole(engine: Engine, voice: Voice) -> dict[int, np.ndarray]:
    return {seed: engine.speak(TEXT, "en", voice, options(seed)).wave for seed in (*SEEDS, 99)}


@pytest.fixture(scope="module")
def limit(engine: Engine, voice: Voice, whole: dict[int, np.ndarray]) -> float:
    """A fifth more than the same tokens with another draw of the noise are away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_noise", lambda *_: torch.Generator().manual_seed(0))
        again = {seed: engine.speak(TEXT, "en", voice, options(seed)).wave for seed in SEEDS}
    return 1.2 * float(np.mean([distance(again[seed], whole[seed]) for seed in SEEDS]))


def options(seed: int) -> SpeechOptions:
    return SpeechOptions(seed=seed, split="cut0", pause=0.1)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Between log-Mel spectra in dB: the root of the mean square over bands, the mean over time."""
    size = min(len(one), len(other))
    mels = log_mel(torch.from_numpy(np.stack([one[:size], other[:size]])), STFT)
    return float(DECIBELS * (mels[0] - mels[1]).square().mean(0).sqrt().mean())


@pytest.mark.parametrize("mode", ["growing", "fixed"])
def test_chunks_are_about_as_near_to_the_whole_as_another_draw_of_the_noise(
    engine: Engine, voice: Voice, whole: dict[int, np.ndarray], limit: float, mode: Mode
) -> None:
    found, jumps = [], []
    for seed in SEEDS:
        chunks = list(engine.stream_audio(TEXT, "en", voice, options(seed), Streaming(mode)))
        joined = np.concatenate(chunks)
        assert len(chunks) > 3
        assert len(joined) == len(whole[seed])
        found.append(distance(joined, whole[seed]))
        steps = np.abs(np.diff(joined))
        ends = np.cumsum([len(chunk) for chunk in chunks])[:-1]
        joint = int(JOINT_SECONDS * engine.sampling_rate)
        jumps += [steps[end - 1 : end + joint].max() / np.abs(np.diff(whole[seed])).max() for end in ends]
    assert np.mean(found) < limit
    assert distance(whole[99], whole[1]) > 8
    assert max(jumps) <= 1


def test_the_measure_hears_a_chunk_that_is_missing_or_out_of_place(whole: dict[int, np.ndarray], limit: float) -> None:
    wave = whole[1]
    silent = wave.copy()
    silent[20_000:40_000] = 0
    assert distance(silent, wave) > limit
    assert distance(np.roll(wave, 3200), wave) > limit
    assert distance(replace_middle(wave), wave) > limit


def replace_middle(wave: np.ndarray) -> np.ndarray:
    return np.concatenate([wave[:60_000], wave[61_000:], np.zeros(1000, wave.dtype)])
