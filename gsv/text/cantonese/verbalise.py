"""Writing numbers, dates, units and signs of Cantonese text out in words.

Published voices were trained with Mandarin's rules, so those are what is used, with the few exchanged that a Cantonese
listener would stumble over.
"""

import re
from dataclasses import replace

from gsv.text.chinese.codes import land_line
from gsv.text.chinese.numbers import cardinal, digit_by_digit
from gsv.text.chinese.quantities import counted, money
from gsv.text.chinese.rules import Rule, rule
from gsv.text.chinese.verbalise import RULES
from gsv.text.chinese.verbalise import verbalise as verbalise_by

_NUM = r"[0-9]+(?:\.[0-9]+)?"
# In Hong Kong a dollar sign means its own dollars.
_CURRENCIES = {"￥": "元", "¥": "元", "HK$": "元", "US$": "美元", "$": "元"}


@rule(rf"(HK\$|US\$|[￥¥$])({_NUM}[百千万亿]*)")
def _money(match: re.Match[str]) -> str:
    return match[2] + _CURRENCIES[match[1]]


# Eight digits are a telephone number in Hong Kong, whatever stands behind them; only an amount of money is not.
@rule(r"(?<![0-9.])[1-9][0-9]{6,7}(?![0-9.]|元|蚊|块|美元)")
def _land_line(match: re.Match[str]) -> str:
    return digit_by_digit(match[0])


# Cantonese measure words that Mandarin's list lacks.
@rule("([0-9]+)([多几]?)(?=[蚊嚿樽碌餸])")
def _counted(match: re.Match[str]) -> str:
    words = cardinal(match[1])
    return ("两" if words == "二" else words) + match[2]


def _without_yao(said: Rule) -> Rule:
    """The same rule, but 1 is 一 in a telephone number too: 幺 is a Mandarin habit."""
    return replace(said, spoken=lambda match: said.spoken(match).replace("幺", "一"))


_EXCHANGED = {money: (_money,), land_line: (_land_line,), counted: (_counted, counted)}
_RULES = tuple(_without_yao(said) for each in RULES for said in _EXCHANGED.get(each, (each,)))


def verbalise(text: str) -> list[str]:
    """Each clause of `text` in simplified characters, its numbers, dates, units and signs written out in words."""
    return verbalise_by(text, _RULES)
