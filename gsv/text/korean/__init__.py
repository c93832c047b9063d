"""Korean: `normalize` writes signs and units out in words, `g2p` applies the rules of pronunciation.

What is read differently from other GPT-SoVITS programs, and why, is listed in docs/text-korean.md.
"""

from gsv.text.korean.pronounce import g2p, pronounced, read_hangul
from gsv.text.korean.verbalise import normalize

__all__ = ["g2p", "normalize", "pronounced", "read_hangul"]
