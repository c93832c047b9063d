"""What Greek letters in formulas are called, in languages that do not read them by themselves."""

import re
from collections.abc import Mapping

# A letter that is part of a unit (μm) stays.
_LETTER = re.compile("[\u0391-\u03a9\u03b1-\u03c9](?![A-Za-z])")
_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"


def _named(names: str) -> Mapping[str, str]:
    return dict(zip(_LETTERS, names.split(), strict=True)) | {"ς": names.split()[_LETTERS.index("σ")]}


ENGLISH = _named(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu "
    "nu xi omicron pi rho sigma tau upsilon phi chi psi omega"
)
JAPANESE = _named(
    "アルファ ベータ ガンマ デルタ イプシロン ゼータ イータ シータ イオタ カッパ ラムダ ミュー "
    "ニュー クサイ オミクロン パイ ロー シグマ タウ ユプシロン ファイ カイ プサイ オメガ"
)
KOREAN = _named(
    "알파 베타 감마 델타 엡실론 제타 에타 세타 요타 카파 람다 뮤 "
    "뉴 크사이 오미크론 파이 로 시그마 타우 입실론 파이 카이 프사이 오메가"
)


def spelt(text: str, names: Mapping[str, str], apart: str = "") -> str:
    """The text with names in the place of Greek letters, each between two of `apart`."""
    return _LETTER.sub(lambda letter: f"{apart}{names[letter[0].lower()]}{apart}", text)
