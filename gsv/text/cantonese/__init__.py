"""Cantonese: from raw text to phones.

`normalize` writes everything out in characters and marks, `g2p` finds the phones: jyutping, then symbols. Readings are
those of the ToJyutping package. A word's reading can be given (`given=` of `g2p`, `keep=` of `normalize`, `phones_of`
for a word by itself).
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType, ModuleType

from gsv.errors import MissingLibraryError
from gsv.text.cantonese.given import phones_of
from gsv.text.cantonese.syllables import symbols
from gsv.text.cantonese.verbalise import verbalise
from gsv.text.chinese import IDEOGRAPHS
from gsv.text.given import cut_at_words
from gsv.text.symbols import PUNCTUATION, UNKNOWN

__all__ = ["g2p", "normalize", "phones_of"]

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
_UNSPOKEN = f"[^{IDEOGRAPHS}{_MARKS}%s]+"
_NONE_GIVEN: Mapping[str, str] = MappingProxyType({})
# Numbers that ToJyutping reads otherwise than people do.
_NUMBERS = {"分之": "fan6 zi1", "两粒": "loeng5 nap1"}


def normalize(text: str, keep: str = "") -> str:
    """The text in simplified characters and the marks `! ? … , . -` alone.

    Everything else is written out in words where it can be said (numbers, dates, units, signs) and dropped where not.
    Marks may repeat: published voices were trained so.

    Args:
        text: any text.
        keep: characters that pass through as they are, so that one of Unicode's private ones can stand for a word
            whose reading is given.
    """
    unspoken = re.compile(_UNSPOKEN % re.escape(keep))
    spoken = (_MARK.sub(lambda mark: _SPOKEN_MARKS[mark[0]], clause) for clause in verbalise(text))
    return "".join(unspoken.sub("", clause) for clause in spoken)


def g2p(norm_text: str, *, given: Mapping[str, str] = _NONE_GIVEN) -> tuple[list[str], list[int]]:
    """Phones of a normalised text.

    Args:
        norm_text: what `normalize` returned.
        given: words of `norm_text` and their jyutping (`{"行長": "hong4 zoeng2"}`). They are words wherever they stand.

    Returns:
        phones: an initial and a final with tone for each syllable, one symbol for each mark.
        word2ph: how many phones each character of `norm_text` has: 1 for a mark, 2 for a character, and 4 for the few
            that are read with two syllables, such as 卅; for those of a given word what its reading says.

    Raises:
        TextError: a given reading that is used is not jyutping.
        MissingLibraryError: ToJyutping is not installed.
    """
    phones: list[str] = []
    word2ph: list[int] = []
    told = {**_NUMBERS, **given}
    for stretch in cut_at_words(norm_text, told):
        if stretch in told:
            said, counts = phones_of(stretch, told[stretch])
            phones += said
            word2ph += counts
            continue
        for character, reading in _tojyutping().get_jyutping_list(stretch):
            said = _phones(character, reading)
            phones += said
            word2ph.append(len(said))
    return phones, word2ph


def _phones(character: str, reading: str | None) -> list[str]:
    if character in PUNCTUATION:
        return [character]
    if reading is None:
        return [UNKNOWN, UNKNOWN]
    return [phone for syllable in reading.split() for phone in symbols(syllable)]


@cache
def _tojyutping() -> ModuleType:
    try:
        import ToJyutping
    except ImportError:
        raise MissingLibraryError(
            'Cantonese needs the ToJyutping package; install it with pip install "ToJyutping==3.2.0".'
        ) from None
    return ToJyutping
