"""Numbers that name something and count nothing: telephones, rooms, versions."""

import re

from gsv.text.chinese.numbers import cardinal, digit_by_digit
from gsv.text.chinese.rules import MEASURE, around, rule

# What stands before or behind a number that is dialled, typed or written on a door.
_NAMING_BEFORE = re.compile("(?:[号码房编室拨打机型证]|电话|热线|邮箱|密钥)[是为]?$")
_NAMING_AFTER = re.compile("[号室房路]|次?列车|次?航班|电话|热线|客服|开头")


@rule(
    r"(?<![0-9])(?:0[0-9]{2,3}-[1-9][0-9]{6,7}(?:-[0-9]{1,5})?|400-?[0-9]{3}-?[0-9]{4}|1[0-9]{2}-[0-9]{4}-[0-9]{4}"
    r"|(?:\+?86-?)?1(?:[38][0-9]|5[0-35-9]|7[678]|9[89])(?:[0-9]{8}|-[0-9]{4}-[0-9]{4}))(?![0-9])"
)
def telephone(match: re.Match[str]) -> str:
    """Telephone numbers with and without hyphens, which are pauses."""
    return "，".join(digit_by_digit(part, telephone=True) for part in match[0].lstrip("+").split("-"))


@rule(r"(?<![-0-9.+×÷=])[0-9]{2,}(?:-[0-9]{2,}){2,}(?![-0-9.+×÷=]|等于)|(?<![-0-9.])[0-9]{3}-[0-9]{7,8}(?![-0-9.])")
def grouped_digits(match: re.Match[str]) -> str:
    """Other long numbers in groups: 852-2345-6789."""
    return "，".join(digit_by_digit(part, telephone=True) for part in match[0].split("-"))


@rule(rf"(?<![0-9.])(?:0(?:10|2[1-3]|[3-9][0-9]{{2}}))?[1-9][0-9]{{6,7}}(?![0-9.]|{MEASURE})")
def land_line(match: re.Match[str]) -> str:
    """Seven or eight digits that count nothing, with or without an area code."""
    return digit_by_digit(match[0], telephone=True)


@rule(r"(?<![0-9])(\.?)([0-9]{17,})")
def endless(match: re.Match[str]) -> str:
    """More digits than anybody counts; said at once, so that no other rule has to look through them again and again."""
    point = "点" if match[1] else ""
    return point + digit_by_digit(match[2], telephone=not point)


@rule(r"[0-9]+(?:\.[0-9]+){2,}")
def version(match: re.Match[str]) -> str:
    """10.0.2: the first number may have two digits, the others are read digit by digit."""
    first, *others = match[0].split(".")
    return "点".join([cardinal(first) if len(first) < 3 else digit_by_digit(first), *map(digit_by_digit, others)])


@rule("[0-9]{3,}")
def code(match: re.Match[str]) -> str:
    """A long number with nothing to count: digit by digit, unless it is round, as in 满300减50 or 世界500强."""
    round_number = re.fullmatch("[1-9][0-9]{0,2}00|[1-9]0+", match[0])
    before, after = around(match)
    if round_number and not _NAMING_BEFORE.search(before[-3:]) and not _NAMING_AFTER.match(after):
        return cardinal(match[0])
    return digit_by_digit(match[0], telephone=True)
