"""Korean: text as spoken, numbers, sounds and phones."""

import unicodedata

import pytest
from spoken_korean import SENTENCES

from gsv.text import korean


def heard(text: str) -> str:
    """What is heard of a text, in Hangul, without blanks and marks."""
    return "".join(filter(str.isalpha, korean.pronounced(korean.normalize(text))))


@pytest.mark.parametrize(("text", "sound"), SENTENCES)
def test_spoken_sentences_are_read_as_people_read_them(text: str, sound: str) -> None:
    assert heard(text) == sound.replace(" ", "")
