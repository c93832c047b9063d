"""What is made of an input appears whole, once, and replaces only what was made of that input before."""

import json
from pathlib import Path

import pytest

from gsv.dataset.making import Making, making_in
from gsv.dataset.workers import Item
from gsv.errors import InputError


@pytest.fixture
def item(tmp_path: Path) -> Item:
    path = tmp_path / "in" / "a.wav"
    path.parent.mkdir()
    path.write_text("sound")
    return Item(path.name, path, "", "")


def make(making: Making, *names: str) -> None:
    with making.anew() as folder:
        for name in names:
            (folder / name).write_text(name)


def seen(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_what_is_made_is_known_and_kept(tmp_path: Path, item: Item) -> None:
    making = Making(tmp_path / "out", item, {"x": 1, "y": "z"})
    assert not making.is_done() and making.files() == []
    make(making, "a1", "a2")
    assert making.is_done()
    assert making.files() == [tmp_path / "out" / "a1", tmp_path / "out" / "a2"]
    assert seen(tmp_path / "out") == ["a1", "a2"]


def test_other_settings_or_another_input_are_not_done(tmp_path: Path, item: Item) -> None:
    out = tmp_path / "out"
    make(Making(out, item, {"x": 1}), "a1")
    assert not Making(out, item, {"x": 2}).is_done()
    item.audio.write_text("changed")
    assert not Making(out, item, {"x": 1}).is_done()


def test_a_missing_file_is_not_done(tmp_path: Path, item: Item) -> None:
    making = Making(tmp_path / "out", item, {})
    make(making, "a1", "a2")
    (tmp_path / "out" / "a2").unlink()
    assert not making.is_done()


def test_what_was_made_before_goes_and_nothing_else_does(tmp_path: Path, item: Item) -> None:
    out = tmp_path / "out"
    make(Making(out, item, {"x": 1}), "a1", "a2")
    (out / "a3").write_text("the user's")
    make(Making(out, item, {"x": 2}), "a2", "a4")
    assert seen(out) == ["a2", "a3", "a4"]


def test_an_error_leaves_what_was_there(tmp_path: Path, item: Item) -> None:
    making = Making(tmp_path / "out", item, {})
    make(making, "a1")
    with pytest.raises(ZeroDivisionError), making.anew() as folder:
        (folder / "a2").write_text("half")
        raise ZeroDivisionError
    assert seen(tmp_path / "out") == ["a1"] and making.is_done()


def test_another_input_of_the_same_name_is_refused(tmp_path: Path, item: Item) -> None:
    make(Making(tmp_path / "out", item, {}), "a1")
    other = tmp_path / "other" / "a.wav"
    other.parent.mkdir()
    other.write_text("another sound")
    making = Making(tmp_path / "out", Item("a.wav", other, "", ""), {})
    with pytest.raises(InputError, match=r"another a\.wav"):
        make(making, "b1")
    assert seen(tmp_path / "out") == ["a1"]
    # A recording that was moved is no other.
    item.audio.unlink()
    make(making, "b1")
    assert seen(tmp_path / "out") == ["b1"]


def test_the_input_itself_is_never_replaced(item: Item) -> None:
    with pytest.raises(InputError, match=r"a\.wav is the input"):
        make(Making(item.audio.parent, item, {}), "b1", item.name)
    assert item.audio.read_text() == "sound"
    assert seen(item.audio.parent) == [item.name]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"source": 1}', json.dumps({"files": ["../in/a.wav"]})])
def test_a_damaged_note_deletes_nothing(tmp_path: Path, item: Item, text: str) -> None:
    making = Making(tmp_path / "out", item, {})
    make(making, "a1")
    (note,) = (tmp_path / "out" / ".made").glob("*.json")
    whole = json.loads(note.read_text())
    note.write_text(json.dumps({**whole, **json.loads(text)}) if "files" in text else text)
    assert not making.is_done()
    make(making, "a2")
    assert item.audio.exists() and seen(tmp_path / "out") == ["a1", "a2"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path, item: Item) -> None:
    left = tmp_path / "out" / ".made" / "unfinished" / "x"
    left.mkdir(parents=True)
    (left / "half.wav").write_text("half")
    with making_in(tmp_path / "out", item.audio, "opt_root"):
        assert not left.exists()


def test_folders_that_cannot_serve_are_refused(tmp_path: Path, item: Item) -> None:
    for folder, said in ((item.audio, "is a file"), (item.audio.parent, "folder of the inputs")):
        with pytest.raises(InputError, match=f"opt_root.*{said}"), making_in(folder, item.audio.parent, "opt_root"):
            pytest.fail("it was let in")
