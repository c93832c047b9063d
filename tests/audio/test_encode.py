"""Sound files in every format that results are offered in."""

from pathlib import Path

import numpy as np
import pytest

from gsv.audio.encode import encoded
from gsv.audio.io import load
from gsv.errors import AudioError

RATE = 44100


def sweeps(channels: int, seconds: float = 1.5) -> np.ndarray:
    """A tone that rises from 300 Hz, so that no two moments are alike; an octave higher in the second channel."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (300 * time + 400 * time**2)
    return np.stack([0.4 * np.sin(phase * (channel + 1)) for channel in range(channels)]).astype("f4")


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("format", "error"), [("wav", 1e-4), ("flac", 1e-4), ("mp3", 0.02), ("m4a", 0.02)])
def test_what_is_written_in_blocks_is_heard_again(tmp_path: Path, format: str, error: float, channels: int) -> None:
    wave = sweeps(channels)
    path = tmp_path / f"a.{format}"
    with encoded(path, RATE, channels) as write:
        for start in range(0, wave.shape[1], 10_001):
            write(wave[:, start : start + 10_001])
    heard = load(path, RATE, mono=False)
    assert len(heard) == channels
    # Lossy formats add a little silence at both ends.
    delay = int(np.argmax(np.correlate(heard[0][: RATE // 2], wave[0][: RATE // 4], "valid")))
    assert delay < 4000
    shared = min(wave.shape[1], heard.shape[1] - delay) - 5000
    assert np.sqrt(np.mean((heard[:, delay + 5000 : delay + shared] - wave[:, 5000:shared]) ** 2)) < error
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", ["wav", "flac", "mp3", "m4a"])
def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path, format: str) -> None:
    with pytest.raises(RuntimeError), encoded(tmp_path / f"a.{format}", RATE, 1) as write:
        write(sweeps(1))
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_is_beyond_full_scale_is_clipped_and_does_not_wrap_around(tmp_path: Path) -> None:
    for format in ("wav", "flac"):
        path = tmp_path / f"a.{format}"
        with encoded(path, RATE, 1) as write:
            write(np.array([[1.5, -1.5, 0.5]], np.float32))
        assert np.allclose(load(path, RATE), [1, -1, 0.5], atol=1e-4)


def test_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="choose wav, flac, mp3 or m4a"), encoded(tmp_path / "a.ogg", RATE, 1):
        pass
    assert not list(tmp_path.iterdir())
