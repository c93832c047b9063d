"""Sound files in and out. Any format in (libsndfile, then FFmpeg's libraries through PyAV), 16-bit WAV out."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from gsv.errors import AudioError
from gsv.paths import written_whole

Samples = npt.NDArray[np.float32]

# FFmpeg also knows play lists, which name other files and addresses; a sound file has no need to open any.
_NO_OTHER_FILES = {"protocol_whitelist": "none"}


def load(
    path: str | Path, sampling_rate: int, mono: bool = True, start: float | None = None, end: float | None = None
) -> Samples:
    """The sound between `start` and `end` (seconds; the whole file by default), resampled to `sampling_rate`.

    Returns float32, [T] if `mono` (the mean of the channels), else [channels, T]. Full scale is [-1, 1]; a file of
    floating-point samples can exceed it. Raises AudioError if the file is missing, cannot be decoded, has samples that
    are not finite, or holds no sound in that stretch.
    """
    path = _checked(path)
    samples, rate = _decoded(path, start or 0.0, end)
    if not len(samples):
        stretch = (
            "no sound" if start is None and end is None else f"no sound between {start or 0} and {end or 'its end'} s"
        )
        raise AudioError(f"{path} holds {stretch}; give a file or stretch with speech in it.")
    if not np.isfinite(samples).all():
        raise AudioError(f"{path} has samples that are not finite numbers; export the sound again.")
    if mono:
        samples = samples.mean(axis=1)
    return np.ascontiguousarray(resample(samples, rate, sampling_rate).T)


def duration(path: str | Path) -> float:
    """Length in seconds. Raises AudioError as `load` does."""
    path = _checked(path)
    try:
        return float(soundfile.info(str(path)).duration)
    except soundfile.LibsndfileError:
        samples, rate = _decoded_by_ffmpeg(path)
        return len(samples) / rate


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """[T] or [T, channels] at another sampling rate, with soxr's high-quality filter."""
    return samples if rate == wanted else soxr.resample(samples, rate, wanted)


def save_wav(path: str | Path, wave: npt.NDArray[np.generic], sampling_rate: int) -> None:
    """Writes 16-bit PCM, whole or not at all.

    `wave` is [T] or [channels, T]; floats are clipped to full scale, scaled by 32767 and rounded, int16 is kept.
    Raises AudioError for samples that are not finite.
    """
    if wave.dtype != np.int16:
        if not np.isfinite(wave).all():
            raise AudioError(f"{Path(path).name} was not written: the sound has samples that are not finite numbers.")
        wave = np.rint(np.clip(wave, -1.0, 1.0) * 32767).astype(np.int16)
    with written_whole(Path(path)) as temporary:
        # The format is named because data sets hold WAV data under names such as `a.flac`.
        soundfile.write(temporary, wave.T, sampling_rate, subtype="PCM_16", format="WAV")


def check_wav_path(path: str | Path) -> None:
    """Raises AudioError if no WAV file can come to stand at that path, as far as can be told without writing it."""
    path = Path(path)
    if path.suffix.lower() not in {"", ".wav"}:
        raise AudioError(f"{path} would not be what its name says: speech is written as WAV; let the name end in .wav.")
    if path.is_dir():
        raise AudioError(f"{path} is a folder; name the wav file to write.")
    above = next(parent for parent in path.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise AudioError(f"{path} cannot be written, because {above} is no folder that you may write to.")


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise AudioError(f"There is no sound file {path}; check the path.")
    if not path.stat().st_size:
        raise AudioError(f"{path} is an empty file; get or record the sound again.")
    return path


def _decoded(path: Path, start: float, end: float | None) -> tuple[Samples, int]:
    """Samples [T, channels] and their rate."""
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate = file.samplerate
            first = min(round(start * rate), file.frames)
            last = file.frames if end is None else min(round(end * rate), file.frames)
            file.seek(first)
            return file.read(max(0, last - first), dtype="float32", always_2d=True), rate
    except (soundfile.LibsndfileError, TypeError):  # TypeError: a name that means raw samples without a header.
        samples, rate = _decoded_by_ffmpeg(path)
        return samples[round(start * rate) : None if end is None else round(end * rate)], rate


def _decoded_by_ffmpeg(path: Path) -> tuple[Samples, int]:
    with _ffmpeg_errors(path), path.open("rb") as file, av.open(file, options=_NO_OTHER_FILES) as container:
        if not container.streams.audio:
            raise AudioError(f"{path} has no sound track; give a sound file.")
        rate = container.streams.audio[0].rate
        to_float = av.AudioResampler(format="fltp", rate=rate)
        frames = [out for frame in container.decode(audio=0) for out in to_float.resample(frame)]
        frames += to_float.resample(None)
        arrays = [frame.to_ndarray() for frame in frames]
    if not arrays:
        return np.zeros((0, 1), np.float32), rate
    return np.concatenate(arrays, axis=1).T.astype(np.float32, copy=False), rate


@contextmanager
def _ffmpeg_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be decoded as sound; it may be damaged or of another kind.") from error
