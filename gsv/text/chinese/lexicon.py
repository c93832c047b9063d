"""Word lists of Mandarin, all taken from the `misaki` package at run time.

misaki (Apache-2.0) carries the Mandarin front end of PaddleSpeech (Apache-2.0), from which GPT-SoVITS has its lists
too. The two classes that hold them are not instantiated: one loads a large pinyin dictionary into pypinyin and would
change every reading. Their lists are plain set literals, so they are read from the source files.
"""

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from gsv.errors import MissingLibraryError

# misaki has a later edition of PaddleSpeech's list of neutral-tone words. Published voices learnt the earlier edition,
# which had the first six words and lacked the other three.
_EARLIER_ONLY = frozenset({"不在", "学生", "情形", "打点", "老太", "老头"})
_LATER_ONLY = frozenset({"别人", "将军", "戏弄"})


@dataclass(frozen=True)
class Lexicon:
    """Words that the sandhi rules treat by name.

    neutral: words whose last syllable is unstressed.
    not_neutral: words that look like a rule for unstressed syllables, but are exceptions.
    erhua: words whose last syllable 儿 always melts into the one before.
    not_erhua: words in which 儿 is a syllable of its own.
    """

    neutral: frozenset[str]
    not_neutral: frozenset[str]
    erhua: frozenset[str]
    not_erhua: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The lists, read once.

    Raises:
        MissingLibraryError: misaki is not installed, or is an edition that keeps its lists elsewhere.
    """
    sandhi = _sets_in("misaki.tone_sandhi")
    frontend = _sets_in("misaki.zh_frontend")
    try:
        return Lexicon(
            neutral=(sandhi["must_neural_tone_words"] | _EARLIER_ONLY) - _LATER_ONLY,
            not_neutral=sandhi["must_not_neural_tone_words"],
            erhua=frontend["must_erhua"],
            not_erhua=frontend["not_erhua"],
        )
    except KeyError as missing:
        raise MissingLibraryError(
            f'This misaki has no word list {missing}; install the edition gsv knows with pip install "misaki==0.9.4".'
        ) from None


def _sets_in(module: str) -> dict[str, frozenset[str]]:
    """Every `self.NAME = {...}` of a module's source whose elements are plain strings."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise MissingLibraryError('Mandarin needs the misaki package; install it with pip install "misaki==0.9.4".')
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    return {
        target.attr: frozenset(ast.literal_eval(node.value))
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Set)
        for target in node.targets
        if isinstance(target, ast.Attribute)
    }
