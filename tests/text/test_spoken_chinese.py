"""What people write in Mandarin and Cantonese is read as they say it."""

from types import ModuleType

import pytest
import spoken_cantonese
import spoken_chinese
from spoken import Spoken

from gsv.text import cantonese, chinese
from gsv.text.frontend import Frontend
from gsv.text.symbols import PUNCTUATION

SENTENCES = [
    pytest.param(language, spoken, id=f"{language.__name__}: {spoken.written}")
    for language, sentences in ((chinese, spoken_chinese.SENTENCES), (cantonese, spoken_cantonese.SENTENCES))
    for spoken in sentences
]


@pytest.mark.parametrize(("language", "spoken"), SENTENCES)
def test_sentence_is_read_as_people_say_it(language: ModuleType, spoken: Spoken) -> None:
    norm_text = language.normalize(spoken.written)
    assert norm_text == spoken.words
    phones, _ = language.g2p(norm_text)
    said, _ = language.phones_of(spoken.words, spoken.kept or spoken.reading)
    assert [phone for phone in phones if phone not in PUNCTUATION] == said


@pytest.mark.parametrize("sentences", [spoken_chinese.SENTENCES, spoken_cantonese.SENTENCES], ids=["zh", "yue"])
def test_few_sentences_are_kept_as_voices_were_trained(sentences: tuple[Spoken, ...]) -> None:
    assert len(sentences) == 60
    assert all(spoken.kept != spoken.reading for spoken in sentences)
    assert sum(bool(spoken.kept) for spoken in sentences) < 10


@pytest.mark.parametrize("language", ["zh", "yue"])
@pytest.mark.parametrize("prefix", ["", "all_"])
def test_sentence_stays_whole_among_languages(language: str, prefix: str) -> None:
    frontend = Frontend()
    for spoken in spoken_chinese.SENTENCES if language == "zh" else spoken_cantonese.SENTENCES:
        (reading,) = frontend.read(spoken.written, prefix + language)
        assert (reading.language, reading.norm_text.lstrip(".")) == (language, spoken.words)
