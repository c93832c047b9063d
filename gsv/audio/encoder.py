"""Sound as bytes of a format: whole, or while it is still being made, with one header and state kept over chunks."""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Literal, Protocol, cast, get_args

import av
import numpy as np
import soundfile
import soxr

from gsv.audio.io import Samples
from gsv.errors import InputError

Format = Literal["wav", "raw", "pcm", "ogg", "opus", "mp3", "flac", "aac", "m4a"]
FORMATS: tuple[str, ...] = get_args(Format)
LOWEST_RATE, HIGHEST_RATE = 8000, 48000

MEDIA_TYPES: dict[str, str] = {
    "wav": "audio/wav",
    "raw": "audio/raw",
    "pcm": "audio/pcm",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
}

_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# Speech needs no more; the encoders take it at every rate.
_BITS_A_SAMPLE = 4
_OPUS_BITS_A_SECOND = 64_000
# How long the containers that collect sound into pages and fragments may wait for it.
_PAGE_MICROSECONDS = "100000"
# libsndfile's Vorbis encoder overflows the stack where it is given much at once.
_VORBIS_BLOCK = 1 << 14
_UNKNOWN_LENGTH = 2**32 - 1
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class _Coder(Protocol):
    """Samples of the coder's rate in, bytes out; `end` gives what is left."""

    def add(self, wave: Samples) -> bytes: ...

    def end(self) -> bytes: ...


class Encoder:
    """Turns one mono sound into bytes, chunk by chunk.

    Args:
        format: `raw` and `pcm` are 16-bit little-endian samples without a header, `ogg` is Vorbis, `opus` is Opus in
            Ogg, `aac` is ADTS and `m4a` AAC in MP4, which is fragmented where it is live.
        rate: of the samples that come, Hz.
        wanted: of the sound that goes out, 8000 to 48000 Hz; that of the samples if not given. A format that does not
            know the rate takes the next one above that it knows, see `rate_of`.
        live: every chunk's bytes come as soon as can be, and headers say that the length is not known. Otherwise all
            bytes come at the end, with the length in the header.

    The same samples give the same bytes, however they are cut. Raises InputError for an unknown format or rate.
    """

    def __init__(self, format: str, rate: int, wanted: int | None = None, live: bool = True):
        self.rate = rate_of(format, wanted or rate)
        self._resampler = None if self.rate == rate else soxr.ResampleStream(rate, self.rate, 1, dtype="float32")
        self._coder = _coder(format, self.rate, live)

    def add(self, wave: Samples) -> bytes:
        """The bytes that [T] float32 samples make; beyond full scale they are clipped."""
        if self._resampler is not None:
            wave = self._resampler.resample_chunk(wave.astype(np.float32, copy=False))
        return self._coder.add(np.clip(wave, -1, 1)) if len(wave) else b""

    def end(self) -> bytes:
        """The last bytes; nothing can be added after them."""
        last = b""
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
            last = self._coder.add(np.clip(rest, -1, 1)) if len(rest) else b""
        return last + self._coder.end()


def encode(format: str, wave: Samples, rate: int, wanted: int | None = None) -> bytes:
    """A whole sound, [T] float32, as a file of the format; see `Encoder`."""
    encoder = Encoder(format, rate, wanted, live=False)
    return encoder.add(wave) + encoder.end()


def rate_of(format: str, wanted: int) -> int:
    """The sampling rate, in Hz, that a sound of the format has where `wanted` is asked for. Raises InputError."""
    if format not in FORMATS:
        raise InputError(f"There is no audio format {format[:40]!r}; choose one of {', '.join(FORMATS)}.")
    if not LOWEST_RATE <= wanted <= HIGHEST_RATE:
        raise InputError(f"The sampling rate {wanted} is not usable; it must be from {LOWEST_RATE} to {HIGHEST_RATE}.")
    if format in _LIBAV:
        return next(rate for rate in _LIBAV[format].rates or (wanted,) if rate >= wanted)
    return wanted


@dataclass(frozen=True)
class _Kind:
    """How FFmpeg's libraries write a format; without `rates` it knows all."""

    container: str
    codec: str
    samples: Literal["s16", "fltp", "flt"]
    rates: tuple[int, ...] = ()
    live: tuple[tuple[str, str], ...] = ()


_FRAGMENTED = (("movflags", "empty_moov+default_base_moof"), ("frag_duration", _PAGE_MICROSECONDS))
_LIBAV = {
    "flac": _Kind("flac", "flac", "s16"),
    "mp3": _Kind("mp3", "libmp3lame", "fltp", _MPEG_RATES, live=(("write_xing", "0"),)),
    "aac": _Kind("adts", "aac", "fltp", _MPEG_RATES),
    "m4a": _Kind("ipod", "aac", "fltp", _MPEG_RATES, live=_FRAGMENTED),
    "opus": _Kind("ogg", "libopus", "flt", _OPUS_RATES, live=(("page_duration", _PAGE_MICROSECONDS),)),
}


def _coder(format: str, rate: int, live: bool) -> _Coder:
    if format in _LIBAV:
        return _LibavCoder(_LIBAV[format], rate, live)
    if format == "ogg":
        return _VorbisCoder(rate, live)
    return _PcmCoder(rate, live, header=format == "wav")


class _PcmCoder:
    def __init__(self, rate: int, live: bool, header: bool):
        self._rate, self._live = rate, live
        self._header = header
        self._whole: list[bytes] = []

    def add(self, wave: Samples) -> bytes:
        data = pcm16(wave).tobytes()
        if not self._live:
            self._whole.append(data)
            return b""
        return self._first(_UNKNOWN_LENGTH) + data

    def end(self) -> bytes:
        if self._live:
            return self._first(_UNKNOWN_LENGTH)
        data = b"".join(self._whole)
        return self._first(len(data)) + data

    def _first(self, length: int) -> bytes:
        header = wav_header(self._rate, length) if self._header else b""
        self._header = False
        return header


class _Pipe:
    """What FFmpeg's libraries write to where nobody can go back to the beginning."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _LibavCoder:
    def __init__(self, kind: _Kind, rate: int, live: bool):
        self._kind, self._rate = kind, rate
        self._pipe = _Pipe() if live else None
        self._file = io.BytesIO()
        # Bit-exact: no random serial numbers, no dates.
        options = {"fflags": "+bitexact", **({"flush_packets": "1", **dict(kind.live)} if live else {})}
        self._container = av.open(self._pipe or self._file, "w", format=kind.container, container_options=options)
        track = self._container.add_stream(kind.codec, rate=rate, layout="mono", format=kind.samples)
        self._track = cast(av.AudioStream, track)
        self._track.bit_rate = _OPUS_BITS_A_SECOND if kind.codec == "libopus" else rate * _BITS_A_SAMPLE

    def add(self, wave: Samples) -> bytes:
        samples = pcm16(wave) if self._kind.samples == "s16" else wave.astype(np.float32, copy=False)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples)[None], self._kind.samples, "mono")
        frame.sample_rate = self._rate
        self._container.mux(self._track.encode(frame))
        return self._pipe.take() if self._pipe else b""

    def end(self) -> bytes:
        self._container.mux(self._track.encode(None))
        self._container.close()
        return self._pipe.take() if self._pipe else self._file.getvalue()


class _VorbisCoder:
    """Vorbis by libsndfile, because FFmpeg's own encoder of it is a trial."""

    def __init__(self, rate: int, live: bool):
        self._live = live
        self._file = io.BytesIO()
        self._taken = 0
        self._sound = soundfile.SoundFile(self._file, "w", rate, 1, "VORBIS", format="OGG")

    def add(self, wave: Samples) -> bytes:
        for start in range(0, len(wave), _VORBIS_BLOCK):
            self._sound.write(wave[start : start + _VORBIS_BLOCK])
        return self._take() if self._live else b""

    def end(self) -> bytes:
        self._sound.close()
        return self._take()

    def _take(self) -> bytes:
        data = self._file.getvalue()[self._taken :]
        pages, length = _numbered(data)
        self._taken += length
        return pages


def _numbered(data: bytes) -> tuple[bytes, int]:
    """The whole Ogg pages at the beginning of the data, in a stream of number 1, and how long they are.

    libsndfile draws a number for each stream, which would make every file another one. The layout is that of RFC 3533.
    """
    pages: list[bytes] = []
    start = 0
    while start + 27 <= len(data):
        segments = data[start + 26]
        if start + 27 + segments > len(data):
            break
        end = start + 27 + segments + sum(data[start + 27 : start + 27 + segments])
        if end > len(data):
            break
        page = bytearray(data[start:end])
        page[14:18], page[22:26] = struct.pack("<I", 1), bytes(4)
        page[22:26] = struct.pack("<I", _ogg_checksum(bytes(page)))
        pages.append(bytes(page))
        start = end
    return b"".join(pages), start


def _ogg_checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial with the bits in the other order, from 0 and not inverted."""
    mirrored = zlib.crc32(page.translate(_REVERSED), _UNKNOWN_LENGTH) ^ _UNKNOWN_LENGTH
    return int.from_bytes(mirrored.to_bytes(4, "little").translate(_REVERSED), "big")


def pcm16(wave: Samples) -> np.ndarray:
    """[T] float32 within [-1, 1] as little-endian int16, rounded."""
    return np.rint(np.clip(wave, -1, 1) * 32767).astype("<i2")


def wav_header(rate: int, length: int) -> bytes:
    """The 44 bytes before `length` bytes of mono 16-bit samples; a length that is not known is 2^32 - 1."""
    riff = min(length + 36, _UNKNOWN_LENGTH)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", riff, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", length
    )
