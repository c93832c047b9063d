"""Errors of words, as a speech recogniser hears them, and of phones. Nobody need listen."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsv.audio.io import Samples, resample
from tiny.sentences import words_of
from tiny.synthesisers import PAUSE, PHONES

RATE = 16000
# What changing to another phone costs in nats: about the odds that a frame's phone is another than the last one's.
SWITCH = 2.0


def distance(reference: Sequence[str], heard: Sequence[str]) -> int:
    """The least number of words (or phones) to replace, insert or leave out that makes one of the other."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, start=1):
        previous, row[0] = row[0], i
        for j, found in enumerate(heard, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (wanted != found))
    return row[-1]


class Tally:
    """Errors over many utterances, as a share of what should have been there."""

    def __init__(self) -> None:
        self.wrong = 0
        self.total = 0

    def add(self, reference: Sequence[str], heard: Sequence[str]) -> None:
        self.wrong += distance(reference, heard)
        self.total += len(reference)

    @property
    def rate(self) -> float:
        return self.wrong / max(1, self.total)


class Recogniser:
    """PocketSphinx with its own English model: crude, and the same for all; what counts is the difference."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self.decoder: Any = Decoder(samprate=RATE, loglevel="FATAL")

    def words(self, wave: Samples, sampling_rate: int) -> list[str]:
        """What it hears in a wave [T], in lower case."""
        samples = resample(wave, sampling_rate, RATE)
        peak = max(float(np.abs(samples).max()), 1e-6)
        self.decoder.start_utt()
        self.decoder.process_raw((samples / peak * 0.7 * 32767).astype(np.int16).tobytes(), full_utt=True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        return words_of(found.hypstr) if found is not None else []


def phones_heard(scores: Tensor) -> list[str]:
    """The phones of scores [frames, phones] by the likeliest path that pays for every change; pauses left out."""
    odds = torch.log_softmax(scores.float(), -1)
    best, steps = odds[0], []
    for frame in odds[1:]:
        other = best.argmax()
        changed = best[other] - SWITCH
        steps.append(torch.where(best >= changed, torch.arange(len(best)), other))
        best = torch.maximum(best, changed) + frame
    path = [int(best.argmax())]
    for step in reversed(steps):
        path.append(int(step[path[-1]]))
    path.reverse()
    runs = [number for place, number in enumerate(path) if place == 0 or path[place - 1] != number]
    return [PHONES[number] for number in runs if PHONES[number] != PAUSE]
