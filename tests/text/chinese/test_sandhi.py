"""Tones change in speech as they do in published voices."""

import pytest

from gsv.text.chinese import g2p, normalize
from gsv.text.chinese.lexicon import lexicon
from gsv.text.chinese.words import Word, halves, words


def tones(text: str, erhua: bool = True) -> str:
    phones, _ = g2p(normalize(text), erhua=erhua)
    return "".join(phone[-1] for phone in phones if phone[-1].isdigit())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("不对", "24"),  # 不 before a fourth tone
        ("不好", "43"),
        ("看不懂", "453"),  # unstressed inside three
        ("一个", "25"),
        ("一天", "41"),
        ("第一", "41"),
        ("看一看", "454"),
        ("二零一一", "4211"),  # digits keep their tone
        ("妈妈", "15"),  # doubled
        ("人人", "22"),  # but not this one
        ("桌子", "15"),
        ("朋友", "25"),  # by the lexicon
        ("学生", "25"),
        ("将军", "11"),
        ("家里", "15"),
        ("起来", "35"),
        ("三个", "15"),
        ("你好", "23"),  # two third tones
        ("展览馆", "223"),  # 2 + 1
        ("纸老虎", "323"),  # 1 + 2
        ("我很好", "323"),
        # 一 as a number by itself, not as a count
        ("十一月一日", "21414"),
        ("二零一一年", "42112"),
        ("一到两件", "1434"),
        ("三比一战胜", "13144"),
        ("六十滴", "421"),
        ("银行行长", "2223"),
    ],
)
def test_words_change_their_tones(text: str, said: str) -> None:
    assert tones(text) == said


def test_er_takes_the_tone_before_it_only_where_it_melts() -> None:
    assert tones("味儿") == "44"
    assert tones("味儿", erhua=False) == "42"
    assert tones("女儿") == "32"  # a syllable of its own
    assert tones("儿子") == "25"


def test_bu_joins_the_word_after_it() -> None:
    assert words("我不去") == [Word("我", "r"), Word("不去", "v")]
    assert words("我不")[-1] == Word("不", "d")


def test_yi_joins_its_neighbours() -> None:
    assert Word("听一听", "v") in words("你听一听")
    assert words("一头牛")[0].text == "一头"


def test_halves_put_the_shortest_part_first_or_last() -> None:
    assert halves("展览馆") == ("展览", "馆")
    assert halves("纸老虎") == ("纸", "老虎")
    assert "".join(halves("好")) == "好"


def test_lexicon_is_complete() -> None:
    lists = lexicon()
    assert (len(lists.neutral), len(lists.not_neutral), len(lists.erhua), len(lists.not_erhua)) == (420, 40, 8, 44)


def test_family_names_are_read_as_names() -> None:
    assert g2p("曾国藩")[0][:2] == ["z", "eng1"]
    assert g2p("曾经")[0][:2] == ["c", "eng2"]
