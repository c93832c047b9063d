"""Long text is cut where users of GPT-SoVITS expect it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.errors import InputError, TextError
from gsv.text import split

texts = st.text(alphabet="你好世界abc12 .。，,!！?？…—~:：;；、-\n", max_size=80)


def test_runs_of_marks_keep_the_first() -> None:
    assert split.collapse_punctuation("你好,,,世界!?...") == "你好,世界!"
    assert split.collapse_punctuation("好。。") == "好。。"


def test_short_pieces_join_and_a_short_rest_joins_backwards() -> None:
    assert split.merge_short(["一二三", "四五", "六七八九十", "一"]) == ["一二三四五", "六七八九十一"]
    assert split.merge_short(["短", "短"]) == ["短短"]
    assert split.merge_short(["短"]) == ["短"]


def test_first_chunk_ends_before_the_first_mark() -> None:
    assert split.first_chunk(" 长—短") == "长"


@pytest.mark.parametrize(
    ("method", "chunks"),
    [
        ("cut0", ["一。二。三。四。五。六。七。八。九.5。"]),
        ("cut1", ["一。二。三。四。", "五。六。七。八。九.5。"]),
        ("cut2", ["一。二。三。四。五。六。七。八。九.5。"]),
        ("cut3", ["一", "二", "三", "四", "五", "六", "七", "八", "九.5"]),
        # A point next to a digit is not the end of a sentence, though cut5 looks for digits on both sides.
        ("cut4", ["一。二。三。四。五。六。七。八。九.5。"]),
        ("cut5", ["一。", "二。", "三。", "四。", "五。", "六。", "七。", "八。", "九.", "5。"]),
    ],
)
def test_methods_cut_where_they_say(method: str, chunks: list[str]) -> None:
    assert split.cut("一。二。三。四。五。六。七。八。九.5。", method).split("\n") == chunks


def test_decimal_point_is_no_place_to_cut() -> None:
    assert split.cut("重3.5克,好", "cut5") == "重3.5克,\n好"


def test_cut2_gathers_about_fifty_characters() -> None:
    sentence = "一二三四五六七八九。"
    chunks = split.cut(sentence * 13, "cut2").split("\n")
    assert [len(chunk) for chunk in chunks] == [60, 70]  # the last ten stand too short alone


def test_unknown_method_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"cut9.*cut0.*cut5"):
        split.pieces("你好", "zh", "cut9")


@pytest.mark.parametrize("text", ["", "\n", "。。。", "…… ——", " ", "___"])
@pytest.mark.parametrize("method", split.METHODS)
def test_text_without_words_is_an_error(text: str, method: str) -> None:
    with pytest.raises(TextError):
        split.pieces(text, "zh", method)


def test_short_beginning_gets_a_full_stop_in_front() -> None:
    assert split.pieces("好，我们现在出发吧", "zh", "cut0") == ["。好，我们现在出发吧。"]
    assert split.pieces("No, not now", "en", "cut0") == [".No, not now."]


def test_ending_is_added_only_where_there_is_none() -> None:
    assert split.closed("你好！", "zh") == "你好！"
    assert split.closed("Hello", "en") == "Hello."


def test_piece_is_never_longer_than_the_text_encoder_takes() -> None:
    marked, unmarked = "一二三四五六七八九，" * 200, "字" * 1300
    for text in (marked, unmarked):
        pieces = split.pieces(text, "zh", "cut0")
        assert max(map(len, pieces)) <= split.MAX_PIECE
        assert "".join(pieces).rstrip("。") == text.rstrip("。")


@given(texts, st.sampled_from(sorted(split.METHODS)), st.sampled_from(["zh", "en"]))
def test_cutting_keeps_every_word_in_order(text: str, method: str, language: str) -> None:
    words = [character for character in text if character.isalnum()]
    pieces = split.pre_segment(split.collapse_punctuation(text), language, method)
    assert [character for character in "".join(pieces) if character.isalnum()] == words
    assert all(piece[-1] in split.SPLIT_MARKS for piece in pieces)
