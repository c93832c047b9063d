"""Long recordings stretch by stretch: nothing lost or doubled at the seams, nothing that is not finite let through."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.dataset import stretches
from gsv.dataset.stretches import RATE, Samples, separate_file, writing


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STRETCH_SECONDS", 5)
    monkeypatch.setattr(stretches, "OVERLAP_SECONDS", 1)


def written(path: Path, seconds: float) -> Samples:
    wave = np.random.default_rng(0).standard_normal((2, round(seconds * RATE))).astype(np.float32) / 8
    with writing(str(path)) as file:
        file.write(wave.T)
    return wave


def read(path: Path) -> Samples:
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def run(folder: Path, separator: stretches.Separator) -> tuple[Samples, Samples, list[float]]:
    told: list[float] = []
    separate_file(separator, str(folder / "mix"), str(folder / "target"), str(folder / "rest"), told.append)
    return read(folder / "target"), read(folder / "rest"), told


@pytest.mark.parametrize("seconds", [0.01, 1.0, 5.0, 5.5, 9.0, 17.3])
def test_the_parts_are_as_long_as_the_mix_and_without_seams(tmp_path: Path, seconds: float) -> None:
    mix = written(tmp_path / "mix", seconds)
    lengths = []

    def separator(wave: Samples) -> tuple[Samples, Samples]:
        lengths.append(wave.shape[1])
        # As networks do, it loses some samples at the end.
        return wave[:, :-100] * 0.25, wave[:, :-100] * 0.75

    target, rest, told = run(tmp_path, separator)
    assert np.allclose(target, mix * 0.25, atol=1e-6)
    assert np.allclose(rest, mix * 0.75, atol=1e-6)
    assert told == sorted(told) and told[-1] == 1
    assert max(lengths) <= 5.25 * RATE and min(lengths) >= 2 * RATE


def test_one_stretch_fades_into_the_next(tmp_path: Path) -> None:
    written(tmp_path / "mix", 9)
    levels = iter([0.0, 1.0])

    def separator(wave: Samples) -> tuple[Samples, Samples]:
        level = next(levels)
        return np.full_like(wave, level), np.zeros_like(wave)

    target, _, _ = run(tmp_path, separator)
    assert np.all(target[:, : 4 * RATE] == 0)
    assert np.all(target[:, 5 * RATE :] == 1)
    assert np.all(np.diff(target[0, 4 * RATE : 5 * RATE]) > 0)


def test_what_is_not_finite_is_an_error(tmp_path: Path) -> None:
    written(tmp_path / "mix", 1)
    with pytest.raises(ValueError, match="not finite"):
        run(tmp_path, lambda wave: (wave * np.nan, wave))


def test_silence_is_left_as_it_is(tmp_path: Path) -> None:
    with writing(str(tmp_path / "mix")) as file:
        file.write(np.zeros((RATE, 2), np.float32))

    def separator(wave: Samples) -> tuple[Samples, Samples]:
        raise AssertionError("a network would divide by the loudest value")

    target, rest, _ = run(tmp_path, separator)
    assert target.shape == rest.shape == (2, RATE)
    assert not target.any() and not rest.any()
