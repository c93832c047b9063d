"""Long recordings separated stretch by stretch, so that memory is bounded by a stretch and not by the recording.

This file is also read by interpreters of other environments, so it imports nothing of gsv.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import soundfile

RATE = 44100
STRETCH_SECONDS = 120
# Two stretches share so much, and one is faded into the other over it.
OVERLAP_SECONDS = 4
# Separators need a little more sound than there may be, and lose a few samples at the end.
SHORTEST_SECONDS = 2
MARGIN_SECONDS = 0.25

Samples = npt.NDArray[np.float32]
# [2, T] -> what was to be found and what remains, [2, T or a little less] each.
Separator = Callable[[Samples], tuple[Samples, Samples]]


def separate_file(separator: Separator, mix: str, target: str, rest: str, tell: Callable[[float], None]) -> None:
    """Separates the file `mix`, 44.1 kHz stereo, into two files (RF64, float32) of the same length.

    `tell` hears which fraction is done. Raises ValueError if what comes out is not finite.
    """
    with soundfile.SoundFile(mix) as source, writing(target) as target_file, writing(rest) as rest_file:
        for parts in _stretches(separator, source):
            target_file.write(parts[0].T)
            rest_file.write(parts[1].T)
            tell(target_file.tell() / source.frames)


def writing(path: str) -> soundfile.SoundFile:
    """A file of stereo sound between steps, which may be longer than a WAV file can be."""
    return soundfile.SoundFile(path, "w", samplerate=RATE, channels=2, format="RF64", subtype="FLOAT")


def _stretches(separator: Separator, mix: soundfile.SoundFile) -> Iterator[Samples]:
    """[2 parts, 2 channels, T] from the beginning to the end, without gaps."""
    length, overlap = STRETCH_SECONDS * RATE, OVERLAP_SECONDS * RATE
    fade = np.linspace(0, 1, overlap, dtype=np.float32)
    tail = None
    start = 0
    while True:
        mix.seek(start)
        block = mix.read(length, dtype="float32", always_2d=True).T
        parts = _parts(separator, block)
        if tail is not None:
            parts[..., :overlap] = tail * (1 - fade) + parts[..., :overlap] * fade
        if start + block.shape[1] >= mix.frames:
            yield parts
            return
        yield parts[..., :-overlap]
        tail = parts[..., -overlap:]
        start += length - overlap


def _parts(separator: Separator, block: Samples) -> Samples:
    if not block.any():  # Separators divide by the loudest value.
        return np.stack((block, block))
    length = block.shape[1]
    padded = max(length + round(MARGIN_SECONDS * RATE), SHORTEST_SECONDS * RATE)
    found = separator(np.pad(block, ((0, 0), (0, padded - length))))
    parts = np.zeros((2, 2, length), np.float32)
    for part, wave in zip(parts, found, strict=True):
        shared = np.asarray(wave)[:, :length]
        part[:, : shared.shape[1]] = shared
    if not np.isfinite(parts).all():
        raise ValueError("what comes out is not finite; the model file may be damaged")
    return parts
