"""Tables that several workers write: joined in list order, resumed where that is safe, whole at any time."""

from pathlib import Path

import pytest

from gsv.dataset.rows import RowFile


@pytest.fixture
def table(tmp_path: Path) -> RowFile:
    return RowFile(tmp_path / "6-name2semantic.tsv", 2, "item_name\tsemantic_audio")


def test_parts_are_joined_in_the_order_of_the_list(table: RowFile) -> None:
    table.append(1, ["b", "2 3"])
    table.append(0, ["c", "4"])
    table.append(0, ["a", "1"])
    assert table.part(1).name == "6-name2semantic-1.tsv"
    table.join(["a", "b", "c", "never made"])
    assert table.path.read_bytes() == b"item_name\tsemantic_audio\na\t1\nb\t2 3\nc\t4\n"
    assert [path.name for path in table.path.parent.iterdir()] == ["6-name2semantic.tsv"]


def test_later_rows_replace_earlier_ones_and_others_leave_the_table(table: RowFile) -> None:
    table.append(0, ["a", "1"])
    table.append(0, ["b", "2"])
    table.join(["a", "b"])
    table.append(0, ["a", "9"])
    table.join(["a"])
    assert table.rows() == {"a": ["a", "9"]}


def test_a_row_cut_short_by_a_crash_does_not_count(table: RowFile) -> None:
    table.append(0, ["a", "1"])
    with table.part(0).open("a") as file:
        file.write("b\t12 34 5")
    assert list(table.rows()) == ["a"]


def test_a_broken_off_run_is_taken_over_only_where_its_rows_last(tmp_path: Path) -> None:
    for lasting, expected in ((True, {"a": ["a", "2"], "b": ["b", "1"]}), (False, {"b": ["b", "1"]})):
        table = RowFile(tmp_path / f"{lasting}.txt", 2, lasting=lasting)
        table.append(0, ["b", "1"])
        table.join(["b"])
        table.append(3, ["a", "2"])
        table.settle()
        assert table.rows() == expected
        assert not table.part(3).exists()


def test_nothing_made_leaves_the_table_as_it_was(table: RowFile) -> None:
    table.append(0, ["a", "1"])
    table.join(["a"])
    table.join([])
    table.settle()
    assert table.rows() == {"a": ["a", "1"]}


def test_files_of_similar_names_are_not_touched(table: RowFile) -> None:
    other = table.path.with_name("6-name2semantic-backup.tsv")
    other.write_text("x\t1\n")
    table.append(0, ["a", "1"])
    table.join(["a"])
    assert other.read_text() == "x\t1\n" and table.rows() == {"a": ["a", "1"]}
