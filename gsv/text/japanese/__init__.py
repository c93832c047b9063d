"""Japanese: `normalize` writes out what Open JTalk would misread, `g2p` finds phones and pitch marks.

What is read differently from other GPT-SoVITS programs, and why, is listed in docs/text-japanese.md.
"""

from gsv.text.japanese.pronounce import g2p, read_kana
from gsv.text.japanese.verbalise import normalize

__all__ = ["g2p", "normalize", "read_kana"]
