"""The stages as managed processes, on files and folders with names that would hurt a shell."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.dataset.listing import read_list
from gsv.jobs.process import Status
from gsv.jobs.registry import Jobs
from gsv.jobs.stages import STAGES
from gsv.paths import Project

SAMPLE = Path(__file__).parents[1] / "sample"
NAMES = ("it's; touch x", "-声音 $(touch x)", "'; rm -rf `touch x`")

Run = Callable[..., Status]


@pytest.fixture
def home(narrow: Project, tmp_path: Path) -> Path:
    home = tmp_path / "it's a; 'project' -- 项目"
    home.mkdir()
    (home / "pretrained_models").symlink_to(narrow.pretrained)
    return home


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a stage in the project, from a folder of its own, in which no command that a name holds leaves a trace."""
    jobs = Jobs(Project(home))
    here = home.parent / "here"
    here.mkdir()
    monkeypatch.chdir(here)

    def run(stage: str, **values: object) -> Status:
        return jobs.open(STAGES[stage], values).wait(300)

    yield run
    jobs.close_all()
    assert not list(here.iterdir())


@pytest.fixture
def recordings(home: Path) -> Path:
    """A folder of noise with pauses, one file of each bad name."""
    folder = home / "-recordings; $(touch x)"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 6).astype(np.float32)
    noise[16000 * 3 : 16000 * 4] = 0
    for name in NAMES:
        soundfile.write(folder / f"{name}.wav", noise, 16000)
    return folder


def test_slicing(run: Run, home: Path, recordings: Path) -> None:
    status = run("slice", inp=str(recordings), opt_root=str(home / "-out 'n"), min_length="1000", n_parts="2")
    assert status.state == "done", status.message
    assert {name for name in NAMES if any(name in path.name for path in status.files)} == set(NAMES)


def test_denoising(run: Run, home: Path, recordings: Path) -> None:
    out = home / "-out 'n"
    status = run("denoise", denoise_inp_dir=str(recordings), denoise_opt_dir=str(out), denoiser="gate", n_parts="1")
    assert status.state == "done", status.message
    assert {path.name for path in status.files} == {f"{name}.wav" for name in NAMES}


def test_separating(run: Run, home: Path, recordings: Path) -> None:
    out = home / "-out 'n"
    status = run("separate", inp=str(recordings), vocal_root=str(out), method="hpss", format="wav")
    assert status.state == "done", status.message
    assert len(status.files) == 2 * len(NAMES)
    assert {name for name in NAMES if any(name in path.name for path in status.files)} == set(NAMES)


def test_transcribing(run: Run, home: Path) -> None:
    folder = home / "-recordings; $(touch x)"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(SAMPLE / "clips" / "01.flac", folder / f"{name}.flac")
    out = home / "-out 'n"
    status = run("transcribe", asr_inp_dir=str(folder), asr_opt_dir=str(out), asr_model="pocketsphinx")
    assert status.state == "done", status.message
    (list_file,) = status.files
    lines = read_list(list_file)
    assert {Path(line.audio) for line in lines} == {folder / f"{name}.flac" for name in NAMES}
    # A list that other stages can read.
    prepared = run("prepare", list_path=list_file, experiment="mine", stages="1a", gpus="0")
    assert prepared.state == "done", prepared.message


def test_slicing_with_one_bad_file_among_ten_is_partly_done(run: Run, home: Path, recordings: Path) -> None:
    first = recordings / f"{NAMES[0]}.wav"
    for number in range(6):
        shutil.copy(first, recordings / f"{number}.wav")
    (recordings / "broken.wav").write_bytes(b"RIFF no sound at all")
    status = run("slice", inp=recordings, opt_root=home / "out", min_length=1000, n_parts=2)
    assert status.state == "partly done", status.message
    assert [problem.name for problem in status.problems] == ["broken.wav"]
    assert status.counts == {"made": 9, "failed": 1}
    assert all(path.is_file() for path in status.files)
    assert "broken.wav" in status.logs[0].read_text()


def test_slicing_of_nothing_but_bad_files_is_failed_with_the_reason(run: Run, home: Path) -> None:
    (home / "bad").mkdir()
    (home / "bad" / "a.wav").write_bytes(b"RIFF no sound at all")
    status = run("slice", inp=home / "bad", opt_root=home / "out")
    assert status.state == "failed"
    assert "a.wav" in status.message


def test_preparing_and_training(run: Run, home: Path) -> None:
    clips = home / "-clips; 'n"
    shutil.copytree(SAMPLE / "clips", clips)
    list_file = home / "-list $(touch x).list"
    shutil.copy(SAMPLE / "sample.list", list_file)
    exp = "-'; rm -rf $(touch x)"
    status = run("prepare", list_path=str(list_file), audio_folder=str(clips), experiment=exp, gpus="0")
    assert status.state == "done", status.message
    assert status.counts == {"lines ready": 12, "lines with problems": 0}
    assert home / "logs" / exp / "6-name2semantic.tsv" in status.files
    for half in ("sovits", "gpt"):
        status = run(f"train-{half}", exp=exp, epochs="1", workers="0")
        assert status.state == "done", status.message
        assert [exp in path.name for path in status.files] == [True]
        assert status.counts is not None and status.counts["epochs"] == 1


def test_training_on_what_was_not_prepared_is_failed_with_the_reason(run: Run) -> None:
    status = run("train-gpt", exp="never prepared")
    assert status.state == "failed"
    assert "never prepared" in status.message
