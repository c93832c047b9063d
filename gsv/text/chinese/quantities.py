"""Amounts: money, temperatures, shares, things with a unit or a measure word, and ranges of them."""

import re

from gsv.text.chinese.numbers import cardinal, number
from gsv.text.chinese.rules import DEGREE, MEASURE, NUM, UNIT, around, rule, signed
from gsv.text.units import BARE_UNITS, UNITS

_CURRENCIES = {
    "HK$": "港元",
    "US$": "美元",
    "￥": "元",
    "¥": "元",
    "$": "美元",
    "€": "欧元",
    "£": "英镑",
    "₩": "韩元",
    "₽": "卢布",
    "₹": "卢比",
    "฿": "泰铢",
}
_CURRENCY = "|".join(map(re.escape, _CURRENCIES))
_POWERS = "[十百千万亿]*"
# 2 of these are 二, because they are numbered and not counted.
_NUMBERED = "月|日|号|单元|线|等|年级|手|流|座[0-9]"


@rule(rf"({_CURRENCY})({NUM})[-~](?:\1)?({NUM}{_POWERS})")
def money_range(match: re.Match[str]) -> str:
    """￥100-200."""
    return f"{number(match[2])}到{match[3]}{_CURRENCIES[match[1]]}"


@rule(rf"({_CURRENCY})({NUM}{_POWERS})(?:[元块](?!钱))?")
def money(match: re.Match[str]) -> str:
    """￥500: the currency is said behind the number."""
    return match[2] + _CURRENCIES[match[1]]


@rule(rf"({NUM}{_POWERS})({_CURRENCY}(?![0-9]))")
def money_behind(match: re.Match[str]) -> str:
    """50€."""
    return match[1] + _CURRENCIES[match[2]]


@rule(rf"(?<![0-9.])(-?{NUM})[-~](-?{NUM})(?P<degree>{DEGREE})")
def temperature_range(match: re.Match[str]) -> str:
    """-3~5℃; without a minus sign at either end 度 may be anything, as in 25-30度."""
    return f"{signed(match[1], '零下')}到{signed(match[2], '零下')}{_degree(match['degree'])}"


@rule(rf"(-?{NUM})(?P<degree>{DEGREE})")
def temperature(match: re.Match[str]) -> str:
    """-5℃."""
    return signed(match[1], "零下") + _degree(match["degree"])


def _degree(sign: str) -> str:
    if sign in ("°F", "℉"):
        return "华氏度"
    return sign if sign.endswith("氏度") else "度"


@rule(rf"(?<![0-9.])({NUM})[-~]({NUM})%")
def percentage_range(match: re.Match[str]) -> str:
    """10-20%: the sign holds for both."""
    return f"百分之{number(match[1])}到百分之{number(match[2])}"


@rule(rf"(-?)({NUM})([%‰])")
def percentage(match: re.Match[str]) -> str:
    """15.5%."""
    return f"{'负' if match[1] else ''}{'百' if match[3] == '%' else '千'}分之{number(match[2])}"


_QUANTITY = rf"-?{NUM}(?:%|{DEGREE}|{UNIT}|{MEASURE})"


@rule(rf"(?<![0-9.])({_QUANTITY})[-~](?={_QUANTITY})")
def quantity_range(match: re.Match[str]) -> str:
    """3kg-5kg."""
    return f"{match[1]}至"


@rule(rf"(?<![0-9.])({NUM})[-~]({NUM})(?={UNIT}|{MEASURE}|[米次倍遍])")
def counted_range(match: re.Match[str]) -> str:
    """40~60滴, 2-5km: the number before the sign is left without what is counted."""
    if "~" not in match[0] and float(match[1]) >= float(match[2]):
        return match[0]
    # 两到三个; with ~, published voices learnt 二.
    counts = "~" not in match[0] and not re.match(f"{_NUMBERED}|[章节班]", around(match)[1])
    return f"{'两' if match[1] == '2' and counts else number(match[1])}到{match[2]}"


@rule(rf"(?<![0-9.A-Za-z])(-?)({NUM})([百千万亿]*)({UNIT})(?:/({UNIT}))?")
def measured(match: re.Match[str]) -> str:
    """5mm, 180万km², 1g/cm³: a number and its unit."""
    words = number(match[2])
    # 两千克, but 二厘米 and 两百毫升 are said as they come.
    words = "两" if words == "二" and not match[3] else words
    rate = f"每{UNITS[match[5]]}" if match[5] else ""
    return ("负" if match[1] else "") + words + match[3] + UNITS[match[4]].replace("/", "每") + rate


@rule(rf"(?:(?<![A-Za-z])|(?=/))({'|'.join(map(re.escape, sorted(BARE_UNITS, key=len, reverse=True)))})(?![A-Za-z])")
def unit(match: re.Match[str]) -> str:
    """A unit by itself."""
    return BARE_UNITS[match[1]]


@rule(rf"(第?)([0-9]+)([多余几+]?)(?=(?P<measure>{_NUMBERED}|{MEASURE}))")
def counted(match: re.Match[str]) -> str:
    """3个, 10多岁."""
    if match["measure"] == "号" and len(match[2]) > 3:
        return match[0]  # 1203号 is on a door
    words = cardinal(match[2])
    # Two of a thing are 两; what is numbered stays 二: the second, February, unit 2.
    if words == "二" and not match[1] and not re.fullmatch(_NUMBERED, match["measure"]):
        words = "两"
    return match[1] + words + match[3].replace("+", "多")


# A slash is said where a rate follows; elsewhere it parts alternatives.
@rule(rf"/(?=(?P<rate>{MEASURE}|次|人|步|字|[0-9A-Za-z])?)")
def slash(match: re.Match[str]) -> str:
    """10元/斤 and 王五/赵六."""
    return "每" if match["rate"] else "、"
