"""Markup gives a word its reading and a pause its length, wherever a text is cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.errors import TextError
from gsv.text import markup, split
from gsv.text.frontend import Frontend

LIVE = '<phoneme ph="L AY1 V">live</phoneme>'


def said(text: str, language: str) -> list[tuple[str, str, str]]:
    return [(each.language, each.norm_text, " ".join(each.phones)) for each in Frontend().read(text, language)]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        (f"They {LIVE} near.", "en", [("en", "They live near.", "DH EY1 L AY1 V N IH1 R .")]),
        (
            'It is <phoneme ph="JH IH1 F">GIF</phoneme>\'s.',
            "en",
            [("en", "It is GIF's.", "IH1 T IH1 Z JH IH1 F S .")],
        ),
        (
            '他<phoneme ph="chong2 qing4">重庆</phoneme>人。',
            "zh",
            [("zh", "他重庆人.", "t a1 ch ong2 q ing4 r en2 .")],
        ),
        (
            '我用<phoneme ph="S IY1 K W AH0 L">SQL</phoneme>。',
            "zh",
            [("zh", "我用", "w o3 y ong4"), ("en", "SQL.", "S IY1 K W AH0 L .")],
        ),
        (
            'I like <phoneme ph="chong2 qing4">重庆</phoneme> best.',
            "en",
            [
                ("en", "I like ", "AY1 L AY1 K"),
                ("zh", "重庆 ", "ch ong2 q ing4"),
                ("en", "best.", "B EH1 S T ."),
            ],
        ),
    ],
)
def test_a_word_is_read_as_told(text: str, language: str, expected: list[tuple[str, str, str]]) -> None:
    got = said(text, language)
    assert [(each[0], each[1].strip(), each[2]) for each in got] == [
        (each[0], each[1].strip(), each[2]) for each in expected
    ]


@pytest.mark.parametrize(
    ("text", "language", "phones"),
    [
        ('行長<phoneme ph="hou2">好</phoneme>。', "yue", "Yh You2 ."),
        ('きょうは<phoneme ph="あ">東</phoneme>。', "ja", "a ."),
        ('나는 <phoneme ph="갑">값</phoneme>.', "ko", "ㄱ ㅏ ㅂ ."),
    ],
)
def test_readings_are_written_as_each_language_does(text: str, language: str, phones: str) -> None:
    (reading,) = Frontend().read(text, language)
    assert " ".join(reading.phones).endswith(phones)


def test_each_character_of_a_given_word_has_its_phones() -> None:
    (reading,) = Frontend().read(
        '去<phoneme ph="hua1r5">花儿</phoneme>，<phoneme ph="ao4 te4 man4">奥曼</phoneme>。', "zh"
    )
    assert reading.norm_text == "去花儿,奥曼."
    assert reading.word2ph is not None and len(reading.word2ph) == len(reading.norm_text)
    assert sum(reading.word2ph) == len(reading.phones)
    assert reading.source == "去花儿，奥曼。"


def test_only_the_marked_word_is_read_as_told() -> None:
    (reading,) = Frontend().read('<phoneme ph="chong2">重</phoneme>要，重要。', "zh")
    assert " ".join(reading.phones) == "ch ong2 y ao4 , zh ong4 y ao4 ."


@pytest.mark.parametrize(
    "text", ["a < b", "<b>bold</b> text", "a <breakfast> b", "I <3 it", "x <- y", "<speak>yes</speak>"]
)
def test_any_other_sign_is_text(text: str) -> None:
    assert markup.parse(text).parts == (markup.Part(text, None),)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<phoneme>x</phoneme>", "'<phoneme>'"),
        ('<phoneme ph="AA1">x', "'<phoneme ph="),
        ("x</phoneme>", "'</phoneme>'"),
        ('<break time="5"/>', "<break time="),
        ("<break>", "'<break>'"),
        ('<break time="99s"/>', "too long"),
        ('<phoneme alphabet="ipa" ph="x">x</phoneme>', "'<phoneme alphabet="),
        ("<break", "'<break there"),
    ],
)
def test_markup_that_is_not_written_right_gets_one_sentence(text: str, named: str) -> None:
    with pytest.raises(TextError, match=re.escape(named)) as error:
        split.pieces(f"Hello {text} there.", "en")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("reading", "language", "right"),
    [
        ("x y", "en", "ARPAbet"),
        ("AA", "en", "stress digit"),
        ("chong", "zh", "tone digit"),
        ("zoeng", "yue", "jyutping"),
    ],
)
def test_a_reading_in_no_notation_gets_one_sentence(reading: str, language: str, right: str) -> None:
    word = "live" if language == "en" else "行"
    with pytest.raises(TextError, match=right):
        Frontend().read(f'<phoneme ph="{reading}">{word}</phoneme>', language)


def test_a_reading_for_a_language_that_the_model_does_not_speak_is_refused() -> None:
    with pytest.raises(TextError, match="Korean"):
        Frontend("v1").read('去<phoneme ph="갑">值</phoneme>吧。', "zh")


@pytest.mark.parametrize("method", sorted(split.METHODS))
def test_no_way_of_cutting_cuts_inside_markup_or_loses_any(method: str) -> None:
    word = '<phoneme ph="L AY1 V">a, b. c? d。e</phoneme>'
    end = '<break time="1s"/>' * 2
    text = f'<break time="0.2s"/>One, two. {word}! Three; four.<break time="500ms"/> Five: {word}{end}'
    pieces = split.pieces(text, "en", method)
    assert sum(piece.count(word) for piece in pieces) == 2
    assert [markup.pauses(piece) for piece in pieces if "<break" in piece] == [
        *([(0.2, 0.5)] if len(pieces) == 2 else [(0.2, None), (0, 0.5)]),
        (0, 2.0),
    ]


def test_a_pause_between_texts_without_words_is_not_lost() -> None:
    pieces = split.pieces('Hello.<break time="1s"/>, <break time="500ms"/>Bye now.', "en")
    assert pieces == ['Hello.<break time="1500ms"/>', "Bye now."]


def test_pauses_alone_have_nothing_to_say() -> None:
    with pytest.raises(TextError, match="nothing that can be spoken"):
        split.pieces('<break time="1s"/>', "en")


@given(st.lists(st.sampled_from(['<break time="1s"/>', LIVE, "<", "word", ", ", ". ", "\U000f0000", "<break", "/>"])))
def test_any_mixture_is_cut_or_refused_with_one_sentence(parts: list[str]) -> None:
    text = "".join(parts)
    try:
        pieces = split.pieces(text, "en")
    except TextError as error:
        assert "\n" not in str(error)
    else:
        assert "".join(pieces).count(LIVE) == text.count(LIVE)


def test_markup_that_comes_in_bits_is_waited_for() -> None:
    assert markup.is_open('One <phoneme ph="AA1">a! ')
    assert markup.is_open('One <break time="1.')
    assert not markup.is_open(f"One {LIVE}. 1 < 2!")
    assert markup.without(f'<break time="1s"/>We {LIVE}.') == " We live."
