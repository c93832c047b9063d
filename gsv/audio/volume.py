"""The volume of a sound over time, of files of any length."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsv.audio.io import Samples


@dataclass(frozen=True)
class Volume:
    """The volume curve of a sound of `samples` samples, with a frame at every `hop` of them.

    rms: [F], F = 1 + samples // hop; that of the window whose middle is sample `f * hop`, zeros beyond both ends.
    peaks: [ceil(samples / hop)], the largest absolute value from sample `f * hop` up to the next frame's.
    """

    samples: int
    hop: int
    rms: Samples
    peaks: Samples

    @property
    def decibels(self) -> Samples:
        """The curve in dB of full scale; digital silence is at -120."""
        return decibels(self.rms)

    def peak(self, start: int, end: int) -> float:
        """The largest absolute value from sample `start` to before `end`, which are rounded outwards to frames."""
        return float(self.peaks[start // self.hop : -(-end // self.hop)].max())


def decibels(amplitude: npt.ArrayLike) -> Samples:
    """dB of full scale, at least -120."""
    return 20 * np.log10(np.maximum(amplitude, 1e-6)).astype(np.float32)


def volume(blocks: Iterable[Samples], hop: int, window: int) -> Volume:
    """Measures mono sound. `window` is at least `hop`; every block but the last holds a multiple of `hop` samples."""
    samples = 0
    rms: list[Samples] = []
    peaks: list[Samples] = []
    margin = np.zeros(window // 2, np.float32)
    waiting = margin
    for block in blocks:
        samples += len(block)
        peaks.append(np.maximum.reduceat(np.abs(block), np.arange(0, len(block), hop)))
        curve, waiting = _rms(np.concatenate((waiting, block)), hop, window)
        rms.append(curve)
    curve, _ = _rms(np.concatenate((waiting, margin)), hop, window)
    return Volume(samples, hop, np.concatenate([*rms, curve]), np.concatenate(peaks))


def _rms(samples: Samples, hop: int, window: int) -> tuple[Samples, Samples]:
    """The RMS of every whole window, and the samples from which the next one starts."""
    count = max(0, (len(samples) - window) // hop + 1)
    # In double precision, because a quiet window is the difference of two large sums.
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    starts = np.arange(count) * hop
    mean = (energy[starts + window] - energy[starts]) / window
    return np.sqrt(mean).astype(np.float32), samples[count * hop :]
