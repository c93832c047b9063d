"""Single letters of the Korean alphabet, as they are written in chats."""

import re

_NAMES = dict(
    zip(
        "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ",
        (
            *("기역", "쌍기역", "니은", "디귿", "쌍디귿", "리을", "미음", "비읍", "쌍비읍", "시옷", "쌍시옷", "이응"),
            *("지읒", "쌍지읒", "치읓", "키읔", "티읕", "피읖", "히읗"),
        ),
        strict=True,
    )
) | dict(
    zip(
        "ㄳㄵㄶㄺㄻㄼㄽㄾㄿㅀㅄ",
        (
            "기역시옷",
            "니은지읒",
            "니은히읗",
            "리을기역",
            "리을미음",
            "리을비읍",
            "리을시옷",
            "리을티읕",
            "리을피읖",
            "리을히읗",
            "비읍시옷",
        ),
        strict=True,
    )
)
# Laughter has a vowel when it is heard.
_LAUGHTER = {"ㅋ": "크", "ㅎ": "흐"}
_VOWELS = dict(
    zip("ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ", "아애야얘어에여예오와왜외요우워웨위유으의이", strict=True)
)
_SHORT_FOR = {
    "ㅇㅇ": "응",
    "ㅇㅋ": "오케이",
    "ㄴㄴ": "노노",
    "ㄱㄱ": "고고",
    "ㄱㅅ": "감사",
    "ㅈㅅ": "죄송",
    "ㅊㅋ": "축하",
    "ㅅㄱ": "수고",
    "ㄷㄷ": "덜덜",
    "ㅎㅇ": "하이",
    "ㅂㅇ": "바이",
    "ㅂㅂ": "바이바이",
}
_RUN = re.compile("[ㄱ-ㅣ]+")


def spell_letters(text: str) -> str:
    """The text with letters that are in no syllable as they are read: ㅋㅋ is 크크, ㅇㅋ is 오케이, ㄱ its name."""
    return _RUN.sub(_spelt, text)


def _spelt(match: re.Match[str]) -> str:
    letters = match[0]
    if letters in _SHORT_FOR:
        return _SHORT_FOR[letters]
    return "".join(_LAUGHTER.get(letter) or _VOWELS.get(letter) or _NAMES[letter] for letter in letters)
