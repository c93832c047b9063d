"""Numbers as words: counts, years, digits one by one, decimals, ordinals. The words come from `inflect`."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import inflect

# A number as it is written, perhaps with thousands parted by commas and with decimals.
AMOUNT = r"(?:(?<!\d)(?<!\d,)\d{1,3}(?:,\d{3})+(?!,?\d)(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d.])\.\d+)"
# inflect has words for numbers of up to this many digits.
LONGEST = 36


def any_of(words: Iterable[str]) -> str:
    """A pattern for any of these words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=1)
def _engine() -> "inflect.engine":
    import inflect  # takes most of a second, and only texts with digits need it

    return inflect.engine()


@lru_cache(maxsize=4096)
def words(number: str) -> str:
    """The words for a number ("100" -> "one hundred") or an ordinal ("21st" -> "twenty-first")."""
    return str(_engine().number_to_words(number, andword="" if number.isdigit() else "and"))


@lru_cache(maxsize=4096)
def ordinal(number: str) -> str:
    """The ordinal of a number in words ("twenty-one" -> "twenty-first")."""
    return str(_engine().ordinal(number))


def cardinal(digits: str) -> str:
    """The words for a run of digits: 1001 to 2999 in pairs like a year, all else as a count without "and"."""
    number = int(digits)
    if not 1000 < number < 3000 or number == 2000:
        return words(str(number))
    if 2000 < number < 2010:
        return f"two thousand {words(str(number % 100))}"
    if number % 100 == 0:
        return f"{words(str(number // 100))} hundred"
    pairs = str(_engine().number_to_words(str(number), andword="", zero="oh", group=2))
    return pairs.replace(", ", " ")


def count(digits: str) -> str:
    """The words for a run of digits that count something: never in pairs, apart from "fifteen hundred"."""
    number = int(digits)
    return cardinal(digits) if number % 100 == 0 else words(str(number))


def one_by_one(digits: str) -> str:
    """The digits, each by its name."""
    return " ".join(words(digit) for digit in digits)


def amount(number: str) -> str:
    """The words for what AMOUNT matches: "1,234.5" is "one thousand, two hundred thirty-four point five"."""
    whole, _, part = number.replace(",", "").partition(".")
    if len(whole) > LONGEST:
        return one_by_one(whole)
    said = [count(whole)] if whole else []
    return " ".join([*said, f"point {one_by_one(part)}"] if part else said)
