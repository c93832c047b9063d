"""Words spelt alike and said differently, by their part of speech.

The list is g2p_en's (`homographs.en`, Apache-2.0, after www.minpairs.talktalk.net): word, two pronunciations, and the
part of speech that takes the first. Words that the list lacks or has the wrong way round are set right here.
"""

from dataclasses import dataclass
from functools import lru_cache

from gsv.text.english.grammar import Context, is_verb
from gsv.text.english.homograph_rules import OWN_RULES
from gsv.text.english.lexicon import package_file, word_set


@dataclass(frozen=True)
class Homograph:
    """Two pronunciations (ARPAbet phones) and the Penn Treebank tag, or its beginning, that takes the first."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    tag: str

    def by_tag(self, tag: str) -> tuple[str, ...]:
        """The phones for a tag; one that says less than the entry's ("VB" for "VBP") takes the first too."""
        return self.first if tag.startswith(self.tag) or self.tag.startswith(tag) else self.second


def _homograph(first: str, second: str, tag: str) -> Homograph:
    return Homograph(tuple(first.split()), tuple(second.split()), tag)


@lru_cache(maxsize=1)
def table() -> dict[str, Homograph]:
    """g2p_en's homographs by lower-case word, with "read" and "complex" under tags that a tagger does give."""
    text = package_file("g2p_en", "g2p_en/homographs.en").read_text(encoding="utf-8")
    fields = (line.split("|") for line in text.splitlines() if line and not line.startswith("#"))
    entries = {word.lower(): _homograph(first, second, tag) for word, first, second, tag in fields}
    entries["read"] = _homograph("R IY1 D", "R EH1 D", "VBP")
    entries["complex"] = _homograph("K AH0 M P L EH1 K S", "K AA1 M P L EH0 K S", "JJ")
    return entries


# Homographs that g2p_en's list lacks; the first pronunciation is the verb's.
_MORE = {
    "live": _homograph("L IH1 V", "L AY1 V", "V"),
    "lives": _homograph("L IH1 V Z", "L AY1 V Z", "V"),
    "wind": _homograph("W AY1 N D", "W IH1 N D", "V"),
    "winds": _homograph("W AY1 N D Z", "W IH1 N D Z", "V"),
    "lead": _homograph("L IY1 D", "L EH1 D", "V"),
    "tear": _homograph("T EH1 R", "T IH1 R", "V"),
    "tears": _homograph("T EH1 R Z", "T IH1 R Z", "V"),
    "wound": _homograph("W AW1 N D", "W UW1 N D", "V"),
    "dove": _homograph("D OW1 V", "D AH1 V", "V"),
}
# Words whose two pronunciations stand the wrong way round in g2p_en's list.
_SWAPPED = word_set(
    """
    analyses articulate blessed certificate certificates content dogged exploit exploits fragment imprint learned
    misconduct misuse mouth object pontificate precipitate predicate rebel segment subcontract torment
    """
)
# Words that have one good pronunciation in American English, whatever their part of speech.
_ALWAYS_FIRST = word_set("closes crabbed mandate processes unused")
_ALWAYS_SECOND = word_set("closer crooked document envelope envelopes jagged process processing ragged")

# Where no word around tells, these are verbs; all others are nouns or adjectives.
_USUALLY_VERBS = word_set(
    """
    affect affects articulate collect collects combine compress confines construct convert converts converse desert
    dictate dictates elaborate implement implements impress incorporate inebriate initiate initiates insert invite
    invites pontificate produce recapped recapping refit refresh refuse regenerate rethink reject rejects resume
    separates transfer use
    """
)


def is_homograph(word: str) -> bool:
    """Whether a lower-case word has two readings here, g2p_en's list and our own additions taken together."""
    return word in table() or word in _MORE


def readings(word: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The phones of a lower-case homograph as a verb, and otherwise."""
    entry = _MORE.get(word) or table()[word]
    return (entry.second, entry.first) if word in _SWAPPED else (entry.first, entry.second)


def read_in_context(context: Context) -> tuple[str, ...]:
    """The phones of a homograph by the words around it."""
    word = context.word
    as_verb, otherwise = readings(word)
    if word in _ALWAYS_FIRST:
        return as_verb
    if word in _ALWAYS_SECOND:
        return otherwise
    own_rule = OWN_RULES.get(word)
    verb = own_rule(context) if own_rule else is_verb(context, usually=word in _USUALLY_VERBS)
    return as_verb if verb else otherwise
