"""Roman numerals in the names of rulers, wars, chapters and the like: "Henry VIII", "World War II", "Chapter IV".

A lone I is a numeral only where nothing else is likely; IV, VI, XL, CD and the like are ones only behind a word that
asks for a number, because they are abbreviations as well.
"""

import re

from gsv.text.english.counting import cardinal, ordinal, words

Match = re.Match[str]

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
# Two letters or more of nothing but I, V and X, and no common abbreviation.
_PLAIN = r"(?!(?:IV|VI|XI|XX|XXX|XV|IX)\b)(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})"
# Numbers of these are counted: "chapter four".
_COUNTED = """
    act annex apollo appendix article artemis book canto category chapter clause division episode exhibit figure final
    fantasy gemini grade lesson level mark part phase play rocky saturn scene schedule season section serie series stage
    step table tier title tome type unit vatican version vol volume wars
"""
_WARS = "world war|super bowl|wrestlemania"
# Numbers of these are ranks: "Henry the eighth".
_RULERS = """
    Adrian Albert Alexander Alfonso Alexios Amenhotep Artaxerxes Baldwin Benedict Boniface Carlos Catherine Celestine
    Charlemagne Charles Christian Clement Constantine Darius David Edward Elizabeth Eugene Felipe Ferdinand Francis
    Frederick Friedrich George Gregory Gustav Gustavus Haakon Harald Harold Henri Henry Innocent Isabella Ivan James
    Joan John Joseph Juan Julius Justinian Karl Kenneth Leo Leopold Louis Ludwig Margaret Margrethe Martin Mary
    Maximilian Mehmed Michael Mohammed Murad Napoleon Nicholas Nikolai Olaf Olav Otto Paul Pedro Peter Philip Philippe
    Pius Ptolemy Rama Ramesses Ramses Richard Robert Rudolf Selim Sixtus Stephen Suleiman Theodore Theodosius Thomas
    Thutmose Umberto Urban Valdemar Victor Vittorio Wilhelm Willem William Xerxes
"""
_TITLES = "King|Queen|Pope|Emperor|Empress|Tsar|Kaiser|Sultan|Prince|Princess|Duke|Pharaoh|Shah|Saint"
# Where a lone letter may be a numeral, and what a longer one is made of.
_LONE = "act|article|book|canto|chapter|part|scene|volume"
_LONGER = r"(?=[IVXL]{2})" + _NUMERAL
_FOLLOWS = r"(?=[.,:;!?)\]]|$|'s\b| (?:of|was|reigned|ruled|died|and|to|in|began|ended)\b)"

_COUNTED_NAMES = "|".join(_COUNTED.split())
_RULER_NAMES = "|".join(_RULERS.split())

_RULES = (
    (re.compile(rf"\b((?i:{_WARS})) ({_NUMERAL})\b"), "count"),
    (re.compile(rf"\b((?i:{_COUNTED_NAMES})\.?) ({_LONGER}|[ivx]{{2,5}})\b"), "count"),
    (re.compile(rf"\b((?i:chapter)) (?=[IVXLC]{{3}})({_NUMERAL})\b"), "count"),
    (re.compile(rf"\b((?i:{_LONE})) ([VX])\b"), "count"),
    (re.compile(rf"\b((?i:{_LONE})) (I)\b{_FOLLOWS}"), "count"),
    (re.compile(rf"\b((?:{_RULER_NAMES})(?: [A-Z][a-z]+)?) ({_LONGER}|[VX](?!\. [A-Z]))\b"), "rank"),
    (re.compile(rf"\b((?:{_TITLES}) [A-Z][a-z]+|Elizabeth) (I)\b{_FOLLOWS}"), "rank"),
    (re.compile(rf"\b((?:{_TITLES}) [A-Z][a-z]+) ({_LONGER}|[VX](?!\. [A-Z]))\b"), "rank"),
    (re.compile(rf"()\b({_NUMERAL})(?:th)?(?= (?i:century|dynasty)\b)"), "ordinal"),
    (re.compile(rf"\b([A-Z][a-z]+) ({_PLAIN})\b"), "count"),
)


def value(numeral: str) -> int | None:
    """The number that a Roman numeral in capitals means, or None where it is none."""
    if not re.fullmatch(_NUMERAL, numeral):
        return None
    digits = [_VALUES[letter] for letter in numeral]
    return sum(-one if one < following else one for one, following in zip(digits, [*digits[1:], 0], strict=True))


def _said(match: Match, kind: str) -> str:
    number = value(match[2].upper())
    if number is None:
        return match[0]
    if kind == "count":
        return f"{match[1]} {cardinal(str(number))}"
    rank = ordinal(words(str(number)))
    return f"{match[1]} the {rank}" if kind == "rank" else rank


def spell_romans(text: str) -> str:
    """`text` with its Roman numerals in words."""
    if not re.search("[IVX]|[ivx]{2}", text):
        return text
    for pattern, kind in _RULES:
        text = pattern.sub(lambda match, kind=kind: _said(match, kind), text)  # type: ignore[misc]
    return text
