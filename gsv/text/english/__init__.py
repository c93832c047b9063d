"""English: `normalize` turns text into words, `spoken` those into what a reader says, `g2p` that into phones.

docs/text-english.md tells the sources of its word lists, and where it reads otherwise than other GPT-SoVITS programs.
"""

from gsv.text.english.abbreviations import spoken
from gsv.text.english.pronounce import Tags, WordReading, g2p, words
from gsv.text.english.verbalise import normalize

__all__ = ["Tags", "WordReading", "g2p", "normalize", "spoken", "words"]
