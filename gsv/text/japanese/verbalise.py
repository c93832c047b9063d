"""Writing out what Open JTalk would misread or never see, because the text is cut at marks before it.

Numbers, counters and dates in the usual spelling stay as they are: Open JTalk reads them. Numbers keep their digits.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable

from gsv.text.japanese.units import KNOWN, LENGTHS, UNITS
from gsv.text.signs import plain_signs
from gsv.text.split import collapse_punctuation

Match = re.Match[str]
_Rule = tuple[re.Pattern[str], str | Callable[[Match], str]]

_HYPHEN = "[-‐‑‒–−－]"
_COLON = "[:：]"
_SLASH = "[/／]"
_POINT = "[.．]"
_WAVE = "[~〜～]"
_NUMBER = r"(?<![\d.．])\d+(?:[.．]\d+)?"
_KANJI = "々〇\u3400-\u4dbf\u4e00-\u9fff"
_SPOKEN = f"{_KANJI}\u3041-\u309f\u30a1-\u30ffA-Za-zＡ-Ｚａ-ｚ\\d"
_WEEKDAY = "[月火水木金土日祝]"
# Behind 5/10 these tell a day from a fraction.
_ON_A_DAY = f"[(（]{_WEEKDAY}|に|から|まで|より|は|も|付|発|現在|時点|開催|開始|発売|{_WAVE}"
_DIGITS = ("ゼロ", "イチ", "ニー", "サン", "ヨン", "ゴー", "ロク", "ナナ", "ハチ", "キュー")
_RESULT = r"(?:で|の)(?=勝|負|敗|引き?分|快勝|圧勝|辛勝|リード|逃げ|逆転|試合|スコア)"
_COUNTERS = (
    "日|個|人|名|年|分|秒|時間?|枚|本|回|か月|ヶ月|カ月|週間?|歳|才|倍|円|度|点|階|匹|杯|章|ページ|セット|泊|歩|割|号"
)


def _compiled(*rules: tuple[str, str | Callable[[Match], str]]) -> tuple[_Rule, ...]:
    return tuple((re.compile(pattern), spoken) for pattern, spoken in rules)


def _plain(digits: str) -> str:
    """Digits in half width, without leading zeros."""
    return str(int(digits))


def _digit_by_digit(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _telephone(match: Match) -> str:
    return "、".join(map(_digit_by_digit, re.findall(r"\d+", match[0])))


def _postal_code(match: Match) -> str:
    digits = re.sub(r"\D", "", match[0])
    return f"郵便番号{_digit_by_digit(digits[:3])}、{_digit_by_digit(digits[3:])}、"


def _time(match: Match) -> str:
    hours, minutes, seconds = match["hours"], match["minutes"], match["seconds"]
    spoken = f"{_plain(hours)}時" + (f"{_plain(minutes)}分" if int(minutes) or seconds else "")
    return spoken + (f"{_plain(seconds)}秒" if seconds else "")


def _date(match: Match) -> str:
    return f"{match['year']}年{_plain(match['month'])}月{_plain(match['day'])}日"


def _money(match: Match) -> str:
    name = {
        "$": "ドル",
        "＄": "ドル",
        "€": "ユーロ",
        "£": "ポンド",
        "￡": "ポンド",
        "₩": "ウォン",
        "￦": "ウォン",
        "฿": "バーツ",
    }
    return f"{match['amount']}{match['scale'] or ''}{name.get(match['sign'], '円')}"


def _power(match: Match) -> str:
    return {"2": "平方", "²": "平方", "3": "立方", "³": "立方"}[match["power"]] + LENGTHS[match["unit"]]


def _alternatives(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_UNIT = _alternatives(UNITS)
_LENGTH = _alternatives(LENGTHS)
_KNOWN_UNIT = _alternatives(KNOWN)
_NO_LETTER = "(?![A-Za-zＡ-Ｚａ-ｚ])"
_MONTH = "(?P<month>0?[1-9]|1[0-2])"
_DAY = "(?P<day>0?[1-9]|[12][0-9]|3[01])"

_RULES = _compiled(
    (r"[０-９]+(?:[:：.．,，/／－-][０-９]+)+", lambda match: unicodedata.normalize("NFKC", match[0])),
    # Words that Open JTalk's dictionary has a wrong reading for.
    ("お月さん", "おつきさん"),
    ("お日さん", "おひさん"),
    ("(?:100|１００|百)均", "ひゃっきん"),
    # Shortened words in brackets.
    ("[(（]株[)）]", "株式会社"),
    ("[(（]有[)）]", "有限会社"),
    # Commas inside numbers.
    (r"(?<![\d,，])\d{1,3}(?:[,，]\d{3})+(?!\d)", lambda match: re.sub("[,，]", "", match[0])),
    # Postal codes, telephone numbers.
    (rf"〒\s?(\d{{3}}{_HYPHEN}?\d{{4}})(?!\d)", _postal_code),
    (
        rf"(?<![\d.])(?:[(（]?0\d{{1,4}}[-‐‑‒–−－()（）]\d{{1,4}}[-‐‑‒–−－)）]\d{{3,4}}|0120{_HYPHEN}?\d{{2,3}}{_HYPHEN}?\d{{3,4}}"
        rf"|0[5-9]0\d{{8}}|0\d{{9}})(?![\d.])",
        _telephone,
    ),
    # Dates and times.
    (rf"(?<!\d)(?P<year>\d{{4}})(?P<mark>[-/.／．－]){_MONTH}(?P=mark){_DAY}(?!\d)", _date),
    (
        rf"(?<![\d/／.]){_MONTH}{_SLASH}{_DAY}(?![\d/／.])(?={_ON_A_DAY})",
        lambda match: f"{_plain(match['month'])}月{_plain(match['day'])}日",
    ),
    (
        rf"(?<![\d:：])(?P<hours>[01]?\d|2\d){_COLON}(?P<minutes>[0-5]\d)(?:{_COLON}(?P<seconds>[0-5]\d))?(?![\d:：])",
        _time,
    ),
    (r"(?<=\d時)0(?=[1-9]分)|(?<=\d分)0(?=[1-9]秒)", ""),
    (r"(?<=日[(（])([月火水木金土日])(?=[)）])", r"\1曜"),
    # Scores and ratios.
    (rf"(?<=\d){_COLON}(?=\d)|(?<=\d)対(?=\d)", "タイ"),
    (rf"(?<![\d-])(\d+){_HYPHEN}(\d+)(?={_RESULT})", r"\1タイ\2"),
    # Money.
    (rf"(?P<sign>[¥￥$＄€£￡₩￦฿])\s?(?P<amount>{_NUMBER})(?P<scale>[千万億兆]+)?", _money),
    # Fractions and versions.
    (rf"(?<![\d/／])(\d+){_SLASH}(\d+)(?![\d/／])", r"\2分の\1"),
    (r"[Vv]er\.?\s?(?=\d)", "バージョン"),
    (r"[Nn]o\.\s?(?=\d)", "ナンバー"),
    (r"(?<!\d)(?<!\d\.)\d+(?:\.\d+){2,}(?!\.?\d)", lambda match: match[0].replace(".", "点")),
    (r"(?<=\d)−(?=\d)", "ヒク"),
    # Ranges, house numbers, signs before a number.
    (rf"(?<=\d){_HYPHEN}(?=\d+(?:{_COUNTERS}))(?<!{_HYPHEN}\d{_HYPHEN})", "から"),
    (rf"(?<=\d){_HYPHEN}(?=\d)", "の"),
    (rf"(?<![\dA-Za-z{_KANJI}]){_HYPHEN}(?=\d)|(?<=[{_KANJI}])[−－](?=\d)", "マイナス"),
    # Units that Open JTalk does not know as such.
    (rf"(?<=\d)\s?(?P<unit>{_LENGTH})(?P<power>[23²³])(?![A-Za-z\d])", _power),
    (rf"(?:時速\s?)?(?P<number>{_NUMBER})\s?(?P<unit>km|m){_SLASH}h{_NO_LETTER}", r"時速\g<number>\g<unit>"),
    (rf"(?:秒速\s?)?(?P<number>{_NUMBER})\s?m{_SLASH}s{_NO_LETTER}", r"秒速\g<number>m"),
    (rf"(?<=\d)\s?(?P<unit>{_UNIT}){_NO_LETTER}", lambda match: UNITS[match["unit"]]),
    (rf"(?<=\d)\s(?=(?:{_KNOWN_UNIT}){_NO_LETTER})", ""),
    (rf"({_NUMBER})\s?°F", r"華氏\1度"),
    (r"(?<=\d)\s?[°º]C?", "度"),
    (r"(?:(?<=\d)\s?)?[%％]", "パーセント"),
    # Sums.
    (r"(?<=[\d)）])\s?[+＋]\s?(?=[\d(（])", "タス"),
    (r"(?<=[\d)）])\s?[xｘ×✕✖*＊]\s?(?=[\d(（])", "カケル"),
    (r"(?<=[\d)）])\s?[÷]\s?(?=[\d(（])", "ワル"),
    (r"(?<=[\d)）])\s[-−－]\s(?=[\d(（])", "ヒク"),
    (r"(?<=[\d)）])\s?[=＝]\s?(?=[\d(（マ])", "は"),
    (r"[&＆]", "アンド"),
    (r"[@＠]", "アット"),
    (r"[#＃](?=\d)", "ナンバー"),
    (r"(?<=[\dA-Za-zＡ-Ｚａ-ｚ])[+＋]+", lambda match: "プラス" * len(match[0])),
    # From ... to, or a drawn-out vowel.
    (
        rf"(?<=[{_KANJI}\d])\s?{_WAVE}\s?(?=[{_KANJI}\d])|(?<=[{_SPOKEN}]){_WAVE}(?=\d)|(?<=[\d年月日時分秒歳円]){_WAVE}",
        "から",
    ),
    (rf"(?<=[{_SPOKEN}]){_WAVE}+", "ー"),
)

_NAMES = {
    "㈱": "株式会社",
    "㈲": "有限会社",
    "㍿": "株式会社",
    "○": "マル",
    "◯": "マル",
    "△": "サンカク",
    "№": "ナンバー",
    "™": "",
    "℡": "電話",
    "℃": "°C",
    "℉": "°F",
}
# Marks of voicing join the letter before them; letters of no other use are those that sound the same.
_LETTERS = str.maketrans(
    dict(
        zip("゛゜ゕゖㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ", "\u3099\u309aヵヶクシストヌハヒフヘホムラリルレロ", strict=True)
    )
    | {"ヷ": "ヴァ", "ヸ": "ヴィ", "ヹ": "ヴェ", "ヺ": "ヴォ", "ヿ": "コト", "ゟ": "より"}
)


def normalize(text: str) -> str:
    """Japanese text as Open JTalk reads it rightly.

    Signs, units, times and dates with signs, telephone numbers and prices are written out; of marks in a row the first
    is kept; pictures and what cannot be seen are left out. All else stays as it is.
    """
    text = plain_signs(text.translate(_LETTERS), _NAMES, "{denominator}分の{numerator}")
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    return collapse_punctuation(text)
