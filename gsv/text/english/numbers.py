"""Numbers, times, money, units and fractions in English words.

Every rule takes the whole text and spells out its own kind of expression; what is left in digits is for the rules after
it, and plain integers come last. Number words come from `inflect`, with its hyphens and commas.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inflect

Match = re.Match[str]

# Unit -> (one, many). Of the first group a lone letter is a unit only where it touches its number.
_TIGHT_UNITS = {
    "m": ("meter", "meters"),
    "L": ("liter", "liters"),
    "h": ("hour", "hours"),
    "s": ("second", "seconds"),
    "g": ("gram", "grams"),
}
_LOOSE_UNITS = {
    "km": ("kilometer", "kilometers"),
    "cm": ("centimeter", "centimeters"),
    "mm": ("millimeter", "millimeters"),
    "km/h": ("kilometer per hour", "kilometers per hour"),
    "m/s": ("meter per second", "meters per second"),
    "mph": ("mile per hour", "miles per hour"),
    "ft": ("foot", "feet"),
    "kg": ("kilogram", "kilograms"),
    "mg": ("milligram", "milligrams"),
    "lb": ("pound", "pounds"),
    "lbs": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ml": ("milliliter", "milliliters"),
    "tbsp": ("tablespoon", "tablespoons"),
    "tsp": ("teaspoon", "teaspoons"),
    "min": ("minute", "minutes"),
    "ms": ("millisecond", "milliseconds"),
    "Hz": ("hertz", "hertz"),
    "kHz": ("kilohertz", "kilohertz"),
    "MHz": ("megahertz", "megahertz"),
    "GHz": ("gigahertz", "gigahertz"),
    "KB": ("kilobyte", "kilobytes"),
    "MB": ("megabyte", "megabytes"),
    "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"),
    "°C": ("degree celsius", "degrees celsius"),
    "°F": ("degree fahrenheit", "degrees fahrenheit"),
    "°": ("degree", "degrees"),
}
_UNITS = _TIGHT_UNITS | _LOOSE_UNITS

# Sign -> (one, many, one hundredth, many hundredths); the yen has no hundredths.
_CURRENCIES = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "€": ("euro", "euros", "cent", "cents"),
    "¥": ("yen", "yen", None, None),
}
_MAGNITUDES = {word: word for word in ("hundred", "thousand", "million", "billion", "trillion")}
_SHORT_MAGNITUDES = {"k": "thousand", "m": "million", "bn": "billion", "b": "billion"}

_SIGNS = {"+": "plus", "×": "times", "*": "times", "÷": "divided by", "=": "Equals"}

# Names rather than fractions.
_IDIOMS = {"24/7": "twenty-four seven", "9/11": "nine eleven"}

# inflect has words for numbers of up to this many digits.
_LONGEST = 36


def _any_of(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=1)
def _engine() -> "inflect.engine":
    import inflect  # takes most of a second, and only texts with digits need it

    return inflect.engine()


@lru_cache(maxsize=4096)
def _words(number: str) -> str:
    return str(_engine().number_to_words(number, andword="" if number.isdigit() else "and"))


def _ordinal(number: str) -> str:
    return str(_engine().ordinal(number))


def cardinal(digits: str) -> str:
    """The words for a run of digits: 1001 to 2999 in pairs like a year, all else as a count without "and"."""
    number = int(digits)
    if not 1000 < number < 3000 or number == 2000:
        return _words(str(number))
    if 2000 < number < 2010:
        return f"two thousand {_words(str(number % 100))}"
    if number % 100 == 0:
        return f"{_words(str(number // 100))} hundred"
    pairs = str(_engine().number_to_words(str(number), andword="", zero="oh", group=2))
    return pairs.replace(", ", " ")


def _time(match: Match) -> str:
    hour, minute = int(match[1]), int(match[2])
    half = match[4].lower() if match[4] else ("a" if hour < 12 else "p")
    said = [_words(str(hour - 12 if hour > 12 else hour)), _words(str(minute)) if minute else "o'clock"]
    if match[3]:
        said.append(f"and {_words(str(int(match[3])))} seconds")
    return f"{' '.join(said)} {half}.m."


def _unit(match: Match) -> str:
    one, many = _UNITS[match[2] or match[3]]
    return f"{match[1]} {one if match[1].lstrip('0') == '1' else many}"


def _money(match: Match) -> str:
    one, many, cent, cents = _CURRENCIES[match["sign"] or match["sign_after"]]
    number = match["amount"] or match["amount_before"]
    if match["magnitude"]:
        return f"{number} {(_MAGNITUDES | _SHORT_MAGNITUDES)[match['magnitude'].lower()]} {many}"
    whole, _, part = number.partition(".")
    if len(part) > 2 or (part and not cents):
        return f"{number} {many}"
    units, hundredths = int(whole or 0), int(part.ljust(2, "0"))
    said = []
    if units:
        said.append(f"{units} {one if units == 1 else many}")
    if hundredths:
        said.append(f"{hundredths} {cent if hundredths == 1 else cents}")
    return " and ".join(said) or f"zero {many}"


def _decade(match: Match) -> str:
    century, tens = match[1], match[2]
    if tens == "0":
        return "two thousands" if century == "20" else f"{_words(century)} hundreds"
    if tens == "1":
        return f"{_words(century)} tens"
    return f"{_words(century)} {_tens(tens + '0')}"


def _tens(number: str) -> str:
    return _words(number).removesuffix("y") + "ies"


def _decimal(match: Match) -> str:
    whole = f"{match[1]} " if match[1] else ""
    return f"{whole}point {' '.join(match[2])}"


def _fraction(match: Match) -> str:
    top, bottom = int(match[1]), int(match[2])
    count = _words(str(top))
    if bottom == 1:
        return count
    if bottom == 2:
        return f"{count} {'half' if top == 1 else 'halves'}"
    return f"{count} {_ordinal(_words(str(bottom)))}{'s' if top > 1 else ''}"


_AMOUNT = r"\d+(?:\.\d+)?|(?<![\d.])\.\d+"
_CURRENCY = f"[{''.join(_CURRENCIES)}]"
# An operand ends in one of these; a letter counts as one if it stands alone and is no word ("a", "I").
_END_OF_NUMBER = "0-9⁰¹²³⁴⁵⁶⁷⁸⁹"
_LETTER = "[A-HJ-Zb-z]"

_Rule = tuple[str, str | Callable[[Match], str]]

# In this order: each rule relies on those before it having spelt out their share.
_RULES: tuple[_Rule, ...] = (
    # A number without a name is read digit by digit.
    (rf"\d{{{_LONGEST + 1},}}", lambda match: " ".join(match[0])),
    # "1. First" at the start of the text or of a sentence numbers a list.
    (r"(?:^|(?<=[.!?]\s))\s*(\d{1,2})\.\s+(?=\S)", lambda match: f"{_ordinal(match[1])}, "),
    (rf"(?<![\d/])(?:{_any_of(_IDIOMS)})(?![\d/])", lambda match: _IDIOMS[match[0]]),
    # A spaced hyphen is a minus between two operands only; elsewhere it is a dash.
    (rf"(?:(?<=[{_END_OF_NUMBER}])|(?<=(?<![\w']){_LETTER}))\s+-\s+(?=-?\.?\d|{_LETTER}(?![\w']))", " minus "),
    (rf"(?<=[\w{_END_OF_NUMBER}%)])\s+([+×*÷=])\s+(?=[-\w.$£€(])", lambda match: f" {_SIGNS[match[1]]} "),
    (r"(?<=[\d)])([+×*÷=])(?=[-\d(])", lambda match: f" {_SIGNS[match[1]]} "),
    (rf"(?:^|(?<=\s))-(?={_CURRENCY}?\.?\d)", "negative "),
    (rf"(?<=\d)\s*[–—~]\s*(?={_CURRENCY}?\d)", " to "),
    (r"(?<![\d,])\d{1,3}(?:,\d{3})+(?!,?\d)", lambda match: match[0].replace(",", "")),
    (r"(?<=\d),(?=\d)", ", "),
    (r"\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\d:])(?:\s?([AaPp])\.?[Mm]\b\.?)?", _time),
    (r"(?<=\d):(?=\d)", " to "),
    (r"\b(\d{1,2})\s?([AaPp])[Mm]\b\.?", lambda match: f"{match[1]} {match[2].lower()}.m."),
    (r"\b(1\d|20)(\d)0'?s\b", _decade),
    (r"(?:(?<=\bthe )'?|'|(?<=\bearly )|(?<=\blate )|(?<=\bmid-))([2-9]0)'?s\b", lambda match: _tens(match[1])),
    (
        rf"(?P<sign>{_CURRENCY})\s?(?P<amount>{_AMOUNT})"
        rf"(?:\s?(?P<magnitude>(?i:{_any_of(_MAGNITUDES)})|(?<=\d)(?i:{_any_of(_SHORT_MAGNITUDES)}))\b)?"
        rf"|(?P<amount_before>{_AMOUNT})\s?(?P<sign_after>{_CURRENCY})",
        _money,
    ),
    (rf"\b(\d+(?:\.\d+)?)(?:\s?({_any_of(_LOOSE_UNITS)})|({_any_of(_TIGHT_UNITS)}))(?![\w°])", _unit),
    (r"(?<![\d.])\d+(?:\.\d+){2,}", lambda match: match[0].replace(".", " point ")),
    (r"(?:(\d+)|(?<![\w.]))\.(\d+)", _decimal),
    (r"\b(\d{1,4})/(\d{1,2})/(\d{1,4})\b", r"\1 \2 \3"),
    (r"\b(\d{1,2}) (?=\d/\d+\b)", r"\1 and "),
    (r"(\d+)/(\d+)", _fraction),
    (r"\d+(?:st|nd|rd|th|ST|ND|RD|TH)(?![A-Za-z])", lambda match: _words(match[0].lower())),
    # "MP3" and "page2" are two words each.
    (r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", " "),
    (r"\d+", lambda match: cardinal(match[0])),
)
_COMPILED = tuple((re.compile(pattern, re.ASCII), spoken) for pattern, spoken in _RULES)


def spell_numbers(text: str) -> str:
    """`text` with everything written in digits put into words ("$5 at 8:30" -> "five dollars at eight thirty a.m.")."""
    for pattern, spoken in _COMPILED:
        text = pattern.sub(spoken, text)
    return text
