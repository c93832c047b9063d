"""What every speech recogniser takes and gives."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from gsv.audio.io import Samples

# All recognisers hear mono at this rate.
RATE = 16000

# The languages that a list can be in; a recogniser may detect others.
LIST_LANGUAGES = ("zh", "en", "ja", "ko", "yue")

_CJK = "[\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef]"
_SPACE_WITHIN_CJK = re.compile(f"(?<={_CJK})\\s+(?={_CJK})")


@dataclass(frozen=True)
class Choice:
    """What to recognise with: a language ("auto" where the recogniser detects it), a model size, a precision."""

    language: str
    size: str
    precision: str


@dataclass(frozen=True)
class Heard:
    """What a clip says: one line of text, empty if there is no speech in it, and the language it was taken for."""

    text: str
    language: str


# Takes samples [T] in [-1, 1] at RATE.
Recogniser = Callable[[Samples], Heard]


def one_line(text: str) -> str:
    """The text without line breaks, and without the blanks that joining pieces leaves between Chinese characters."""
    return _SPACE_WITHIN_CJK.sub("", " ".join(text.split()))
