"""Cantonese phones agree with the recorded ones, and every syllable has symbols."""

import json
from pathlib import Path

import pytest

from gsv.errors import TextError
from gsv.text.cantonese import g2p, normalize, phones_of
from gsv.text.cantonese.syllables import symbols
from gsv.text.symbols import symbol_table


@pytest.fixture(scope="module")
def items(shared: Path) -> list[dict]:
    items = json.loads((shared / "reference/text/yue.json").read_text("utf-8"))["items"]
    return [item for item in items if "quirk" not in item]


def test_readings_agree_with_the_recorded_ones(items: list[dict]) -> None:
    table = symbol_table("v2")
    for item in items:
        want = item["v2"]
        norm_text = normalize(item["text"])
        assert norm_text == want["norm_text"]
        said, word2ph = g2p(norm_text)
        assert said == want["phones"], item["text"]
        assert word2ph == want["word2ph"]
        assert table.ids(said) == want["ids"]


@pytest.mark.parametrize(
    ("jyutping", "said"),
    [
        ("gwong2", ("Ygw", "Yong2")),
        ("jyut6", ("Yj", "Yyut6")),
        ("ngo5", ("Yng", "Yo5")),
        ("ng5", ("Yng", "Yg5")),
        ("m4", ("Ym", "Ym4")),
        ("aa3", ("Yaa", "Ya3")),
        ("oi3", ("Yoi", "Yi3")),
        ("uk1", ("Yuk", "Yk1")),
        # The table has no symbol for these without a consonant.
        ("ung3", ("Yng", "Yung3")),
        ("ap1", ("Yng", "Yap1")),
        ("ang1", ("Yng", "Yang1")),
        # nor for these finals
        ("deu6", ("Yd", "Yiu6")),
        ("lem2", ("Yl", "Yim2")),
        ("nonsense", ("UNK", "UNK")),
        ("zung7", ("UNK", "UNK")),
    ],
)
def test_syllable_has_an_initial_and_a_final(jyutping: str, said: tuple[str, str]) -> None:
    assert symbols(jyutping) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("我電話係91112345。", "我电话系九一一一二三四五."),
        ("$20，US$5，HK$1,200", "二十元,五美元,一千二百元"),
        ("2蚊，128蚊，2樽", "两蚊,一百二十八蚊,两樽"),
        ("等陣……我諗下～", "等阵……我谂下-"),
        ("嗯，『好』", "嗯,好"),
        ("十三幺", "十三幺"),
    ],
)
def test_numbers_are_said_as_in_cantonese(written: str, said: str) -> None:
    assert normalize(written) == said


def test_shares_have_parts() -> None:
    assert g2p("三分之二")[0][2:4] == ["Yf", "Yan6"]
    assert g2p("分开")[0][:2] == ["Yf", "Yan1"]


def test_characters_beyond_the_basic_block_are_read() -> None:
    said, word2ph = g2p(normalize("係㗎，搭𨋢。"))
    assert said == ["Yh", "Yai6", "Yg", "Yaa3", ",", "Yd", "Yaap3", "Yl", "Yip1", "."]
    assert word2ph == [2, 2, 1, 2, 2, 1]


def test_character_of_two_syllables_has_four_phones() -> None:
    said, word2ph = g2p("卅年")
    assert word2ph == [4, 2]
    assert said[:4] == [*symbols("saa1"), *symbols("aa6")]


def test_given_reading_is_final() -> None:
    said, word2ph = g2p(normalize("我去銀行。"), given={"银行": "ngan4 hang4"})
    assert said == ["Yng", "Yo5", "Yh", "Yeoi3", "Yng", "Yan4", "Yh", "Yang4", "."]
    assert word2ph == [2, 2, 2, 2, 1]


@pytest.mark.parametrize("reading", ["", "hong zoeng", "hong4 zoeng9", "xyz1", "hong4!"])
def test_reading_that_is_not_jyutping_is_refused(reading: str) -> None:
    with pytest.raises(TextError, match="reading"):
        phones_of("行长", reading)
