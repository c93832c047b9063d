"""A reading that the user gives is what is said."""

import pytest

from gsv.errors import TextError
from gsv.text.chinese import g2p, normalize, phones_of
from gsv.text.given import cut_at_words, phones_of_characters


def test_given_reading_is_final_and_keeps_the_word_whole() -> None:
    given = {"重庆": "zhong4 qing4", "好酒": "hao3 jiu3"}
    phones, word2ph = g2p(normalize("重庆有好酒。"), given=given)
    # Two third tones side by side would change.
    assert phones == ["zh", "ong4", "q", "ing4", "y", "ou3", "h", "ao3", "j", "iu3", "."]
    assert word2ph == [2] * 5 + [1]


def test_longest_given_word_wins() -> None:
    assert list(cut_at_words("我在重庆市", {"重庆", "重庆市"})) == ["我在", "重庆市"]
    assert list(cut_at_words("没有", ())) == ["没有"]
    assert list(cut_at_words("", {"重庆"})) == []


def test_private_character_stands_for_a_word() -> None:
    norm_text = normalize("用\ue000来写", keep="\ue000")
    assert norm_text == "用\ue000来写"
    phones, word2ph = g2p(norm_text, given={"\ue000": "ji1 pi4 ti2"})
    assert phones[2:8] == ["j", "i1", "p", "i4", "t", "i2"]
    assert word2ph == [2, 6, 2, 2]
    assert normalize("用\ue000来写") == "用来写"


def test_given_readings_and_those_of_a_model_stay_in_step() -> None:
    phones, _ = g2p("长大乐.", polyphones=lambda clause: ["chang2", "da4", "yue4", "."], given={"大": "tai4"})
    assert phones == ["ch", "ang2", "t", "ai4", "y", "ve4", "."]


@pytest.mark.parametrize(
    ("reading", "phones"),
    [
        ("lv4 se4", ["l", "v4", "s", "e4"]),
        ("lü4se4", ["l", "v4", "s", "e4"]),
        ("NU:3 HAI2", ["n", "v3", "h", "ai2"]),
        ("xi1'an1", ["x", "i1", "AA", "an1"]),
        ("hua1 r5", ["h", "ua1", "EE", "er5"]),
    ],
)
def test_pinyin_is_written_in_many_ways(reading: str, phones: list[str]) -> None:
    assert phones_of("某词", reading) == (phones, [2, 2])


@pytest.mark.parametrize("reading", ["", "chong qing4", "chong2 qing", "chong2 qing6", "xyz1", "zh1", "ma3!", "妈1"])
def test_reading_that_is_not_pinyin_is_refused(reading: str) -> None:
    with pytest.raises(TextError, match="reading"):
        phones_of("重庆", reading)


@pytest.mark.parametrize(
    ("syllables", "characters", "counts"),
    [(2, 2, [2, 2]), (3, 2, [4, 2]), (1, 2, [0, 2]), (3, 1, [6]), (1, 3, [0, 2, 0])],
)
def test_syllables_are_shared_out_over_characters(syllables: int, characters: int, counts: list[int]) -> None:
    assert phones_of_characters([["a", "b"]] * syllables, characters) == counts
