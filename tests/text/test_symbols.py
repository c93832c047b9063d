"""The symbol tables are those that checkpoints were trained with."""

import json
from pathlib import Path

import pytest

from gsv.text.symbols import TableName, symbol_table


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_table_is_that_of_published_checkpoints(shared: Path, name: TableName) -> None:
    recorded = json.loads((shared / f"reference/text/symbols_{name}.json").read_text("utf-8"))
    assert list(symbol_table(name).names) == recorded["symbols"]


def test_v1_is_the_beginning_of_v2() -> None:
    assert symbol_table("v2").names[:322] == symbol_table("v1").names
    assert (len(symbol_table("v1")), len(symbol_table("v2"))) == (322, 732)


def test_id_is_the_position_and_an_unknown_phone_is_unk() -> None:
    table = symbol_table("v1")
    assert table.ids(["!", "SP", "…"]) == [0, 77, 321]
    assert table.ids(["[", "no such phone"]) == table.ids(["UNK", "UNK"])
    assert table.known(["a1", "["]) == ["a1", "UNK"]
    assert "[" not in table and "[" in symbol_table("v2")
