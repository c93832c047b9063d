"""From normalised English to phones, word by word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gsv.errors import InputError
from gsv.text.english import compounds, homographs, lexicon, neural
from gsv.text.english.grammar import Context
from gsv.text.english.lexicon import word_set
from gsv.text.markup import MARKS

# What a mark sounds as; every other character without a sound is dropped.
_MARKS = {".": ".", ",": ",", "?": "?", "!": "!", "-": "-", "'": "-"}
# Shorter utterances get a comma in front: the models were trained so.
_LEAST_PHONES = 4

# Web addresses, words with inner apostrophes and hyphens, and single marks: on normalised text these are the tokens of
# NLTK's TweetTokenizer, whose package takes a second to load.
_TOKEN = re.compile(
    r"[A-Za-z-]{1,63}(?:\.[A-Za-z-]{1,63}){0,4}\.(?:com|org|net|edu|gov|io|ai|co|uk|de|cn|jp|fr|ru|info|dev|app|tv|ca|au)\b"
    rf"|[A-Za-z][A-Za-z'-]+[A-Za-z]|[A-Za-z]+|[{MARKS}](?:'s\b)?|\S"
)
# The sound of a possessive or plural s after these phones.
_VOICELESS = word_set("P T K F TH HH")
_SIBILANTS = word_set("S Z SH ZH CH JH")
_ARTICLE = ("AH0",)
_CONTRACTIONS = {"'ll": ("AH0", "L"), "'ve": ("AH0", "V"), "'re": ("ER0",), "'d": ("D",), "'m": ("M",)}
_SPELT_UP_TO = 3  # letters: shorter unknown words are taken for abbreviations

# (word, Penn Treebank tag) for each homograph of g2p_en's list, in the order of the text.
Tags = Sequence[Sequence[str]]


@dataclass(frozen=True)
class WordReading:
    """How one token of the text is said, and where that comes from.

    `source`: dict, hot, letter, letters, homograph, predict, mark, `possessive+SOURCE`, `contraction+SOURCE` or
    `segment:PART(SOURCE)|PART(SOURCE)`.
    """

    token: str
    phones: tuple[str, ...]
    source: str


def _joined(parts: Sequence[str]) -> tuple[list[str], str]:
    readings = [(part, *_look_up(part)) for part in parts]
    phones = [phone for _, said, _ in readings for phone in said]
    return phones, "segment:" + "|".join(f"{part}({source})" for part, _, source in readings)


def _look_up(word: str) -> tuple[list[str], str]:
    """Phones and source of a lower-case word, the surest source first."""
    known = lexicon.pronounce(word) if len(word) > 1 else None
    if known is not None:
        return known, "hot" if word in lexicon.HOT_WORDS else "dict"
    if "." in word:
        parts = word.replace(".", " dot ").split()
        return _joined(parts)
    if "-" in word:
        return _joined([part for part in word.split("-") if part])
    if len(word) <= _SPELT_UP_TO or lexicon.is_spelt(word):
        return lexicon.spell(word), "letters"
    stem, apostrophe, ending = word.rpartition("'")
    if ending == "s":
        phones, source = _look_up(stem)
        return [*phones, *_s_after(phones[-1])], f"possessive+{source}"
    if apostrophe + ending in _CONTRACTIONS:
        phones, source = _look_up(stem)
        return [*phones, *_CONTRACTIONS[apostrophe + ending]], f"contraction+{source}"
    letters = word.replace("'", "")
    parts_found = compounds.parts(letters)
    if parts_found:
        return _joined(parts_found)
    return list(neural.predict(letters)), "predict"


def _s_after(phone: str) -> list[str]:
    if phone in _SIBILANTS:
        return ["AH0", "Z"]
    return ["S"] if phone in _VOICELESS else ["Z"]


def _readings(norm_text: str, tags: Tags | None, told: Mapping[str, Sequence[str]]) -> Iterator[WordReading]:
    tokens = _TOKEN.findall(norm_text)
    given = iter(tags or ())
    for index, token in enumerate(tokens):
        word = token.lower()
        if token[0] in told:
            phones = told[token[0]]
            yield WordReading(token, (*phones, *(_s_after(phones[-1]) if token.endswith("'s") else ())), "given")
        elif not re.search("[a-z]", word):
            yield WordReading(token, tuple(_MARKS[token]) if token in _MARKS else (), "mark")
        elif len(word) == 1:
            article = word == "a" and token.islower()
            yield WordReading(token, _ARTICLE if article else tuple(lexicon.spell(word)), "letter")
        elif tags is not None and word in homographs.table():
            tagged, tag = next(given, ("", ""))
            if tagged != token:
                raise InputError(f"The tags given must name every homograph in turn: {token!r} is due, not {tagged!r}.")
            yield WordReading(token, homographs.table()[word].by_tag(tag), "homograph")
        elif tags is None and homographs.is_homograph(word):
            yield WordReading(token, homographs.read_in_context(Context.of(tokens, index)), "homograph")
        else:
            said, source = _look_up(word)
            yield WordReading(token, tuple(said), source)


def words(norm_text: str, tags: Tags | None = None) -> list[WordReading]:
    """How each word of a normalised text is said; marks are left out.

    `tags` as in `g2p`.
    """
    return [reading for reading in _readings(norm_text, tags, {}) if reading.source != "mark"]


def g2p(
    norm_text: str, tags: Tags | None = None, *, given: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> list[str]:
    """The phones of a normalised text: ARPAbet with stress digits, and the marks `. , ? ! -`.

    Homographs ("record", "read") are told apart by the words around them. With `tags`, pairs of word and Penn Treebank
    tag for every homograph of g2p_en's list in the order of the text, the tags decide and nothing is guessed.
    `given` has the phones of characters that stand for words (`gsv.text.markup`). Raises
    InputError for tags that do not fit the text.
    """
    phones = [phone for reading in _readings(norm_text, tags, given) for phone in reading.phones]
    return phones if len(phones) >= _LEAST_PHONES else [",", *phones]
