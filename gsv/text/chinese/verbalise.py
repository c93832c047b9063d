"""Writing numbers, dates, units and signs of Mandarin text out in words.

A text is cut into clauses, and each clause goes through `RULES` in order; the order matters, because every rule sees
what the ones before it left. The rules and their order are those of PaddleSpeech's text normaliser with GPT-SoVITS'
additions, which published voices were trained on. docs/text-chinese.md lists where gsv departs from them, because they
read something wrong.
"""

import re
import unicodedata
from collections.abc import Sequence

from misaki.zh_normalization.char_convert import tranditional_to_simplified as traditional_to_simplified

from gsv.text.chinese import arithmetic, codes, quantities, times
from gsv.text.chinese.numbers import number
from gsv.text.chinese.rules import MEASURE, Rule

RULES: tuple[Rule, ...] = (
    codes.endless,
    quantities.money_range,
    quantities.money,
    quantities.money_behind,
    times.span_of_years,
    times.date,
    times.numeric_date,
    times.generation,
    arithmetic.score,
    times.stopwatch,
    times.time_range,
    times.time,
    arithmetic.ratio,
    codes.telephone,
    codes.grouped_digits,
    quantities.temperature_range,
    quantities.percentage_range,
    quantities.quantity_range,
    times.span_of_time,
    times.two_o_clock,
    times.early_minute,
    quantities.temperature,
    quantities.counted_range,
    quantities.measured,
    quantities.unit,
    arithmetic.hyphenated,
    arithmetic.span,
    arithmetic.arithmetic,
    arithmetic.comparison,
    arithmetic.power,
    arithmetic.blood_pressure,
    arithmetic.fraction,
    quantities.percentage,
    codes.land_line,
    arithmetic.range_of_numbers,
    arithmetic.negative,
    codes.version,
    arithmetic.decimal,
    quantities.counted,
    codes.code,
    arithmetic.whole_number,
    quantities.slash,
    arithmetic.minus,
)

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
    r"(?P<money>[￥¥$€£])?(?<![0-9.])[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?(?![0-9,])"
    rf"(?=(?P<counted>[%°℃A-Za-z]|{MEASURE})?)"
)
# Signs between digits that are told apart before blanks and brackets go, which would glue the digits together.
_BETWEEN_DIGITS = (
    (re.compile(r"(?<=[0-9]) *[‐‑‒–—―−]{1,2} *(?=[0-9])"), "-"),
    (re.compile("(?<=[0-9年月日号点分秒度%℃元a-zA-Z])[～〜∼](?=[-0-9])"), "~"),
    (re.compile(r"(?<=[0-9])\*(?=[0-9])|(?<=[0-9])[xX](?=[0-9])"), "×"),
    (re.compile(r"(?<![0-9])([0-9]{1,3})[：∶]([0-9]{1,4})(?![0-9])"), r"\1:\2"),
    (re.compile(r"(?<=[0-9])[《》【】{}()（）#&@“”_|\\]+(?=[0-9])"), "，"),
    (re.compile(r"(?<=[0-9]) ?> ?(?=[0-9])"), "大于"),
    (re.compile(r"(?<=[0-9]) ?< ?(?=[0-9])"), "小于"),
)
_MINUS = str.maketrans({"−": "-", "﹣": "-", "－": "-", "％": "%", "＋": "+", "＝": "=", "／": "/", "．": "."})
_PICTURES = "\u2600-\u27bf\u2b50\ufe0f\u200d\U0001f000-\U0001faff"
# Between words a picture is a pause.
_PICTURE = re.compile(rf"(?<=\w)[{_PICTURES}]+(?=\w)")
# Units, powers and fractions that are one character, or written for a typewriter.
_SQUEEZED = re.compile("[\u3371-\u3376\u3380-\u33df]")
_FRACTION = re.compile("([0-9]?)([\u00bc-\u00be\u2150-\u215e])")
_CARET = re.compile(r"(?<=[0-9A-Za-z)])\^(-?[0-9]+)")
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SPACED_DIGITS = re.compile("(?<![0-9])[0-9]+(?: [0-9]+)+(?![0-9])")
_REPEATED = re.compile("([\u4e00-\u9fff])々")


def clauses(text: str) -> list[str]:
    """The text cut after each mark of `：、，；。？！,;?!` and at newlines, without blanks, brackets and quotes."""
    text = _plain(text)
    text = _REPEATED.sub(r"\1\1", text.replace("〇", "零"))
    text = _PICTURE.sub("，", _THOUSANDS.sub(_without_commas, text))
    for pattern, meant in _BETWEEN_DIGITS:
        text = pattern.sub(meant, text)
    text = _CLAUSE_END.sub(r"\1\n", _SILENT.sub("", text))
    return [clause.strip() for clause in re.split("\n+", text.strip())]


def _plain(text: str) -> str:
    text = text.translate(_HALF_WIDTH).translate(_MINUS)
    text = _SQUEEZED.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = _FRACTION.sub(_written_out_fraction, text)
    text = _CARET.sub(lambda match: match[1].translate(_RAISED), text)
    return _SPACED_DIGITS.sub(_without_blanks, text)


def _written_out_fraction(match: re.Match[str]) -> str:
    return match[1] + ("又" if match[1] else "") + unicodedata.normalize("NFKC", match[2]).replace("\u2044", "/")


def _without_blanks(match: re.Match[str]) -> str:
    groups = match[0].split(" ")
    if len(groups[0]) < 4 and all(len(group) == 3 for group in groups[1:]):
        return ",".join(groups)  # thousands
    if len(groups) == 3 and [len(group) for group in groups] == [4, 2, 2]:
        return "-".join(groups)  # a date
    # Telephones and cards have long groups; single numbers side by side are read one by one.
    return ("" if all(len(group) > 2 for group in groups) else "，").join(groups)


def _without_commas(match: re.Match[str]) -> str:
    digits = match[0].replace(",", "")
    # Nobody groups the digits of a code or a telephone number, so a bare number is said as one at once.
    return digits if match["money"] or match["counted"] else number(digits)


def verbalise(text: str, rules: Sequence[Rule] = RULES) -> list[str]:
    """Each clause of `text` in simplified characters, its numbers, dates, units and signs written out in words."""
    return [_verbalise_clause(clause, rules) for clause in clauses(text)]


def _verbalise_clause(clause: str, rules: Sequence[Rule]) -> str:
    clause = traditional_to_simplified(clause)
    for each in rules:
        clause = each(clause)
    return _SILENT.sub("", clause.translate(_SYMBOLS))
