"""The phone symbols a model knows, and their ids.

A model's first layer is a table with one row for each symbol, so the order is part of the checkpoint format. There are
two tables: `v1` (322 symbols: Mandarin, Japanese, English) and `v2` (732: the same, then Japanese pitch marks, Korean
and Cantonese), used by every model after the first. An id is a position in the table.

The order follows from how the tables came to be: a sorted set, to which later languages were appended, each sorted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PAD = "_"
UNKNOWN = "UNK"
PUNCTUATION = ("!", "?", "…", ",", ".", "-")
PAUSES = ("SP", "SP2", "SP3")

MANDARIN_INITIALS = _names("AA EE OO b p m f d t n l g k h j q x zh ch sh r z c s y w")
# E and En are the finals of ye and yan; i0 follows z c s, ir follows zh ch sh r; v is ü.
MANDARIN_FINALS = _names(
    "a ai an ang ao e ei en eng er E En i i0 ir ia ian iang iao ie in ing iong iu "
    "o ong ou u ua uai uan uang ui un uo v van ve vn"
)
MANDARIN_TONES = "12345"

ARPABET_CONSONANTS = _names("B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH")
ARPABET_VOWELS = _names("AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW")
ARPABET_STRESSES = "012"
ARPABET_UNSTRESSED = ("ER", "IH")

JAPANESE_VOWELS = _names("a i u e o I U")  # I and U are devoiced
JAPANESE_CONSONANTS = _names("k s sh t ts ch n h f m y r w g z j d b p v ky ny hy my ry gy by py dy")
JAPANESE_MORAIC = ("N", "cl")
JAPANESE_PITCH = ("[", "]")  # rise, fall

KOREAN_CONSONANTS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
KOREAN_VOWELS = "ㅏㅐㅓㅔㅗㅜㅡㅣ"
KOREAN_BREAKS = "空停"  # a blank, anything that cannot be read

# Every Cantonese symbol carries the prefix Y, which keeps it apart from the Mandarin ones.
CANTONESE_PREFIX = "Y"
CANTONESE_INITIALS = _names("b p m f d t n l g k ng gw kw w h z c s j")
# Syllables without a consonant in front are cut inside their final, so some finals stand for an initial ...
CANTONESE_VOCALIC_INITIALS = _names("a aa ai ak au e o oi ok on ou uk")
# ... and some single letters for a final.
CANTONESE_REMAINDERS = _names("g k m n p t")
CANTONESE_FINALS = {
    "aa": ["", "i", "u", "m", "n", "ng", "p", "t", "k"],
    "a": ["", "i", "u", "m", "n", "ng", "p", "t", "k"],
    "e": ["", "i", "ng", "k"],
    "i": ["", "u", "m", "n", "ng", "p", "t", "k"],
    "o": ["", "i", "u", "n", "ng", "t", "k"],
    "u": ["", "i", "n", "ng", "t", "k"],
    "oe": ["", "ng", "k"],
    "eo": ["i", "n", "t"],
    "yu": ["", "n", "t"],
}
CANTONESE_TONES = "123456"

TableName = Literal["v1", "v2"]


@dataclass(frozen=True)
class SymbolTable:
    """An ordered set of phone symbols; the id of a symbol is its position in `names`."""

    names: tuple[str, ...]
    _positions: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_positions", {name: position for position, name in enumerate(self.names)})

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, phone: object) -> bool:
        return phone in self._positions

    def known(self, phones: Iterable[str]) -> list[str]:
        """The same phones, with those that are not in the table replaced by `UNK`."""
        return [phone if phone in self._positions else UNKNOWN for phone in phones]

    def ids(self, phones: Iterable[str]) -> list[int]:
        """Ids of `phones`, in order; a phone that is not in the table gets the id of `UNK`."""
        unknown = self._positions[UNKNOWN]
        return [self._positions.get(phone, unknown) for phone in phones]


def _common() -> list[str]:
    symbols = {PAD, UNKNOWN, *PUNCTUATION, *PAUSES}
    symbols.update(MANDARIN_INITIALS)
    symbols.update(final + tone for final in MANDARIN_FINALS for tone in MANDARIN_TONES)
    symbols.update(ARPABET_CONSONANTS, ARPABET_UNSTRESSED)
    symbols.update(vowel + stress for vowel in ARPABET_VOWELS for stress in ARPABET_STRESSES)
    symbols.update(JAPANESE_VOWELS, JAPANESE_CONSONANTS, JAPANESE_MORAIC)
    return sorted(symbols)


def _cantonese() -> list[str]:
    finals = {vowel + coda for vowel, codas in CANTONESE_FINALS.items() for coda in codas}
    symbols = {*CANTONESE_INITIALS, *CANTONESE_VOCALIC_INITIALS}
    symbols.update(final + tone for final in finals.union(CANTONESE_REMAINDERS) for tone in CANTONESE_TONES)
    return sorted(CANTONESE_PREFIX + symbol for symbol in symbols)


@cache
def symbol_table(name: TableName) -> SymbolTable:
    """The table `v1` (322 symbols) or `v2` (732, the first 322 of them those of v1)."""
    if name == "v1":
        return SymbolTable(tuple(_common()))
    korean = sorted(KOREAN_CONSONANTS + KOREAN_VOWELS + KOREAN_BREAKS)
    return SymbolTable((*_common(), *JAPANESE_PITCH, *korean, *_cantonese()))
