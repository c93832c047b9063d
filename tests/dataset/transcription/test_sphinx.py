"""PocketSphinx on true recordings: rough, but of use."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv.audio.io import load
from gsv.dataset.listing import read_list
from gsv.dataset.transcription.recogniser import RATE, Choice, Recogniser
from gsv.dataset.transcription.sphinx import load as load_sphinx

LIST = Path(__file__).parents[2] / "journeys" / "ljspeech.list"


@pytest.fixture(scope="module")
def recognise() -> Recogniser:
    return load_sphinx((), Choice("en", "large", "float32"), torch.device("cpu"))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def errors(wanted: list[str], found: list[str]) -> int:
    """Words to change, add or leave out."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(wanted, start=1):
        above, row = row, [i]
        for j, other in enumerate(found, start=1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (word != other)))
    return row[-1]


def test_two_words_of_three_are_right(recognise: Recogniser, shared: Path) -> None:
    # These clips had 14 % of their words wrong when this was written, all 32 clips 28 %.
    lines = read_list(LIST)[:4]
    clips = [load(shared / "data" / "ljspeech-mini" / line.audio, RATE) for line in lines]
    pairs = [(words(line.text), words(recognise(clip).text)) for line, clip in zip(lines, clips, strict=True)]
    assert sum(errors(*pair) for pair in pairs) < sum(len(wanted) for wanted, _ in pairs) / 3


def test_silence_is_no_word(recognise: Recogniser) -> None:
    assert recognise(np.zeros(2 * RATE, np.float32)).text == ""


def test_what_is_spoken_to_the_very_end_is_heard_whatever_the_length(recognise: Recogniser, shared: Path) -> None:
    clip = load(shared / "data" / "ljspeech-mini" / "LJ001-0002.wav", RATE)
    # The voice detector works in frames of 30 ms: whole ones, and a part of one more.
    for samples in (45 * 480, 45 * 480 + 7):
        assert len(words(recognise(clip[:samples]).text)) >= 3
