"""Korean: text as spoken, numbers, sounds and phones."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_korean import READ_WRONG, SENTENCES

from gsv.text import korean
from gsv.text.korean.numbers import native, sino, spell_numbers
from gsv.text.symbols import KOREAN_CONSONANTS, KOREAN_VOWELS, symbol_table

SOUNDS = frozenset(KOREAN_CONSONANTS + KOREAN_VOWELS)
# A recorded quirk that is matched: marks outside the table are a break.
MATCHED_QUIRKS = {"symbols outside the table become 停"}


def heard(text: str) -> str:
    """What is heard of a text, in Hangul, without blanks and marks."""
    return "".join(filter(str.isalpha, korean.pronounced(korean.normalize(text))))


def test_recorded_readings_are_met_phone_by_phone(shared: Path) -> None:
    items = json.loads((shared / "reference" / "text" / "ko.json").read_text("utf-8"))["items"]
    for item in items:
        if item.get("quirk", "") and item["quirk"] not in MATCHED_QUIRKS:
            continue
        norm_text = korean.normalize(item["text"])
        assert norm_text == item["v2"]["norm_text"]
        phones = korean.g2p(norm_text)
        assert phones == item["v2"]["phones"], item["id"]
        assert symbol_table("v2").ids(phones) == item["v2"]["ids"], item["id"]


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        *SENTENCES,
        *(
            pytest.param(*each, marks=pytest.mark.xfail(strict=True, reason="no rule tells that it is tense"))
            for each in READ_WRONG
        ),
    ],
)
def test_spoken_sentences_are_read_as_people_read_them(text: str, sound: str) -> None:
    assert heard(text) == sound.replace(" ", "")


@pytest.mark.parametrize(
    ("words", "sounds"),
    [
        # Examples of the Standard Pronunciation, by article.
        ("가져 쪄 다쳐", "가저 쩌 다처"),  # 5
        ("희망 무늬", "히망 무니"),  # 5
        ("닦다 키읔과 옷 빚다", "닥따 키윽꽈 옫 빋따"),  # 9
        ("넋이 앉다 여덟 넓다 외곬 핥다 값", "넉씨 안따 여덜 널따 외골 할따 갑"),  # 10, 14
        ("밟다 밟지 밟는 밟아", "밥따 밥찌 밤는 발바"),  # 10
        ("넓네 여덟 명", "널레 여덜 명"),  # 10
        ("닭 흙과 맑다 맑게", "닥 흑꽈 막따 말께"),  # 11
        ("놓고 좋던 쌓지 많고 않던 닳지", "노코 조턴 싸치 만코 안턴 달치"),  # 12
        ("낳은 쌓이다 많아 싫어도", "나은 싸이다 마나 시러도"),  # 12
        ("옷이 있어 꽃을 앞으로", "오시 이써 꼬츨 아프로"),  # 13
        ("디귿이 지읒이 키읔이 피읖이 히읗이", "디그시 지으시 키으기 피으비 히으시"),  # 16
        ("늦어서 끝을 끝에", "느저서 끄틀 끄테"),  # 13, not 16
        ("굳이 미닫이 밭이 벼훑이 닫혀 맏형", "구지 미다지 바치 벼훌치 다처 마텽"),  # 17
        ("먹는 국물 닫는 앞마당 값매다", "멍는 궁물 단는 암마당 감매다"),  # 18
        ("담력 침략 강릉 협력", "담녁 침냑 강능 혐녁"),  # 19
        ("난로 신라 칼날", "날로 실라 칼랄"),  # 20
        ("앉고 더듬지", "안꼬 더듬찌"),  # 24
        ("솜이불 꽃잎 서울역 열여섯 서른여덟 십육", "솜니불 꼰닙 서울력 열려섣 서른녀덜 심뉵"),  # 29
    ],
)
def test_words_follow_the_standard_pronunciation(words: str, sounds: str) -> None:
    assert [korean.pronounced(word) for word in words.split()] == sounds.split()


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("할 것을", "할 꺼슬"),
        ("갈 데가", "갈 떼가"),
        ("할 수는", "할 쑤는"),
        ("옷 한 벌", "오 탄 벌"),
        ("밥 먹고", "밤 먹꼬"),
        ("뉴스를 놓고", "뉴스를 노코"),
    ],
)
def test_sounds_change_across_blanks(text: str, sound: str) -> None:
    assert korean.pronounced(text) == sound


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ("0", "영"),
        ("10", "십"),
        ("11", "십일"),
        ("16", "십뉵"),
        ("100", "백"),
        ("110000", "십일만"),
        ("10000", "만"),
        ("12345", "만이천삼백사십오"),
        ("100000000", "일억"),
        ("100010001", "일억일만일"),
        ("20000", "이만"),
        ("1" + "0" * 30, "일" + "영" * 30),
    ],
)
def test_sino_korean_numbers(digits: str, words: str) -> None:
    assert sino(digits) == words


@pytest.mark.parametrize(("number", "words"), [(1, "한"), (3, "세"), (20, "스무"), (21, "스물한"), (99, "아흔아홉")])
def test_native_numbers(number: int, words: str) -> None:
    assert native(number) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3명", "세명"),
        ("3 명", "세 명"),
        ("100명", "백명"),
        ("101마리", "백한마리"),
        ("123개", "백이십삼개"),
        ("3개월", "삼개월"),
        ("12시 12분", "열두시 십이분"),
        ("14시", "십사시"),
        ("3시간", "세시간"),
        ("20대", "이십대"),
        ("차 3대", "차 세대"),
        ("3대 1", "삼대 일"),
        ("제3장", "제삼장"),
        ("3장", "세장"),
        ("3번", "세번"),
        ("3번 버스", "삼번 버스"),
        ("1번째 11번째", "첫번째 열한번째"),
        ("6월 10월 16일", "유월 시월 십뉵일"),
        ("007", "공공칠"),
        ("0.5", "영점오"),
        ("1,234,567원", "백이십삼만사천오백뉵십칠원"),
        ("1,2,3", "일,이,삼"),
        ("0개", "영개"),
    ],
)
def test_numbers_are_read_as_what_they_count_asks_for(text: str, words: str) -> None:
    assert spell_numbers(text) == words


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2024. 5. 10.", "2024년 5월 10일"),
        ("5/10(금)", "5월 10일(금)"),
        ("3/4", "4분의 3"),
        ("14:30:05", "14시 30분 5초"),
        ("9:00", "9시"),
        ("01012345678", "공일공, 일이삼사, 오육칠팔"),
        ("1588-1234", "일오팔팔, 일이삼사"),
        ("152-3번지", "152 다시 3번지"),
        ("10~20%", "10에서 20%"),
        ("3-5일", "3일에서 5일"),
        ("월~금", "월에서 금"),
        ("-3.5", "마이너스 3.5"),
        ("$1.5억", "1.5억달러"),
        ("100km/h", "시속 100킬로미터"),
        ("시속 100km/h로", "시속 100킬로미터로"),
        ("20㎡", "20제곱미터"),
        ("2%p", "2퍼센트포인트"),
        ("6×7=42", "6 곱하기 7은 42"),
        ("2+1 행사", "투 플러스 원 행사"),
        ("4·19", "사일구"),
        ("①②", "1、2"),
        ("㈜가나", "주식회사 가나"),
        ("ㅇㅋ", "오케이"),
        ("ㄱ자", "기역자"),
        ("ㅎㅎ", "흐흐"),
        ("각", "각"),
        ("좋아요👍🏽", "좋아요"),
        ("１２３ＡＢ％", "123AB%"),
    ],
)
def test_signs_are_written_out(text: str, written: str) -> None:
    assert korean.normalize(text) == written


def test_compound_vowels_are_two_letters_and_blanks_and_marks_stay() -> None:
    assert korean.g2p("과 의?") == ["ㄱ", "ㅗ", "ㅏ", "空", "ㅇ", "ㅡ", "ㅣ", "?"]


def test_a_text_that_ends_in_a_letter_is_closed_but_a_given_reading_is_not() -> None:
    assert korean.g2p("네") == ["ㄴ", "ㅔ", "."]
    assert korean.read_hangul("네") == ["ㄴ", "ㅔ"]


def test_a_reading_may_be_given_as_spelt_or_as_heard() -> None:
    assert korean.read_hangul("값이") == korean.read_hangul("갑씨")


def test_what_cannot_be_read_is_a_break() -> None:
    assert korean.g2p("漢 あ「」") == ["停", "空", "停", "停", "停"]


def test_a_long_text_is_read_to_its_end() -> None:
    once = korean.g2p("나는 학교에 간다. ")
    assert korean.g2p("나는 학교에 간다. " * 500) == once * 500
    assert len(korean.g2p("가" * 3000)) == 6001


def test_threads_do_not_disturb_one_another() -> None:
    texts = [text for text, _ in SENTENCES] * 5
    alone = [heard(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(heard, texts)) == alone


_SYLLABLES = st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters() | _SYLLABLES | st.sampled_from("ㄱㅏㅋ 0123.,-~:/%₩ab\n😀"), max_size=40))
def test_any_text_has_phones_that_models_know(text: str) -> None:
    phones = korean.g2p(korean.normalize(text))
    assert all(phone in symbol_table("v2") for phone in phones)


@settings(max_examples=100, deadline=None)
@given(st.text(_SYLLABLES, min_size=1, max_size=20))
def test_every_syllable_keeps_its_vowel(text: str) -> None:
    phones = korean.g2p(text)
    assert sum(phone in KOREAN_VOWELS for phone in phones) >= len(text)
