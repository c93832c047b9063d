"""Writing signs, units and what belongs to a number out in words. Numbers keep their digits; numbers.py reads them."""

import re
from collections.abc import Callable, Iterable

from gsv.text.korean.jamo import spell_letters
from gsv.text.korean.numbers import NATIVE_COUNTERS, dialled
from gsv.text.korean.units import UNITS
from gsv.text.signs import plain_signs

Match = re.Match[str]
_Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]

_NAMES = {"㈜": "주식회사 ", "№": "넘버 ", "™": "", "℃": "°C", "℉": "°F"}
# Full-width letters, digits and % are the plain ones.
_HALF_WIDTH = str.maketrans(
    {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F) if chr(code).isalnum()} | {"％": "%"}
)

_NUMBER = r"(?<![\d.])\d+(?:,\d{3})*(?:\.\d+)?"
_WAVE = "[~〜～]"
_HYPHEN = "[-‐‑‒–−]"
_COUNTER = f"(?:{NATIVE_COUNTERS}|시|대|일|월|년|층|회|차|도|주|세|인분|개월)"
_CURRENCIES = {"$": "달러", "€": "유로", "£": "파운드", "¥": "엔", "￥": "엔", "₩": "원", "￦": "원"}
_WEEKDAY = "[월화수목금토일]"
_MONTH = "(?P<month>0?[1-9]|1[0-2])"
_DAY = "(?P<day>0?[1-9]|[12][0-9]|3[01])"
# Behind 5/10 these tell a day from a fraction.
_ON_A_DAY = rf"\s?[(（]{_WEEKDAY}|\s?까지|\s?부터|에"
_ENGLISH_DIGITS = {"1": "원", "2": "투", "3": "쓰리"}
# Digits whose names end in a consonant take 은.
_CLOSED_DIGITS = frozenset("013678")


def _compiled(*rules: tuple[str, str | Callable[[Match], str]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern), spoken) for pattern, spoken in rules)


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _telephone(match: Match) -> str:
    digits = match[0]
    groups = re.findall(r"\d+", digits)
    if len(groups) == 1:
        groups = [digits[:3], digits[3:-4], digits[-4:]]
    return ", ".join(map(dialled, groups))


def _date(match: Match) -> str:
    return f"{match['year']}년 {int(match['month'])}월 {int(match['day'])}일"


def _time(match: Match) -> str:
    parts = ((match["hours"], "시"), (match["minutes"], "분"), (match["seconds"], "초"))
    return " ".join(
        f"{int(number)}{name}" for number, name in parts if number is not None and (name == "시" or int(number))
    )


def _money(match: Match) -> str:
    return f"{match['amount']}{match['scale'] or ''}{_CURRENCIES[match['sign']]}"


def _equals(match: Match) -> str:
    return "은 " if match[1] in _CLOSED_DIGITS else "는 "


def _offer(match: Match) -> str:
    return f"{_ENGLISH_DIGITS[match[1]]} 플러스 {_ENGLISH_DIGITS[match[2]]}"


_RULES = _compiled(
    # Telephone numbers.
    (r"(?<![\d.-])(?:0\d{1,2}[-)]\s?\d{3,4}-\d{4}|1\d{3}-\d{4}|01\d{8,9})(?![\d.-])", _telephone),
    # Dates and times.
    (rf"(?<!\d)(?P<year>\d{{4}})(?P<mark>[-/.])\s?{_MONTH}(?P=mark)\s?{_DAY}(?!\d)(?:\.(?=\s|$))?", _date),
    (
        rf"(?<![\d/.]){_MONTH}/{_DAY}(?![\d/.])(?={_ON_A_DAY})",
        lambda match: f"{int(match['month'])}월 {int(match['day'])}일",
    ),
    (r"(?<![\d:])(?P<hours>[01]?\d|2[0-4]):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?(?![\d:])", _time),
    # Anniversaries: 4·19, 8·15. 6·25 and 3·1절 are among the words that follow no rule.
    (r"(?<!\d)(?!6·25|3·1절)(\d)·(\d{1,2})(?!\d)", lambda match: dialled(match[1] + match[2])),
    # Scores and ratios.
    (r"(?<=\d):(?=\d)", " 대 "),
    (
        rf"(?<![\d-])(\d+){_HYPHEN}(\d+)(?=(?:으?로|의)? ?(?:이[겼기긴]|승리|패[했배]|[졌진]|비[겼기]|역전|완승))",
        r"\1 대 \2",
    ),
    # Money.
    (rf"(?P<sign>[{''.join(_CURRENCIES)}])\s?(?P<amount>{_NUMBER})(?P<scale>[천만억조]+)?", _money),
    # Fractions and versions.
    (r"(?<![\d/])(\d+)/(\d+)(?![\d/])", r"\2분의 \1"),
    (r"(?<!\d)(?<!\d\.)\d+(?:\.\d+){2,}(?!\.?\d)", lambda match: match[0].replace(".", "점")),
    # From ... to. The first number is counted like the second.
    (rf"(?<=\d)(?:{_WAVE}|{_HYPHEN})(?=\d+ ?({_COUNTER}))", r"\1에서 "),
    (rf"(?<=\d){_WAVE}(?=\d)", "에서 "),
    (rf"(?<=[\d시분일월년주층원세살점번도%]){_WAVE} ?(?=[\d가-힣])", "에서 "),
    (rf"(?<={_WEEKDAY}){_WAVE}(?={_WEEKDAY}(?![가-힣]))", "에서 "),
    # House numbers, signs before a number.
    (r"(?<=\d)-(?=\d)", " 다시 "),
    (rf"(?<![\d가-힣A-Za-z)]){_HYPHEN}(?={_NUMBER} ?(?:도|°))", "영하 "),
    (rf"(?<![\d가-힣A-Za-z)]){_HYPHEN}(?=\d)", "마이너스 "),
    # Units.
    (rf"(?:시속 ?)?({_NUMBER}) ?(km|m)/h(?![A-Za-z])", r"시속 \1\2"),
    (rf"(?:초속 ?)?({_NUMBER}) ?m/s(?![A-Za-z])", r"초속 \1m"),
    (rf"(?<=\d) ?({_alternatives(UNITS)})(?![A-Za-z\d])", lambda match: UNITS[match[1]]),
    (rf"({_NUMBER}) ?°F", r"화씨 \1도"),
    (r"(?<=\d) ?[°º]C?", "도"),
    ("%[pP](?![A-Za-z])", "퍼센트포인트"),
    # Sums, and offers (buy one, get one).
    (r"(?<![\d+.])([123])\+([123])(?![\d+=.]| ?=)", _offer),
    (r"(?<=\d) ?\+ ?(?=\d)", " 더하기 "),
    (r"(?<=\d) ?[x×*] ?(?=\d)", " 곱하기 "),
    (r"(?<=\d) ?÷ ?(?=\d)", " 나누기 "),
    (r"(?<=\d)(?: - | ?− ?)(?=\d)", " 빼기 "),
    (r"(?<=(\d)) ?= ?(?=\d|마이너스)", _equals),
    (r"(?<=[\dA-Za-z])\++", lambda match: " 플러스" * len(match[0])),
    (r" ?& ?", " 앤 "),
    ("@", " 골뱅이 "),
    (r"#(?=\d)|[Nn]o\. ?(?=\d)", "넘버 "),
)


def normalize(text: str) -> str:
    """Korean text in which numbers are the only thing that is not yet written as it is said.

    Signs, units, times and dates with signs, telephone numbers, prices and single letters of the alphabet are written
    out; pictures and what cannot be seen are left out. All else stays as it is.
    """
    text = spell_letters(plain_signs(text, _NAMES, "{denominator}분의 {numerator}").translate(_HALF_WIDTH))
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    return text
