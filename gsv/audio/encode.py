"""Sound files of several formats, written block by block and whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import av
import numpy as np
import soundfile

from gsv.audio.io import Samples, wav_written
from gsv.errors import AudioError
from gsv.paths import written_whole

Format = Literal["wav", "flac", "mp3", "m4a"]
Write = Callable[[Samples], None]

# FFmpeg's container and codec, and a rate at which few can hear that something was left out.
_LOSSY = {"mp3": ("mp3", "libmp3lame"), "m4a": ("ipod", "aac")}
_BITS_A_SECOND = 256_000


@contextmanager
def encoded(path: Path, sampling_rate: int, channels: int) -> Iterator[Write]:
    """What writes blocks of float32 [channels, T] to the file, in the format that its name ends in.

    WAV and FLAC have 16 bits; what is beyond full scale is clipped. The file is there when the `with` block has ended.
    Raises AudioError for another format.
    """
    format = path.suffix.removeprefix(".").lower()
    if format == "wav":
        with wav_written(path, sampling_rate, channels) as write:
            yield write
    elif format == "flac":
        with (
            written_whole(path) as temporary,
            soundfile.SoundFile(temporary, "w", sampling_rate, channels, "PCM_16", format="FLAC") as file,
        ):
            yield lambda wave: file.write(np.clip(wave.T, -1, 1))
    elif format in _LOSSY:
        with written_whole(path) as temporary, _encoder(temporary, format, sampling_rate, channels) as write:
            yield write
    else:
        raise AudioError(f"{path.name} is of no format that can be written; choose wav, flac, mp3 or m4a.")


@contextmanager
def _encoder(path: Path, format: str, sampling_rate: int, channels: int) -> Iterator[Write]:
    container_format, codec = _LOSSY[format]
    layout = "mono" if channels == 1 else "stereo"
    with av.open(str(path), "w", format=container_format) as container:
        track = container.add_stream(codec, rate=sampling_rate, layout=layout, format="fltp")
        track.bit_rate = _BITS_A_SECOND

        def write(wave: Samples) -> None:
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.clip(wave, -1, 1)), "fltp", layout)
            frame.sample_rate = sampling_rate
            for packet in track.encode(frame):
                container.mux(packet)

        yield write
        for packet in track.encode(None):
            container.mux(packet)
