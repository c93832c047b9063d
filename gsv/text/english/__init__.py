"""English: `normalize` turns text into spoken words, `g2p` those into phones.

docs/text-english.md tells the sources of its word lists, and where it reads otherwise than other GPT-SoVITS programs.
"""

from gsv.text.english.pronounce import Tags, WordReading, g2p, words
from gsv.text.english.verbalise import normalize

__all__ = ["Tags", "WordReading", "g2p", "normalize", "words"]
