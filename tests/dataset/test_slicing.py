"""Slicing recordings: cuts in the pauses, levels and names as data sets have them, bad files among good ones, kills."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from PIL import Image
from pydantic import TypeAdapter, ValidationError

from gsv.dataset.slicing import RATE, SliceOptions, cut, gain, slice_audio
from gsv.errors import GsvError, InputError

# Seconds of sound and of pause in turn.
STRETCHES = (4.5, 0.5, 4.2, 0.8, 2.0, 0.4, 3.0, 2.0, 5.0)


def speech(stretches: Sequence[float] = STRETCHES, rate: int = RATE, level: float = 0.2) -> np.ndarray:
    """Noise in bursts over a floor of -70 dB."""
    draw = np.random.default_rng(0)
    parts = [
        draw.standard_normal(round(seconds * rate)) * (3e-4 if index % 2 else level / 4)
        for index, seconds in enumerate(stretches)
    ]
    return np.concatenate(parts).astype(np.float32)


def pauses(stretches: Sequence[float] = STRETCHES) -> list[tuple[float, float]]:
    edges = np.cumsum(stretches)
    return list(zip(edges[0:-1:2].tolist(), edges[1::2].tolist(), strict=True))


def options(folder: Path, **changes: object) -> SliceOptions:
    return replace(SliceOptions(folder / "in", folder / "out", n_parts=2), **changes)


def made(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.wav"))}


def ranges(folder: Path) -> list[tuple[int, int]]:
    return [(int(path.stem[-21:-11]), int(path.stem[-10:])) for path in sorted(folder.glob("*.wav"))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def test_cuts_lie_in_pauses_and_names_carry_the_range(folder: Path) -> None:
    wave = speech()
    soundfile.write(folder / "in" / "a.wav", wave, RATE, subtype="FLOAT")
    report = slice_audio(options(folder))
    assert report.count("done") == 1 and set(report.files) == set((folder / "out").glob("*.wav"))
    found = ranges(folder / "out")
    assert len(found) == 4
    for start, end in found:
        for place in (start, end):
            at_ends = place in (0, len(wave))
            assert at_ends or any(first <= place / RATE <= last for first, last in pauses())
    for (start, end), path in zip(found, sorted((folder / "out").glob("*.wav")), strict=True):
        assert path.name == f"a.wav_{start:010d}_{end:010d}.wav"
        piece, rate = soundfile.read(path)
        assert rate == RATE and piece.ndim == 1 and soundfile.info(path).subtype == "PCM_16"
        part = wave[start:end]
        # The levelling that data sets were made with.
        wanted = part / np.abs(part).max() * (0.9 * 0.25) + 0.75 * part
        np.testing.assert_allclose(piece, wanted, atol=2 / 32768)
        assert np.abs(piece).max() < 1


def test_of_the_longest_pause_a_second_is_dropped(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", speech(), RATE)
    slice_audio(options(folder))
    dropped = [start - end for (_, end), (start, _) in pairwise(ranges(folder / "out"))]
    assert dropped[:2] == [0, pytest.approx(0, abs=0.3 * RATE)]
    assert dropped[2] == pytest.approx(1.5 * RATE, abs=0.6 * RATE)


@pytest.mark.parametrize(("name", "rate", "channels"), [("a.flac", 44100, 2), ("a.mp3", 24000, 1), ("a.ogg", 8000, 2)])
def test_any_format_rate_and_number_of_channels_gives_the_same_cuts(
    folder: Path, name: str, rate: int, channels: int
) -> None:
    wave = soxr.resample(speech(), RATE, rate)
    soundfile.write(folder / "in" / name, np.stack([wave] * channels, 1), rate)
    slice_audio(options(folder))
    assert len(ranges(folder / "out")) == 4
    for start, end in ranges(folder / "out"):
        at_end = end > RATE * (sum(STRETCHES) - 0.1)
        assert start == 0 or any(first - 0.05 <= start / RATE <= last + 0.05 for first, last in pauses())
        assert at_end or any(first - 0.05 <= end / RATE <= last + 0.05 for first, last in pauses())


def test_levels_are_mixed_and_never_clip() -> None:
    assert gain(0.5, 0.9, 0.25) == pytest.approx(0.9 * 0.25 / 0.5 + 0.75)
    assert gain(0.9, 0.9, 1) == pytest.approx(1) and gain(0.3, 0.9, 0) == 1
    for loudest in (1e-4, 0.5, 1.0, 1.7, 30.0):
        for alpha in (0, 0.25, 1):
            assert loudest * gain(loudest, 1, alpha) <= 1 + 1e-9
    assert gain(0, 0.9, 0.25) == 1


def test_pieces_span_blocks() -> None:
    wave = np.arange(100, dtype=np.float32)
    blocks = [wave[start : start + 7] for start in range(0, 100, 7)]
    wanted = [(0, 3), (3, 3 + 21), (30, 35), (35, 36), (50, 100)]
    found = [np.concatenate(list(parts)) for parts in cut(blocks, wanted)]
    for (start, end), piece in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(piece, wave[start:end])


def test_one_bad_file_of_ten_costs_only_itself(folder: Path) -> None:
    for index in range(9):
        soundfile.write(folder / "in" / f"{index}.wav", speech((1.0, 0.5, 1.0)), RATE)
    (folder / "in" / "bad.wav").write_bytes(b"RIFF and then nothing of use" * 40)
    (folder / "in" / "note.txt").write_text("not a sound")
    report = slice_audio(options(folder))
    assert (report.count("done"), report.count("failed")) == (9, 1)
    (problem,) = report.problems
    assert problem.name == "bad.wav" and "cannot be decoded" in problem.reason and not problem.traceback
    assert report.log is not None and "bad.wav" in report.log.read_text(encoding="utf-8")
    assert len(made(folder / "out")) == 9
    # The next run keeps what is there, and the cured file joins it.
    before = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*.wav")}
    soundfile.write(folder / "in" / "bad.wav", speech((1.0, 0.5, 1.0)), RATE)
    report = slice_audio(options(folder))
    assert (report.count("kept"), report.count("done")) == (9, 1) and report.log is None
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "empty file"), (b"\0" * 5000, "cannot be decoded"), (None, "silent from end to end")],
    ids=["of no length", "corrupt", "silent"],
)
def test_nothing_usable_is_an_error_that_says_why(folder: Path, content: bytes | None, said: str) -> None:
    path = folder / "in" / "a.wav"
    if content is None:
        soundfile.write(path, np.zeros(RATE), RATE)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        slice_audio(options(folder))
    assert not made(folder / "out")


def test_a_file_without_samples_is_an_error(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", np.zeros(0), RATE)
    with pytest.raises(InputError, match="holds no sound"):
        slice_audio(options(folder))


@pytest.mark.parametrize(
    "name",
    ["with blanks.wav", 'it\'s "quoted".wav', "你好，世界.wav", "-dash.wav", "'; rm -rf x; '.wav", "$(x)`y`.wav"],
)
def test_odd_names_are_plain_names(folder: Path, name: str) -> None:
    path = folder / name / name
    path.parent.mkdir()
    soundfile.write(path, speech((1.0, 0.5, 1.0)), RATE)
    out = path.parent / f"{name} out"
    (piece,) = slice_audio(options(folder, inp=path, opt_root=out)).files
    assert piece == out / f"{name}_0000000000_{piece.stem[-10:]}.wav" and piece.is_file()


def test_other_settings_replace_the_pieces(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", speech(), RATE)
    slice_audio(options(folder, plot=True))
    assert (folder / "out" / "plots" / "a.wav.png").is_file()
    report = slice_audio(options(folder, min_length=100_000))
    assert [path.name for path in (folder / "out").glob("*.wav")] == [path.name for path in report.files]
    assert len(report.files) == 1
    assert not (folder / "out" / "plots" / "a.wav.png").exists()


def test_a_picture_comes_on_request(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", speech(), RATE)
    slice_audio(options(folder))
    assert not (folder / "out" / "plots").exists()
    report = slice_audio(options(folder, plot=True))
    assert len(report.files) == 5
    with Image.open(folder / "out" / "plots" / "a.wav.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
    # Pieces in two colours, the curve, and the threshold.
    for colour in ((0x9F, 0xC5, 0xE8), (0xB6, 0xD7, 0xA8), (0x44, 0x44, 0x44), (0xCC, 0, 0)):
        assert (np.abs(pixels.astype(int) - colour).max(axis=2) < 60).sum() > 100, colour


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_length": 200}, "min_length"),
        ({"min_interval": 5}, "hop_size"),
        ({"max_sil_kept": 5}, "max_sil_kept"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(folder: Path, changes: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        options(folder, **changes)


@pytest.mark.parametrize("text", ["4000; touch x", "$(x)", "--help", "nan", "-1", "1e99", ""])
@pytest.mark.parametrize("name", ["min_length", "min_interval", "hop_size", "max_sil_kept", "peak", "alpha", "n_parts"])
def test_numbers_are_numbers(folder: Path, name: str, text: str) -> None:
    with pytest.raises((ValidationError, GsvError), match=name):
        TypeAdapter(SliceOptions).validate_python({"inp": str(folder), name: text})


def test_settings_come_as_text_too(folder: Path) -> None:
    texts = {"threshold": "-34", "min_length": "4000", "min_interval": "300", "hop_size": "10", "max_sil_kept": "500"}
    assert TypeAdapter(SliceOptions).validate_python({"inp": folder, **texts}) == SliceOptions(folder)


def test_a_killed_run_leaves_no_half_set_and_the_next_one_completes_it(folder: Path) -> None:
    for index in range(6):
        soundfile.write(folder / "in" / f"{index}.wav", speech(STRETCHES * 4), RATE)
    slice_audio(options(folder, opt_root=folder / "whole"))
    whole = made(folder / "whole")
    code = (
        "import sys; from pathlib import Path; from gsv.dataset.slicing import SliceOptions, slice_audio\n"
        "if __name__ == '__main__': slice_audio(SliceOptions(Path(sys.argv[1]), Path(sys.argv[2]), n_parts=1))"
    )
    script = folder / "run.py"
    script.write_text(code)
    out = folder / "out"
    for killed_after in range(2):
        process = subprocess.Popen([sys.executable, script, folder / "in", out], stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 60
        while len({name[0] for name in made(out)}) <= killed_after and process.poll() is None:
            assert time.monotonic() < limit
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        # Whatever is there is whole.
        assert made(out).items() <= whole.items()
    slice_audio(options(folder))
    assert made(out) == whole
    assert not list((out / ".made").glob("unfinished/*"))
