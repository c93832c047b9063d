"""Everything written in digits in English words: the order in which the kinds of numbers are looked for.

Every rule takes the whole text and spells out its own kind of expression; what is left in digits is for the rules after
it, and plain integers come last.
"""

import re
from collections.abc import Callable

from gsv.text.english import dates, money, units
from gsv.text.english.counting import AMOUNT, LONGEST, amount, any_of, cardinal, count, one_by_one, ordinal, words
from gsv.text.english.telephones import spell_telephones

Match = re.Match[str]

_SIGNS = {"+": "plus", "×": "times", "*": "times", "÷": "divided by", "/": "divided by", "=": "Equals", "==": "Equals"}
_BEFORE = {"+": "plus ", "±": "plus or minus ", "~": "about ", "≈": "about ", "<": "less than ", ">": "more than "}
_BEFORE |= {"≤": "at most ", "≥": "at least ", "<=": "at most ", ">=": "at least "}

# Names rather than fractions.
_IDIOMS = {"24/7": "twenty-four seven", "9/11": "nine eleven", "50/50": "fifty fifty", "50-50": "fifty fifty"}
# From here on a slash between two numbers is no fraction but a pressure: 120/80.
_LEAST_PRESSURE = 40


def _decimal(match: Match) -> str:
    whole = f"{match[1]} " if match[1] else ""
    return f"{whole}point {one_by_one(match[2])}{' ' if match['joined'] is not None else ''}"


def _fraction(match: Match) -> str:
    top, bottom = int(match[1]), int(match[2])
    said = words(str(top))
    if bottom == 1:
        return said
    if bottom == 100:
        return f"{said} out of one hundred"
    if top > bottom >= _LEAST_PRESSURE:
        return f"{said} over {words(str(bottom))}"
    if bottom == 2:
        return f"{said} {'half' if top == 1 else 'halves'}"
    return f"{said} {ordinal(words(str(bottom)))}{'s' if top > 1 else ''}"


# An operand ends in one of these; a letter counts as one if it stands alone and is no word ("a", "I").
_END_OF_NUMBER = "0-9⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = "[A-HJ-Zb-z]"
_PLURAL = r"(?= (?:[a-z]+ )?(?!(?:is|was|has|as|its|this|us)\b)[a-z]{2,}s\b)"
# After these, four digits before a plural are a year all the same: "in 1999 students protested".
_BEFORE_YEARS = (
    "in", "since", "by", "from", "until", "till", "before", "after", "during", "of", "to", "the", "year", "early",
    "late", "mid",
)  # fmt: skip

_Rule = tuple[str, str | Callable[[Match], str]]

# In this order: each rule relies on those before it having spelt out their share.
_RULES: tuple[_Rule, ...] = (
    # A number without a name is read digit by digit.
    (rf"\d{{{LONGEST + 1},}}", lambda match: " ".join(match[0])),
    # "1. First" at the start of the text or of a sentence numbers a list.
    (r"(?:^|(?<=[.!?]\s))\s*(\d{1,2})\.\s+(?=\S)", lambda match: f"{ordinal(match[1])}, "),
    (dates.YEAR_FIRST, dates.year_first),
    (dates.YEAR_LAST, dates.year_last),
    (dates.DAY_FIRST, dates.day_first),
    (dates.SHORT_DECADE, dates.short_decade),
    (dates.SHORT_YEAR, dates.short_year),
    (rf"(?<![\d/])(?:{any_of(_IDIOMS)})(?![\d/])", lambda match: _IDIOMS[match[0]]),
    (units.HEIGHT, units.height),
    (units.SHEET, units.sheet),
    (r"(?:(?<=\b[Cc]all )|(?<=\b[Dd]ial ))\d{3}(?![\d,.-]|\.\d)", lambda match: one_by_one(match[0])),
    (r"\b1-(8\d\d)-(?=[A-Z])", lambda match: f"one, {words(match[1])}, "),
    (r"(?<=[ap]\.m\.)\s?[-–]\s?(?=\d)", " to "),
    # A spaced hyphen is a minus between two operands only; elsewhere it is a dash.
    (rf"(?:(?<=[{_END_OF_NUMBER}])|(?<=(?<![\w']){_LETTER}))\s+-\s+(?=-?\.?\d|{_LETTER}(?![\w']))", " minus "),
    (
        rf"(?<=[\w{_END_OF_NUMBER}%)])\s+([+×*÷]|==?)\s+(?=[-\w.(]|{money.SIGN})",
        lambda match: f" {_SIGNS[match[1]]} ",
    ),
    (r"(?<=\d)×(?=\d+(?:\.\d+)?(?![\d.]*\s?=))", " by "),
    (r"(?<=[\d)])([+×*÷=])(?=[-\d(])", lambda match: f" {_SIGNS[match[1]]} "),
    (rf"(?:^|(?<=[\s(\[\"“]))-(?={money.SIGN}?\.?\d)", "negative "),
    (r"(?:^|(?<=\s))<3(?!\d)", "heart"),
    (
        rf"(?:^|(?<=[\s(\[\"“]))({any_of(_BEFORE)})\s?(?={money.SIGN}?-?\.?\d)",
        lambda match: _BEFORE[match[1]],
    ),
    (r"(?<=\bat T)-(?=\d)", " minus "),
    (r"(?<=\w)([<>]=?|[≤≥])(?=-?\d)", lambda match: f" {_BEFORE[match[1]]}"),
    (r"(?<=\d%)\s+-\s+(?=\d)", " to "),
    (
        rf"(?<=\d)(%|{any_of(('km', 'kg', 'cm', 'mm', '°C', '°F', '°'))}|[kmKMB]?)\s*[–—~]\s*(?={money.SIGN}?\d)",
        r"\1 to ",
    ),
    (rf"(?<![\w-])({money.SIGN}?{AMOUNT}%?(?::\d\d)?(?:\s?[ap]m)?[kKMB]?)-(?={money.SIGN}?\.?\d)", r"\1 to "),
    (r"(?<=\d)\s?[x×]\s?(?=\d+(?:\.\d+)?(?![\d.]*\s*(?:=|Equals)))", " by "),
    (r"(?<=\d)\s?[x×]\s?(?=\d)", " times "),
    (r"(?<=\w)\^(?=\d|[a-z]\b)", " to the power of "),
    (r"(?<=\d)x(?!\w)", " times"),
    (dates.TIME, dates.time),
    (r"(?<=\d):(?=\d)", " to "),
    (dates.HOUR, dates.hour),
    (dates.DECADE, dates.decade),
    (money.MONEY, money.money),
    (money.CENTS, money.cents),
    (units.UNIT, units.unit),
    (r"(?<![\d,])\d{1,3}(?:,\d{3})+(?!,?\d)(?=st\b|nd\b|rd\b|th\b|/)", lambda match: match[0].replace(",", "")),
    (r"(?<![\d,])\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?", lambda match: amount(match[0])),
    (r"(?<=\d),(?=\d)", ", "),
    (r"(?<![\d.])\d+(?:\.\d+){2,}", lambda match: match[0].replace(".", " point ")),
    (r"(?:(\d+)|(?<![\w.]))\.(\d+)(?P<joined>(?=[A-Za-z]))?", _decimal),
    (r"\b(\d{1,4})/(\d{1,2})/(\d{1,4})\b", r"\1 \2 \3"),
    (r"\b(\d{1,2}) (?=\d/\d+\b)", r"\1 and "),
    (r"(\d+)/(\d+)", _fraction),
    (r"\d+(?:st|nd|rd|th|ST|ND|RD|TH)(?![A-Za-z])", lambda match: words(match[0].lower())),
    (
        "".join(rf"(?<!\b(?i:{word}) )" for word in _BEFORE_YEARS) + rf"(?<![\w,-])(1\d{{3}}|2\d{{3}})(?!\d){_PLURAL}",
        lambda match: count(match[1]),
    ),
    # "MP3" and "page2" are two words each.
    (r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
    # "007"
    (r"\b0\d+\b", lambda match: one_by_one(match[0])),
    (r"\d+", lambda match: cardinal(match[0])),
)
_COMPILED = tuple((re.compile(pattern, re.ASCII), spoken) for pattern, spoken in _RULES)


def spell_numbers(text: str) -> str:
    """`text` with everything written in digits put into words ("$5 at 8:30" -> "five dollars at eight thirty a.m.")."""
    text = spell_telephones(text)
    for pattern, spoken in _COMPILED:
        text = pattern.sub(spoken, text)
    return text
