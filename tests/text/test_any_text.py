"""Whatever people type becomes phones or one clear sentence; no word is passed over in silence."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gsv.errors import TextError
from gsv.text.frontend import Frontend
from gsv.text.languages import CODES, LANGUAGES, Language, codes_of
from gsv.text.split import METHODS
from gsv.text.symbols import PAUSES, PUNCTUATION, UNKNOWN, TableName

WORDS: dict[str, set[Language]] = {
    "你好": {"zh", "yue", "ja"},
    "苹果": {"zh", "yue", "ja"},
    "window": {"en"},
    "quiet": {"en"},
    "はい": {"ja"},
    "テレビ": {"ja"},
    "나무": {"ko"},
    "그래요": {"ko"},
    "42": set(LANGUAGES["v2"]),
}
# Signs that a text may be full of, and of which some mean something to one language or another.
BETWEEN = st.sampled_from(
    ["", " ", "，", "。", ", ", "! ", "\n", "-", "…", "(", "」", "😀", "#", "%", "°", "ー", "/", "\u200d", "·"]
)
QUIET = {*PUNCTUATION, *PAUSES, UNKNOWN, "[", "]", "空", "停"}


@pytest.fixture(scope="module")
def frontends() -> dict[TableName, Frontend]:
    return {"v1": Frontend("v1"), "v2": Frontend("v2")}


def read_or_refused(frontend: Frontend, text: str, code: str) -> bool:
    """Whether the text was read; it is checked that what came out fits together."""
    try:
        readings = frontend.read(text, code)
    except TextError as error:
        assert str(error).endswith(".") and "\n" not in str(error)
        return False
    assert readings
    for reading in readings:
        assert len(reading.ids) == len(reading.phones) > 0
        if reading.word2ph is not None:
            assert len(reading.word2ph) == len(reading.norm_text)
            assert sum(reading.word2ph) == len(reading.phones)
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(max_size=40), code=st.sampled_from(sorted(CODES)))
def test_any_characters(frontends: dict[TableName, Frontend], text: str, code: str) -> None:
    read_or_refused(frontends["v2"], text, code)
    if code in codes_of("v1"):
        read_or_refused(frontends["v1"], text, code)


# What the rules of the languages look for, in any order.
SIGNS = "0123456789.,:/-+~%$€￥°²½①Ⅲαkmchsｋ１ 年月日点时元个は円人ー々그원시〇好啊“”()—…\n'’@#&_*=<>^|\\"


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(alphabet=SIGNS, max_size=30), code=st.sampled_from(sorted(CODES)))
def test_any_signs(frontends: dict[TableName, Frontend], text: str, code: str) -> None:
    read_or_refused(frontends["v2"], text, code)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(st.tuples(BETWEEN, st.sampled_from(sorted(WORDS))), min_size=1, max_size=8),
    code=st.sampled_from(sorted(CODES)),
)
def test_every_word_is_in_a_stretch_of_a_language_that_reads_it(
    frontends: dict[TableName, Frontend], words: list[tuple[str, str]], code: str
) -> None:
    text = "".join(itertools.chain.from_iterable(words))
    readings = frontends["v2"].read(text, code)
    # One after the other, each word is found in the sources, which hold all that is spoken.
    sources = "".join(reading.source for reading in readings)
    languages = [reading.language for reading in readings for _ in reading.source]
    place = 0
    for _, word in words:
        start = sources.index(word, place)
        place = start + len(word)
        assert set(languages[start:place]) <= WORDS[word]
    for reading in readings:
        if any(word in reading.source for word in WORDS):
            assert set(reading.phones) - QUIET


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    words=st.lists(st.tuples(st.sampled_from(sorted(WORDS)), BETWEEN), min_size=1, max_size=12),
    method=st.sampled_from(sorted(METHODS)),
)
def test_every_word_is_in_a_piece(
    frontends: dict[TableName, Frontend], words: list[tuple[str, str]], method: str
) -> None:
    text = "".join(itertools.chain.from_iterable(words))
    joined = "".join(frontends["v2"].pieces(text, "auto", method))
    place = 0
    for word, _ in words:
        place = joined.index(word, place) + len(word)


@pytest.mark.parametrize("code", ["zh", "en", "ja", "ko", "yue"])
def test_endless_numbers_are_read_in_groups(frontends: dict[TableName, Frontend], code: str) -> None:
    assert read_or_refused(frontends["v2"], "1" * 1000, code)
    assert read_or_refused(frontends["v2"], "1 " * 100 + "²" * 100, code)
