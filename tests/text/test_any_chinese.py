"""Whatever Mandarin or Cantonese is given, each character of what is spoken has phones, and no ideograph is lost."""

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_cantonese import SENTENCES as CANTONESE
from spoken_chinese import SENTENCES as MANDARIN

from gsv.text import cantonese, chinese
from gsv.text.symbols import symbol_table

BOTH = pytest.mark.parametrize("language", [chinese, cantonese], ids=["Mandarin", "Cantonese"])
IDEOGRAPHS = st.one_of(
    st.characters(min_codepoint=0x3400, max_codepoint=0x4DBF),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(min_codepoint=0x20000, max_codepoint=0x2A6DF),
    st.just("〇"),
)


@BOTH
@settings(deadline=None)
@given(text=st.text(max_size=40))
def test_any_text_has_phones_for_each_character(language: ModuleType, text: str) -> None:
    norm_text = language.normalize(text)
    phones, word2ph = language.g2p(norm_text)
    assert len(word2ph) == len(norm_text)
    assert sum(word2ph) == len(phones)
    table = symbol_table("v2")
    assert all(phone in table for phone in phones)


@BOTH
@settings(deadline=None)
@given(text=st.text(IDEOGRAPHS, max_size=20))
def test_no_ideograph_is_lost(language: ModuleType, text: str) -> None:
    assert len(language.normalize(text)) == len(text)


@BOTH
@settings(deadline=None)
@given(text=st.text("0123456789.-~/:%+=×^²年月日点度元个km,，。 （）￥$比分胜血压一二万后楼单", max_size=25))
def test_no_number_is_lost(language: ModuleType, text: str) -> None:
    digits = sum(character in "0123456789" for character in text)
    norm_text = language.normalize(text)
    assert not any(character.isascii() and character.isalnum() for character in norm_text)
    assert not digits or norm_text


@BOTH
@pytest.mark.parametrize(
    "unit", ["1", "1.", "1-2", "1:", ",000", "²", "1^2", "血压12/", "儿", "￥1", "1 ", "12-", "a²"]
)
def test_endless_text_is_read(language: ModuleType, unit: str) -> None:
    text = "1" + unit * 20_000
    assert language.normalize(text)


@pytest.mark.parametrize(("language", "spoken"), [(chinese, MANDARIN), (cantonese, CANTONESE)])
def test_threads_read_what_one_reads(language: ModuleType, spoken: tuple) -> None:
    def read(text: str) -> tuple[list[str], list[int]]:
        return language.g2p(language.normalize(text))

    texts = [sentence.written for sentence in spoken]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, texts * 2)) == [read(text) for text in texts] * 2
