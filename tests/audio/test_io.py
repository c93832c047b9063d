"""Sound files: any common format comes in at the wanted rate, mistakes are plain sentences, writing is whole or not."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from gsv.audio.io import duration, load, resample, save_wav, stream, wav_written
from gsv.errors import AudioError

RATE = 16000


def tone(seconds: float = 1.0, rate: int = RATE, frequency: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encode(path: Path, wave: np.ndarray, codec: str, rate: int = RATE) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def peak_frequency(wave: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(wave * np.hanning(len(wave)))).argmax() * rate / len(wave))


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.wav", None),
        ("a.flac", None),
        ("a.ogg", None),
        ("a.mp3", None),
        ("a.m4a", "aac"),
        ("a.mkv", "aac"),
        ("a.aac", "aac"),
    ],
)
def test_common_formats_come_in_at_the_wanted_rate(tmp_path: Path, name: str, codec: str | None) -> None:
    path = tmp_path / name
    if codec:
        encode(path, tone(), codec)
    else:
        soundfile.write(path, tone(), RATE)
    wave = load(path, 32000)
    assert wave.dtype == np.float32 and wave.ndim == 1
    assert len(wave) == pytest.approx(32000, abs=6000)  # Lossy formats pad.
    assert peak_frequency(wave[8000:24000], 32000) == pytest.approx(440, abs=2)
    assert np.abs(wave[8000:24000]).max() == pytest.approx(0.5, abs=0.03)
    assert duration(path) == pytest.approx(1.0, abs=0.1)


def test_a_stretch_is_cut_out(tmp_path: Path) -> None:
    ramp = np.linspace(-0.9, 0.9, 2 * RATE, dtype=np.float32)
    soundfile.write(tmp_path / "a.wav", ramp, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(load(tmp_path / "a.wav", RATE, start=0.5, end=1.25), ramp[8000:20000])
    np.testing.assert_array_equal(load(tmp_path / "a.wav", RATE, start=1.5), ramp[24000:])
    np.testing.assert_array_equal(load(tmp_path / "a.wav", RATE, end=99.0), ramp)
    encode(tmp_path / "a.m4a", tone(2.0), "aac")
    assert len(load(tmp_path / "a.m4a", RATE, start=0.5, end=1.25)) == 12000


def test_channels_are_averaged_or_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(), np.zeros(RATE, np.float32)], 1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(load(tmp_path / "a.wav", RATE), tone() / 2, atol=1e-7)
    both = load(tmp_path / "a.wav", 8000, mono=False)
    assert both.shape == (2, 8000) and both.flags.c_contiguous and np.abs(both[1]).max() == 0


def test_content_decides_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.mp3", tone(), RATE, format="WAV")
    np.testing.assert_allclose(load(tmp_path / "a.mp3", RATE), tone(), atol=1e-4)
    soundfile.write(tmp_path / "a.raw", tone(), RATE, format="WAV")
    np.testing.assert_allclose(load(tmp_path / "a.raw", RATE), tone(), atol=1e-4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, this is text\n" * 50,
        b"RIFF",
        b"RIFF\x00\x01\x00\x00WAVEfmt ",
        bytes(3000),
        b"\x89PNG\r\n\x1a\n" + bytes(90),
    ],
    ids=["empty", "text", "four bytes", "cut header", "zeros", "picture"],
)
@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".m4a", ""])
def test_what_is_not_sound_is_one_plain_sentence(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    for read in (lambda: load(path, RATE), lambda: duration(path)):
        with pytest.raises(AudioError) as caught:
            read()
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_folders_and_empty_stretches_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="no sound file"):
        load(tmp_path / "none.wav", RATE)
    with pytest.raises(AudioError, match="no sound file"):
        duration(tmp_path)
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    with pytest.raises(AudioError, match="between 5 and its end"):
        load(tmp_path / "a.wav", RATE, start=5)
    soundfile.write(tmp_path / "b.wav", np.zeros(0), RATE)
    with pytest.raises(AudioError, match="holds no sound"):
        load(tmp_path / "b.wav", RATE)


def test_samples_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.0, np.nan, 0.1]), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="finite"):
        load(tmp_path / "a.wav", RATE)
    with pytest.raises(AudioError, match="finite"):
        save_wav(tmp_path / "b.wav", np.array([0.0, np.inf]), RATE)
    assert not (tmp_path / "b.wav").exists()


def test_a_film_without_sound_is_named(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    with pytest.raises(AudioError, match="no sound track"):
        load(tmp_path / "a.mkv", RATE)


@pytest.mark.parametrize("kind", ["ffconcat", "m3u8"])
def test_play_lists_do_not_open_the_files_they_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    encode(tmp_path / "other.aac", tone(), "aac")
    text = {
        "ffconcat": "ffconcat version 1.0\nfile 'other.aac'\n",
        "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\nother.aac\n#EXT-X-ENDLIST\n",
    }[kind]
    (tmp_path / f"list.{kind}").write_text(text)
    with av.open(f"list.{kind}") as container:
        assert next(container.decode(audio=0)).samples, "FFmpeg itself follows this list"
    with pytest.raises(AudioError):
        load(tmp_path / f"list.{kind}", RATE)


def test_what_is_written_is_sixteen_bit_wav_under_any_name(tmp_path: Path) -> None:
    wave = np.array([0.0, 0.5, -0.5, 1.0, -1.0, 1.7, -1.7], np.float32)
    save_wav(tmp_path / "deep" / "a.flac", wave, 32000)
    data = (tmp_path / "deep" / "a.flac").read_bytes()
    assert data[:4] == b"RIFF" and len(data) == 44 + 2 * len(wave)
    samples, rate = soundfile.read(tmp_path / "deep" / "a.flac", dtype="int16")
    assert rate == 32000
    assert samples.tolist() == [0, 16384, -16384, 32767, -32767, 32767, -32767]
    save_wav(tmp_path / "b.wav", np.array([[1, -32768], [3, 4]], np.int16), 8000)
    samples, _ = soundfile.read(tmp_path / "b.wav", dtype="int16")
    assert samples.tolist() == [[1, 3], [-32768, 4]]


def test_resampling_keeps_length_in_seconds() -> None:
    assert len(resample(tone(0.5, 44100), 44100, 32000)) == 16000
    assert resample(tone(), RATE, RATE).shape == (RATE,)


@pytest.mark.parametrize("name", ["a.wav", "a.mp3", "a.m4a"])
@pytest.mark.parametrize("rate", [RATE, 22050])
def test_a_stream_is_what_is_loaded_whole(tmp_path: Path, name: str, rate: int) -> None:
    path = tmp_path / name
    draw = np.random.default_rng(0)
    wave = (0.1 * draw.standard_normal(40 * RATE)).astype(np.float32)
    if name == "a.m4a":
        encode(path, wave, "aac")
    else:
        soundfile.write(path, np.stack([wave, wave[::-1]], 1), RATE)
    blocks = list(stream(path, rate, 7000))
    assert {len(block) for block in blocks[:-1]} == {7000} and 0 < len(blocks[-1]) <= 7000
    np.testing.assert_allclose(np.concatenate(blocks), load(path, rate), atol=2e-6)


def test_a_stream_finds_the_faults_that_loading_finds(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with pytest.raises(AudioError, match="no sound file"):
        next(stream(path, RATE, 1000))
    path.write_bytes(b"no sound at all" * 99)
    with pytest.raises(AudioError, match="cannot be decoded"):
        next(stream(path, RATE, 1000))
    soundfile.write(path, np.zeros(0), RATE)
    with pytest.raises(AudioError, match="holds no sound"):
        next(stream(path, RATE, 1000))
    soundfile.write(path, np.array([0.0, np.nan]), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="not finite"):
        next(stream(path, RATE, 1000))


def test_a_wav_file_that_was_cut_off_is_refused_where_a_recording_is_read_from_end_to_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(2), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match=r"cut off: 1\.0 s are there, and its header says 2\.0 s"):
        next(stream(tmp_path / "a.wav", RATE, 100))


@pytest.mark.parametrize("stated", [2**32 - 1, 2**31 - 1])
def test_a_wav_file_whose_writer_could_not_know_its_length_is_whole(tmp_path: Path, stated: int) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), RATE)
    content = (tmp_path / "a.wav").read_bytes()
    place = content.index(b"data") + 4
    (tmp_path / "a.wav").write_bytes(content[:place] + stated.to_bytes(4, "little") + content[place + 4 :])
    assert sum(map(len, stream(tmp_path / "a.wav", RATE, 100))) == RATE


def test_a_file_damaged_further_on_is_read_to_that_place(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    draw = np.random.default_rng(0)
    soundfile.write(path, 0.1 * draw.standard_normal(60 * RATE), RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    path.write_bytes(data)
    blocks = []
    with pytest.raises(AudioError, match=r"damaged after|cannot be decoded"):
        for block in stream(path, RATE, 1000):
            blocks.append(block)
    assert blocks


def test_blocks_are_written_as_one_file_or_none(tmp_path: Path) -> None:
    wave = tone()
    with wav_written(tmp_path / "a.wav", RATE) as write:
        write(wave[:5000])
        assert not (tmp_path / "a.wav").exists()
        write(wave[5000:])
    save_wav(tmp_path / "b.wav", wave, RATE)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    with pytest.raises(AudioError, match="not finite"), wav_written(tmp_path / "c.wav", RATE) as write:
        write(wave)
        write(np.full(10, np.inf, np.float32))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]


def test_a_rate_that_no_speech_has_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(), 20)
    with pytest.raises(AudioError, match="20 samples a second"):
        load(tmp_path / "a.wav", RATE)
    with pytest.raises(AudioError, match="20 samples a second"):
        next(stream(tmp_path / "a.wav", RATE, 1000))
