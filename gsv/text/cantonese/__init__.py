"""Cantonese: from raw text to phones.

`normalize` writes everything out in characters and marks, `g2p` finds the phones: jyutping, then symbols. Readings are
those of the ToJyutping package.
"""

import re
from functools import cache
from types import ModuleType

from gsv.errors import MissingLibraryError
from gsv.text.cantonese.syllables import phones as phones_of
from gsv.text.cantonese.verbalise import verbalise
from gsv.text.symbols import PUNCTUATION, UNKNOWN

_SPOKEN_MARKS = {
    "：": ",",
    "；": ",",
    "，": ",",
    "·": ",",
    "、": ",",
    "。": ".",
    "\n": ".",
    "$": ".",
    "！": "!",
    "？": "?",
    "...": "…",
    "—": "-",
    "～": "-",
    "~": "-",
}
_MARK = re.compile("|".join(map(re.escape, _SPOKEN_MARKS)))
_MARKS = re.escape("".join(PUNCTUATION))
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
_UNSPOKEN = re.compile(f"[^{_IDEOGRAPHS}{_MARKS}]+")


def normalize(text: str) -> str:
    """The text in simplified characters and the marks `! ? … , . -` alone.

    Everything else is written out in words where it can be said (numbers, dates, units, signs) and dropped where not.
    Marks may repeat: published voices were trained so.
    """
    spoken = (_MARK.sub(lambda mark: _SPOKEN_MARKS[mark[0]], clause) for clause in verbalise(text))
    return "".join(_UNSPOKEN.sub("", clause) for clause in spoken)


def g2p(norm_text: str) -> tuple[list[str], list[int]]:
    """Phones of a normalised text.

    Args:
        norm_text: what `normalize` returned.

    Returns:
        phones: an initial and a final with tone for each syllable, one symbol for each mark.
        word2ph: how many phones each character of `norm_text` has: 1 for a mark, 2 for a character, and 4 for the few
            that are read with two syllables, such as 卅.

    Raises:
        MissingLibraryError: ToJyutping is not installed.
    """
    phones: list[str] = []
    word2ph: list[int] = []
    for character, reading in _tojyutping().get_jyutping_list(norm_text):
        said = _phones(character, reading)
        phones += said
        word2ph.append(len(said))
    return phones, word2ph


def _phones(character: str, reading: str | None) -> list[str]:
    if character in PUNCTUATION:
        return [character]
    if reading is None:
        return [UNKNOWN, UNKNOWN]
    return [phone for syllable in reading.split() for phone in phones_of(syllable)]


@cache
def _tojyutping() -> ModuleType:
    try:
        import ToJyutping
    except ImportError:
        raise MissingLibraryError(
            'Cantonese needs the ToJyutping package; install it with pip install "ToJyutping==3.2.0".'
        ) from None
    return ToJyutping
