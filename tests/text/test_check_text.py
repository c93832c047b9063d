"""tools/check_text.py tells right answers from wrong ones, and its exit status says so."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gsv.text.frontend import Frontend
from gsv.text.symbols import symbol_table

TOOL = Path(__file__).parents[2] / "tools" / "check_text.py"


def mandarin_item(name: str, text: str, **more: Any) -> dict[str, Any]:
    reading = Frontend().read_as(text, "zh")
    answer = {
        "norm_text": reading.norm_text,
        "phones": list(reading.phones),
        "ids": list(reading.ids),
        "word2ph": list(reading.word2ph or ()),
    }
    return {"id": name, "text": text, "v2": answer, "v1": {"same_as": "v2"}, **more}


def write(folder: Path, name: str, items: list[dict[str, Any]]) -> None:
    (folder / f"{name}.json").write_text(json.dumps({"meta": {}, "items": items}), "utf-8")


def check(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, TOOL, *map(str, arguments)], capture_output=True, encoding="utf-8", check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_wrong_answer_fails_unless_the_share_allows_it(tmp_path: Path) -> None:
    right, wrong = mandarin_item("a", "你好，世界。"), mandarin_item("b", "早上好。")
    wrong["v2"]["phones"][0] = "s"
    write(tmp_path, "zh", [right, wrong])
    status, told = check(tmp_path, "--languages", "zh")
    assert status == 1
    assert "a: ok" in told and "b: differs" in told and "1 of 2 exact" in told
    assert check(tmp_path, "--languages", "zh", "--min", "0.5")[0] == 0


def test_quirk_is_told_of_and_does_not_decide(tmp_path: Path) -> None:
    odd = mandarin_item("b", "早上好。", quirk="sounds wrong")
    odd["v2"]["norm_text"] = "晚上好."
    write(tmp_path, "zh", [mandarin_item("a", "你好，世界。"), odd])
    status, told = check(tmp_path, "--languages", "zh")
    assert status == 0
    assert "b: differs" in told and "sounds wrong" in told and "1 of 1 exact" in told


def test_wrong_symbol_table_fails(tmp_path: Path) -> None:
    write(tmp_path, "helpers", [{"fn": "get_first", "args": ["你好，世界"], "out": "你好"}])
    names = list(symbol_table("v1").names)
    (tmp_path / "symbols_v1.json").write_text(json.dumps({"symbols": names}), "utf-8")
    assert check(tmp_path, "--languages", "helpers")[0] == 0
    (tmp_path / "symbols_v1.json").write_text(json.dumps({"symbols": names[::-1]}), "utf-8")
    assert check(tmp_path, "--languages", "helpers")[0] == 1


def test_language_that_is_not_built_counts_as_a_failure(tmp_path: Path) -> None:
    write(tmp_path, "ja", [{"id": "a", "text": "はい"}])
    status, told = check(tmp_path, "--languages", "ja")
    assert status == 1
    assert "a: not built yet" in told


def test_missing_file_is_named(tmp_path: Path) -> None:
    status, told = check(tmp_path)
    assert status == 2
    assert "zh.json" in told


@pytest.mark.parametrize("name", ["cut", "helpers", "en"])
def test_recorded_answers_are_met(shared: Path, name: str) -> None:
    status, told = check(shared / "reference/text", "--languages", name)
    assert status == 0, told
