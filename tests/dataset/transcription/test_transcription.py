"""From a folder of clips to its list file: what is written, what is kept, what is refused."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from gsv.dataset.listing import Line, read_list, write_list
from gsv.dataset.report import StepReport
from gsv.dataset.transcription import TranscribeOptions, engines, list_file, transcribe
from gsv.errors import GsvError, InputError, ListError, MissingLibraryError, MissingWeightsError
from gsv.paths import Project

TEXT = "Hello world."


class Silent:
    """A listener that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def begin(self, title: str, total: int, unit: str, done: int = 0) -> None: ...
    def advance(self, count: int = 1, note: str = "") -> None: ...
    def end(self) -> None: ...
    def say(self, message: str) -> None:
        self.said.append(message)


def run(options: TranscribeOptions) -> StepReport:
    return transcribe(options, Silent())


@pytest.fixture
def options(whisper: Project, clips: Path, tmp_path: Path) -> TranscribeOptions:
    return TranscribeOptions(clips, tmp_path / "out", "whisper", "tiny", "en", project=whisper)


def test_a_list_has_a_line_for_each_clip_in_the_order_of_the_files(options: TranscribeOptions) -> None:
    report = run(options)
    folder = options.asr_inp_dir
    assert list_file(options) == options.asr_opt_dir / f"{folder.name}.list"
    assert read_list(list_file(options)) == [
        Line(str(folder / name), folder.name, "EN", TEXT) for name in ("-b.wav", "a b.wav", "c'\"声.wav")
    ]
    assert (report.count("done"), report.problems, set(report.files)) == (3, (), {list_file(options)})


def test_what_gives_no_line_is_reported_and_the_rest_is_written(options: TranscribeOptions) -> None:
    folder = options.asr_inp_dir
    (folder / "broken.wav").write_bytes(b"RIFF of another kind")
    soundfile.write(folder / "silence.wav", np.zeros(32000), 16000)
    soundfile.write(folder / "tick.wav", np.ones(100), 16000)
    soundfile.write(folder / "x|y.wav", np.ones(32000), 16000)
    report = run(options)
    reasons = {outcome.name: (outcome.state, outcome.reason) for outcome in report.problems}
    assert reasons["silence.wav"] == ("skipped", "No speech was recognised in it.")
    assert reasons["tick.wav"] == ("skipped", "It is 0.01 s long, too short for a word.")
    assert reasons["broken.wav"][0] == "failed" and "cannot be decoded" in reasons["broken.wav"][1]
    assert reasons["x|y.wav"][0] == "failed" and "rename it" in reasons["x|y.wav"][1]
    assert len(read_list(list_file(options))) == report.usable == 3
    assert report.log and report.log.read_text(encoding="utf-8").count("\n") == 4


def test_a_second_run_keeps_what_holds_and_makes_what_changed(options: TranscribeOptions) -> None:
    run(options)
    path, folder = list_file(options), options.asr_inp_dir
    before = path.read_bytes()
    report = run(options)
    assert (report.count("kept"), path.read_bytes()) == (3, before)

    soundfile.write(folder / "a b.wav", np.zeros(32000), 16000)
    (folder / "-b.wav").unlink()
    report = run(options)
    assert [outcome.name for outcome in report.problems] == ["a b.wav"]
    assert [Path(line.audio).name for line in read_list(path)] == ["c'\"声.wav"]


def test_other_settings_make_lines_anew_but_what_a_person_wrote_stays(options: TranscribeOptions) -> None:
    run(options)
    path, folder = list_file(options), options.asr_inp_dir
    first, second, third = read_list(path)
    corrected = replace(second, text="Mended by hand.", speaker="me")
    elsewhere = Line(str(folder.parent / "elsewhere.wav"), "x", "ZH", "你好。")
    gone = Line(str(folder / "gone.wav"), "x", "EN", "No such file.")
    Path(elsewhere.audio).write_bytes(b"sound")
    write_list(path, [third, elsewhere, corrected, first, gone])
    report = run(replace(options, asr_model_size="large-v3-local", asr_lang="auto"))
    japanese = {"language": "JA", "text": "こんにちは。"}
    assert read_list(path) == [replace(first, **japanese), corrected, replace(third, **japanese), elsewhere]
    assert (report.count("done"), report.count("kept")) == (2, 1)


def test_a_list_of_another_program_is_completed_not_replaced(options: TranscribeOptions) -> None:
    theirs = Line(str(options.asr_inp_dir / "a b.wav"), "speaker", "EN", "Their text.")
    write_list(list_file(options), [theirs])
    report = run(options)
    assert read_list(list_file(options))[1] == theirs
    assert (report.count("done"), report.count("kept")) == (2, 1)


def test_one_recording_joins_the_list_of_its_folder(options: TranscribeOptions) -> None:
    single = replace(options, asr_inp_dir=options.asr_inp_dir / "a b.wav")
    run(single)
    assert list_file(single) == list_file(options)
    assert [Path(line.audio).name for line in read_list(list_file(options))] == ["a b.wav"]
    assert run(options).count("kept") == 1


def test_relative_paths_become_absolute_in_the_list(
    options: TranscribeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = options.asr_inp_dir
    monkeypatch.chdir(folder)
    run(replace(options, asr_inp_dir=Path()))
    assert [line.audio for line in read_list(options.asr_opt_dir / f"{folder.name}.list")] == [
        str(path) for path in sorted(folder.iterdir())
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_killed_run_leaves_no_list_and_the_next_one_goes_on(options: TranscribeOptions) -> None:
    folder = options.asr_inp_dir
    speech, rate = soundfile.read(folder / "-b.wav")
    for i in range(12):
        soundfile.write(folder / f"d{i:02}.wav", speech, rate)
    script = (
        "from pathlib import Path; from gsv.dataset.transcription import TranscribeOptions, transcribe; "
        "from gsv.paths import Project; import sys\n"
        "if __name__ == '__main__':\n    a = [Path(x) for x in sys.argv[1:]]\n"
        "    transcribe(TranscribeOptions(a[0], a[1], 'whisper', 'tiny', 'en', project=Project(a[2])))\n"
    )
    main = folder.parent / "main.py"
    main.write_text(script)
    command = [sys.executable, str(main), str(folder), str(options.asr_opt_dir), str(options.project.root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    part = options.asr_opt_dir / f".{folder.name}" / "fresh-0.jsonl"
    while not (part.exists() and part.read_bytes().count(b"\n") >= 2):
        assert process.poll() is None, "it ended before anything was seen to be written"
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list_file(options).exists()
    heard = part.read_bytes().count(b"\n")
    with part.open("ab") as file:
        file.write(b'{"name": "d5')  # As if it had been killed in the middle of a line.
    report = run(options)
    assert (report.count("kept"), report.count("done")) == (heard, 15 - heard)
    assert [Path(line.audio) for line in read_list(list_file(options))] == sorted(folder.iterdir())


def test_nothing_recognised_at_all_is_an_error_and_writes_no_list(options: TranscribeOptions) -> None:
    for path in options.asr_inp_dir.iterdir():
        soundfile.write(path, np.zeros(16000), 16000)
    with pytest.raises(InputError, match="made nothing of 3 inputs: No speech was recognised"):
        run(options)
    assert not list_file(options).exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"asr_model": "SuperEar"}, "asr_model: there is no recogniser 'SuperEar'.*pocketsphinx"),
        ({"asr_lang": "fr"}, "asr_lang: Faster Whisper .* has no 'fr'; choose one of auto, zh, en, ja, ko, yue"),
        ({"asr_model_size": "huge"}, "asr_model_size: .* has no 'huge'; choose one of tiny, "),
        ({"asr_model_size": "$(touch x)"}, r"asr_model_size: .* has no '\$\(touch x\)'"),
        ({"asr_precision": "float64"}, "asr_precision: .* has no 'float64'; choose one of float32, float16, int8"),
        ({"asr_precision": "float16"}, "asr_precision: this cpu cannot compute in float16; choose one of float32"),
        ({"asr_lang": "yue"}, "asr_lang: the size tiny does not know yue; large-v3"),
        ({"asr_inp_dir": Path("no such folder")}, "asr_inp_dir: there is no file or folder"),
        ({"asr_model": "pocketsphinx", "asr_model_size": None, "asr_lang": "zh"}, "choose one of en"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_right_ones(
    options: TranscribeOptions, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        run(replace(options, **wrong))
    assert not list_file(options).exists()


def test_a_folder_that_no_list_can_name_is_refused(options: TranscribeOptions, tmp_path: Path) -> None:
    folder = tmp_path / "a|b"
    folder.mkdir()
    (folder / "a.wav").write_bytes(b"sound")
    with pytest.raises(InputError, match=r"asr_inp_dir: .*without \| in its path"):
        run(replace(options, asr_inp_dir=folder))


def test_a_folder_without_sound_is_refused(options: TranscribeOptions, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("no sound")
    with pytest.raises(InputError, match=r"asr_inp_dir: the folder .*notes holds no sound file"):
        run(replace(options, asr_inp_dir=tmp_path / "notes"))


def test_an_earlier_list_that_cannot_be_read_is_left_as_it_is(options: TranscribeOptions) -> None:
    path = list_file(options)
    path.parent.mkdir()
    path.write_text("no list at all\n")
    with pytest.raises(ListError, match="Line 1"):
        run(options)
    assert path.read_text() == "no list at all\n"


def test_damaged_notes_of_an_earlier_run_are_named(options: TranscribeOptions) -> None:
    notes = options.asr_opt_dir / f".{options.asr_inp_dir.name}" / "settled.jsonl"
    notes.parent.mkdir(parents=True)
    notes.write_bytes(b"\0\0\0\n")
    with pytest.raises(InputError, match=r"settled\.jsonl is damaged; delete it"):
        run(options)


def test_a_missing_model_is_named_with_its_folder_and_the_command_that_gets_it(
    options: TranscribeOptions, tmp_path: Path
) -> None:
    with pytest.raises(MissingWeightsError, match=r"faster-whisper-medium .* gsv download asr-whisper-medium"):
        run(replace(options, asr_model_size="medium"))
    folder = tmp_path / "tools" / "asr" / "models" / "speech_fsmn_vad_zh-cn-16k-common-pytorch"
    folder.mkdir(parents=True)
    with pytest.raises(MissingWeightsError, match=r"paraformer.*gsv download asr$"):
        run(TranscribeOptions(options.asr_inp_dir, options.asr_opt_dir, project=Project(tmp_path)))


def test_a_missing_library_is_named_with_the_line_that_installs_it(
    options: TranscribeOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(MissingLibraryError, match=r'needs faster_whisper: pip install "gsv\[asr\]"'):
        run(options)


def test_the_engine_without_a_download_says_that_it_is_rough(options: TranscribeOptions, tmp_path: Path) -> None:
    listener = Silent()
    rough = replace(options, asr_model="pocketsphinx", asr_model_size=None, project=Project(tmp_path))
    transcribe(rough, listener)
    assert "mishears about every fourth word" in listener.said[0]
    assert len(read_list(list_file(rough))) == 3


def test_two_runs_do_not_write_one_list(options: TranscribeOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    from gsv import paths

    monkeypatch.setattr(paths, "_LOCK_SECONDS", 0.1)
    with (
        paths.alone_in(options.asr_opt_dir / f".{options.asr_inp_dir.name}"),
        pytest.raises(GsvError, match="Another run"),
    ):
        run(options)
