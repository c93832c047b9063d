"""Dates, times of day and decades."""

import re
from datetime import date

from gsv.text.english.counting import cardinal, ordinal, words

Match = re.Match[str]

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(MONTHS)
# Whole names by short ones.
MONTH = {month[:3]: month for month in MONTHS} | {month: month for month in MONTHS} | {"Sept": "September"}

# 2024-03-15, 2024/3/15, 2024.03.15
YEAR_FIRST = r"(?<![\w./-])(1\d{3}|20\d{2})([-/.])(\d{1,2})\2(\d{1,2})(?![\w/-]|\.\d)"
# 12/25/2024, 25.12.2024, 25-12-2024
YEAR_LAST = r"(?<![\w./-])(\d{1,2})([-/.])(\d{1,2})\2((?:1\d|20)\d{2}|\d{2})(?![\w/-]|\.\d)"
DAY_FIRST = rf"(?<![\w.,:$-])(\d{{1,2}}) (?=(?:{_MONTH})\b)"
TIME = (
    r"(?<![\w:.])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\d:]|\.\d)"
    r"(?:\s?([AaPp])(?:\.[Mm]\.|[Mm]\b\.?)(?P<mark>(?=[,;:]))?)?"
)
HOUR = r"(?<![\w:.])(\d{1,2})\s?([AaPp])(?:\.[Mm]\.|[Mm]\b\.?)(?P<mark>(?=[,;:]))?"
DECADE = r"(?<![\w.,])(1\d|20)(\d)0'?s\b"
_OF_DECADES = ("the ", "early ", "late ", "mid-", "his ", "her ", "my ", "their ")
_OF_DECADE = "|".join(rf"(?<=\b{word})" for word in _OF_DECADES)
SHORT_DECADE = rf"(?:(?<=\bthe )'|(?<!\w)'|{_OF_DECADE})([1-9]0)'?s\b"
SHORT_YEAR = r"(?<![\w'])'(\d)(\d)(?![\w'])"


def year_first(match: Match) -> str:
    """A date in the order of ISO 8601."""
    return _date(match, match[1], match[3], match[4])


def year_last(match: Match) -> str:
    """A date whose month is told by the other number being no month; where both may be, the numbers."""
    first, second = int(match[1]), int(match[3])
    if first <= 12 < second:
        return _date(match, match[4], match[1], match[3])
    if second <= 12 < first or (match[2] == "." and len(match[4]) == 4):
        return _date(match, match[4], match[3], match[1])
    if match[2] == "/" and len(match[4]) != 3:
        return f"{first} {second} {match[4]}"
    return match[0]


def _date(match: Match, year: str, month: str, day: str) -> str:
    try:
        # Any leap year: what is asked is whether there is such a day.
        date(2000, int(month), int(day))
    except ValueError:
        return match[0]
    if len(year) == 2 and match[2] != "/":
        return match[0]
    return f"{MONTHS[int(month) - 1]} {ordinal(words(str(int(day))))}, {cardinal(year) if len(year) == 4 else year}"


def day_first(match: Match) -> str:
    """ "3 March" as it is said."""
    return f"the {ordinal(words(match[1]))} of " if 1 <= int(match[1]) <= 31 else match[0]


def time(match: Match) -> str:
    """A time of day; without a.m. or p.m. it is taken for one of a clock of 24 hours."""
    hour, minute, half = int(match[1]), int(match[2]), match[4]
    said = [words(str(hour - 12 if hour > 12 else hour))]
    if minute:
        # Where nothing but the hour tells the half of the day, minutes below ten get their "oh" in the last step.
        said.append(f"oh {words(str(minute))}" if half and minute < 10 else words(str(minute)))
    elif not half:
        said.append("o'clock")
    if match[3]:
        said.append(f"and {words(str(int(match[3])))} seconds")
    return f"{' '.join(said)} {_half(match, half or ('a' if hour < 12 else 'p'))}"


def hour(match: Match) -> str:
    """An hour with its half of the day."""
    return f"{words(str(int(match[1])))} {_half(match, match[2])}"


def _half(match: Match, half: str) -> str:
    """The half of the day; of two marks behind it the second, which is the writer's own, stays."""
    return f"{half.lower()}.m{'' if match['mark'] is not None else '.'}"


def decade(match: Match) -> str:
    """1990s, 1900s, 2010s."""
    century, tens = match[1], match[2]
    if tens == "0":
        return "two thousands" if century == "20" else f"{words(century)} hundreds"
    return f"{words(century)} {_tens(tens + '0')}"


def short_decade(match: Match) -> str:
    """The '90s."""
    return _tens(match[1])


def _tens(number: str) -> str:
    return "tens" if number == "10" else words(number).removesuffix("y") + "ies"


def short_year(match: Match) -> str:
    """'69, '05."""
    return f"oh {words(match[2])}" if match[1] == "0" else words(match[1] + match[2])
