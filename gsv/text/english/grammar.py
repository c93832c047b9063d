"""Telling the part of speech of one word from the words around it, by rule.

A full tagger needs a trained model, which no light package brings along. The question here is narrower: is this word,
known to be a noun or adjective as well as a verb, used as a verb? The words next to it mostly tell. Where they do not, the
word's usual role decides.

What these rules do not know: open word classes, beyond a few common adjectives and endings; anything across a mark, apart
from the words of time for "read"; inverted and elliptic sentences; and meaning, so a pair that is the same part of speech
both times ("a tear in the cloth", "a tear in her eye") gets its commoner sound.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gsv.text.english.lexicon import word_set

_DETERMINERS = word_set(
    """
    a an the this these those my your his her its our their some any no every each another whose what both all
    either neither such one two three four five six seven eight nine ten eleven twelve twenty thirty hundred
    thousand million many few several most more less much enough first second third last next other same own
    only new old good bad great big small large little high low long short best worst better recent major main
    full free real whole public world annual daily former early late current final total possible strong heavy
    huge young right wrong key rare
    """
)
_OBJECT_STARTS = word_set(
    """
    a an the this these those my your his her its our their me you him it us them myself yourself himself
    herself itself ourselves themselves each every another everything something anything nothing everyone
    someone anyone
    """
)
_PREPOSITIONS = word_set(
    """
    of in on at by for with from about into onto over under after before between during without through against
    per as than within across behind beyond off upon via despite near toward towards including versus
    """
)
_SUBJECTS = word_set("i you we they who")
_THIRD_PERSONS = word_set("he she it who which that this everyone everybody someone nobody one")
_MODALS = word_set(
    """
    will would can could shall should may might must do does did cannot can't won't don't doesn't didn't
    couldn't wouldn't shouldn't mustn't shan't needn't let's lets please i'll you'll he'll she'll it'll we'll
    they'll i'd you'd he'd she'd we'd they'd gonna wanna gotta
    """
)
_HAVE = word_set(
    """
    have has had having i've you've we've they've haven't hasn't hadn't who've could've would've should've
    """
)
_BE = word_set(
    """
    am is are was were be been being i'm you're he's she's it's we're they're that's there's isn't aren't wasn't
    weren't ain't get gets got getting become becomes became feel feels felt seem seems seemed look looks looked
    stay stays stayed keep keeps kept remain remains remained
    """
)
# Before a bare verb these take an object first: "let them record".
_CAUSATIVES = word_set(
    """
    let lets make makes made help helps helped see sees saw hear hears heard watch watches watched
    """
)
_OBJECTS = word_set("me you him her it us them")
_ADVERBS = word_set(
    """
    not never always often also just still even ever usually sometimes rarely seldom already soon now then first
    again better further once all both only almost nearly very too so quite rather really more most
    """
)
_CONJUNCTIONS = word_set("and or but nor then")
# "due to record demand": here "to" is a preposition.
_BEFORE_PREPOSITION_TO = word_set("due close next according thanks prior similar equal addition response contrary")
_NOT_PLURAL = word_set("is was has does this its his us as yes always perhaps across plus thus")
_ADJECTIVE = re.compile(r"(?:al|ive|ous|ic|able|ible|ful|less|ary|ish|ern|est)$")
_VERB_FORM = re.compile(r"(?:ing|[^e]ed)$")


@dataclass(frozen=True)
class Context:
    """A word with the rest of its clause (up to the next mark on either side) and of the whole text, all in lower case."""

    word: str
    before: tuple[str, ...]  # the nearest first
    after: tuple[str, ...]  # the nearest first
    text: tuple[str, ...]

    @classmethod
    def of(cls, tokens: Sequence[str], index: int) -> "Context":
        """The context of `tokens[index]`; tokens without letters are marks."""
        lower = tuple(token.lower() for token in tokens)
        before, after = [], []
        for token in reversed(lower[:index]):
            if not token[-1].isalpha():
                break
            before.append(token)
        for token in lower[index + 1 :]:
            if not token[0].isalpha():
                break
            after.append(token)
        return cls(lower[index], tuple(before), tuple(after), lower)

    def previous(self, skip_adverbs: bool = True) -> str:
        """The word before, looking past adverbs; "" at the start of the clause."""
        for word in self.before:
            if not skip_adverbs or not (
                word in _ADVERBS or (word.endswith("ly") and word not in ("only", "family", "early"))
            ):
                return word
        return ""

    @property
    def next(self) -> str:
        """The word after; "" at the end of the clause."""
        return self.after[0] if self.after else ""


def _plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and word not in _NOT_PLURAL


def _noun_opener(word: str) -> bool:
    """Whether a word is followed by nouns and adjectives, not by a verb."""
    return (
        word in _DETERMINERS
        or word in _PREPOSITIONS
        or word.endswith(("'s", "s'"))
        or bool(_ADJECTIVE.search(word) or _VERB_FORM.search(word))
    )


def verbal_opener(context: Context) -> bool | None:
    """Whether the words before call for a verb (True), rule one out (False) or leave it open (None)."""
    word, previous = context.word, context.previous()
    second = context.before[context.before.index(previous) + 1 :] if previous else ()
    before_that = second[0] if second else ""
    s_form = _plural(word)
    if context.before and context.before[0] in _DETERMINERS - _ADVERBS and previous not in _MODALS:
        return False
    if previous == "to":
        return before_that not in _BEFORE_PREPOSITION_TO and not s_form
    if previous in _MODALS:
        return True
    if previous in _SUBJECTS:
        return not s_form or previous == "who"
    if previous in _OBJECTS and previous != "her" and before_that in _CAUSATIVES:
        return True
    if any(helper in _MODALS for helper in second[:1]) and (previous in _SUBJECTS or previous in _THIRD_PERSONS):
        return True
    if s_form and previous in _THIRD_PERSONS - {"this", "one"}:
        return True
    if previous in _BE or previous in _HAVE or previous in _OBJECTS or _noun_opener(previous):
        return False
    if previous in ("that", "which", "there", "here"):
        return s_form and previous != "there"
    return None


def is_verb(context: Context, usually: bool) -> bool:
    """Whether a word that is either a verb in its base or -s form or else a noun or adjective is the verb here.

    `usually` says what the word is where nothing tells.
    """
    opener = verbal_opener(context)
    if opener is not None:
        return opener
    takes_object = context.next in _OBJECT_STARTS
    previous = context.previous()
    if previous in _CONJUNCTIONS:
        rest = context.before[context.before.index(previous) + 1 :]
        if "to" in rest[1:3] or any(word in _MODALS for word in rest[1:3]):
            return True
        return takes_object or usually
    if not previous:
        return takes_object or usually
    if _plural(context.word):
        return takes_object or usually
    if _plural(previous):  # "farmers produce rice"; a lone singular noun never stands before a base form
        return takes_object or usually
    return False


def is_participle(context: Context) -> bool:
    """Whether an auxiliary before the word makes it a past participle ("have read", "was used")."""
    previous = context.previous()
    if previous in _HAVE or previous in _BE:
        return True
    # "Have you read it?"
    rest = context.before[context.before.index(previous) + 1 :] if previous else ()
    asked = previous in _SUBJECTS or previous in _THIRD_PERSONS
    return asked and bool(rest) and (rest[0] in _HAVE)


def singular_subject(context: Context) -> bool:
    """Whether the subject before asks for an -s in the present, so that a form without it is the past ("She read")."""
    previous = context.previous()
    return bool(previous) and (
        previous in _THIRD_PERSONS
        or not (previous in _SUBJECTS or previous in _CONJUNCTIONS or _plural(previous) or _noun_opener(previous))
    )
