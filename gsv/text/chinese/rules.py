"""What the rules of writing out share: the rule itself, and patterns of numbers and of what is counted."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from misaki.zh_normalization.num import COM_QUANTIFIERS

from gsv.text.chinese.numbers import number
from gsv.text.units import UNITS

NUM = r"[0-9]+(?:\.[0-9]+)?"
# Measure words: misaki's, and those it lacks.
MEASURE = f"(?:{COM_QUANTIFIERS}|[处台架枚趟幅平方堵间床株批项例列篇栋注亩倍遍]|次(?!列车|快车|航班|[方元]))"
UNIT = f"(?:{'|'.join(map(re.escape, sorted(UNITS, key=len, reverse=True)))})(?![A-Za-z0-9²³])"
DEGREE = "°C|℃|°F|℉|°(?![A-Za-z])|度|摄氏度|华氏度"


@dataclass(frozen=True)
class Rule:
    """One kind of thing that is written otherwise than said; a call replaces each of them in a clause."""

    pattern: re.Pattern[str]
    spoken: Callable[[re.Match[str]], str]

    def __call__(self, clause: str) -> str:
        """The clause with each match as spoken."""
        return self.pattern.sub(self.spoken, clause)


def rule(pattern: str) -> Callable[[Callable[[re.Match[str]], str]], Rule]:
    """Make a rule of a function that says what `pattern` matched."""
    return lambda spoken: Rule(re.compile(pattern), spoken)


# How far around a match a rule looks: words that say what a number is stand near it.
_NEAR = 40


def around(match: re.Match[str], reach: int = _NEAR) -> tuple[str, str]:
    """What stands before and behind a match, at most `reach` characters of each."""
    start, end = match.span()
    return match.string[max(0, start - reach) : start], match.string[end : end + reach]


def signed(text: str, minus: str = "负") -> str:
    """A number that may have a minus sign, in words."""
    return (minus if text.startswith("-") else "") + number(text.lstrip("-"))
