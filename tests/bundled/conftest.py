"""A corpus of a minute: three phones that are three sounds, so that a small encoder can learn them in seconds."""

import math
from pathlib import Path

import numpy as np
import pytest

from gsv.audio.io import save_wav
from gsv.dataset.listing import Line, write_list
from tiny.corpus import Corpus, written
from tiny.synthesisers import RATE, Label

SOUNDS = {"iy": 180.0, "aa": 110.0}


def clip(random: np.random.Generator) -> tuple[np.ndarray, list[Label]]:
    parts, labels, end = [np.zeros(RATE // 10)], [Label("pau", 0.1)], 0.1
    for phone in random.permutation(["iy", "aa", "s", "iy", "s", "aa"]):
        seconds = float(random.uniform(0.12, 0.25))
        time = np.arange(round(seconds * RATE)) / RATE
        if phone in SOUNDS:
            sound = sum(np.sin(2 * math.pi * SOUNDS[phone] * k * time) / k for k in (1, 2, 3, 20))
        else:
            sound = random.standard_normal(len(time))
        parts.append(0.2 * sound)
        end += len(time) / RATE
        labels.append(Label(str(phone), end))
    return np.concatenate(parts).astype(np.float32), labels


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    made = Corpus(tmp_path / "corpus")
    random = np.random.default_rng(0)
    lines = []
    for number in range(24):
        name = f"{'ab'[number % 2]}-{number:05d}.wav"
        wave, labels = clip(random)
        save_wav(made.wavs / name, wave, RATE)
        made.labels.append(0, [name, written(labels)])
        lines.append(Line(name, name[0], "en", "See a star."))
    made.labels.settle()
    write_list(made.train, lines[:20])
    write_list(made.held, lines[20:])
    return made
