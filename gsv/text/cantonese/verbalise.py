"""Writing numbers, dates, units and signs of Cantonese text out in words.

Published voices were trained with Mandarin's rules, so those are what is used, with the few exchanged that a Cantonese
listener would stumble over.
"""

import re
from dataclasses import replace

from gsv.text.chinese.numbers import digit_by_digit
from gsv.text.chinese.verbalise import RULES, Rule, land_line, money, rule
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


def _without_yao(said: Rule) -> Rule:
    """The same rule, but 1 is 一 in a telephone number too: 幺 is a Mandarin habit."""
    return replace(said, spoken=lambda match: said.spoken(match).replace("幺", "一"))


_EXCHANGED = {money: _money, land_line: _land_line}
_RULES = tuple(_without_yao(_EXCHANGED.get(each, each)) for each in RULES)


def verbalise(text: str) -> list[str]:
    """Each clause of `text` in simplified characters, its numbers, dates, units and signs written out in words."""
    return verbalise_by(text, _RULES)
