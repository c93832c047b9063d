"""The split method `auto` cuts where a reader breathes, and loses nothing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.text.sentences import LONG, auto
from gsv.text.split import pieces


def stripped(text: str) -> list[str]:
    return [piece.strip() for piece in auto(text)]


def test_each_sentence_is_a_piece() -> None:
    assert stripped("The room is quiet. Is it? Yes, it really is!") == [
        "The room is quiet.",
        "Is it? Yes, it really is!",
    ]
    assert stripped("今天天气很好。我们走吧！好不好呢？") == ["今天天气很好。", "我们走吧！", "好不好呢？"]
    assert stripped("今日は晴れです。行きましょう。") == ["今日は晴れです。", "行きましょう。"]
    assert stripped("오늘은 좋아요. 우리 같이 가요.") == ["오늘은 좋아요.", "우리 같이 가요."]


@pytest.mark.parametrize(
    "sentence",
    [
        "Dr. Smith paid $3,000.50 to Mr. J. R. Brown at 5 p.m. on Jan. 3, e.g. in cash.",
        "The U.S. team won 3:2 vs. Spain, see https://a.b/c?d=1.e for more.",
        "“It is fine. Really!” he said.",
        "他说：“你好。再见！我走了。”然后走了。",
        "「行こう。早く！」と言った。",
        "价格是3.5万元，1,234,567人在12：30到场。",
        "2. Second of all",
    ],
)
def test_no_cut_inside_numbers_quotations_and_abbreviations(sentence: str) -> None:
    assert stripped(sentence) == [sentence]


def test_sentence_ends_behind_a_quotation_that_ends_one() -> None:
    assert stripped('"Is it really? Yes." She nodded.') == ['"Is it really? Yes."', "She nodded."]
    assert stripped("「はい、そうです。」「そうですか。」") == ["「はい、そうです。」", "「そうですか。」"]


def test_long_sentence_is_cut_into_equal_breaths() -> None:
    clause = "我悄悄地披了大衫带上门出去，"
    parts = auto(clause * 12 + "走了。")
    lengths = [len(part) for part in parts]
    assert len(parts) > 1 and max(lengths) <= LONG + len(clause) and max(lengths) - min(lengths) <= len(clause) + 3
    words = auto("and then we walked " * 60)
    assert len(words) > 1 and all(part.endswith((" ", "walked")) for part in words)


def test_lines_end_pieces() -> None:
    assert auto("first line of it\nsecond line of it") == ["first line of it\n", "second line of it"]


def test_quotation_that_never_ends_does_not_hold_back_cuts() -> None:
    assert len(auto("他说：“你好，我们走吧。今天天气不错。" * 3)) >= 3


@given(st.text(alphabet="好1.5,3 aDr。！？“”「」\"'()\n:，e.g"))
def test_pieces_joined_are_the_text(text: str) -> None:
    found = auto(text)
    assert "".join(found) == text
    assert all(found)


@given(
    st.lists(
        st.sampled_from(["3,000.5", "12:30", "1，2", "e.g.", "Mr. Li", "“好。好！”", "你好。", "and so on, ", "！"])
    )
)
def test_whole_way_keeps_words_in_order_and_whole(parts: list[str]) -> None:
    text = "开始。" + "".join(parts)
    joined = "\n".join(pieces(text, "zh", "auto"))
    assert re.sub(r"[\W_]", "", joined) == re.sub(r"[\W_]", "", text)
    for whole in ("3,000.5", "12:30", "e.g."):
        assert joined.count(whole) == text.count(whole)
