"""Sounds as a page shows them: a file that a browser can play, and the outline of the wave."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from gradio.utils import get_upload_folder

from gsv.audio.io import Samples, load, save_wav

# Enough to hear every word by; the page then loads quickly.
_RATE = 24000
_POINTS = 240


@dataclass(frozen=True)
class Clip:
    """`file` lies where pages may fetch it; `peaks` are the loudest samples of equal stretches, 0 to 100."""

    file: Path
    seconds: float
    peaks: tuple[int, ...]

    def as_json(self) -> dict[str, object]:
        return {"file": str(self.file), "seconds": round(self.seconds, 3), "peaks": list(self.peaks)}


def clip_of(path: Path) -> Clip:
    """A sound file of any format, decoded: what is no sound never reaches a page. Raises AudioError."""
    if not path.is_file():
        load(path, _RATE)  # Says what is wrong.
    stat = path.stat()
    clip = _decoded(path, stat.st_mtime_ns, stat.st_size)
    if not clip.file.is_file():  # Temporary files may be cleared away at any time.
        _decoded.cache_clear()
        clip = _decoded(path, stat.st_mtime_ns, stat.st_size)
    return clip


def clip_of_wave(wave: Samples, rate: int, name: str) -> Clip:
    """A wave [T] that was just made, as a WAV file `name` at its own rate."""
    file = _place(np.ascontiguousarray(wave).tobytes() + str(rate).encode()) / name
    save_wav(file, wave, rate)
    return Clip(file, len(wave) / rate, outline(wave))


def outline(wave: Samples, points: int = _POINTS) -> tuple[int, ...]:
    """The loudest absolute samples of equal stretches of a wave [T], as 0 to 100 of full scale."""
    if not len(wave):
        return ()
    edges = np.linspace(0, len(wave), min(points, len(wave)), endpoint=False).astype(int)
    loudest = np.maximum.reduceat(np.abs(wave), edges)
    return tuple(int(value) for value in np.clip(np.rint(100 * loudest), 0, 100))


@lru_cache(maxsize=4096)
def _decoded(path: Path, changed: int, size: int) -> Clip:
    wave = load(path, _RATE)
    file = _place(f"{path}\0{changed}\0{size}".encode()) / "clip.wav"
    save_wav(file, wave, _RATE)
    return Clip(file, len(wave) / _RATE, outline(wave))


def _place(content: bytes) -> Path:
    """A folder that the page's server shows files of, named by what is in it."""
    return Path(get_upload_folder()).resolve() / hashlib.sha256(content).hexdigest()
