"""What the stages and the checks of input say, in the language of a page.

They speak English, to terminals and log files too. `sentences/LANGUAGE.json` has English sentences, with `{}` for what
differs and `{#}` for numbers, and what they are in that language, where `{0}` is the first of these. A sentence that is
not there stays English; an argument that it begins with always does, because scripts know it by that name.
"""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "sentences"
_PLACES = {"{}": "(.*?)", "{#}": r"(-?[\d.]+)"}
_PLACE = re.compile("|".join(map(re.escape, _PLACES)))
_ARGUMENT = re.compile(r"(\w+: )(.+)", re.DOTALL)
_BETWEEN = (", ", "; ")


class Saying:
    """Sentences of one language by the English ones."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        # Those with most of their own words first: what is general would take the place of what is special.
        longest = sorted(sentences, key=lambda english: len(_PLACE.sub("", english)), reverse=True)
        self._known = [(_pattern(english), sentences[english]) for english in longest]

    def __call__(self, text: str) -> str:
        """The text in that language, as far as it is known there."""
        return "\n".join(self._said(line) or line for line in text.split("\n"))

    def _said(self, text: str) -> str | None:
        for pattern, other in self._known:
            found = pattern.fullmatch(text)
            if found:
                return other.format(*(self._said(part) or part for part in found.groups()))
        argument = _ARGUMENT.fullmatch(text)
        rest = argument and self._said(argument[2])
        if argument and rest:
            return argument[1] + rest
        for mark in _BETWEEN:
            if mark in text:
                parts = [self._said(part) for part in text.split(mark)]
                if all(parts):
                    return mark.join(part for part in parts if part)
        return None


@lru_cache
def saying_of(language: str) -> Saying:
    """The sentences of that language; none where there is no file of them."""
    path = FOLDER / f"{language}.json"
    return Saying(json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {})


def _pattern(english: str) -> "re.Pattern[str]":
    pieces = _PLACE.split(english)
    places = [_PLACES[place] for place in _PLACE.findall(english)]
    parts = [re.escape(pieces[0])]
    for place, piece in zip(places, pieces[1:], strict=True):
        parts += [place, re.escape(piece)]
    return re.compile("".join(parts), re.DOTALL)
