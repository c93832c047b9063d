"""Homographs that the general rule of grammar.py does not do justice to, each with a rule of its own.

A rule takes the word in its context and says whether it is the verb.
"""

import re
from collections.abc import Callable

from gsv.text.english.grammar import (
    Context,
    follows_auxiliary,
    is_asked,
    is_verb,
    singular_subject,
    verb_expected,
)
from gsv.text.english.lexicon import word_set

_PAST_TIMES = word_set("yesterday ago last earlier was were had did didn't previously finally sat took went came")
_PRESENT_TIMES = word_set("every always often usually sometimes daily whenever")
_SUBJECTS = word_set("i you we they who")
_READ_ADVERBS = word_set("well widely best most being")
_BECOMING = word_set("get gets got getting become becomes became")
_THINGS = word_set(
    """
    a an the this that these those my your his her its our their it him them me us you being having
    """
)
_AIRING = word_set(
    """
    broadcast perform performs performed performing play plays played playing sing sang stream streamed streaming go
    goes going went air aired come coming watch watched watching recorded appear appeared
    """
)
_SHOWS = word_set(
    """
    music show shows stream streams broadcast broadcasts audience audiences performance performances concert
    concerts wire wires coverage event events tv television chat band bands album recording updates ammunition
    """
)
_DWELLING = word_set("in there here alone with near at by next")
_SPARED = word_set("save saves saved saving lost risk risked cost costs and")
_LEAD_THINGS = word_set(
    """
    pipe pipes paint paints poisoning mine mines acid bullet bullets weight weights shot glass crystal pencil
    pencils free based levels exposure solder battery batteries dust lined
    """
)
_TURNS = word_set("up around round through down along tightly its")
_DIVES = word_set("into in for off under down headfirst deep beneath")


def _read(context: Context) -> bool:
    """Whether "read" rhymes with "reed": in the present and the base form, but not in the past."""
    if follows_auxiliary(context) or context.previous(skip_adverbs=False) in _READ_ADVERBS:
        return False
    subject = context.previous() in _SUBJECTS and not is_asked(context)
    if not subject and verb_expected(context) is not None:
        return True
    if singular_subject(context):
        return False
    words = set(context.text)
    past = _PAST_TIMES & words or any(re.search(r"[^aeiou]ed$", word) for word in words - {context.word})
    return bool(not context.previous() or _PRESENT_TIMES & words or not past)


def _close(context: Context) -> bool:
    return not (context.next == "to" and context.previous() != "to") and is_verb(context, usually=False)


def _complex(context: Context) -> bool:
    """Whether "complex" is the adjective; a noun ends its phrase."""
    return bool(context.after) and context.next not in ("of", "in", "was", "is", "has", "and")


def _content(context: Context) -> bool:
    """Whether "content" is the verb or the adjective that sounds like it."""
    return follows_auxiliary(context) or context.next in ("to", "with") or verb_expected(context) is True


def _used(context: Context) -> bool:
    """Whether "used" has its Z, as the past and the participle of "use"; the habit ("used to") has an S."""
    if context.next != "to":
        return True
    passive = follows_auxiliary(context) and context.previous() not in _BECOMING
    thing_follows = len(context.after) > 1 and (context.after[1] in _THINGS or context.after[1].endswith("ing"))
    return passive and not thing_follows


def _upset(context: Context) -> bool:
    return not (context.previous() in ("an", "the", "stomach", "major", "big", "biggest") and not context.next)


def _past(context: Context) -> bool:
    """Whether a form in -ed is the verb; as an adjective before a noun it has a syllable more ("a learned man")."""
    return not (context.after and context.previous(skip_adverbs=False) in _THINGS)


def _live(context: Context) -> bool:
    if context.previous() in _AIRING or context.next in _SHOWS:
        return False
    return verb_expected(context) is not False


def _lives(context: Context) -> bool:
    expected = verb_expected(context)
    if expected is not None and not (context.next in _DWELLING and context.previous() not in _THINGS):
        return expected
    return context.previous() not in _SPARED and context.previous() != ""


def _winds(context: Context) -> bool:
    return context.next in _TURNS


def _lead(context: Context) -> bool:
    """Whether "lead" is anything but the metal."""
    if verb_expected(context) is True:
        return True
    return context.next not in _LEAD_THINGS and context.previous(skip_adverbs=False) not in ("of", "molten", "toxic")


def _wound(context: Context) -> bool:
    """Whether "wound" is the past of "to wind"."""
    return context.next in _TURNS and context.previous() not in _THINGS - {"it", "them", "you"}


def _dove(context: Context) -> bool:
    """Whether "dove" is the past of "to dive"."""
    return context.next in _DIVES and context.previous() not in ("a", "the", "white", "turtle")


OWN_RULES: dict[str, Callable[[Context], bool]] = {
    "read": _read,
    "close": _close,
    "complex": _complex,
    "content": _content,
    "used": _used,
    "upset": _upset,
    "learned": _past,
    "blessed": _past,
    "dogged": _past,
    "live": _live,
    "lives": _lives,
    "winds": _winds,
    "lead": _lead,
    "wound": _wound,
    "dove": _dove,
}
