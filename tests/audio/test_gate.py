"""The spectral gate: noise goes, speech stays, and what has no noise of its own to go by is left alone."""

from pathlib import Path

import numpy as np
import pytest
import soxr

from gsv.audio.gate import gate
from gsv.audio.io import load

RATE = 32000


def ratio(signal: np.ndarray, noise: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(signal**2) / np.sum(noise**2)))


def noise(samples: int, tilt: float, seed: int = 0) -> np.ndarray:
    """White (0), pink (1) or brown (2) noise."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    lowest = 20 * samples / RATE
    return np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), lowest) ** (tilt / 2), samples)


def mixed(speech: np.ndarray, tilt: float, decibels: float) -> np.ndarray:
    disturbance = noise(len(speech), tilt)
    disturbance *= np.sqrt(np.sum(speech**2) / np.sum(disturbance**2)) * 10 ** (-decibels / 20)
    return (speech + disturbance).astype(np.float32)


@pytest.fixture(scope="module")
def speech(shared: Path) -> np.ndarray:
    """Half a minute of a reader, with short pauses."""
    clips = sorted((shared / "data" / "ljspeech-mini").glob("*.wav"))[4:9]
    pause = np.zeros(RATE // 2, np.float32)
    return np.concatenate([part for clip in clips for part in (load(clip, RATE), pause)])


# The noise's own spectrum decides how much of it lies where there is speech.
@pytest.mark.parametrize(("tilt", "gained"), [(0, 6), (1, 5), (2, 6)], ids=["white", "pink", "brown"])
def test_speech_in_noise_comes_out_cleaner(speech: np.ndarray, tilt: float, gained: float) -> None:
    noisy = mixed(speech, tilt, 10)
    clean = gate(noisy[:, None], RATE)[:, 0]
    assert clean.dtype == np.float32 and clean.shape == speech.shape
    # Everything that is not the speech counts as noise, so lost speech counts against the gate.
    assert ratio(speech, clean - speech) >= 10 + gained
    kept = np.dot(clean, speech) / np.dot(speech, speech)
    assert 0.9 < kept < 1.02


def test_clean_speech_stays_as_it_is(speech: np.ndarray) -> None:
    assert ratio(speech, gate(speech[:, None], RATE)[:, 0] - speech) > 20


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000, 192000])
def test_every_rate_works(speech: np.ndarray, rate: int) -> None:
    part = soxr.resample(speech[: 6 * RATE], RATE, rate).astype(np.float32)
    noisy = mixed(part, 0, 10)
    assert ratio(part, gate(noisy[:, None], rate)[:, 0] - part) > 13


def test_channels_are_judged_by_themselves(speech: np.ndarray) -> None:
    noisy = mixed(speech[: 8 * RATE], 0, 10)
    quiet = mixed(speech[: 8 * RATE], 0, 30)
    both = gate(np.stack([noisy, quiet], 1), RATE)
    np.testing.assert_array_equal(both[:, 0], gate(noisy[:, None], RATE)[:, 0])
    np.testing.assert_array_equal(both[:, 1], gate(quiet[:, None], RATE)[:, 0])


def test_digital_silence_is_no_noise(speech: np.ndarray) -> None:
    noisy = mixed(speech[: 8 * RATE], 0, 10)
    gap = np.zeros(4 * RATE, np.float32)
    out = gate(np.concatenate([gap, noisy, gap])[:, None], RATE)[:, 0]
    assert ratio(speech[: 8 * RATE], out[4 * RATE : -4 * RATE] - speech[: 8 * RATE]) > 15
    assert np.abs(out[: 3 * RATE]).max() == 0


@pytest.mark.parametrize("sound", [np.zeros(RATE * 3), np.zeros(0), noise(RATE // 2, 0), np.ones(1)])
def test_what_tells_nothing_about_its_noise_is_left_alone(sound: np.ndarray) -> None:
    sound = sound.astype(np.float32)[:, None]
    np.testing.assert_array_equal(gate(sound, RATE), sound)
