"""Text in several languages is cut into stretches of one language."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsv.errors import TextError
from gsv.text.languages import CODES
from gsv.text.segments import segment


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


def test_digits_belong_to_the_main_language_under_all_codes_and_to_their_neighbours_otherwise() -> None:
    assert stretches("iPhone 15 Pro发布了", "all_zh")[1] == ("zh", "15 ")
    assert stretches("iPhone 15 Pro发布了", "zh") == [("en", "iPhone 15 Pro"), ("zh", "发布了")]
    assert stretches("iPhone 15 Proが出た", "all_ja")[1] == ("ja", "15 ")
    assert stretches("Hello, 世界! It's 2024.", "zh")[-1] == ("en", "It's 2024.")
    assert stretches("123", "zh") == [("zh", "123")]
    assert stretches("123", "auto_yue") == [("yue", "123")]


def test_digits_after_a_pause_go_with_what_follows() -> None:
    assert stretches("I went home.3天以后", "zh") == [("en", "I went home."), ("zh", "3天以后")]


@pytest.mark.parametrize("code", ["auto", "zh", "en"])
def test_number_stays_with_its_counter(code: str) -> None:
    assert stretches("We met on 5月20日, right?", code) == [("en", "We met on "), ("zh", "5月20日, "), ("en", "right?")]


def test_unit_after_a_number_stays_with_the_number() -> None:
    assert stretches("跑了5km。", "all_zh") == [("zh", "跑了5km。")]
    assert stretches("5km跑完了。", "zh") == [("zh", "5km跑完了。")]
    assert stretches("车速120km/h以内", "zh") == [("zh", "车速120km/h以内")]
    assert stretches("駅まで5km歩いた。", "ja") == [("ja", "駅まで5km歩いた。")]
    assert stretches("몸무게가 60kg에서", "all_ko") == [("ko", "몸무게가 60kg에서")]
    assert stretches("I ran 5km.", "zh") == [("en", "I ran 5km.")]


def test_accented_latin_letters_are_english_and_greek_ones_are_not() -> None:
    assert stretches("去café吧", "zh") == [("zh", "去"), ("en", "café"), ("zh", "吧")]
    assert stretches("α粒子", "zh") == [("zh", "α粒子")]
    assert stretches("今天38°C左右", "zh") == [("zh", "今天38°C左右")]


def test_stated_language_reads_the_ideographs() -> None:
    assert stretches("今日は、你好。", "ja") == [("ja", "今日は、你好。")]
    assert stretches("日本人", "ja") == [("ja", "日本人")]
    assert stretches("東京都知事選挙", "zh") == [("zh", "東京都知事選挙")]
    assert stretches("我哋去shopping啦", "yue") == [("yue", "我哋去"), ("en", "shopping"), ("yue", "啦")]


@pytest.mark.parametrize("code", ["zh", "all_zh", "auto", "ja", "ko", "en", "all_ko"])
def test_words_that_the_stated_language_cannot_read_are_spoken_in_theirs(code: str) -> None:
    found = stretches("はい, OK, 그래요.", code)
    assert found == [("ja", "はい, "), ("en", "OK, "), ("ko", "그래요.")]


def test_japanese_word_within_chinese_takes_its_ideographs_along() -> None:
    expected = [("zh", "我想喝"), ("ja", "お茶"), ("zh", "，你呢？")]
    assert [stretch[0] for stretch in stretches("我想喝お茶，你呢？", "zh")] == [language for language, _ in expected]
    assert stretches("他说「ありがとう」然后走了", "zh") == [
        ("zh", "他说「"),
        ("ja", "ありがとう」"),
        ("zh", "然后走了"),
    ]


@pytest.mark.parametrize(
    "text", ["我有2个apple和3个banana。", "2024年，AI改变了世界。", "我在2月20日用Python写的。", "100%正确。", "係"]
)
def test_few_ideographs_do_not_become_japanese_within_chinese(text: str) -> None:
    assert {language for language, _ in stretches(text, "auto")} <= {"zh", "en"}


@pytest.mark.parametrize(
    "text", ["機械学習は面白い。", "昨日、東京、大阪、京都に行きました。", "大阪市立自然史博物館", "はい"]
)
def test_japanese_is_found(text: str) -> None:
    assert stretches(text, "auto") == [("ja", text)]


def test_characters_that_japanese_lacks_are_chinese() -> None:
    assert stretches("まいご吗？", "auto") == [("ja", "まいご"), ("zh", "吗？")]


def test_five_languages_in_one_text() -> None:
    found = stretches("我爱你。I love you. 愛してる。사랑해요.", "auto")
    assert found == [("zh", "我爱你。"), ("en", "I love you. "), ("ja", "愛してる。"), ("ko", "사랑해요.")]
    assert stretches("我爱你。I love you. 愛してる。", "auto_yue")[0] == ("yue", "我爱你。")


def test_lengthening_mark_needs_kana_before_it() -> None:
    assert stretches("好ー的，ラーメン", "zh") == [("zh", "好ー的，"), ("ja", "ラーメン")]


def test_first_symbol_table_refuses_languages_it_lacks() -> None:
    with pytest.raises(TextError, match="Korean, which this model does not speak"):
        segment("你好 그래요", "zh", "v1")


@settings(deadline=None)
@given(st.text(alphabet="你好世和愛はいカー그aBc1 2.3，。!·/°é\n😀α", max_size=60), st.sampled_from(sorted(CODES)))
def test_no_character_gets_lost_and_neighbours_differ(text: str, code: str) -> None:
    found = segment(text, code)
    assert "".join(stretch.text for stretch in found) == text
    assert all(left.language != right.language for left, right in pairwise(found))


@settings(deadline=None, max_examples=20)
@given(st.text(alphabet="你好，东京はい。a1", min_size=900, max_size=1200))
def test_long_text_is_looked_into_part_by_part(text: str) -> None:
    assert "".join(stretch.text for stretch in segment(text, "auto")) == text
