"""Text in Mandarin and English is cut into stretches of one language."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.errors import TextError
from gsv.text.languages import CODES, NOT_SUPPORTED_YET, language_of_tag, segment


def stretches(text: str, code: str) -> list[tuple[str, str]]:
    return [(stretch.language, stretch.text) for stretch in segment(text, code)]


@pytest.mark.parametrize("code", ["zh", "all_zh", "auto"])
def test_latin_letters_inside_mandarin_are_english(code: str) -> None:
    assert stretches("我今天用ChatGPT写作文。", code) == [("zh", "我今天用"), ("en", "ChatGPT"), ("zh", "写作文。")]


def test_marks_and_blanks_belong_to_what_is_before_them() -> None:
    assert stretches("她说：“See you!”然后走了。", "zh") == [
        ("zh", "她说：“"),
        ("en", "See you!”"),
        ("zh", "然后走了。"),
    ]
    assert stretches("“Hello”他说", "zh") == [("en", "“Hello”"), ("zh", "他说")]


def test_digits_belong_to_mandarin_under_all_zh_and_to_their_neighbours_under_zh() -> None:
    assert stretches("iPhone 15 Pro发布了", "all_zh")[1] == ("zh", "15 ")
    assert stretches("iPhone 15 Pro发布了", "zh") == [("en", "iPhone 15 Pro"), ("zh", "发布了")]
    assert stretches("Hello, 世界! It's 2024.", "zh")[-1] == ("en", "It's 2024.")
    assert stretches("123", "zh") == [("zh", "123")]


def test_digits_after_a_pause_go_with_what_follows() -> None:
    assert stretches("I went home.3天以后", "zh") == [("en", "I went home."), ("zh", "3天以后")]


def test_unit_after_a_number_stays_with_the_number() -> None:
    assert stretches("跑了5km。", "all_zh") == [("zh", "跑了5km。")]
    assert stretches("车速120km/h以内", "zh") == [("zh", "车速120km/h以内")]
    assert stretches("I ran 5km.", "zh") == [("en", "I ran 5km.")]


def test_accented_latin_letters_are_english_and_greek_ones_are_not() -> None:
    assert stretches("去café吧", "zh") == [("zh", "去"), ("en", "café"), ("zh", "吧")]
    assert stretches("α粒子", "zh") == [("zh", "α粒子")]
    assert stretches("今天38°C左右", "zh") == [("zh", "今天38°C左右")]


def test_english_is_not_cut() -> None:
    assert stretches(" I said 你好 to him", "en") == [("en", " I said 你好 to him")]


@pytest.mark.parametrize("text", ["はい", "그래요", "ｶﾀｶﾅ"])
def test_auto_refuses_scripts_that_it_cannot_speak(text: str) -> None:
    with pytest.raises(TextError, match="not supported yet"):
        segment(text, "auto")


@pytest.mark.parametrize("code", [*NOT_SUPPORTED_YET, "xx", ""])
def test_unknown_code_is_named_with_the_known_ones(code: str) -> None:
    with pytest.raises(TextError, match="all_zh, zh, en, auto"):
        segment("你好", code)


@pytest.mark.parametrize(
    ("tag", "language"), [("zh", "zh"), ("ZH", "zh"), ("zh-CN", "zh"), ("En", "en"), ("en_US", "en"), (" EN ", "en")]
)
def test_tags_of_list_files_are_read_as_users_write_them(tag: str, language: str) -> None:
    assert language_of_tag(tag) == language


@pytest.mark.parametrize("tag", ["ja", "JP", "ko", "yue", "klingon", ""])
def test_tags_of_other_languages_are_refused(tag: str) -> None:
    with pytest.raises(TextError, match="zh and en"):
        language_of_tag(tag)


@given(st.text(alphabet="你好世aBc1 2.3，。!·/°é\n"), st.sampled_from(sorted(CODES)))
def test_no_character_gets_lost_and_neighbours_differ(text: str, code: str) -> None:
    found = segment(text, code)
    assert "".join(stretch.text for stretch in found).strip() == text.strip()
    assert all(left.language != right.language for left, right in pairwise(found))
