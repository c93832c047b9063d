"""The melody and loudness of speech, measured and changed while the voice stays whose it is.

Pitch is changed by pitch-synchronous overlap-add (E. Moulines, F. Charpentier, "Pitch-synchronous waveform processing
techniques for text-to-speech synthesis using diphones", 1990): periods are moved nearer together or further apart and
keep their shape, so that formants, by which we know a voice, stay where they are.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch

from gsv.audio.io import Samples
from gsv.audio.pitch import HIGHEST, LOWEST, pitch

_FRAME_SECONDS = 0.01
# Marks in stretches without a pitch.
_UNVOICED_SECONDS = 0.005
# Further than this from the middle of a melody, in octaves, a period's double or half was taken for it.
_FAR_OCTAVES = 0.7
# Above this part of full scale loud samples are bent instead of cut off.
_KNEE = 0.8
_SILENT_DB = -60.0


@dataclass(frozen=True)
class Melody:
    """F0 in Hz (geometric mean), its spread in semitones, from the 10th to the 90th percentile, and the level in dB."""

    f0: float
    spread: float
    level: float


def melody(wave: Samples, rate: int) -> Melody | None:
    """What speech [T] sounds like; None where hardly anything of it is voiced."""
    f0 = _track(wave, rate)
    voiced = f0[f0 > 0]
    if len(voiced) < 10:
        return None
    notes = 12 * np.log2(voiced)
    # What errors are left are few and large; the middle of the notes does without them.
    middle = np.median(notes)
    notes = notes[np.abs(notes - middle) < 12]
    frames = wave[: len(wave) // 400 * 400].reshape(-1, 400)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    power = power[power > 10 ** (_SILENT_DB / 10)]
    level = float(10 * np.log10(power.mean())) if len(power) else _SILENT_DB
    low, high = np.quantile(notes, (0.1, 0.9))
    return Melody(float(2 ** (notes.mean() / 12)), float(high - low), level)


def louder(wave: Samples, decibels: float) -> Samples:
    """The wave by so much louder or softer; what would pass full scale is bent below it."""
    made = wave * np.float32(10 ** (decibels / 20))
    size = np.abs(made)
    bent = _KNEE + (1 - _KNEE) * np.tanh((size - _KNEE) / (1 - _KNEE))
    return np.where(size > _KNEE, np.sign(made) * bent, made).astype(np.float32)


def repitched(wave: Samples, rate: int, shift: float, spread: float) -> Samples:
    """The speech [T] with its mean F0 times `shift`, and its melody's distances from the mean times `spread`.

    Its length and its power stay. Ratios of F0 are kept within 0.5 to 2, beyond which periods have gaps.
    """
    track = _track(wave, rate)
    voiced = track > 0
    if not voiced.any():
        return wave
    middle = np.exp(np.log(track[voiced]).mean())
    wanted = np.clip(middle * shift * (np.where(voiced, track, middle) / middle) ** spread, LOWEST / 2, HIGHEST * 2)
    ratio = np.where(voiced, np.clip(wanted / np.where(voiced, track, wanted), 0.5, 2.0), 1.0)
    hop = round(_FRAME_SECONDS * rate)
    period = np.where(voiced, rate / np.where(voiced, track, 1.0), _UNVOICED_SECONDS * rate)
    marks = _marks(wave, period, voiced, hop)
    made, weight = np.zeros(len(wave), np.float64), np.zeros(len(wave), np.float64)
    at = float(marks[0])
    i = 0
    while at < len(wave):
        while i + 1 < len(marks) and abs(marks[i + 1] - at) <= abs(marks[i] - at):
            i += 1
        before = marks[i] - marks[i - 1] if i else marks[0]
        after = marks[i + 1] - marks[i] if i + 1 < len(marks) else len(wave) - marks[i]
        _add(made, weight, wave, (marks[i], round(at)), (before, after))
        at += max(1.0, after / ratio[min(marks[i] // hop, len(ratio) - 1)])
    # Where periods were moved apart there is little to divide by.
    made /= np.maximum(weight, 0.4)
    # Periods that overlap more, or less, than they did must not be heard as louder or softer.
    power = float(np.square(made).mean())
    gain = math.sqrt(float(np.square(wave, dtype=np.float64).mean()) / power) if power > 0 else 1.0
    return (made * gain).astype(np.float32)


def _track(wave: Samples, rate: int) -> np.ndarray:
    """F0 in Hz every 10 ms, 0 where there is none."""
    hop = round(_FRAME_SECONDS * rate)
    if len(wave) < hop:
        return np.zeros(0)
    track = pitch(torch.from_numpy(np.ascontiguousarray(wave))[None], rate, hop)[0].double().numpy()
    voiced = track > 0
    if not voiced.any():
        return track
    octaves = np.log2(np.where(voiced, track, 1.0) / np.median(track[voiced]))
    return np.where(voiced & (np.abs(octaves) > _FAR_OCTAVES), track / 2 ** np.round(octaves), track)


def _marks(wave: Samples, period: np.ndarray, voiced: np.ndarray, hop: int) -> list[int]:
    """Where each period has its peak, and every 5 ms where there are none."""
    marks = [min(len(wave) - 1, int(period[0]) // 2)]
    while True:
        last = marks[-1]
        frame = min(last // hop, len(period) - 1)
        following = last + round(period[frame])
        if following >= len(wave):
            return marks
        if voiced[frame]:
            reach = int(0.2 * period[frame])
            low, high = max(last + 1, following - reach), min(len(wave), following + reach + 1)
            following = low + int(np.argmax(wave[low:high]))
        marks.append(following)


def _add(
    made: np.ndarray, weight: np.ndarray, wave: Samples, places: tuple[int, int], periods: tuple[int, int]
) -> None:
    """The periods before and after a place of the wave, faded in and out, to another place."""
    source, target = places
    before, after = periods
    left, right = min(before, source, target), min(after, len(wave) - source, len(wave) - target)
    rise = np.sin(0.5 * np.pi * np.arange(before - left, before) / max(1, before)) ** 2
    fall = np.cos(0.5 * np.pi * np.arange(right) / max(1, after)) ** 2
    window = np.concatenate([rise, fall])
    made[target - left : target + right] += wave[source - left : source + right] * window
    weight[target - left : target + right] += window
