"""Separation without a model: a real voice over music made here, and how much of each is left in the other."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from gsv.audio.io import load
from gsv.dataset.masking import MaskEngine, separated
from gsv.dataset.stretches import RATE, Samples
from gsv.errors import MissingLibraryError

SECONDS = 12
BEAT_SECONDS = 0.5


def chord(notes: list[int], length: int, draw: np.random.Generator) -> np.ndarray:
    """[2, length]: struck strings, spread over both sides, and a drum."""
    time = np.arange(length) / RATE
    struck = np.exp(-2 * time) * (1 - np.exp(-200 * time))
    sides = np.linspace(0.3, 0.7, len(notes))
    tones = [
        sum(np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * n * time) / n**1.5 for n in range(1, 7))
        for note in notes
    ]
    drum = draw.standard_normal(length) * np.exp(-25 * time)
    left = sum((1 - side) * tone for side, tone in zip(sides, tones, strict=True))
    right = sum(side * tone for side, tone in zip(sides, tones, strict=True))
    return np.stack([left, right]) * struck + 0.5 * drum


def loop() -> Samples:
    """Four chords, over and over."""
    draw = np.random.default_rng(0)
    chords = [[57, 60, 64], [53, 57, 60], [48, 52, 55], [55, 59, 62]]
    beats = [chord(notes, round(BEAT_SECONDS * RATE), draw) for notes in chords for _ in range(2)]
    return np.tile(np.concatenate(beats, axis=1), 8)[:, : SECONDS * RATE].astype(np.float32)


def free() -> Samples:
    """No two bars alike."""
    draw = np.random.default_rng(5)
    parts: list[np.ndarray] = []
    while sum(part.shape[1] for part in parts) < SECONDS * RATE:
        root = int(draw.integers(45, 65))
        notes = [root, root + int(draw.choice([3, 4])), root + 7, root + 12]
        parts.append(chord(notes, round(draw.uniform(0.35, 0.9) * RATE), draw))
    return np.concatenate(parts, axis=1)[:, : SECONDS * RATE].astype(np.float32)


def ratio(wanted: Samples, found: Samples) -> float:
    """Signal to noise in dB."""
    return float(10 * np.log10(np.sum(wanted**2) / np.sum((found - wanted) ** 2)))


@pytest.fixture(scope="module")
def voice(shared: Path) -> Samples:
    clips = [load(path, RATE) for path in sorted((shared / "data" / "ljspeech-mini").glob("*.wav"))[:4]]
    return np.tile(np.concatenate(clips)[: SECONDS * RATE], (2, 1))


@pytest.mark.parametrize(("music", "least"), [(loop, 7.0), (free, 4.0)])
def test_the_voice_stands_out_more_than_it_did(voice: Samples, music: object, least: float) -> None:
    assert callable(music)
    accompaniment: Samples = music()
    accompaniment *= np.sqrt(np.sum(voice**2) / np.sum(accompaniment**2))
    mix = voice + accompaniment
    found, rest = separated(librosa, mix)
    assert np.allclose(found + rest, mix, atol=1e-5)
    # Both were equally loud: 0 dB.
    assert ratio(voice, found) > least
    assert ratio(accompaniment, rest) > least


def test_without_librosa_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "librosa", None)
    with pytest.raises(MissingLibraryError, match=r'pip install "gsv\[separate\]"'):
        MaskEngine().check()
