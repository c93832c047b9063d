"""Mandarin phones agree with the recorded ones."""

import json
from pathlib import Path

import pytest

from gsv.text.frontend import Frontend

# The recorded answers come from a dictionary that lacks 行长, so the (made-up) answer of the polyphone model stays;
# pypinyin's dictionary knows the word and corrects it. See docs/text-chinese.md.
DICTIONARY_KNOWS_MORE = "银行的行长行色匆匆地走了。"


@pytest.fixture(scope="module")
def items(shared: Path) -> list[dict]:
    items = json.loads((shared / "reference/text/zh.json").read_text("utf-8"))["items"]
    return [item for item in items if "quirk" not in item]


@pytest.mark.parametrize("table", ["v1", "v2"])
def test_readings_by_dictionary_agree(items: list[dict], table: str) -> None:
    frontend = Frontend(table)
    for item in items:
        want = item["v2"] if "same_as" in item[table] else item[table]
        reading = frontend.read_as(item["text"], "zh")
        assert reading.norm_text == want["norm_text"]
        assert list(reading.ids) == want["ids"], item["text"]
        assert list(reading.word2ph) == want["word2ph"]


@pytest.mark.parametrize("variant", ["v2_g2pw_stub", "v2_g2pw_injected"])
def test_readings_by_polyphone_model_agree(items: list[dict], variant: str) -> None:
    differing = []
    for item in items:
        if variant in item:
            recorded = dict(item[variant]["char_pinyin"])
            reading = Frontend(polyphones=recorded.__getitem__).read_as(item["text"], "zh")
            if list(reading.phones) != item[variant]["phones"]:
                differing.append(item["text"])
    assert differing in ([], [DICTIONARY_KNOWS_MORE])
