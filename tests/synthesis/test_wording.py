"""Descriptions in words, as people write them, in Chinese and English."""

import pytest

from gsv.synthesis.manner import EMOTIONS, NATURAL
from gsv.synthesis.wording import described


@pytest.mark.parametrize(
    ("text", "emotions"),
    [
        ("happy", {"happy": 0.7}),
        ("slightly sad, and slowly", {"sad": 0.4}),
        ("Say it very happily!", {"happy": 1.0}),
        ("非常开心地说", {"happy": 1.0}),
        ("有点生气", {"angry": 0.4}),
        ("快乐", {"happy": 0.7}),
        ("特别惊讶又害怕", {"surprised": 1.0, "afraid": 1.0}),
        ("Don't be afraid, be calm", {"calm": 0.7}),
        ("not very sad but angry", {"angry": 0.7}),
        ("不开心", {}),
        ("not happy at all", {}),
        ("这件衣服多少钱", {}),
        ("Made in the evening by a sorcerer", {}),
        ("", {}),
    ],
)
def test_a_description_becomes_an_emotion(text: str, emotions: dict[str, float]) -> None:
    found = described(text)
    assert {name: value for name, value in zip(EMOTIONS, found.vector, strict=True) if value} == emotions
    assert bool(found.words) == bool(emotions) or found.prosody != NATURAL


@pytest.mark.parametrize(
    ("text", "part", "up"),
    [
        ("speak slowly", "pace", False),
        ("快速地", "pace", True),
        ("in a high voice", "pitch", True),
        ("用低沉的声音", "pitch", False),
        ("lively", "range", True),
        ("语气平淡", "range", False),
        ("大声", "energy", True),
        ("whisper it", "energy", False),
    ],
)
def test_a_description_becomes_a_melody(text: str, part: str, up: bool) -> None:
    found = getattr(described(text).prosody, part)
    natural = getattr(NATURAL, part)
    assert (found > natural) if up else (found < natural)


@pytest.mark.parametrize(
    ("text", "words", "others"),
    [
        ("Speak in a cheerful and positive tone, like a pirate.", ("cheerful",), ("positive", "pirate")),
        ("非常开心地说，像客服一样", ("开心",), ("像客服一样",)),
        ("not happy, but slow", ("slow",), ("not happy",)),
        ("very slowly", ("slowly",), ()),
        ("Wie ein Roboter", (), ("wie ein roboter",)),
    ],
)
def test_words_without_an_effect_are_kept_apart(text: str, words: tuple[str, ...], others: tuple[str, ...]) -> None:
    found = described(text)
    assert (found.words, found.others) == (words, others)


def test_what_is_not_understood_is_said_to_be_so() -> None:
    assert described("请用客服语气").words == ()
    assert described("x\0\ud800" * 1000).words == ()
