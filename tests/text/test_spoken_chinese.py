"""What people write in Mandarin is read as they say it."""

import pytest
from spoken_chinese import SENTENCES, Spoken

from gsv.text.chinese import g2p, normalize, phones_of
from gsv.text.frontend import Frontend
from gsv.text.symbols import PUNCTUATION


@pytest.mark.parametrize("spoken", SENTENCES, ids=lambda spoken: spoken.written)
def test_sentence_is_read_as_people_say_it(spoken: Spoken) -> None:
    norm_text = normalize(spoken.written)
    assert norm_text == spoken.words
    phones, _ = g2p(norm_text)
    said, _ = phones_of(spoken.words, spoken.kept or spoken.reading)
    assert [phone for phone in phones if phone not in PUNCTUATION] == said


def test_few_sentences_are_kept_as_voices_were_trained() -> None:
    assert len(SENTENCES) == 60
    assert all(spoken.kept != spoken.reading for spoken in SENTENCES)
    assert sum(bool(spoken.kept) for spoken in SENTENCES) < 10


@pytest.mark.parametrize("code", ["zh", "all_zh"])
def test_sentence_stays_whole_among_languages(code: str) -> None:
    frontend = Frontend()
    for spoken in SENTENCES:
        (reading,) = frontend.read(spoken.written, code)
        assert (reading.language, reading.norm_text.lstrip(".")) == ("zh", spoken.words)
