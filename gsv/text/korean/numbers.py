"""Korean number words: native ones (하나, 둘) before most counters, else Sino-Korean ones (일, 이)."""

import re

_DIGITS = "영일이삼사오육칠팔구"
_DIAL_DIGITS = "공일이삼사오육칠팔구"
_PLACES = ("", "십", "백", "천")
_MYRIADS = ("", "만", "억", "조", "경", "해")
_LONGEST = 4 * len(_MYRIADS)
_UNITS = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")

# Things counted in native numbers. What must not follow makes another word of it: 개월, 달러, 정도.
NATIVE_COUNTERS = (
    "개(?!월|국|년|소|사|교|조)|명|사람|마리|권|그루|닢|대|두|모금|모|뭇|발짝|발|방울|방|번(?!지|호|길)|벌|보루|살|"
    "수(?!준|치|학)|술|시간|쌈|움큼|정(?!도|액|상)|짝|채(?!널)|척|첩|축|켤레|톨|통|잔|병(?!원|동|실)|장|달(?!러)|곳|"
    "군데|가지|종류|그릇|접시|컵|송이|줄|칸|판|봉지|상자|박스|자루|조각|쌍|다발|묶음|포기|뿌리|끼(?!리)|바퀴|걸음|"
    "편(?!도|성)|건(?!물|축)|골(?!드|프|목)|경기|게임|글자|단어|문장|문제|과목|팀|배(?!럴|터)|차례|마디|알(?!파)|"
    "포(?!인트|르)|캡슐|숟가락|숟갈|스푼|큰술|작은술|다리|손가락|해(?!리|상|외)"
)
_NATIVE = re.compile(NATIVE_COUNTERS)
_HOUR = re.compile("시(?!즌|리즈|간|그마|시)")
_MONTH = re.compile("월(?!드)")
# What has a number for a name: 3번 출구, 2번 버스.
_NAMED = re.compile(
    "번 ?(?:출구|버스|문항|선수|타자|트랙|국도|홀|좌석|게이트|승강장|플랫폼|창구|채널|유형|후보|테이블"
    "|교향곡|마을버스|방)"
)
_DECADE = re.compile("대")
_AGAINST = re.compile(r"대 ?\d")
_ORDINAL_PREFIX = re.compile("제 ?$")

_NUMBER = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<part>\d+))?(?=(?P<blank> ?))")
# What the rules of sound do not know: 칠십 and 팔십 are tense; ㄴ slips in between 십, 백, 천 ... and 육.
_JOINTS = tuple(
    (re.compile(place), sound)
    for place, sound in (
        ("(?<=[칠팔])십", "씹"),
        ("(?<=[십씹백천만억조경해])육", "뉵"),
    )
)


def spell_numbers(text: str) -> str:
    """The text with every number in words, as the word after it asks for."""
    return _NUMBER.sub(_spelled, text)


def sino(digits: str) -> str:
    """A whole number in Sino-Korean words: `110000` is 십일만."""
    digits = digits.lstrip("0")
    if not digits:
        return _DIGITS[0]
    if len(digits) > _LONGEST:
        return _one_by_one(digits)
    words = ""
    padded = digits.zfill(-(-len(digits) // 4) * 4)
    groups = [padded[start : start + 4] for start in range(0, len(padded), 4)]
    for myriad, group in zip(range(len(groups) - 1, -1, -1), groups, strict=True):
        named = "".join(
            ("" if digit == "1" and place else _DIGITS[int(digit)]) + _PLACES[place]
            for place, digit in zip((3, 2, 1, 0), group, strict=True)
            if digit != "0"
        )
        # 10000 is 만, but 100000000 is 일억.
        if named:
            words += ("" if (words, named, myriad) == ("", "일", 1) else named) + _MYRIADS[myriad]
    return _joined(words)


def native(number: int) -> str:
    """A number from 1 to 99 in native words, as they stand before a counter: `20` is 스무, `21` 스물한."""
    return "스무" if number == 20 else _TENS[number // 10] + _UNITS[number % 10]


def dialled(digits: str) -> str:
    """Digits one by one, as in telephone numbers."""
    return "".join(_DIAL_DIGITS[int(digit)] for digit in digits)


def _one_by_one(digits: str) -> str:
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _joined(words: str) -> str:
    for joint, sound in _JOINTS:
        words = joint.sub(sound, words)
    return words


def _spelled(match: re.Match[str]) -> str:
    digits = match["whole"].replace(",", "")
    if match["part"] is not None:
        return sino(digits) + "점" + _one_by_one(match["part"])
    if len(digits) > 1 and digits[0] == "0":
        return dialled(digits)
    if len(digits) > _LONGEST:
        return _one_by_one(digits)
    text, after = match.string, match.end("blank")
    number = int(digits)
    if number in (6, 10) and _MONTH.match(text, match.end()):
        return "유" if number == 6 else "시"
    if _ORDINAL_PREFIX.search(text, max(0, match.start() - 2), match.start()):
        return sino(digits)
    if _HOUR.match(text, after):
        return native(number) if 1 <= number <= 12 else sino(digits)
    if _is_counted(number, text, after):
        if number == 1 and text.startswith("번째", after):
            return "첫"
        return native(number) if number < 100 else _mixed(number)
    return sino(digits)


def _is_counted(number: int, text: str, after: int) -> bool:
    if number == 0 or not _NATIVE.match(text, after):
        return False
    # 3대 1 is a score, 20대 an age.
    decade = number in range(10, 100, 10) and _DECADE.match(text, after)
    return not (_NAMED.match(text, after) or _AGAINST.match(text, after) or decade)


def _mixed(number: int) -> str:
    """백한, but 백이십삼: beyond a hundred native words are used for small remainders only."""
    rest = number % 100
    return sino(str(number - rest)) + native(rest) if 0 < rest < 10 else sino(str(number))
