"""Telling the part of speech of one word from the words around it, by rule.

A full tagger needs a trained model, which no light package brings along. The question here is narrower: is this word,
known to be a noun or adjective as well as a verb, used as a verb? The words next to it mostly tell. Where they do not,
the word's usual role decides.

What these rules do not know: open word classes, beyond a few common adjectives and endings; anything across a mark,
apart from the words of time for "read"; elliptic and poetic sentences; and meaning, so a pair that is the same part of
speech both times ("a tear in the cloth", "a tear in her eye") gets its commoner sound.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gsv.text.english.lexicon import word_set

# Words that nouns follow, common adjectives included.
_DETERMINERS = word_set(
    """
    a an the this these those my your his her its our their some any no every each another whose what all either
    neither such one two three four five six seven eight nine ten eleven twelve twenty thirty hundred thousand
    million many few several more less much enough next other same own new old good bad great big small large little
    high low long short best worst better recent major main full free real whole public world annual daily former
    early late current final total possible strong heavy huge young right wrong key rare
    """
)
_PREPOSITIONS = word_set(
    """
    of in on at by for with from about into onto over under after before between during without through against per
    as than within across behind beyond off upon via despite near toward towards including versus
    """
)
# Words that the object of a verb starts with.
_OBJECT_STARTS = word_set(
    """
    a an the this these those my your his her its our their me you him it us them myself yourself himself herself
    itself ourselves themselves each every another everything something anything nothing everyone someone anyone
    """
)
_PLURAL_SUBJECTS = word_set("i you we they who")
_SINGULAR_SUBJECTS = word_set("he she it who which that everyone everybody someone nobody")
_OBJECTS = word_set("me you him it us them")
_MODALS = word_set(
    """
    will would can could shall should may might must do does did cannot can't won't don't doesn't didn't couldn't
    wouldn't shouldn't mustn't shan't needn't let's lets please i'll you'll he'll she'll it'll we'll they'll i'd
    you'd he'd she'd we'd they'd gonna wanna gotta
    """
)
_HAVE = word_set(
    "have has had having i've you've we've they've haven't hasn't hadn't who've could've would've should've"
)
_BE = word_set(
    """
    am is are was were be been being i'm you're he's she's it's we're they're that's there's isn't aren't wasn't
    weren't ain't get gets got getting become becomes became feel feels felt seem seems seemed look looks looked
    stay stays stayed keep keeps kept remain remains remained
    """
)
# After these an object and then a bare verb follow: "let them record".
_CAUSATIVES = word_set("let lets make makes made help helps helped see sees saw hear hears heard watch watches watched")
_ASKING = word_set("do does did don't doesn't didn't will would can could should won't can't")
_QUESTION_WORDS = word_set("who what when where why how and but so which")
_DEMONSTRATIVES = word_set("this that these those")
_CONJUNCTIONS = word_set("and or but nor then")
_ADVERBS = word_set(
    """
    not never always often also just still even ever usually sometimes rarely seldom already soon now then again
    both only almost nearly very too so quite rather really more most
    """
)
_NO_ADVERBS = word_set("only family early supply apply reply fly rely july")
# "due to record demand": here "to" is a preposition.
_BEFORE_PREPOSITION_TO = word_set("due close next according thanks prior similar equal addition response contrary")
_IRREGULAR_PLURALS = word_set("people police men women children")
# Plurals that stand before a noun: "the sports record".
_PLURAL_MODIFIERS = word_set("sports news sales arms rights savings systems customs games goods human")
_NO_PLURALS = word_set("is was has does this its his us as yes always perhaps across plus thus")
_ADJECTIVE = re.compile(r"(?:al|ive|ous|ic|able|ible|ful|less|ary|ish|ern|est)$")
_VERB_FORM = re.compile(r"(?:ing|[^e]ed)$")


@dataclass(frozen=True)
class Context:
    """A word with the rest of its clause, up to the next mark on either side, and the whole text; all in lower case."""

    word: str
    before: tuple[str, ...]  # the nearest first
    after: tuple[str, ...]  # the nearest first
    text: tuple[str, ...]

    @classmethod
    def of(cls, tokens: Sequence[str], index: int) -> "Context":
        """The context of `tokens[index]`; tokens without letters are marks."""
        text = tuple(token.lower() for token in tokens)
        return cls(text[index], _clause(text[:index][::-1]), _clause(text[index + 1 :]), text)

    def before_skipping_adverbs(self) -> tuple[str, ...]:
        """The words before, the nearest first, from the first one that is no adverb."""
        for position, word in enumerate(self.before):
            if not (word in _ADVERBS or (word.endswith("ly") and word not in _NO_ADVERBS)):
                return self.before[position:]
        return ()

    def previous(self, skip_adverbs: bool = True) -> str:
        """The word before, or "" at the start of the clause."""
        words = self.before_skipping_adverbs() if skip_adverbs else self.before
        return words[0] if words else ""

    @property
    def next(self) -> str:
        """The word after, or "" at the end of the clause."""
        return self.after[0] if self.after else ""


def _clause(words: Sequence[str]) -> tuple[str, ...]:
    end = next((position for position, word in enumerate(words) if not word[0].isalpha()), len(words))
    return tuple(words[:end])


def _is_plural(word: str) -> bool:
    if word in _IRREGULAR_PLURALS:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and word not in _NO_PLURALS


def _opens_noun(word: str) -> bool:
    """Whether nouns and adjectives follow a word rather than a verb."""
    return (
        word in _DETERMINERS
        or word in _PREPOSITIONS
        or word.endswith("'s")
        or bool(_ADJECTIVE.search(word) or _VERB_FORM.search(word))
    )


def is_asked(context: Context) -> bool:
    """Whether the word stands in a question after its modal and subject ("Did you read")."""
    words = context.before_skipping_adverbs()
    pronoun = bool(words) and words[0] in _PLURAL_SUBJECTS | _SINGULAR_SUBJECTS | _DEMONSTRATIVES
    asking = next((position for position, word in enumerate(words[1:5], 1) if word in _ASKING), 0)
    opened = asking and all(word in _QUESTION_WORDS for word in words[asking + 1 :])
    return bool(opened) and (pronoun or (asking > 1 and not _opens_noun(words[0])))


def follows_auxiliary(context: Context) -> bool:
    """Whether a form of have or be precedes, perhaps with the subject of a question between ("Have you read")."""
    words = context.before_skipping_adverbs()
    if not words:
        return False
    asked = len(words) > 1 and words[0] in _PLURAL_SUBJECTS | _SINGULAR_SUBJECTS and words[1] in _HAVE
    return asked or words[0] in _HAVE or words[0] in _BE


def singular_subject(context: Context) -> bool:
    """Whether the subject before asks for an -s in the present, so that a form without it is the past ("She read")."""
    previous = context.previous()
    if not previous or previous in _PLURAL_SUBJECTS or previous in _CONJUNCTIONS:
        return False
    return previous in _SINGULAR_SUBJECTS or not (_is_plural(previous) or _opens_noun(previous))


def verb_expected(context: Context) -> bool | None:
    """Whether the words before call for a verb (True), rule one out (False) or leave it open (None)."""
    words = (*context.before_skipping_adverbs(), "", "")
    previous, one_before = words[0], words[1]
    s_form = _is_plural(context.word)
    if previous in _MODALS or is_asked(context):
        return True
    if context.previous(skip_adverbs=False) in _DETERMINERS:
        return False
    if previous == "to":
        return one_before not in _BEFORE_PREPOSITION_TO and not s_form
    if previous in _OBJECTS and one_before in _CAUSATIVES:
        return True
    if s_form:
        if previous in _SINGULAR_SUBJECTS:
            return True
    elif previous in _PLURAL_SUBJECTS:
        return True
    if previous in _BE or previous in _HAVE or previous in _OBJECTS or previous == "that" or _opens_noun(previous):
        return False
    return None


def is_verb(context: Context, usually: bool) -> bool:
    """Whether a word that may be a verb in its base or -s form is one here.

    `usually` says what the word is where nothing tells.
    """
    expected = verb_expected(context)
    if expected is not None:
        return expected
    words = (*context.before_skipping_adverbs(), "", "", "")
    if words[0] in _CONJUNCTIONS and (words[2] == "to" or words[2] in _MODALS):  # "to buy and use"
        return True
    if words[0] and words[0] not in _CONJUNCTIONS and not _is_plural(context.word):
        # A base form follows plural nouns ("farmers produce"), never a lone singular one ("the world record").
        return _is_plural(words[0]) and words[0] not in _PLURAL_MODIFIERS
    return usually or context.next in _OBJECT_STARTS
