"""What people write in Mandarin or Cantonese, and how a reader says it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spoken:
    """A sentence.

    written: as people write it.
    words: as said, in words.
    reading: its pinyin, with the tones as spoken (5 is neutral), or jyutping.
    kept: what gsv says instead, where published voices were trained so.
    """

    written: str
    words: str
    reading: str
    kept: str = ""
