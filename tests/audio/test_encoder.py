"""Sound as bytes: every format can be read again, whatever its chunks, and the same sound gives the same bytes."""

import io

import av
import numpy as np
import pytest
import soundfile

from gsv.audio.encoder import FORMATS, Encoder, encode, rate_of
from gsv.errors import InputError

RATE = 32000
WAVE = (0.3 * np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE)).astype(np.float32)


NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 2 * RATE).astype(np.float32)


def streamed(format: str, wanted: int | None = None, size: int = 7001, wave: np.ndarray = WAVE) -> list[bytes]:
    encoder = Encoder(format, RATE, wanted)
    parts = [encoder.add(wave[start : start + size]) for start in range(0, len(wave), size)]
    return [*parts, encoder.end()]


def decoded(format: str, data: bytes, rate: int) -> tuple[np.ndarray, int]:
    if format in {"raw", "pcm"}:
        return np.frombuffer(data, "<i2") / 32767, rate
    if format in {"wav", "ogg"}:
        return soundfile.read(io.BytesIO(data))
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        wave = np.concatenate(frames, axis=1)[0]
        return wave / 32768 if wave.dtype == np.int16 else wave, container.streams.audio[0].rate


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("wanted", [8000, 10000, 24000, 44100, 48000])
@pytest.mark.parametrize("live", [True, False])
def test_every_format_and_rate_is_the_sound(format: str, wanted: int, live: bool) -> None:
    data = b"".join(streamed(format, wanted)) if live else encode(format, WAVE, RATE, wanted)
    rate = rate_of(format, wanted)
    wave, found = decoded(format, data, rate)
    # Opus decodes at 48 kHz, whatever it was given.
    assert found == (48000 if format == "opus" else rate)
    assert rate >= wanted
    assert len(wave) / found == pytest.approx(1, abs=0.2)
    middle = wave[found // 4 : found // 4 * 3]
    strongest = np.abs(np.fft.rfft(middle)).argmax() * found / len(middle)
    assert strongest == pytest.approx(440, abs=4)
    assert np.sqrt(np.square(middle).mean()) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_sound_gives_the_same_bytes(format: str) -> None:
    whole = encode(format, WAVE, RATE)
    assert whole == encode(format, WAVE, RATE)
    assert b"".join(streamed(format)) == b"".join(streamed(format, size=12345))


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_come_while_the_sound_is_made_and_the_header_once(format: str) -> None:
    parts = streamed(format, wave=NOISE)
    assert sum(len(part) > 0 for part in parts) >= 3
    data = b"".join(parts)
    marks = {"wav": b"RIFF", "flac": b"fLaC", "ogg": b"\x01vorbis", "opus": b"OpusHead", "m4a": b"ftyp"}
    if format in marks:
        assert data.count(marks[format]) == 1


def test_a_whole_wav_tells_its_length_and_a_live_one_is_open() -> None:
    assert encode("wav", WAVE, RATE)[40:44] == (2 * len(WAVE)).to_bytes(4, "little")
    assert b"".join(streamed("wav"))[40:44] == b"\xff\xff\xff\xff"


def test_samples_of_wav_raw_and_flac_are_kept() -> None:
    expected = np.rint(WAVE * 32767)
    assert np.array_equal(np.frombuffer(b"".join(streamed("raw")), "<i2"), expected)
    assert np.array_equal(np.frombuffer(b"".join(streamed("wav"))[44:], "<i2"), expected)
    assert np.array_equal(soundfile.read(io.BytesIO(encode("flac", WAVE, RATE)), dtype="int16")[0], expected)


def test_pages_of_ogg_have_right_checksums() -> None:
    # FFmpeg refuses pages whose sum is wrong if it is told to look.
    with av.open(io.BytesIO(b"".join(streamed("ogg"))), options={"err_detect": "crccheck+explode"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > len(WAVE) - 1000


@pytest.mark.parametrize("format", FORMATS)
def test_no_sound_at_all_is_an_end_too(format: str) -> None:
    assert isinstance(Encoder(format, RATE).end(), bytes)


@pytest.mark.parametrize(("format", "rate"), [("wma", 24000), ("wav", 7999), ("mp3", 48001), ("", 24000)])
def test_what_cannot_be_is_refused(format: str, rate: int) -> None:
    with pytest.raises(InputError):
        Encoder(format, RATE, rate)
