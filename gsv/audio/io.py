"""Sound files in and out. Any format in (libsndfile, then FFmpeg's libraries through PyAV), 16-bit WAV out."""

import os
import wave as wave_headers
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
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
Wave = npt.NDArray[np.generic]

# FFmpeg also knows play lists, which name other files and addresses; a sound file has no need to open any.
_NO_OTHER_FILES = {"protocol_whitelist": "none"}

# Samples read at once where a file is not loaded whole.
_BLOCK = 1 << 18
# Below this there is no speech, but a file of some megabytes that says so would fill the memory when it is resampled.
_LOWEST_RATE = 1000
# A WAV file states its length in 32 bits; its header takes some of it.
_LONGEST_BYTES = 2**32 - 2**10
# What a program that writes into a pipe, and so cannot know the length, states is this or more.
_UNKNOWN_BYTES = 2**31 - 2**12
# Of sound that a header promises, so much may be missing.
_MISSING_SECONDS = 0.05


@dataclass(frozen=True)
class Sound:
    """A sound file that is being read: its sampling rate, and what is left of it in blocks [T, channels]."""

    rate: int
    blocks: Iterator[Samples]


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
    _check_rate(rate, path)
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


@contextmanager
def opened(path: str | Path) -> Iterator[Sound]:
    """A sound file of any length, to be read block by block from its beginning at its own rate.

    Raises AudioError if the file is missing, cannot be decoded, or is a WAV file that was cut off, and, while it is
    read, if it is damaged further on or has samples that are not finite. Unlike `load` it does not mind a file without
    any samples.
    """
    path = _checked(path)
    with ExitStack() as stack:
        try:
            file = stack.enter_context(soundfile.SoundFile(str(path)))
        except (soundfile.LibsndfileError, TypeError):  # TypeError: a name that means raw samples without a header.
            sound = stack.enter_context(_opened_by_ffmpeg(path))
        else:
            _check_end(file, path)
            sound = Sound(file.samplerate, _blocks_by_libsndfile(file, path))
        _check_rate(sound.rate, path)
        yield Sound(sound.rate, _finite(sound.blocks, path))


def stream(path: str | Path, sampling_rate: int, size: int) -> Iterator[Samples]:
    """What `load` returns for a whole file, mono, in blocks of `size` samples, the last of which may be shorter.

    Raises AudioError as `load` does, but for a file that is damaged further on only when it comes to that place.
    """
    with opened(path) as sound:
        waiting = np.zeros(0, np.float32)
        empty = True
        for samples in _resampled((block.mean(axis=1) for block in sound.blocks), sound.rate, sampling_rate):
            waiting = np.concatenate((waiting, samples))
            whole = len(waiting) // size * size
            for start in range(0, whole, size):
                empty = False
                yield waiting[start : start + size]
            waiting = waiting[whole:]
        if len(waiting):
            yield waiting
        elif empty:
            raise AudioError(f"{path} holds no sound; give a file with speech in it.")


def _resampled(blocks: Iterator[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    if rate == wanted:
        yield from blocks
        return
    resampler = soxr.ResampleStream(rate, wanted, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def duration(path: str | Path) -> float:
    """Length in seconds. Raises AudioError as `load` does."""
    path = _checked(path)
    try:
        return float(soundfile.info(str(path)).duration)
    except soundfile.LibsndfileError:
        with _opened_by_ffmpeg(path) as sound:
            return sum(len(block) for block in sound.blocks) / sound.rate


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """[T] or [T, channels] at another sampling rate, with soxr's high-quality filter."""
    return samples if rate == wanted else soxr.resample(samples, rate, wanted)


def save_wav(path: str | Path, wave: Wave, sampling_rate: int) -> None:
    """Writes 16-bit PCM, whole or not at all.

    `wave` is [T] or [channels, T]; floats are clipped to full scale, scaled by 32767 and rounded, int16 is kept.
    Raises AudioError for samples that are not finite.
    """
    with wav_written(path, sampling_rate, 1 if wave.ndim == 1 else len(wave)) as write:
        write(wave)


@contextmanager
def wav_written(path: str | Path, sampling_rate: int, channels: int = 1) -> Iterator[Callable[[Wave], None]]:
    """What writes a file as `save_wav` does, block by block; the file is there, whole, when the `with` block ends."""
    path = Path(path)

    def write(wave: Wave) -> None:
        if wave.dtype != np.int16:
            if not np.isfinite(wave).all():
                raise AudioError(f"{path.name} was not written: the sound has samples that are not finite numbers.")
            wave = np.rint(np.clip(wave, -1.0, 1.0) * 32767).astype(np.int16)
        if file.tell() + wave.shape[-1] > _LONGEST_BYTES // (2 * channels):
            raise AudioError(
                f"{path.name} was not written: it would be longer than the 4 GiB that a WAV file can hold."
            )
        file.write(wave.T)

    # The format is named because data sets hold WAV data under names such as `a.flac`.
    with (
        written_whole(path) as temporary,
        soundfile.SoundFile(temporary, "w", sampling_rate, channels, subtype="PCM_16", format="WAV") as file,
    ):
        yield write


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


def _check_rate(rate: int, path: Path) -> None:
    if rate < _LOWEST_RATE:
        raise AudioError(f"{path} says that it has {rate} samples a second, too few for speech; export it again.")


def _check_end(file: soundfile.SoundFile, path: Path) -> None:
    """Other formats show by themselves that they were cut off; libsndfile takes what is left of a WAV file for all."""
    try:
        with wave_headers.open(str(path)) as header:
            promised, size = header.getnframes(), header.getnchannels() * header.getsampwidth()
    except (wave_headers.Error, EOFError):  # Another format, or another coding of samples than the plain one.
        return
    missing = (promised - file.frames) / file.samplerate
    if missing > _MISSING_SECONDS and promised * size < _UNKNOWN_BYTES:
        raise AudioError(
            f"{path} was cut off: {file.frames / file.samplerate:.1f} s are there, and its header says "
            f"{promised / file.samplerate:.1f} s; get it again, or export what is there anew."
        )


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
    with _opened_by_ffmpeg(path) as sound:
        return np.concatenate(list(sound.blocks) or [np.zeros((0, 1), np.float32)]), sound.rate


def _blocks_by_libsndfile(file: soundfile.SoundFile, path: Path) -> Iterator[Samples]:
    try:
        while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
            yield block
    except soundfile.LibsndfileError as error:
        place = file.tell() / file.samplerate
        raise AudioError(f"{path} is damaged after {place:.1f} s; get or record the sound again.") from error


@contextmanager
def _opened_by_ffmpeg(path: Path) -> Iterator[Sound]:
    with ExitStack() as stack:
        with _ffmpeg_errors(path):
            file = stack.enter_context(path.open("rb"))
            container = stack.enter_context(av.open(file, options=_NO_OTHER_FILES))
        if not container.streams.audio:
            raise AudioError(f"{path} has no sound track; give a sound file.")
        rate = container.streams.audio[0].rate
        yield Sound(rate, _blocks_by_ffmpeg(container, rate, path))


def _blocks_by_ffmpeg(container: av.container.InputContainer, rate: int, path: Path) -> Iterator[Samples]:
    with _ffmpeg_errors(path):
        to_float = av.AudioResampler(format="fltp", rate=rate)
        parts: list[Samples] = []
        for frame in chain(container.decode(audio=0), (None,)):
            parts += [out.to_ndarray().astype(np.float32, copy=False) for out in to_float.resample(frame)]
            if parts and (frame is None or sum(part.shape[1] for part in parts) >= _BLOCK):
                yield np.concatenate(parts, axis=1).T
                parts = []


def _finite(blocks: Iterator[Samples], path: Path) -> Iterator[Samples]:
    for block in blocks:
        if not np.isfinite(block).all():
            raise AudioError(f"{path} has samples that are not finite numbers; export the sound again.")
        yield block


@contextmanager
def _ffmpeg_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise AudioError(f"{path} cannot be decoded as sound; it may be damaged or of another kind.") from error
