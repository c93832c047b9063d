"""Text becomes the ids that models were trained on."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsv.errors import MissingWeightsError, TextError
from gsv.text.frontend import Frontend


@pytest.fixture(scope="module")
def frontend() -> Frontend:
    return Frontend()


def test_mandarin_reading_is_complete(frontend: Frontend) -> None:
    (reading,) = frontend.read("你好，世界。", "zh")
    assert (reading.language, reading.norm_text) == ("zh", "你好,世界.")
    assert reading.phones == ("n", "i2", "h", "ao3", ",", "sh", "ir4", "j", "ie4", ".")
    assert reading.ids == (227, 167, 158, 119, 1, 251, 214, 221, 194, 3)
    assert reading.word2ph == (2, 2, 1, 2, 2, 1)


def test_english_reading_has_no_word2ph(frontend: Frontend) -> None:
    (reading,) = frontend.read("The room is quiet.", "en")
    assert (reading.language, reading.norm_text, reading.word2ph) == ("en", "The room is quiet.", None)
    assert len(reading.ids) == len(reading.phones)


def test_mixed_text_has_a_reading_for_each_stretch(frontend: Frontend) -> None:
    assert [(reading.language, reading.norm_text) for reading in frontend.read("我用  Python写。", "zh")] == [
        ("zh", "我用"),
        ("en", "Python"),
        ("zh", "写."),
    ]


def test_short_text_gets_one_full_stop_in_front(frontend: Frontend) -> None:
    (reading,) = frontend.read("好", "zh")
    assert reading.norm_text == ".好"
    assert frontend.read("你好吗", "zh")[0].norm_text == "你好吗"


@pytest.mark.parametrize(("text", "language"), [("。", "zh"), ("", "zh"), ("?!", "en"), ("😀", "ja"), ("ಠ_ಠ", "auto")])
def test_text_without_a_sound_is_an_error(frontend: Frontend, text: str, language: str) -> None:
    with pytest.raises(TextError, match="nothing that can be spoken"):
        frontend.read(text, language)


def test_first_table_refuses_languages_it_lacks() -> None:
    first = Frontend("v1")
    with pytest.raises(TextError, match="'ko' is not one that this model speaks; choose one of auto, en, zh, ja"):
        first.pieces("안녕", "ko")
    with pytest.raises(TextError, match="Korean, which this model does not speak"):
        first.read("안녕", "zh")
    with pytest.raises(TextError, match="Cantonese, which this model does not speak"):
        first.read_for_training("係", "yue")


def test_words_that_the_language_cannot_read_are_spoken_in_theirs(frontend: Frontend) -> None:
    assert [reading.language for reading in frontend.read("I said 你好 to him.", "en")] == ["en", "zh", "en"]
    assert [reading.language for reading in frontend.read("他说はい。", "zh")] == ["zh", "ja"]


@pytest.mark.parametrize("text", ["Привет, мир", "สวัสดี", "مرحبا", "नमस्ते", "Ελλάδα"])
def test_words_that_no_language_can_read_are_named(frontend: Frontend, text: str) -> None:
    with pytest.raises(TextError, match="which gsv cannot read; it reads Chinese, English, Japanese and Korean"):
        frontend.read(f"I said {text}", "en")


def test_letters_and_digits_in_fancy_dress_are_read(frontend: Frontend) -> None:
    assert frontend.read("𝓗𝓮𝓵𝓵𝓸 ﬁne friend ٣", "en")[0].norm_text == "Hello fine friend three"
    assert frontend.read("第Ⅲ章和㉑页", "zh")[0].norm_text == "第三章和二十一页"
    assert frontend.read("The α particle", "en")[0].norm_text == "The alpha particle"
    assert frontend.read("α線とΩ", "ja")[0].norm_text == "アルファ線とオメガ"
    assert frontend.read("α 입자", "ko")[0].norm_text == "알파 입자"


def test_decomposed_letters_are_read_as_composed_ones(frontend: Frontend) -> None:
    assert frontend.read("か\u3099っこう", "ja")[0].ids == frontend.read("がっこう", "ja")[0].ids


def test_transcript_is_closed_with_a_mark(frontend: Frontend) -> None:
    assert frontend.closed("你好\n", "zh") == "你好。"
    assert frontend.closed("Hello!", "en") == "Hello!"


def test_pause_signs_turn_all_commas_into_pauses(frontend: Frontend) -> None:
    assert "SP2" in frontend.read("停顿一下￥然后，继续。", "zh")[0].phones
    assert "," not in frontend.read("停顿一下￥然后，继续。", "zh")[0].phones
    assert frontend.read("停顿一下^然后，继续。", "zh")[0].phones.count("SP3") == 2


def test_yen_sign_before_a_number_is_money(frontend: Frontend) -> None:
    (reading,) = frontend.read("价格￥500。", "zh")
    assert reading.norm_text == "价格五百元."
    assert "SP2" not in reading.phones


def test_first_table_has_no_erhua(frontend: Frontend) -> None:
    later, first = frontend.read("有味儿了。", "zh")[0], Frontend("v1").read("有味儿了。", "zh")[0]
    assert (later.phones[5], first.phones[5]) == ("er4", "er2")


def test_training_line_takes_percent_and_yen_as_marks(frontend: Frontend) -> None:
    assert frontend.read_for_training("好%的￥对", "ZH").norm_text == "好-的,对"
    assert frontend.read_for_training("好", "zh").norm_text == "好"
    assert frontend.read_for_training("It is fine.", "en-US").language == "en"
    assert frontend.read_for_training("はい", "JP").language == "ja"
    assert frontend.read_for_training("係呀", "yue").word2ph == (2, 2)
    with pytest.raises(TextError, match="nothing that can be spoken"):
        frontend.read_for_training("...", "zh")


def test_given_polyphone_model_is_asked(frontend: Frontend) -> None:
    asked = []

    def model(clause: str) -> list[str]:
        asked.append(clause)
        return ["wo3", "chang2", "."]

    assert Frontend(polyphones=model).read_as("我长。", "zh").phones[:4] == ("w", "o3", "ch", "ang2")
    assert asked == ["我长."]


def test_missing_polyphone_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"G2PWModel 1\.1"):
        Frontend(g2pw_dir=tmp_path).read("你好世界", "zh")


def test_whole_way_agrees_with_the_reference(shared: Path, frontend: Frontend) -> None:
    items = json.loads((shared / "reference/text/mixed.json").read_text("utf-8"))["items"]
    compared = 0
    for item in items:
        want = item["v2"].get("all_zh")
        if want and all(segment["lang"] == "zh" for segment in want["segments"]):
            readings = frontend.read(item["text"], "all_zh")
            assert [index for reading in readings for index in reading.ids] == want["ids"]
            compared += 1
    assert compared


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="你好儿不一个了五十万年月日点，。！%￥^~-/:.0123456789abkmX²αあ가 \n", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    front = Frontend()
    for code in ("zh", "all_zh"):
        try:
            readings = front.read(text, code)
        except TextError:
            continue
        for reading in readings:
            assert len(reading.ids) == len(reading.phones)
            if reading.word2ph is not None:
                assert len(reading.word2ph) == len(reading.norm_text)
                assert sum(reading.word2ph) == len(reading.phones)


def test_a_language_loads_only_its_own_libraries() -> None:
    code = (
        "import sys; from gsv.text.frontend import Frontend; Frontend().read('Hello there, 5 km.', 'en');"
        "print({'jieba', 'pypinyin', 'pyopenjtalk', 'mecab', 'ToJyutping', 'split_lang', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
