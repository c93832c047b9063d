"""tools/check_text.py tells right answers from wrong ones, and its exit status says so."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gsv.text.frontend import Frontend
from gsv.text.symbols import symbol_table

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tool: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the tool; its exit status and all that it prints."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        status = tool("check_text").main(list(map(str, arguments)))
        told = capsys.readouterr()
        return status, told.out + told.err

    return run


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


def test_wrong_answer_fails_unless_the_share_allows_it(check: Check, tmp_path: Path) -> None:
    right, wrong = mandarin_item("a", "你好，世界。"), mandarin_item("b", "早上好。")
    wrong["v2"]["phones"][0] = "s"
    write(tmp_path, "zh", [right, wrong])
    status, told = check(tmp_path, "--languages", "zh")
    assert status == 1
    assert "a: ok" in told and "b: differs" in told and "1 of 2 exact" in told
    assert check(tmp_path, "--languages", "zh", "--min", "0.5")[0] == 0


def test_quirk_is_told_of_and_does_not_decide(check: Check, tmp_path: Path) -> None:
    odd = mandarin_item("b", "早上好。", quirk="sounds wrong")
    odd["v2"]["norm_text"] = "晚上好."
    write(tmp_path, "zh", [mandarin_item("a", "你好，世界。"), odd])
    status, told = check(tmp_path, "--languages", "zh")
    assert status == 0
    assert "b: differs" in told and "sounds wrong" in told and "1 of 1 exact" in told


def test_wrong_symbol_table_fails(check: Check, tmp_path: Path) -> None:
    write(tmp_path, "helpers", [{"fn": "get_first", "args": ["你好，世界"], "out": "你好"}])
    names = list(symbol_table("v1").names)
    (tmp_path / "symbols_v1.json").write_text(json.dumps({"symbols": names}), "utf-8")
    assert check(tmp_path, "--languages", "helpers")[0] == 0
    (tmp_path / "symbols_v1.json").write_text(json.dumps({"symbols": names[::-1]}), "utf-8")
    assert check(tmp_path, "--languages", "helpers")[0] == 1


def mixed_item(text: str, code: str, *segments: tuple[str, str, str]) -> dict[str, Any]:
    """A recorded answer of these stretches: language, text, text as spoken."""
    front = Frontend()
    readings = [front.read_as(written, language) for language, written, _ in segments]  # type: ignore[arg-type]
    answer = {
        "segments": [
            {"lang": language, "text": written, "norm_text": spoken, "n_phones": len(reading.ids)}
            for (language, written, spoken), reading in zip(segments, readings, strict=True)
        ],
        "ids": [index for reading in readings for index in reading.ids],
        "retried_with_dot": False,
    }
    return {"id": text, "text": text, "detector": {}, "v2": {code: answer}, "v1": {code: "same_as_v2"}}


def test_wrong_stretches_and_ids_of_mixed_text_fail(check: Check, tmp_path: Path) -> None:
    right = mixed_item(
        "我用Python写。", "zh", ("zh", "我用", "我用"), ("en", "Python", "Python"), ("zh", "写。", "写.")
    )
    whole = mixed_item("我用 Java 写字。", "zh", ("zh", "我用 Java 写字。", "我用写字."))
    off = mixed_item("你好啊世界。", "zh", ("zh", "你好啊世界。", "你好啊世界."))
    off["v2"]["zh"]["ids"][0] += 1
    write(tmp_path, "mixed", [right, whole, off])
    status, told = check(tmp_path, "--languages", "mixed")
    assert status == 1 and "1 of 3 exact" in told
    assert "我用Python写。: ok" in told and "我用 Java 写字。: differs" in told and "你好啊世界。: differs" in told


def test_what_a_recording_itself_leaves_out_is_set_apart(check: Check, tmp_path: Path) -> None:
    silent = mixed_item("他说はい。", "zh", ("zh", "他说はい。", "他说."))
    gone = mixed_item("我们很好，谢谢你。", "zh", ("zh", "我们很好谢谢你。", "我们很好谢谢你."))
    write(tmp_path, "mixed", [silent, gone])
    status, told = check(tmp_path, "--languages", "mixed")
    assert status == 0, told
    assert "holds words that are not said in 'zh'" in told and "a part of the text is gone" in told


@pytest.mark.parametrize(("language", "text"), [("ja", "こんにちは"), ("ko", "안녕하세요"), ("yue", "你食咗飯未呀？")])
def test_wrong_phone_of_a_language_fails(check: Check, tmp_path: Path, language: Any, text: str) -> None:
    item = mandarin_item("a", "好") | {"text": text}
    for name in ("v1", "v2"):
        reading = Frontend(name).read_as(text, language)  # type: ignore[arg-type]
        item[name] = {"norm_text": reading.norm_text, "phones": list(reading.phones), "ids": list(reading.ids)}
        item[name] |= {"word2ph": list(reading.word2ph)} if reading.word2ph else {}
    (tmp_path / f"{language}.json").write_text(
        json.dumps({"meta": {"libs": {"pyopenjtalk-plus": version("pyopenjtalk-plus")}}, "items": [item]}), "utf-8"
    )
    assert check(tmp_path, "--languages", language)[0] == 0
    item["v2"]["phones"][0] = "b"
    (tmp_path / f"{language}.json").write_text(
        json.dumps({"meta": {"libs": {"pyopenjtalk-plus": version("pyopenjtalk-plus")}}, "items": [item]}), "utf-8"
    )
    assert check(tmp_path, "--languages", language)[0] == 1


def test_missing_file_is_named(check: Check, tmp_path: Path) -> None:
    status, told = check(tmp_path)
    assert status == 2
    assert "zh.json" in told


@pytest.mark.parametrize("name", ["zh", "cut", "helpers", "en", "ja", "ko", "yue", "mixed"])
def test_recorded_answers_are_met(check: Check, shared: Path, name: str) -> None:
    status, told = check(shared / "reference/text", "--languages", name)
    assert status == 0, told
