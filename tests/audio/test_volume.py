"""The volume curve: what its definition says, however the sound comes in."""

import numpy as np
import pytest

from gsv.audio.volume import volume

WAVE = np.random.default_rng(0).standard_normal(10007).astype(np.float32)


def by_definition(wave: np.ndarray, hop: int, window: int) -> list[float]:
    padded = np.concatenate([np.zeros(window // 2), wave, np.zeros(window // 2)])
    starts = range(0, len(padded) - window + 1, hop)
    return [float(np.sqrt(np.mean(padded[start : start + window] ** 2))) for start in starts]


@pytest.mark.parametrize(("hop", "window"), [(320, 1280), (100, 100), (70, 201)])
@pytest.mark.parametrize("samples", [10007, 3200, 1, 70])
def test_every_point_is_the_rms_around_it(hop: int, window: int, samples: int) -> None:
    wave = WAVE[:samples]
    curve = volume([wave], hop, window)
    assert curve.samples == samples
    np.testing.assert_allclose(curve.rms, by_definition(wave, hop, window), rtol=1e-5)


def test_blocks_do_not_matter() -> None:
    whole = volume([WAVE], 100, 350)
    parts = volume([WAVE[start : start + 300] for start in range(0, len(WAVE), 300)], 100, 350)
    np.testing.assert_allclose(parts.rms, whole.rms, rtol=1e-6)
    np.testing.assert_array_equal(parts.peaks, whole.peaks)


def test_peaks_are_those_of_the_samples() -> None:
    curve = volume([WAVE], 100, 350)
    assert curve.peak(0, len(WAVE)) == np.abs(WAVE).max()
    assert curve.peak(200, 700) == np.abs(WAVE[200:700]).max()
    assert curve.peak(9900, 10007) == np.abs(WAVE[9900:]).max()


def test_quiet_sound_after_an_hour_of_loud_is_measured_exactly() -> None:
    loud = np.ones(320_000, np.float32)
    quiet = np.full(320_000, 1e-5, np.float32)
    curve = volume([*[loud] * 360, quiet, np.zeros(320_000, np.float32)], 320, 1280)
    assert curve.rms[360_500] == pytest.approx(1e-5, rel=1e-3)
    assert curve.rms[361_500] == 0 and curve.decibels[361_500] == pytest.approx(-120)
