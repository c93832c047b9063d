"""Telephone numbers and other runs of digits in groups, which are read digit by digit."""

import re

from gsv.text.english.counting import one_by_one

Match = re.Match[str]

_GAP = r"[\s.-]"
_START = r"(?<![\w.,/:$£€-])"
_END = r"(?![\w/]|[.,:-]\d)"
_RULES = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        # With the code of a country: +44 20 7946 0958
        rf"{_START}\+\d{{1,3}}(?:{_GAP}?\(?\d{{1,5}}\)?){{2,5}}{_END}",
        # (555) 123-4567, 800-555-0199, 1-800-555-0199, 555.123.4567
        rf"{_START}(?:1{_GAP})?(?:\(\d{{3}}\)\s?|\d{{3}}{_GAP})\d{{3}}[.-]?\d{{4}}{_END}",
        rf"(?<![\w.,/:$£€-])(?:1{_GAP})?\(\d{{3}}\)\s?\d{{3}}[\s.-]\d{{4}}{_END}",
        # 020 7946 0958
        rf"{_START}0\d{{2,4}}[ -]\d{{3,4}}[ -]?\d{{3,4}}{_END}",
        # 555-0199
        rf"{_START}\d{{3}}-\d{{4}}{_END}",
        # Cards and accounts: 1234 5678 9012 3456
        rf"{_START}\d{{4}}(?:[ -]\d{{4}}){{2,4}}{_END}",
        # Books and papers: 978-3-16-148410-0
        rf"{_START}(?!\d{{4}}-\d\d?-\d\d?\b|\d\d?-\d\d?-\d{{4}}\b)(?=[\d-]{{0,30}}\d{{3}})\d+(?:-\d+){{2,}}{_END}",
    )
)


def _said(match: Match) -> str:
    groups = [one_by_one(group) for group in re.findall(r"\d+", match[0])]
    plus = "plus " if match[0].startswith("+") else ""
    return plus + ", ".join(groups)


def spell_telephones(text: str) -> str:
    """`text` with telephone numbers and the like read digit by digit, with a short pause between groups."""
    for pattern in _RULES:
        text = pattern.sub(_said, text)
    return text
