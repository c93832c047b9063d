"""Dates and times of day, and spans of them."""

import re

from gsv.text.chinese.numbers import cardinal, digit_by_digit, number
from gsv.text.chinese.rules import around, rule

_CLOCK = r"([01]?[0-9]|2[0-3]|24(?=:00)):([0-5][0-9])(?::([0-5][0-9]))?(?![0-9])"
# Around these a number of years is a duration: 过去10年, 50年前.
_LASTING = re.compile("(?:过去|[这过近了用约超长达整经第满]|最近|已有|已经)$")
_LASTED = re.compile("[以之]?[前后来内间多]|的?历史|的?经验")


@rule(r"(?<![0-9])([0-9]{4})[-~]([0-9]{4})(?=年|学年)")
def span_of_years(match: re.Match[str]) -> str:
    """2020-2021年: both are years, read digit by digit."""
    return f"{digit_by_digit(match[1])}到{digit_by_digit(match[2])}"


@rule(
    r"(?<![0-9])(?P<year>[0-9]{4}|[0-9]{2}(?!年代))年(?!级)(?:(?P<month>0?[1-9]|1[0-2])月)?"
    r"(?:(?P<day>0?[1-9]|[12][0-9]|30|31)(?P<sign>[日号]))?"
)
def date(match: re.Match[str]) -> str:
    """2024年5月1日: the year digit by digit."""
    month = f"{cardinal(match['month'])}月" if match["month"] else ""
    day = cardinal(match["day"]) + match["sign"] if match["day"] else ""
    return f"{_year(match)}年{month}{day}"


def _year(match: re.Match[str]) -> str:
    year = match["year"]
    before, after = around(match)
    lasts = bool(_LASTING.search(before[-2:])) or bool(_LASTED.match(after))
    # Of two digits, 98 and 05 are years; 10 or 30 years are more often a duration.
    counted = len(year) == 2 and year[0] != "0" and (year < "50" or lasts)
    # 2000年的历史
    counted |= year.endswith("00") and after.startswith(("的历史", "历史"))
    return cardinal(year) if counted and not match["month"] else digit_by_digit(year)


@rule(r"(?<![0-9])([0-9]{4})([-/.])(0?[1-9]|1[0-2])\2([12][0-9]|3[01]|0?[1-9])(?![0-9])")
def numeric_date(match: re.Match[str]) -> str:
    """2023-05-06, also with slashes, dots or single digits."""
    return f"{digit_by_digit(match[1])}年{cardinal(match[3])}月{cardinal(match[4])}日"


@rule("(?<![0-9])([0-9][05])(?=后(?![面来天年]))")
def generation(match: re.Match[str]) -> str:
    """90后: those born in the nineties."""
    return digit_by_digit(match[1])


def _clock(hour: str, minute: str, second: str | None, half: bool = True) -> str:
    words = f"{_hour(hour)}点"
    second = None if second == "00" else second
    if minute == "30" and half and not second:
        words += "半"
    elif minute != "00":
        words += f"{_with_leading_zero(minute)}分"
    return words + (f"{_with_leading_zero(second)}秒" if second else "")


def _hour(digits: str) -> str:
    words = cardinal(digits)
    return "两" if words == "二" else words


def _with_leading_zero(two_digits: str) -> str:
    return ("零" if two_digits.startswith("0") else "") + cardinal(two_digits)


@rule(rf"(?<![0-9]){_CLOCK}[~-]{_CLOCK}")
def time_range(match: re.Match[str]) -> str:
    """8:30-12:15."""
    # The end says 半 only together with the start; 三十分 is right in any case.
    start = _clock(match[1], match[2], match[3])
    return f"{start}至{_clock(match[4], match[5], match[6], half=match[2] == '30')}"


@rule(rf"(?<![0-9]){_CLOCK}")
def time(match: re.Match[str]) -> str:
    """8:30."""
    return _clock(match[1], match[2], match[3])


@rule("(?<![0-9.第])0?2(?=点(?![0-9])|点[0-5]?[0-9]分)")
def two_o_clock(_: re.Match[str]) -> str:
    """2点半 is 两点半, while 2点5 is a decimal."""
    return "两"


@rule("(?<=[点时])0([1-9])(?=分)")
def early_minute(match: re.Match[str]) -> str:
    """8点05分: the zero is said."""
    return f"零{cardinal(match[1])}"


@rule(r"([0-9]{1,3})['′]([0-5]?[0-9](?:\.[0-9]+)?)[\"″]")
def stopwatch(match: re.Match[str]) -> str:
    """10'20": minutes and seconds."""
    return f"{cardinal(match[1])}分{number(match[2])}秒"


@rule("(?<=[年月日号点分秒])[-~](?=[0-9零一二三四五六七八九十])")
def span_of_time(_: re.Match[str]) -> str:
    """3月-5月."""
    return "至"
