"""Sums, scores, ratios, ranges without a unit, and the signs between numbers."""

import re

from gsv.text.chinese.numbers import cardinal, number
from gsv.text.chinese.rules import MEASURE, NUM, UNIT, around, rule, signed

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹ˣʸⁿ⁻", "0123456789xyn-", strict=True))
_SUPERSCRIPT = f"[{''.join(_SUPERSCRIPTS)}]"
_OPERAND = rf"(?:-?{NUM}{_SUPERSCRIPT}*|\.[0-9]+{_SUPERSCRIPT}*|[A-Za-zα-ωΑ-Ω]{_SUPERSCRIPT}*)"
_OPERATORS = {"+": "加", "-": "减", "×": "乘", "÷": "除", "=": "等于"}
_COMPARED = {
    "±": "正负",
    "≥": "大于等于",
    "≤": "小于等于",
    "≠": "不等于",
    "≈": "约等于",
    ">": "大于",
    "<": "小于",
    "√": "根号",
    "∶": "比",
}
# Words of a match; with one of them in the clause, two numbers are its score.
_WON = (
    "战胜|[获险大完小]胜|胜(?![利任地景])|赢|[战逼打踢]平|负于|不敌|逆转|击[败溃]|[打惨惜]败|领先|落后|力克|淘汰|绝杀"
)
_CONTEST = re.compile(f"{_WON}|的胜利|比分|总分|半场|[首末一二三四五]节|[首末一二三四五六七]局|输(?![液入出送血电])")
# What might be a time of day is a score only right beside them.
_TIME_OF_DAY = re.compile("(?:[01]?[0-9]|2[0-3]):[0-5][0-9]")
_RIGHT_BEFORE = re.compile("(?:比分|总分|半场|[节局])[是为以]?$|以$")
_RIGHT_BEHIND = re.compile(f"{_WON}|的胜利|的比分|输")


@rule(rf"(?<![-0-9.:])([0-9]{{1,3}})[-:]([0-9]{{1,3}})(?![-0-9.:%℃°次倍成折遍步局场盘号楼栋室路]|{MEASURE}|{UNIT})")
def score(match: re.Match[str]) -> str:
    """3-2 and 21:15, where the clause is about a match."""
    before, after = around(match)
    if not _CONTEST.search(before) and not _CONTEST.search(after):
        return match[0]
    beside = _RIGHT_BEFORE.search(before[-4:]) or _RIGHT_BEHIND.match(after)
    if _TIME_OF_DAY.fullmatch(match[0]) and (match[2].startswith("0") or not beside):
        return match[0]
    return f"{cardinal(match[1])}比{cardinal(match[2])}"


@rule(rf"(?<![0-9:.]){NUM}(?::{NUM})+(?![0-9:.])")
def ratio(match: re.Match[str]) -> str:
    """1:5000, and whatever else is no time of day."""
    return "比".join(map(number, match[0].split(":")))


@rule(r"(?<=血压)([^0-9]{0,6})([0-9]{2,3})/([0-9]{2,3})(?![0-9])")
def blood_pressure(match: re.Match[str]) -> str:
    """血压120/80: no fraction."""
    return f"{match[1]}{cardinal(match[2])}，{cardinal(match[3])}"


# The hyphen of Wi-Fi or Python-3; one between single letters is a minus sign.
@rule(r"(?<=[A-Za-z])-(?=[A-Za-z]{2})|(?<=[A-Za-z]{2})-(?=[A-Za-z0-9])")
def hyphenated(_: re.Match[str]) -> str:
    """A hyphen within a name is not said."""
    return ""


@rule(rf"(?<![-0-9.+×÷=])({NUM})-({NUM})(?![-0-9+×÷=]|\.[0-9]|等于|得)")
def span(match: re.Match[str]) -> str:
    """3-5 is from three to five, 5-3 can only be five minus three."""
    if float(match[1]) >= float(match[2]):
        return match[0]
    # A last 2 is left to the rule for counted things, which makes it 两.
    return f"{number(match[1])}到{match[2] if match[2] == '2' else number(match[2])}"


@rule(rf"{_OPERAND}(?:[-+×÷=]{_OPERAND})+")
def arithmetic(match: re.Match[str]) -> str:
    """3+5=8; a sign after another sign belongs to the number behind it."""
    return re.sub("(?<![-+×÷=])(?<!^)[-+×÷=]", lambda sign: _OPERATORS[sign[0]], match[0])


@rule(f"[{''.join(_COMPARED)}]")
def comparison(match: re.Match[str]) -> str:
    """±5, ≥99."""
    return _COMPARED[match[0]]


@rule(rf"{_SUPERSCRIPT}+")
def power(match: re.Match[str]) -> str:
    """a²."""
    exponent = "".join(_SUPERSCRIPTS[digit] for digit in match[0])
    words = re.sub("[0-9]+", lambda digits: cardinal(digits[0]), exponent)
    return f"的{words.replace('-', '负')}次方"


@rule(r"(-?)([0-9]+)/([0-9]+)")
def fraction(match: re.Match[str]) -> str:
    """1/4."""
    return f"{'负' if match[1] else ''}{cardinal(match[3])}分之{cardinal(match[2])}"


@rule(rf"(?<![-0-9+×÷=])(-?{NUM})[-~](-?{NUM})(?![-0-9+×÷=])")
def range_of_numbers(match: re.Match[str]) -> str:
    """1~100."""
    return f"{signed(match[1])}到{signed(match[2])}"


@rule(rf"-({NUM})(?!\.[0-9])")
def negative(match: re.Match[str]) -> str:
    """-5."""
    return f"负{number(match[1])}"


@rule(r"[0-9]*\.[0-9]+")
def decimal(match: re.Match[str]) -> str:
    """3.14."""
    return number(match[0])


@rule("[0-9]+")
def whole_number(match: re.Match[str]) -> str:
    """What digits are left."""
    return cardinal(match[0])


# A dash between Chinese words is a pause, anywhere else a minus sign.
@rule("(?<![\u4e00-\u9fa5])-|-(?![\u4e00-\u9fa5])")
def minus(_: re.Match[str]) -> str:
    """Hyphens that are left."""
    return "减"
