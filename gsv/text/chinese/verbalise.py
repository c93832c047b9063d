"""Writing numbers, dates, units and signs of Mandarin text out in words.

A text is cut into clauses, and each clause goes through `RULES` in order; the order matters, because every rule sees
what the ones before it left. The rules and their order are those of PaddleSpeech's text normaliser with GPT-SoVITS'
additions, which published voices were trained on. docs/text.md lists where gsv departs from them, because they read
something wrong.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from misaki.zh_normalization.char_convert import tranditional_to_simplified as traditional_to_simplified
from misaki.zh_normalization.num import COM_QUANTIFIERS

from gsv.text.chinese.numbers import cardinal, digit_by_digit, number

# Measure words: misaki's, and those it lacks.
_MEASURE = f"(?:{COM_QUANTIFIERS}|[处台架枚趟幅平方堵间床株批项例列篇栋注亩])"
_NUM = r"[0-9]+(?:\.[0-9]+)?"
_DEGREE = "°C|℃|度|摄氏度"
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹ˣʸⁿ", "0123456789xyn", strict=True))
_SUPERSCRIPT = f"[{''.join(_SUPERSCRIPTS)}]"
_OPERAND = rf"(?:-?{_NUM}{_SUPERSCRIPT}*|\.[0-9]+{_SUPERSCRIPT}*|[A-Za-z]{_SUPERSCRIPT}*)"
_OPERATORS = {"+": "加", "-": "减", "×": "乘", "÷": "除", "=": "等于"}

_UNITS = {
    "cm2": "平方厘米",
    "cm²": "平方厘米",
    "cm3": "立方厘米",
    "cm³": "立方厘米",
    "cm": "厘米",
    "db": "分贝",
    "ds": "毫秒",
    "kg": "千克",
    "km": "千米",
    "m2": "平方米",
    "m²": "平方米",
    "m3": "立方米",
    "m³": "立方米",
    "ml": "毫升",
    "mm": "毫米",
    "m": "米",
    "s": "秒",
    "/h": "/小时",
    "/min": "/分钟",
}
_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_CURRENCIES = {"￥": "元", "¥": "元", "$": "美元"}

_CIRCLED = dict(zip("①②③④⑤⑥⑦⑧⑨⑩", "一二三四五六七八九十", strict=True))
_GREEK_NAMES = (
    "阿尔法 贝塔 伽玛 德尔塔 艾普西龙 捷塔 依塔 西塔 艾欧塔 喀帕 拉姆达 缪 "
    "拗 克西 欧米克伦 派 肉 西格玛 套 宇普西龙 服艾 器 普赛 欧米伽"
)
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", re.findall(r"\S+", _GREEK_NAMES), strict=True))
_GREEK |= {"ς": _GREEK["σ"]} | {capital: _GREEK[capital.lower()] for capital in "ΓΔΘΛΞΠΣΦΨΩ"}
_SYMBOLS = str.maketrans(_CIRCLED | _GREEK | {"+": "加", "×": "乘", "÷": "除", "=": "等"})
_HALF_WIDTH = str.maketrans({chr(code + 0xFEE0): chr(code) for code in range(0x30, 0x7B) if chr(code).isalnum()})

_CLAUSE_END = re.compile("([：、，；。？！,;?!][”’]?)")
_SILENT = re.compile(r"[ —《》【】<>{}()（）#&@“”^_|\\]")
_THOUSANDS = re.compile(
    r"(?P<money>[￥¥$])?(?<![0-9.])[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9,])"
    rf"(?=(?P<counted>[%°℃A-Za-z]|{_MEASURE})?)"
)
_FULL_WIDTH_TIME = re.compile(r"(?<![0-9])([01]?[0-9]|2[0-3])：([0-5][0-9])(?![0-9])")


@dataclass(frozen=True)
class Rule:
    """One kind of thing that is written otherwise than said; a call replaces each of them in a clause."""

    pattern: re.Pattern[str]
    spoken: Callable[[re.Match[str]], str]

    def __call__(self, clause: str) -> str:
        return self.pattern.sub(self.spoken, clause)


def rule(pattern: str) -> Callable[[Callable[[re.Match[str]], str]], Rule]:
    """Make a rule of a function that says what `pattern` matched."""
    return lambda spoken: Rule(re.compile(pattern), spoken)


@rule(rf"([{''.join(_CURRENCIES)}])({_NUM}[百千万亿]*)")
def money(match: re.Match[str]) -> str:
    return match[2] + _CURRENCIES[match[1]]


@rule(r"(?<![0-9])([0-9]{4})[-~]([0-9]{4})(?=年|学年)")
def _span_of_years(match: re.Match[str]) -> str:
    return f"{digit_by_digit(match[1])}到{digit_by_digit(match[2])}"


@rule(
    r"(?<![0-9])(?P<year>[0-9]{4}|[0-9]{2})年(?:(?P<month>0?[1-9]|1[0-2])月)?"
    r"(?:(?P<day>0?[1-9]|[12][0-9]|30|31)(?P<sign>[日号]))?"
)
def _date(match: re.Match[str]) -> str:
    month = f"{cardinal(match['month'])}月" if match["month"] else ""
    day = cardinal(match["day"]) + match["sign"] if match["day"] else ""
    return f"{digit_by_digit(match['year'])}年{month}{day}"


@rule(r"(?<![0-9])([0-9]{4})([-/.])(0?[1-9]|1[0-2])\2([12][0-9]|3[01]|0?[1-9])(?![0-9])")
def _numeric_date(match: re.Match[str]) -> str:
    return f"{digit_by_digit(match[1])}年{cardinal(match[3])}月{cardinal(match[4])}日"


def _clock(hour: str, minute: str, second: str | None, half: bool) -> str:
    words = f"{cardinal(hour)}点"
    if minute == "30" and half:
        words += "半"
    elif minute != "00":
        words += f"{_with_leading_zero(minute)}分"
    return words + (f"{_with_leading_zero(second)}秒" if second and second != "00" else "")


def _with_leading_zero(two_digits: str) -> str:
    return ("零" if two_digits.startswith("0") else "") + cardinal(two_digits)


_CLOCK = r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?"


@rule(rf"(?<![0-9]){_CLOCK}[~-]{_CLOCK}")
def _time_range(match: re.Match[str]) -> str:
    # The end says 半 only together with the start; 三十分 is right in any case.
    start = _clock(match[1], match[2], match[3], half=True)
    return f"{start}至{_clock(match[4], match[5], match[6], half=match[2] == '30')}"


@rule(rf"(?<![0-9]){_CLOCK}")
def _time(match: re.Match[str]) -> str:
    return _clock(match[1], match[2], match[3], half=True)


@rule(
    r"(?<![0-9])(?:0[0-9]{2,3}-[1-9][0-9]{6,7}|400-?[0-9]{3}-?[0-9]{4}|1[0-9]{2}-[0-9]{4}-[0-9]{4}"
    r"|(?:\+?86)?1(?:[38][0-9]|5[0-35-9]|7[678]|9[89])[0-9]{8})(?![0-9])"
)
def _telephone(match: re.Match[str]) -> str:
    return "，".join(digit_by_digit(part, telephone=True) for part in match[0].lstrip("+").split("-"))


@rule(rf"(?<![0-9.])(-?{_NUM})[-~](-?{_NUM})(?:{_DEGREE})")
def _temperature_range(match: re.Match[str]) -> str:
    return f"{_signed(match[1], '零下')}到{_signed(match[2], '零下')}{_degree(match[0])}"


@rule(rf"(?<![0-9.])({_NUM})[-~]({_NUM})%")
def _percentage_range(match: re.Match[str]) -> str:
    return f"百分之{number(match[1])}到百分之{number(match[2])}"


@rule("(?<=[年月日号点分秒])[-~](?=[0-9])")
def _span_of_time(_: re.Match[str]) -> str:
    return "至"


_QUANTITY = rf"-?{_NUM}(?:%|{_DEGREE}|{_UNIT}|{_MEASURE})"


@rule(rf"({_QUANTITY})[-~](?={_QUANTITY})")
def _quantity_range(match: re.Match[str]) -> str:
    return f"{match[1]}至"


@rule(rf"(-?{_NUM})(?:{_DEGREE})")
def _temperature(match: re.Match[str]) -> str:
    return _signed(match[1], "零下") + _degree(match[0])


def _degree(quantity: str) -> str:
    return "摄氏度" if quantity.endswith("摄氏度") else "度"


def _signed(text: str, minus: str = "负") -> str:
    return (minus if text.startswith("-") else "") + number(text.lstrip("-"))


@rule(rf"(?:(?<![A-Za-z])|(?=/))({_UNIT})(?![A-Za-z])")
def _unit(match: re.Match[str]) -> str:
    return _UNITS[match[1]]


# The hyphen of Wi-Fi or Python-3; one between single letters is a minus sign.
@rule(r"(?<=[A-Za-z])-(?=[A-Za-z]{2})|(?<=[A-Za-z]{2})-(?=[A-Za-z0-9])")
def _hyphenated(_: re.Match[str]) -> str:
    return ""


@rule(rf"(?<![-0-9.+×÷=])({_NUM})-({_NUM})(?![-0-9+×÷=]|\.[0-9]|等于|得)")
def _span(match: re.Match[str]) -> str:
    # 3-5 is from three to five, 5-3 can only be five minus three.
    if float(match[1]) >= float(match[2]):
        return match[0]
    # A last 2 is left to the rule for counted things, which makes it 两.
    return f"{number(match[1])}到{match[2] if match[2] == '2' else number(match[2])}"


@rule(rf"{_OPERAND}(?:[-+×÷=]{_OPERAND})+")
def _arithmetic(match: re.Match[str]) -> str:
    # A sign after another sign belongs to the number behind it.
    return re.sub("(?<![-+×÷=])(?<!^)[-+×÷=]", lambda sign: _OPERATORS[sign[0]], match[0])


@rule(rf"{_SUPERSCRIPT}+")
def _power(match: re.Match[str]) -> str:
    return f"的{''.join(_SUPERSCRIPTS[digit] for digit in match[0])}次方"


@rule(r"(-?)([0-9]+)/([0-9]+)")
def _fraction(match: re.Match[str]) -> str:
    return f"{'负' if match[1] else ''}{cardinal(match[3])}分之{cardinal(match[2])}"


@rule(rf"(-?)({_NUM})%")
def _percentage(match: re.Match[str]) -> str:
    return f"{'负' if match[1] else ''}百分之{number(match[2])}"


@rule(rf"(?<![0-9.])(?:0(?:10|2[1-3]|[3-9][0-9]{{2}}))?[1-9][0-9]{{6,7}}(?![0-9.]|{_MEASURE})")
def land_line(match: re.Match[str]) -> str:
    return digit_by_digit(match[0], telephone=True)


@rule(rf"(?<![-0-9+×÷=])(-?{_NUM})[-~](-?{_NUM})(?![-0-9+×÷=])")
def _range(match: re.Match[str]) -> str:
    return f"{_signed(match[1])}到{_signed(match[2])}"


@rule(rf"-({_NUM})(?!\.[0-9])")
def _negative(match: re.Match[str]) -> str:
    return f"负{number(match[1])}"


@rule(r"[0-9]+(?:\.[0-9]+){2,}")
def _version(match: re.Match[str]) -> str:
    return "点".join(map(digit_by_digit, match[0].split(".")))


@rule(r"[0-9]*\.[0-9]+")
def _decimal(match: re.Match[str]) -> str:
    return number(match[0])


@rule(rf"([0-9]+)([多余几+]?)(?=(?P<measure>{_MEASURE}))")
def _counted(match: re.Match[str]) -> str:
    words = cardinal(match[1])
    # Two of a thing are 两, but February and the second of a month are numbered, not counted.
    if words == "二" and match["measure"] not in ("月", "日"):
        words = "两"
    return words + match[2].replace("+", "多")


@rule("[0-9]{3,}")
def _code(match: re.Match[str]) -> str:
    return digit_by_digit(match[0], telephone=True)


@rule("[0-9]+")
def _cardinal(match: re.Match[str]) -> str:
    return cardinal(match[0])


# A slash is said where a rate follows; elsewhere it parts alternatives.
@rule(rf"/(?=(?P<rate>{_MEASURE}|次|人|步|字|[0-9A-Za-z])?)")
def _slash(match: re.Match[str]) -> str:
    return "每" if match["rate"] else "、"


# A dash between Chinese words is a pause, anywhere else a minus sign.
@rule("(?<![\u4e00-\u9fa5])-|-(?![\u4e00-\u9fa5])")
def _minus(_: re.Match[str]) -> str:
    return "减"


RULES = (
    money,
    _span_of_years,
    _date,
    _numeric_date,
    _time_range,
    _time,
    _telephone,
    _temperature_range,
    _percentage_range,
    _quantity_range,
    _span_of_time,
    _temperature,
    _unit,
    _hyphenated,
    _span,
    _arithmetic,
    _power,
    _fraction,
    _percentage,
    land_line,
    _range,
    _negative,
    _version,
    _decimal,
    _counted,
    _code,
    _cardinal,
    _slash,
    _minus,
)


def clauses(text: str) -> list[str]:
    """The text cut after each mark of `：、，；。？！,;?!` and at newlines, without blanks, brackets and quotes."""
    text = _THOUSANDS.sub(_without_commas, text)
    text = _FULL_WIDTH_TIME.sub(r"\1:\2", text)
    text = _CLAUSE_END.sub(r"\1\n", _SILENT.sub("", text))
    return [clause.strip() for clause in re.split("\n+", text.strip())]


def _without_commas(match: re.Match[str]) -> str:
    digits = match[0].replace(",", "")
    # Nobody groups the digits of a code or a telephone number, so a bare number is said as one at once.
    return digits if match["money"] or match["counted"] else number(digits)


def verbalise(text: str, rules: Sequence[Rule] = RULES) -> list[str]:
    """Each clause of `text` in simplified characters, its numbers, dates, units and signs written out in words."""
    return [_verbalise_clause(clause, rules) for clause in clauses(text)]


def _verbalise_clause(clause: str, rules: Sequence[Rule]) -> str:
    clause = traditional_to_simplified(clause).translate(_HALF_WIDTH)
    for each in rules:
        clause = each(clause)
    return _SILENT.sub("", clause.translate(_SYMBOLS))
