"""Melody and loudness of a recording move as far as they are told to, and nothing else moves with them."""

from pathlib import Path

import numpy as np
import pytest

from gsv.audio.io import Samples, load
from gsv.audio.prosody import Melody, louder, melody, repitched

RATE = 32000


@pytest.fixture(scope="module")
def speech() -> Samples:
    return load(Path(__file__).parent.parent / "sample" / "clips" / "02.flac", RATE)


def measured(wave: Samples) -> Melody:
    found = melody(wave, RATE)
    assert found is not None
    return found


def envelope(wave: Samples) -> np.ndarray:
    """The smoothed mean spectrum of the speech up to 5 kHz, in dB: what makes a voice whose it is."""
    frames = np.lib.stride_tricks.sliding_window_view(wave, 1024)[::512] * np.hanning(1024)
    logs = np.log(np.abs(np.fft.rfft(frames)) ** 2 + 1e-6).mean(axis=0)
    cepstrum = np.fft.irfft(logs)
    cepstrum[50:-49] = 0
    return 10 / np.log(10) * np.fft.rfft(cepstrum).real[:160]


def test_speech_that_is_not_to_change_does_not(speech: Samples) -> None:
    made = repitched(speech, RATE, 1.0, 1.0)
    assert np.abs(made - speech).max() < 1e-3


@pytest.mark.parametrize("shift", [0.85, 1.2])
def test_the_mean_pitch_moves_by_the_factor_and_length_and_loudness_stay(speech: Samples, shift: float) -> None:
    before, made = measured(speech), repitched(speech, RATE, shift, 1.0)
    after = measured(made)
    assert after.f0 / before.f0 == pytest.approx(shift, rel=0.03)
    assert after.spread == pytest.approx(before.spread, rel=0.15)
    assert after.level == pytest.approx(before.level, abs=1.5)
    assert len(made) == len(speech)


@pytest.mark.parametrize("spread", [0.6, 1.4])
def test_the_range_of_the_melody_moves_by_the_factor_and_its_mean_stays(speech: Samples, spread: float) -> None:
    before, after = measured(speech), measured(repitched(speech, RATE, 1.0, spread))
    assert after.spread / before.spread == pytest.approx(spread, rel=0.15)
    assert after.f0 / before.f0 == pytest.approx(1, rel=0.02)


def test_moments_of_creak_count_as_the_melody_that_they_interrupt() -> None:
    # In a creak every second pulse is weaker, so that two periods look like one of an octave lower.
    pulses = np.zeros(3 * RATE, np.float32)
    at, hertz = 0.0, []
    while at < len(pulses):
        seconds = at / RATE
        hertz.append(120 * 2 ** (2 * np.sin(2 * np.pi * seconds) / 12))
        creaky = seconds % 0.5 > 0.4 and len(hertz) % 2
        pulses[int(at)] = 0.3 if creaky else 1.0
        at += RATE / hertz[-1]
    wave = 0.3 * np.convolve(pulses, np.exp(-np.arange(300) / 40.0))[: len(pulses)].astype(np.float32)
    low, high = np.quantile(12 * np.log2(hertz), (0.1, 0.9))
    found = measured(wave)
    assert found.f0 == pytest.approx(120, rel=0.02)
    assert found.spread == pytest.approx(high - low, rel=0.1)
    made = measured(repitched(wave, RATE, 1.0, 0.5))
    assert made.spread / found.spread == pytest.approx(0.5, rel=0.2)


def test_formants_stay_where_a_faster_tape_would_move_them(speech: Samples) -> None:
    tape = np.interp(np.arange(0, len(speech) - 1, 1.2), np.arange(len(speech)), speech).astype(np.float32)

    def change(made: Samples) -> float:
        difference = envelope(made) - envelope(speech)
        return float((difference - difference.mean()).std())

    assert change(repitched(speech, RATE, 1.2, 1.0)) < 0.6 * change(tape)


def test_loudness_moves_by_decibels_and_never_passes_full_scale(speech: Samples) -> None:
    softer = louder(speech, -6.0)
    assert measured(softer).level - measured(speech).level == pytest.approx(-6, abs=0.3)
    assert measured(louder(0.3 * speech, 4.0)).level - measured(0.3 * speech).level == pytest.approx(4, abs=0.3)
    assert np.abs(louder(speech, 20.0)).max() <= 1


@pytest.mark.parametrize("wave", [np.zeros(0, np.float32), np.zeros(64000, np.float32), np.ones(100, np.float32)])
def test_what_has_no_melody_is_left_as_it_is(wave: Samples) -> None:
    assert melody(wave, RATE) is None
    assert np.array_equal(repitched(wave, RATE, 1.3, 1.3), wave)
