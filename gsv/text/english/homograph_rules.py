"""Homographs that the general rule of grammar.py does not do justice to, each with a rule of its own.

A rule takes the word in its context and gives a Penn Treebank tag.
"""

from collections.abc import Callable

from gsv.text.english import grammar
from gsv.text.english.grammar import Context
from gsv.text.english.lexicon import word_set


def _read(context: Context) -> str:
    previous = context.previous(skip_adverbs=False)
    opener = grammar.verbal_opener(context)
    if grammar.is_participle(context) or previous in ("well", "widely", "best", "most"):
        return "VBN"
    if context.previous() in ("i", "you", "we", "they", "who") or opener is None:
        asked = set(context.before[:3]) & _ASKING
        past = not asked and (grammar.singular_subject(context) or bool(_PAST_TIMES & set(context.text)))
        return "VBD" if past and context.previous() else "VBP"
    if grammar.singular_subject(context) and not opener:
        return "VBD"
    return "VB"


_ASKING = word_set("do don't will can could would should")
_PAST_TIMES = word_set(
    """
    yesterday ago last earlier was were had did didn't once before when previously finally
    """
)


def _close(context: Context) -> str:
    if context.next == "to" and context.previous() != "to":
        return "JJ"
    return "VB" if grammar.is_verb(context, usually=False) else "JJ"


def _complex(context: Context) -> str:
    previous = context.previous()
    noun = previous in ("the", "this", "a", "an") and (
        not context.after or context.next in ("of", "in", "was", "is", "has", "and")
    )
    return "NN" if noun else "JJ"


def _content(context: Context) -> str:
    return "JJ" if grammar.is_participle(context) or context.next == "to" or context.next == "with" else "NN"


def _used(context: Context) -> str:
    """ "used to" for habit is said with an S; the participle and the past of "use" with a Z, whatever a tagger calls them."""
    if context.next != "to":
        return "VBN"
    passive = grammar.is_participle(context) and context.previous() not in ("get", "got", "getting", "become", "became")
    thing_follows = len(context.after) > 1 and (context.after[1] in _THINGS or context.after[1].endswith("ing"))
    return "VBN" if passive and not thing_follows else "VBD"


_THINGS = word_set(
    """
    a an the this that these those my your his her its our their it him them me us you being having
    """
)


def _upset(context: Context) -> str:
    return (
        "NN" if context.previous() in ("an", "the", "major", "big", "biggest", "stomach") and not context.next else "VB"
    )


def _adjectival(context: Context) -> str:
    """For forms in -ed: the adjective before a noun keeps its extra syllable ("a learned man"), the verb does not."""
    return (
        "JJ"
        if context.before[:1] and context.before[0] in ("a", "the", "his", "her", "their", "this", "with")
        else "VBD"
    )


def _live(context: Context) -> str:
    if context.previous() in _AIRS or context.next in _SHOWS or grammar.verbal_opener(context) is False:
        return "JJ"
    return "VB"


_AIRS = word_set(
    """
    broadcast perform performed performing play played playing sing sang stream streamed streaming go goes going
    went air aired come coming watch watching air recorded appear appeared
    """
)
_SHOWS = word_set(
    """
    music show shows stream streams broadcast broadcasts audience audiences performance performances concert
    concerts wire wires coverage event events tv television chat band bands album recording updates ammunition
    """
)


def _lives(context: Context) -> str:
    opener = grammar.verbal_opener(context)
    if opener is None:
        return "NNS" if context.previous() in ("save", "saved", "saves", "lost", "risk", "cost", "and", "") else "VBZ"
    return "VBZ" if opener else "NNS"


def _winds(context: Context) -> str:
    return "VBZ" if context.next in ("through", "along", "around", "up", "down", "its") else "NNS"


def _lead(context: Context) -> str:
    metal = context.next in _METAL_THINGS or context.previous(skip_adverbs=False) in (
        "of",
        "with",
        "molten",
        "toxic",
        "like",
    )
    return "NN" if metal and grammar.verbal_opener(context) is not True else "VB"


_METAL_THINGS = word_set(
    """
    pipe pipes paint paints poisoning mine mines acid bullet bullets weight weights shot glass crystal pencil
    pencils free based levels exposure solder battery batteries dust lined and
    """
) - {"and"}


def _wound(context: Context) -> str:
    turned = context.next in ("up", "around", "round", "through", "down", "tightly", "its") and not context.before[
        :1
    ] == ("the",)
    return "VBD" if turned else "NN"


def _dove(context: Context) -> str:
    into = context.next in ("into", "in", "for", "off", "under", "down", "headfirst", "deep", "beneath")
    return "VBD" if into and context.previous() not in ("a", "the", "white", "turtle") else "NN"


# Words that the general rule does not do justice to.
OWN_RULES: dict[str, Callable[[Context], str]] = {
    "read": _read,
    "close": _close,
    "complex": _complex,
    "content": _content,
    "used": _used,
    "upset": _upset,
    "learned": _adjectival,
    "blessed": _adjectival,
    "dogged": _adjectival,
    "live": _live,
    "lives": _lives,
    "winds": _winds,
    "lead": _lead,
    "wound": _wound,
    "dove": _dove,
}
