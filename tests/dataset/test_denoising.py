"""Denoising recordings: names, rates and lengths stay, long ones are joined without a seam, bad ones are named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.dataset import denoising
from gsv.dataset.denoising import DenoiseOptions, denoise, name_of_result
from gsv.errors import InputError
from gsv.paths import Project

RATE = 16000


def voice(seconds: float, rate: int = RATE) -> np.ndarray:
    """A tone in bursts, in noise."""
    times = np.arange(round(seconds * rate)) / rate
    bursts = 0.3 * np.sin(2 * np.pi * 300 * times) * (np.sin(2 * np.pi * 0.7 * times) > 0)
    return (bursts + 0.01 * np.random.default_rng(0).standard_normal(len(times))).astype(np.float32)


def noise_in_pauses(wave: np.ndarray, rate: int = RATE) -> float:
    times = np.arange(len(wave)) / rate
    quiet = np.sin(2 * np.pi * 0.7 * times) < -0.3
    return float(np.sqrt(np.mean(wave[quiet] ** 2)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def options(folder: Path, **changes: object) -> DenoiseOptions:
    plain = DenoiseOptions(folder / "in", folder / "out", n_parts=2, project=Project(folder))
    return replace(plain, **changes)


def test_noise_goes_and_the_rest_stays(folder: Path) -> None:
    noisy = np.stack([voice(5, 44100), 0.5 * voice(5, 44100)], 1)
    soundfile.write(folder / "in" / "a.wav", noisy, 44100)
    report = denoise(options(folder))
    assert report.files == (folder / "out" / "a.wav",)
    clean, rate = soundfile.read(folder / "out" / "a.wav")
    assert rate == 44100 and clean.shape == noisy.shape
    for channel in range(2):
        assert noise_in_pauses(clean[:, channel], rate) < 0.2 * noise_in_pauses(noisy[:, channel], rate)
        assert np.std(clean[:, channel]) == pytest.approx(np.std(noisy[:, channel]), rel=0.03)


def test_a_long_recording_has_no_seam(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = voice(20)
    soundfile.write(folder / "in" / "a.wav", noisy, RATE)
    monkeypatch.setattr(denoising, "_GATE_CHUNK", 5 * RATE)
    monkeypatch.setattr(denoising, "_GATE_OVERLAP", RATE // 2)
    # In this process, where the chunks are short.
    step = denoising.DenoiseStep(folder / "out", None)
    (item,) = denoising.sounds_in(folder / "in", "x")
    assert step.start(denoising.torch.device("cpu"), 0)(item) == "done"
    clean, _ = soundfile.read(folder / "out" / "a.wav")
    assert len(clean) == len(noisy)
    assert noise_in_pauses(clean) < 0.2 * noise_in_pauses(noisy)
    times = np.arange(len(noisy)) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 300 * times) * (np.sin(2 * np.pi * 0.7 * times) > 0)
    error = np.sqrt(np.mean((clean - tone).reshape(40, -1) ** 2, axis=1))
    assert error.max() < 0.03


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("a.wav", "a.wav"),
        ("a.WAV", "a.WAV"),
        ("a.mp3", "a.wav"),
        ("a.b.flac", "a.b.wav"),
        ("a.mp3_0000000000_0000128000.wav", "a.mp3_0000000000_0000128000.wav"),
        ("Dr. Smith", "Dr. Smith.wav"),
    ],
)
def test_names_stay_and_say_what_is_in_the_file(name: str, result: str) -> None:
    assert name_of_result(name) == result


def test_one_bad_file_of_ten_costs_only_itself(folder: Path) -> None:
    for index in range(9):
        soundfile.write(folder / "in" / f"{index}.wav", voice(2), RATE)
    (folder / "in" / "bad.wav").write_bytes(b"RIFF and then nothing of use" * 40)
    report = denoise(options(folder))
    assert (report.count("done"), report.count("failed")) == (9, 1)
    assert [(problem.name, problem.traceback) for problem in report.problems] == [("bad.wav", "")]
    assert {path.name for path in report.files} == {f"{index}.wav" for index in range(9)}
    soundfile.write(folder / "in" / "bad.wav", voice(2), RATE)
    report = denoise(options(folder))
    assert (report.count("kept"), report.count("done")) == (9, 1)


def test_two_inputs_that_would_have_one_name_are_told_apart(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.flac", voice(2), RATE)
    soundfile.write(folder / "in" / "a.wav", voice(3), RATE)
    report = denoise(options(folder))
    (problem,) = report.problems
    # Whoever keeps its name gets it.
    assert problem.name == "a.flac" and "as a.wav does" in problem.reason
    assert soundfile.info(folder / "out" / "a.wav").duration == pytest.approx(3)


@pytest.mark.parametrize("content", [b"", b"\0" * 5000], ids=["of no length", "corrupt"])
def test_nothing_usable_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "in" / "a.wav").write_bytes(content)
    with pytest.raises(InputError, match=r"made nothing of 1 input: .*a\.wav"):
        denoise(options(folder))
    assert not list((folder / "out").glob("*.wav"))


def test_a_silent_recording_stays_one(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", np.zeros(2 * RATE), RATE)
    denoise(options(folder))
    np.testing.assert_array_equal(soundfile.read(folder / "out" / "a.wav")[0], np.zeros(2 * RATE))


def test_a_recording_without_samples_is_an_error(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", np.zeros(0), RATE)
    with pytest.raises(InputError, match="holds no sound"):
        denoise(options(folder))


@pytest.mark.parametrize("name", ['it\'s "q" 你好.wav', "-dash.wav", "'; rm -rf x; '.wav", "$(x)`y`.wav"])
def test_odd_names_are_plain_names(folder: Path, name: str) -> None:
    soundfile.write(folder / "in" / name, voice(2), RATE)
    assert denoise(options(folder)).files == (folder / "out" / name,)


def test_the_inputs_are_never_written_over(folder: Path) -> None:
    soundfile.write(folder / "in" / "a.wav", voice(2), RATE)
    with pytest.raises(InputError, match="folder of the inputs"):
        denoise(options(folder, denoise_opt_dir=folder / "in"))
    before = (folder / "in" / "a.wav").read_bytes()
    with pytest.raises(InputError, match="is the input"):
        denoise(options(folder, denoise_inp_dir=folder / "in" / "a.wav", denoise_opt_dir=folder / "in"))
    assert (folder / "in" / "a.wav").read_bytes() == before
