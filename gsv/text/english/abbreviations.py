"""The last step to what is said: shortened words in full, and the few phrases that have a way of their own.

It works on normalised text, whose numbers are words already: "No. five" is "number five", "January three" is "January
third", "seven five a.m." is "seven oh five A M". What stands before this step agrees with other GPT-SoVITS programs,
which say "Dr." as "drive" and make a pause after every full stop.
"""

import re
from collections.abc import Callable

from gsv.text.english.counting import ordinal
from gsv.text.english.dates import MONTH
from gsv.text.markup import MARKS

Match = re.Match[str]

_UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBER = rf"(?:zero|oh|(?:{'|'.join(_TENS)})(?:-(?:{'|'.join(_UNITS)}))?|{'|'.join(_TEENS)}|{'|'.join(_UNITS)})\b"
_DAY = rf"(?:(?:twenty|thirty)(?:-(?:{'|'.join(_UNITS)}))?|{'|'.join(_TEENS)}|{'|'.join(_UNITS)})"
_DAY_IN_ORDER = r"(?:(?:twenty|thirty)-)?(?:first|second|third|fifth|[a-z]{3,9}th)\b"
_MORE_NUMBER = rf"(?! (?:{_NUMBER}|hundred|thousand|million|billion|point|percent|a\.m|p\.m))(?!-)"
_MONTHS = "|".join(sorted(MONTH, key=len, reverse=True))

# Before a name.
_TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Ms", "Prof": "Professor", "Gov": "Governor", "Sen": "Senator",
    "Rep": "Representative", "Gen": "General", "Col": "Colonel", "Capt": "Captain", "Cpt": "Captain",
    "Lt": "Lieutenant", "Sgt": "Sergeant", "Cpl": "Corporal", "Rev": "Reverend", "Hon": "Honorable",
    "Pres": "President", "Mt": "Mount", "Ft": "Fort",
}  # fmt: skip
# Behind a name.
_BEHIND = {
    "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road", "Ln": "Lane", "Pkwy": "Parkway", "Hwy": "Highway",
    "Sq": "Square",
    "Inc": "Incorporated", "Ltd": "Limited", "Co": "Company", "Corp": "Corporation", "Jr": "Junior", "Sr": "Senior",
    "Bros": "Brothers",
}  # fmt: skip
# Before a number.
_NUMBERED = {
    "no": "number", "nos": "numbers", "vol": "volume", "vols": "volumes", "pp": "pages", "p": "page", "ch": "chapter",
    "fig": "figure", "figs": "figures", "ex": "example", "sec": "section", "art": "article", "ep": "episode",
    "apt": "apartment", "ext": "extension", "pg": "page", "eq": "equation", "tel": "telephone",
}  # fmt: skip
_WORDS = {
    "vs": "versus", "etc": "et cetera", "approx": "approximately", "dept": "department", "govt": "government",
    "apt": "apartment", "max": "max", "min": "min", "incl": "including", "tel": "telephone", "temp": "temp",
    "assn": "association", "esp": "especially", "cf": "compare",
}  # fmt: skip
_CHAT = {"thx": "thanks", "pls": "please", "plz": "please", "msg": "message", "msgs": "messages", "bc": "because"}
# Words with a capital that are no name although "St." or "Dr." stands behind: "Near St. Mary's", "Port St. Lucie".
_NO_STREETS = """
    At In On Near By To From Of The And For With Visit See Ask Tell Dear Then When Where If But As Is Was Are Mount Port
    Fort Lake Cape East West North South Old New Upper Lower Sault Visiting After Before Since
"""
_NO_STREET = frozenset(_NO_STREETS.split())
_ORDINAL_WORD = re.compile(r"(?:first|second|third|fifth|[a-z]th)$")
_STREETS = {"St": "Street", "Dr": "Drive"}
_LANDS = frozenset({"U S", "U S A", "U K", "U N", "E U", "D C"})
_PERSONS = {"St": "Saint", "Dr": "Doctor"}


def _any(words: dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


def _kept(match: Match, word: str) -> str:
    """The word as it was written, big or small."""
    return word.capitalize() if match[1][0].isupper() else word


def _date(match: Match) -> str:
    return f"{MONTH[match[1]]} {ordinal(match[2])}"


def _initials(match: Match) -> str:
    """Letters with full stops; the last one stays where a sentence may end, which behind the names of lands it may."""
    letters = match[1].replace(".", "")
    return letters + ("." if match[2].isupper() and letters in _LANDS else "")


def _street_or_person(match: Match) -> str:
    """A street or drive has its name before it, a saint or doctor behind."""
    before, word = match["before"] or "", match["word"]
    named = (before[:1].isupper() and before not in _NO_STREET) or bool(_ORDINAL_WORD.search(before))
    follows = match["name"] or ""
    lead = f"{before} " if before else ""
    if named and not (follows and word == "Dr"):
        # A sentence may end here, or a comma may have been swallowed by the mark.
        stop = match["stop"] if follows or match["end"] is not None else ""
        return f"{lead}{_STREETS[word]}{stop}{follows}"
    return f"{lead}{_PERSONS[word]}{match['stop'] if match['end'] is not None else ''}{follows}"


_RULES: tuple[tuple[str, str | Callable[[Match], str]], ...] = (
    # An apostrophe at the edge of a word has no sound, be it a quotation mark or a plural's.
    (rf"(?<![A-Za-z{MARKS}])'+|'+(?![A-Za-z])", ""),
    # "May" is a verb as well, but before a number it is mostly the month.
    (rf"\b({_MONTHS})\.? ({_DAY})\b{_MORE_NUMBER}", _date),
    (rf"\b({_MONTHS})\.? (?={_DAY_IN_ORDER})", lambda match: f"{MONTH[match[1]]} "),
    (rf"\b({_DAY_IN_ORDER}) ({_MONTHS})\b(?!\.? [a-z])", lambda match: f"{match[1]} {MONTH[match[2]]}"),
    (rf"\b({_MONTHS})\. (?={_NUMBER})", lambda match: f"{MONTH[match[1]]} "),
    (
        rf"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve) ({'|'.join(_UNITS)}) (?=[ap]\.m\b)",
        r"\1 oh \2 ",
    ),
    (r"\b([ap])\.m\.(?=$| [A-Z])", lambda match: f"{match[1].upper()} M."),
    (r"\b([ap])\.m\b\.?", lambda match: f"{match[1].upper()} M"),
    (r"\bPh\. ?D\b\.?", "P H D"),
    (r"\ba\.k\.a\b\.?", "A K A"),
    # The full stops of "U. S." and "J. R. R. Tolkien" are no pauses.
    (r"\b((?:[A-Z]\. ){1,8}[A-Z])\.(?= ([A-Za-z]))", _initials),
    (r"\b((?:[A-Z]\. ){1,8}[A-Z])\b", lambda match: match[1].replace(".", "")),
    (
        r"(?:(?<![A-Za-z'-])(?P<before>[A-Za-z'-]{1,40}) )?\b(?P<word>St|Dr)\b(?P<stop>\.?)"
        r"(?P<name> (?=[A-Z]))?(?P<end>$)?",
        _street_or_person,
    ),
    (rf"\b({_any(_TITLES)})\.(?= [A-Z]| and [A-Z])", lambda match: _TITLES[match[1]]),
    (rf"(?<=[a-z] )({_any(_BEHIND)})\.(?= [a-z])", lambda match: _BEHIND[match[1]]),
    (rf"(?<=[a-z] )({_any(_BEHIND)})\b(?=[.,])", lambda match: _BEHIND[match[1]]),
    (rf"\b((?i:{_any(_NUMBERED)}))\. (?={_NUMBER})", lambda match: _kept(match, _NUMBERED[match[1].lower()]) + " "),
    (rf"\b((?i:{_any(_WORDS)}))\.(?= [a-z])", lambda match: _kept(match, _WORDS[match[1].lower()])),
    (rf"\b((?i:{_any(_WORDS)}))\b", lambda match: _kept(match, _WORDS[match[1].lower()])),
    (rf"\b((?i:{_any(_CHAT)}))\b", lambda match: _kept(match, _CHAT[match[1].lower()])),
)
_COMPILED = tuple((re.compile(pattern), spoken) for pattern, spoken in _RULES)


def spoken(norm_text: str) -> str:
    """Normalised text with its shortened words in full, as a reader says them."""
    for pattern, said in _COMPILED:
        norm_text = pattern.sub(said, norm_text)
    return norm_text
