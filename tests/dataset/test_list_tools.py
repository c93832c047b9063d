"""Looking after list files: every line that training could not use is named with its number, and nothing else is."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.cli import main
from gsv.dataset.list_tools import LONGEST_SECONDS, SHORTEST_SECONDS, check_list, merge_lists, split_list
from gsv.dataset.listing import Line, read_list, write_list
from gsv.errors import InputError, ListError
from gsv.paths import Project
from gsv.training import data
from gsv.versions import VERSIONS

RATE = 16000


def sound(path: Path, seconds: float, seed: int = 0, level: float = 0.1) -> None:
    draw = np.random.default_rng(seed)
    soundfile.write(path, level * draw.standard_normal(round(seconds * RATE)), RATE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three good clips and a list of them."""
    clips = tmp_path / "clips"
    clips.mkdir()
    for index, name in enumerate(("a.wav", "b.flac", "你好 c.wav")):
        sound(clips / name, 1 + index, index)
    write_list(
        tmp_path / "x.list",
        [
            Line("D:\\elsewhere\\a.wav", "anna", "en", "One."),
            Line("b.flac", "", "EN", "Two."),
            Line("你好 c.wav", "anna", "zh", "三。"),
        ],
    )
    return tmp_path


def add(folder: Path, *lines: str) -> None:
    with (folder / "x.list").open("a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def problems(folder: Path) -> tuple[str, ...]:
    return check_list(folder / "x.list", folder / "clips", VERSIONS["v2"], Project(folder)).problems


def test_a_good_list_has_no_problems_and_is_summed_up(folder: Path) -> None:
    result = check_list(folder / "x.list", folder / "clips", VERSIONS["v2"], Project(folder))
    assert result.problems == ()
    assert (result.lines, result.seconds) == (3, pytest.approx(6))
    assert result.speakers == {"anna": 2, "": 1} and result.languages == {"en": 1, "EN": 1, "zh": 1}
    assert "3 of 3 lines are usable, 0.1 minutes" in str(result)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("none.wav|s|en|Hello.", "Line 5: There is no sound file .*none.wav"),
        ("a.wav|s|en|Another.", r"Line 5 names a\.wav, which line 1 has already"),
        ("copy.wav|s|en|One.", "Line 5 repeats the text and the sound of line 1"),
        ("d.wav|s|en|", "Line 5 .* has no text"),
        ("d.wav|s|en|... !", "Line 5 has no words in its text"),
        ("d.wav|s|xx|Hello.", "Line 5: There is no language 'xx'"),
        ("d.wav|s||Hello.", "Line 5 .* has no language"),
        ("|s|en|Hello.", "Line 5 .* has no audio path"),
        ("d.wav|s|en", "Line 5 .* has 3 of 4 fields"),
        ("short.wav|s|en|Hello.", r"Line 5: .*short\.wav is 0\.50 s long; training takes 0\.66 to 38 s"),
        ("long.wav|s|en|Hello.", r"Line 5: .*long\.wav is 39\.00 s long"),
        ("silent.wav|s|en|Hello.", r"Line 5: .*silent\.wav is silent"),
        ("corrupt.wav|s|en|Hello.", r"Line 5: .*corrupt\.wav cannot be decoded"),
        ("empty.wav|s|en|Hello.", r"Line 5: .*empty\.wav is an empty file"),
    ],
)
def test_each_problem_is_named_with_its_line(folder: Path, line: str, said: str) -> None:
    clips = folder / "clips"
    sound(clips / "copy.wav", 1)
    sound(clips / "d.wav", 1, 7)
    sound(clips / "short.wav", 0.5)
    sound(clips / "long.wav", 39)
    sound(clips / "silent.wav", 1, level=0)
    (clips / "corrupt.wav").write_bytes(b"RIFF" * 100)
    (clips / "empty.wav").touch()
    # After a blank line, which is counted.
    add(folder, "", line)
    (problem,) = problems(folder)
    assert re.match(said, problem), problem
    assert "\n" not in problem


def test_the_limits_are_those_of_training() -> None:
    assert pytest.approx(data.MIN_FRAMES * 0.02) == SHORTEST_SECONDS
    assert pytest.approx(data.MAX_FRAMES * 0.02) == LONGEST_SECONDS


def test_a_list_is_split_by_speaker_language_or_number(folder: Path) -> None:
    out = folder / "out"
    lines = read_list(folder / "x.list")
    assert [path.name for path in split_list(folder / "x.list", out, "speaker")] == ["x.anna.list", "x.nobody.list"]
    assert read_list(out / "x.anna.list") == [lines[0], lines[2]]
    split_list(folder / "x.list", out, "language")
    assert read_list(out / "x.en.list") == lines[:2] and read_list(out / "x.zh.list") == lines[2:]
    parts = split_list(folder / "x.list", out, "parts", 2)
    assert [read_list(path) for path in parts] == [[lines[0], lines[2]], [lines[1]]]
    for wrong in (0, 1, 4, -1):
        with pytest.raises(InputError, match="2 to 3 parts"):
            split_list(folder / "x.list", out, "parts", wrong)


def test_a_speaker_cannot_name_a_file_elsewhere(folder: Path) -> None:
    write_list(folder / "y.list", [Line("a.wav", "../../etc/x", "en", "One.")])
    (path,) = split_list(folder / "y.list", folder / "out", "speaker")
    assert path.parent == folder / "out" and path.name == "y..._.._etc_x.list"
    write_list(folder / "y.list", [Line("a.wav", "a b", "en", "One."), Line("b.wav", "a/b", "en", "Two.")])
    with pytest.raises(InputError, match="file name"):
        split_list(folder / "y.list", folder / "out", "speaker")


def test_what_was_split_is_merged_again(folder: Path) -> None:
    parts = split_list(folder / "x.list", folder / "out", "speaker")
    assert merge_lists([*parts, parts[0]], folder / "all.list") == 3
    assert set(read_list(folder / "all.list")) == set(read_list(folder / "x.list"))


def test_lines_that_contradict_each_other_are_not_merged(folder: Path) -> None:
    write_list(folder / "y.list", [Line("b.flac", "", "EN", "Another text.")])
    with pytest.raises(ListError, match=r"b\.flac differs between line 2 of .*x\.list and line 1 of .*y\.list"):
        merge_lists([folder / "x.list", folder / "y.list"], folder / "all.list")
    assert not (folder / "all.list").exists()


def test_the_command_fails_where_the_list_has_problems(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check = ["--home", str(folder), "list", "check", str(folder / "x.list"), "--audio", str(folder / "clips")]
    with pytest.raises(SystemExit) as stopped:
        main(check)
    assert stopped.value.code == 0 and "3 of 3 lines are usable" in capsys.readouterr().out
    add(folder, "none.wav|s|en|Hello.")
    with pytest.raises(SystemExit, match="1 unusable lines"):
        main(check)
    assert "Line 4: There is no sound file" in capsys.readouterr().out


def test_the_commands_split_and_merge(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(folder), "list"]
    with pytest.raises(SystemExit) as stopped:
        main([*home, "split", str(folder / "x.list"), "-o", str(folder / "out"), "--by", "language"])
    assert stopped.value.code == 0
    lists = capsys.readouterr().out.split()
    with pytest.raises(SystemExit) as stopped:
        main([*home, "merge", *lists, "-o", str(folder / "all.list")])
    assert stopped.value.code == 0
    assert len(read_list(folder / "all.list")) == 3
