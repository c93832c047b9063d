"""The measurements of the finished voice find what is there to be found."""

import math

import numpy as np
import pytest

from gsv.audio.io import Samples
from tiny.acceptance import by_length, long_term_spectrum, longest_run, median_pitch
from tiny.gates import Score
from tiny.harvard import SENTENCES
from tiny.tuning import cepstral_distance

RATE = 32000


def tone(hertz: float, seconds: float = 0.6, overtones: int = 8) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * math.pi * hertz * k * time) / k for k in range(1, overtones + 1))
    return (0.1 * wave).astype(np.float32)


def test_sentences_are_those_of_the_lists() -> None:
    assert len(set(SENTENCES)) == 50
    assert SENTENCES[0] == "The birch canoe slid on the smooth planks."
    assert SENTENCES[-1] == "Mesh wire keeps chicks inside."


def test_runs_of_equal_codes_are_counted() -> None:
    assert longest_run([1, 2, 2, 2, 3, 3]) == 3
    assert longest_run([]) == 0


def test_sentences_are_chosen_evenly_by_their_lengths() -> None:
    given = ["One two three four.", "A b c.", "Aa bb cc.", "Ab bc cd.", "Two words.", " ".join(["many"] * 26)]
    assert by_length(given, 3) == ["A b c.", "One two three four.", "Aa bb cc."]
    assert len(by_length(given, 10)) == 4


def test_median_pitch_is_that_of_the_voiced_part() -> None:
    wave = np.concatenate([tone(150.0), np.zeros(RATE, np.float32)])
    assert median_pitch(wave) == pytest.approx(150, rel=0.02)
    assert median_pitch(np.zeros(RATE, np.float32)) == 0


def test_long_term_spectrum_knows_a_voice_whatever_its_loudness() -> None:
    dark, bright = tone(120, overtones=3), tone(120, overtones=40)
    quiet = 0.1 * np.concatenate([dark, np.zeros(RATE, np.float32)])
    near = np.linalg.norm(long_term_spectrum(quiet) - long_term_spectrum(dark))
    far = np.linalg.norm(long_term_spectrum(quiet) - long_term_spectrum(bright))
    assert near < 0.3 * far


def test_cepstral_distance_forgives_time_and_not_timbre() -> None:
    random = np.random.default_rng(0)
    noise = (0.1 * random.standard_normal(RATE)).astype(np.float32)
    first = np.concatenate([tone(120, 0.4), noise[:8000], tone(240, 0.3)])
    slower = np.concatenate([tone(120, 0.7), noise[:14000], tone(240, 0.5)])
    other = np.concatenate([tone(120, 0.4, 2), noise[:8000], tone(240, 0.3, 2)])
    assert cepstral_distance(first, first) == pytest.approx(0, abs=1e-3)
    assert cepstral_distance(first, slower) < 0.3 * cepstral_distance(first, other)


def test_a_score_says_whether_it_holds() -> None:
    assert str(Score("error", 0.25, 0.2)) == "error: 0.250 (FAILS: 0.200)"
    assert str(Score("error", 0.15, 0.2)) == "error: 0.150 (holds: 0.200)"
    assert str(Score("error", 0.15)) == "error: 0.150"
