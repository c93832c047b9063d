"""List files: tolerant of how editors save them, strict about what a line must hold."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.dataset.listing import Line, read_list, write_list
from gsv.errors import InputError, ListError

LINES = [Line("a.wav", "anna", "en", "Hello, world."), Line("D:\\b c.wav", "", "ZH", "你好|世界")]


def listing(folder: Path, content: bytes | str) -> Path:
    path = folder / "x.list"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_lines_come_back_as_written(tmp_path: Path) -> None:
    write_list(tmp_path / "x.list", LINES)
    assert (tmp_path / "x.list").read_bytes().decode() == "a.wav|anna|en|Hello, world.\nD:\\b c.wav||ZH|你好|世界\n"
    assert read_list(tmp_path / "x.list") == LINES


@pytest.mark.parametrize(
    "content",
    [
        "a.wav|anna|en|Hello, world.\nD:\\b c.wav||ZH|你好|世界",
        "\ufeffa.wav|anna|en|Hello, world.\r\nD:\\b c.wav||ZH|你好|世界\r\n",
        "\n\n  a.wav | anna|en | Hello, world.  \n \t\nD:\\b c.wav||ZH|你好|世界\n\n\n",
    ],
    ids=["no last line break", "byte order mark and CRLF", "blank lines and blanks"],
)
def test_what_editors_do_to_files_does_not_matter(tmp_path: Path, content: str) -> None:
    assert read_list(listing(tmp_path, content)) == LINES


def test_rare_separators_belong_to_the_text(tmp_path: Path) -> None:
    path = listing(tmp_path, "a.wav|s|en|one\u2028two\x0bthree\n")
    assert read_list(path) == [Line("a.wav", "s", "en", "one\u2028two\x0bthree")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a.wav|s|en|x\nb.wav|s|en\n", "Line 2 .* 3 of 4 fields"),
        ("\n\na.wav\n", "Line 3 .* 1 of 4 fields"),
        ("a.wav|s|en| \n", "Line 1 .* no text"),
        ("|s|en|x\n", "Line 1 .* no audio path"),
        ("a.wav|s||x\n", "Line 1 .* no language"),
        ("", "is empty"),
        (" \r\n\n", "is empty"),
        (b"\xff\xfea\x00.\x00", "UTF-8"),
        ("a.wav|s|zh|你好".encode("gbk"), "UTF-8"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, content: bytes | str, said: str) -> None:
    path = listing(tmp_path, content)
    with pytest.raises(ListError, match=said) as caught:
        read_list(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ListError, match=r"none\.list"):
        read_list(tmp_path / "none.list")
    with pytest.raises(ListError, match="cannot be read"):
        read_list(tmp_path)


@pytest.mark.parametrize("line", [Line("a|b.wav", "s", "en", "x"), Line("a.wav", "s", "en", "x\ny")])
def test_lines_that_could_not_be_read_back_are_not_written(tmp_path: Path, line: Line) -> None:
    write_list(tmp_path / "x.list", LINES)
    with pytest.raises(InputError):
        write_list(tmp_path / "x.list", [*LINES, line])
    assert read_list(tmp_path / "x.list") == LINES


FIELD = (
    st.text(st.characters(exclude_characters="|\r\n\ufeff", exclude_categories=["Cs"]), min_size=1)
    .map(str.strip)
    .filter(bool)
)


@given(st.lists(st.builds(Line, FIELD, FIELD, FIELD, FIELD), min_size=1))
def test_any_line_survives_a_round_trip(tmp_path_factory: pytest.TempPathFactory, lines: list[Line]) -> None:
    path = tmp_path_factory.mktemp("list") / "x.list"
    write_list(path, lines)
    assert read_list(path) == lines
