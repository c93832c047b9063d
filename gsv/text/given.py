"""Words whose reading somebody has given: finding them in a text, and sharing their phones out over their characters.

Used by the languages whose models want to know how many phones each character has (Mandarin, Cantonese).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise


def cut_at_words(text: str, words: Iterable[str]) -> Iterator[str]:
    """The text cut before and after each of `words`, of which the longest that fits wins; nothing is left out."""
    longest_first = sorted(filter(None, words), key=len, reverse=True)
    if not longest_first:
        yield from filter(None, [text])
        return
    yield from filter(None, re.split(f"({'|'.join(map(re.escape, longest_first))})", text))


def phones_of_characters(phones_of_syllables: Sequence[Sequence[str]], characters: int) -> list[int]:
    """How many phones each of a word's characters has, when its syllables are shared out over them evenly.

    One syllable for each character is the common case; a word may also be said with more or fewer.
    """
    borders = [round(index * len(phones_of_syllables) / characters) for index in range(characters + 1)]
    return [sum(map(len, phones_of_syllables[start:stop])) for start, stop in pairwise(borders)]
