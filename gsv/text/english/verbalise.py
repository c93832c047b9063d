"""From written English to words, blanks and the marks `' . , ? ! -` alone.

What is read differently from other GPT-SoVITS programs, and why, is listed in docs/text-english.md.
"""

import re
import unicodedata
from collections.abc import Callable

from gsv.text.english import lexicon
from gsv.text.english.dates import MONTH
from gsv.text.english.numbers import spell_numbers
from gsv.text.english.romans import spell_romans
from gsv.text.english.web import spell_addresses
from gsv.text.markup import MARKS

Match = re.Match[str]

# Full-width forms of "!" to "~" lie this far above the plain ones.
_FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(ord("!"), ord("~") + 1)}
_PLAIN = str.maketrans(
    _FULL_WIDTH
    | {"、": ",", "。": ".", "…": "...", "−": "-", "‐": "-", "‑": "-", "ʼ": "’", "`": "’"}
    | {"￡": "£", "￥": "¥", "￦": "₩", "￠": "¢", "℃": "°C", "℉": "°F", "º": "°", "μ": "µ", "′": "'", "″": '"'}
)
# Letters that Unicode does not take apart into a letter and an accent.
_WHOLE_LETTERS = str.maketrans(
    {"ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ß": "ss", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}
    | {"ð": "th", "Ð": "Th", "þ": "th", "Þ": "Th", "ı": "i"}
)
_MARK = re.compile(f"[{MARKS}]")
_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞]")

_Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]


def _compiled(*rules: tuple[str, str | Callable[[Match], str]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern), spoken) for pattern, spoken in rules)


_DAY = {"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday"}
_DAY |= {"Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"}
_MONTHS = "|".join(sorted(MONTH, key=len, reverse=True))
_DAYS = "|".join(sorted(_DAY, key=len, reverse=True))

# Before numbers: what would hide or break one.
_EARLY = _compiled(
    (r"\s+", " "),
    (r"(?<=\w)’(?=[^\W\d_])|’(?=(?:tis|twas|em|til|cause|n)\b)|’(?=\d0s\b)", "'"),
    (r"[#№]\s?(?=\d)", "number "),
    (r"§+\s?(?=\d)", "section "),
    (r"\b(Wi|Hi|Sci)-(Fi)\b", lambda match: match[1] + match[2].lower()),
    (rf"\b({_DAYS})\.?\s?[-–—]\s?({_DAYS})\b\.?", lambda match: f"{_DAY[match[1]]} to {_DAY[match[2]]}"),
    # Of two marks the writer's own stays.
    (r"(?<=\b[AaPp]\.[Mm])\.(?=[,;:])", ""),
    (r"\b(St|Dr|Ave|Rd|Blvd|Ln|Sq|Inc|Ltd|Co|Corp|Jr|Sr)\.(?=,)", r"\1"),
    (r"\bw/o\b", "without"),
    (r"\bw/(?=\s)", "with"),
    (r"\bb/c\b", "because"),
    (r"\b([A-G])#(?!\w)", r"\1 sharp"),
    (rf"\b({_MONTHS})\.?\s?[-–—]\s?({_MONTHS})\b\.?", lambda match: f"{MONTH[match[1]]} to {MONTH[match[2]]}"),
    (r"\bRs\.?\s?(?=\d)", "₹"),
    (r"(?<=\d) Rs\b\.?", "₹"),
    (r"\b(an? [A-D])-(?=[\s.,!?]|$)", r"\1 minus"),
    # "H.264", "No.1"
    (r"(?<=\b[A-Z])\.(?=\d)", " "),
    (r"(?<=[A-Za-z])\.(?=\d)", ". "),
    # Faces
    (r"(?:^|(?<=\s))[:;=]['-]?[)(DPpO/|*]+(?=\s|$)", ""),
    # Options of commands: "push -f".
    (r"(?<=[a-z] )-(?=[A-Za-z](?: |$))", "dash "),
)
# After numbers: every other symbol is spoken, becomes a pause, or goes.
_LATE = _compiled(
    (r"\s*%", " percent"),
    (r"\s*&+\s*", " and "),
    (r"(?<=[A-Za-z]) ?={1,3} ?(?=[A-Za-z])", " Equals "),
    (r"\s*@\s*", " at "),
    (r"(?<=\w)\++", lambda match: " plus" * len(match[0])),
    (r"(?<=\w)²", " squared"),
    (r"(?<=\w)³", " cubed"),
    (r"[;:]+(?=\S)", ", "),
    (r"[;:]+", ","),
    # Dashes: long ones, doubled hyphens and spaced hyphens are pauses.
    (r"^\s*[-–—―]+\s*", ""),
    (r"\s*(?:[–—―]|--)[-–—―]*\s*|\s-\s", ", "),
    (r"\((e?s)\)", r"\1"),
    # A symbol between two words parts them; elsewhere it just goes.
    (rf"(?<=[A-Za-z])[^ A-Za-z'.,?!{MARKS}-]+(?=[A-Za-z])", " "),
    (rf"[^ A-Za-z'.,?!{MARKS}-]", ""),
    (r"\b[Ii]\.[Ee]\b\.?", "that is"),
    (r"\b[Ee]\.[Gg]\b\.?", "for example"),
)
_SPACING = _compiled(
    # Acronyms are spelt and CamelCase is parted at every capital.
    (r"(?<!^)(?<!\s)(?=[A-Z])", " "),
    (r"([.,?!-])(?:\s*[.,?!-])+", r"\1"),
    (r"\s+(?=[.,?!])", ""),
    (r"\s-", " "),
    (r"\s+", " "),
    (r", $", ","),
)

_CAPITALS = re.compile(r"\b[A-Z]{2,}(?:'[A-Z]+)?\b|\b[A-Z]{2,}(?=s\b)")
_WORD_ACRONYM = 4  # letters: shorter acronyms are spelt even where a word looks the same (IT, US, LAX)
_SAID = lexicon.word_set("RAM ROM SIM GIF LAN")


def _apply(rules: tuple[_Rule, ...], text: str) -> str:
    for pattern, spoken in rules:
        text = pattern.sub(spoken, text)
    return text


def _is_shouted(text: str) -> bool:
    """Whether a text is written in capitals throughout, so that they mean nothing."""
    return text.upper() == text and len(re.findall(r"\b[A-Z]{2,}\b", text)) > 1


def _respell_capitals(text: str, shouted: bool) -> str:
    """Write those words in capitals small that are read as words; what stays in capitals is spelt letter by letter."""

    def respell(match: Match) -> str:
        word = match[0]
        if text.startswith("s", match.end()):
            return f"{word}'"  # "TVs": the plural of a spelt word sounds like "TV's"
        if word.lower() in lexicon.HOT_WORDS:
            return word.capitalize()
        if word in _SAID or (lexicon.knows(word.lower()) and (shouted or len(word) >= _WORD_ACRONYM)):
            return word.lower() if shouted else word.capitalize()
        return word

    return _CAPITALS.sub(respell, text)


def normalize(text: str, keep: str = "") -> str:
    """English text in the words that are spoken: letters, blanks and the marks `' . , ? ! -`.

    Numbers, units, money, times and symbols are spelt out, acronyms and CamelCase are parted ("FBI" -> "F B I"),
    accents are dropped, and of marks in a row the first is kept. Other scripts and emoji are left out; of the
    characters that stand for words whose reading is given (`gsv.text.markup`) those in `keep` stay.
    """
    text = _MARK.sub(lambda match: match[0] if match[0] in keep else " ", text).translate(_PLAIN)
    shouted = _is_shouted(text)
    text = _VULGAR_FRACTION.sub(lambda match: f" {unicodedata.normalize('NFKC', match[0])}".replace("⁄", "/"), text)
    text = spell_addresses(text)
    text = spell_numbers(spell_romans(_apply(_EARLY, text)))
    decomposed = unicodedata.normalize("NFD", text.translate(_WHOLE_LETTERS))
    text = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    text = _respell_capitals(_apply(_LATE, text), shouted)
    return _apply(_SPACING, text)
