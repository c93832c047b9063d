"""How written Korean sounds: the Standard Pronunciation (표준 발음법) of the National Institute of the Korean Language.

All rules work on letters taken apart (Unicode's conjoining jamo: onset, vowel, coda). Most of them, one for each pair
of coda and onset, and the words that follow no rule come from data files of the package g2pk2, which is read and not
imported: importing it downloads a corpus. Numbers of articles (제N항) are given where a rule is written here.
"""

import importlib.util
import re
import unicodedata
from functools import cache
from pathlib import Path

from gsv.errors import MissingLibraryError

# What grammar.py puts behind a syllable whose word matters to a rule.
STEM = "/P"  # of a verb or adjective
ENDING = "/E"  # of a verb or adjective, ending in ㄹ

_Rule = tuple[re.Pattern[str], str]


def _rules(*rules: tuple[str, str]) -> tuple[_Rule, ...]:
    return tuple((re.compile(unicodedata.normalize("NFD", pattern)), apart(sound)) for pattern, sound in rules)


def _tense(before: str, after: str, plain: str, tense: str) -> tuple[tuple[str, str], ...]:
    return tuple((before + onset, after + hard) for onset, hard in zip(plain, tense, strict=True))


def apart(text: str) -> str:
    """The text with its syllables taken apart into conjoining jamo."""
    return unicodedata.normalize("NFD", text)


_GRAMMATICAL = _rules(
    # 29: ㄴ slips in between parts of numbers.
    ("(열|스물)여(섯|덟)", r"\1려\2"),
    ("(서른|마흔|쉰|예순|일흔|여든|아흔)여(섯|덟)", r"\1녀\2"),
    ("십육", "십뉵"),
    # 5: a consonant's ㅢ is ㅣ.
    ("([ᄀ-ᄊᄌ-ᄒ])ᅴ", r"\1ᅵ"),
    # 16: names of letters.
    ("((?:디|기)그)ᆮᄋ", r"\1ᄉ"),
    ("((?:지|치|티|히)으)[ᆽᆾᇀᇂ]ᄋ", r"\1ᄉ"),
    ("(키으)ᆿᄋ", r"\1ᄀ"),
    ("(피으)ᇁᄋ", r"\1ᄇ"),
    # 11, 24, 25: stems before endings.
    ("ᆰ/P[ᄀᄁ]", "ᆯᄁ"),
    *_tense("([ᆲᆴ])/P", r"\1", "ᄀᄃᄉᄌ", "ᄁᄄᄊᄍ"),
    *_tense("([ᆫᆷ])/P", r"\1", "ᄀᄃᄉᄌ", "ᄁᄄᄊᄍ"),
    *_tense("ᆬ/P", "ᆫ", "ᄀᄃᄉᄌ", "ᄁᄄᄊᄍ"),
    *_tense("ᆱ/P", "ᆷ", "ᄀᄃᄉᄌ", "ᄁᄄᄊᄍ"),
    # 10: 밟다; 넓죽하다, 넓둥글다.
    ("(바)ᆲ(?!(?:/P)?[ᄋᄒ])", r"\1ᆸ"),
    ("(너)ᆲ([ᄃᄄᄌᄍ]ᅮ)", r"\1ᆸ\2"),
    # 17: ㄷ and ㅌ before 이 and 히.
    ("ᆮᄋ([ᅵᅧ])", r"ᄌ\1"),
    ("ᇀᄋ([ᅵᅧ])", r"ᄎ\1"),
    ("ᆴᄋ([ᅵᅧ])", r"ᆯᄎ\1"),
    ("ᆮᄒ(ᅵ|ᅧ(?![ᆨ-ᆺᆼ-ᇂ]))", r"ᄎ\1"),
    # 27: after an ending in ㄹ.
    *_tense("ᆯ/E ", "ᆯ ", "ᄀᄃᄇᄉᄌ", "ᄁᄄᄈᄊᄍ"),
    ("ᆯ걸", "ᆯ껄"),
    ("ᆯ밖에", "ᆯ빠께"),
    ("ᆯ세라", "ᆯ쎄라"),
    ("ᆯ수록", "ᆯ쑤록"),
    ("ᆯ지라도", "ᆯ찌라도"),
    ("ᆯ지언정", "ᆯ찌언정"),
    ("ᆯ진대", "ᆯ찐대"),
    ("/[PE]", ""),
    # 10: other words in ㄼ before a nasal.
    ("ᆲ( ?)ᄂ", r"ᆯ\1ᄅ"),
    ("ᆲ( ?)ᄆ", r"ᆯ\1ᄆ"),
)

_LAST = _rules(
    # 13, 14, 12: a coda moves to a following syllable that has no onset.
    *((f"{coda}ᄋ", onset) for coda, onset in zip("ᆨᆩᆫᆮᆯᆷᆸᆺᆻᆽᆾᆿᇀᇁ", "ᄀᄁᄂᄃᄅᄆᄇᄉᄊᄌᄎᄏᄐᄑ", strict=True)),
    *(
        (f"{coda}ᄋ", moved)
        for coda, moved in zip("ᆪᆬᆰᆱᆲᆳᆴᆵᆹ", ("ᆨᄊ", "ᆫᄌ", "ᆯᄀ", "ᆯᄆ", "ᆯᄇ", "ᆯᄊ", "ᆯᄐ", "ᆯᄑ", "ᆸᄊ"), strict=True)
    ),
    *((f"{coda}ᄋ", onset) for coda, onset in zip("ᇂᆭᆶ", "ᄋᄂᄅ", strict=True)),
    # The table turns ㄴ after ㄹ into ㄹ; after 을 and 를 it stays.
    ("([ᄋᄅ]ᅳᆯ) ᄅ", r"\1 ᄂ"),
    # 5: 져, 쪄, 쳐 lose their glide.
    ("([ᄌᄍᄎ])ᅧ", r"\1ᅥ"),
)
# The table's last column stands for the end of a word; whatever is no jamo ends one.
_WORD_END = (r"(\W|$)", "([^ᄀ-ᇿ]|$)")


def exceptions(text: str) -> str:
    """The text with the words that follow no rule spelt as they sound."""
    for word, sound in _exceptions():
        text = word.sub(sound, text)
    return text


def sounds(jamo: str) -> str:
    """Jamo as they sound from jamo as they are written, marked by `STEM` and `ENDING`."""
    for rules in (_GRAMMATICAL, _table(), _LAST):
        for pattern, sound in rules:
            jamo = pattern.sub(sound, jamo)
    return jamo


@cache
def _exceptions() -> tuple[_Rule, ...]:
    lines = (line.split("#")[0].strip() for line in _data("idioms.txt").splitlines())
    pairs = (line.split("===") for line in lines if "===" in line)
    # Those that begin with a number do not stand inside a longer one.
    return tuple((re.compile(rf"(?<!\d){word}" if word[0].isdigit() else word), sound) for word, sound in pairs)


@cache
def _table() -> tuple[_Rule, ...]:
    """What becomes of each coda (rows) before each onset (columns), a blank between them or not."""
    onsets, *rows = (line.split(",") for line in _data("table.csv").splitlines())
    return tuple(
        (re.compile(coda + onset.replace(*_WORD_END)), cell.split("(")[0])
        for coda, *cells in rows
        for onset, cell in zip(onsets[1:], cells, strict=False)
        if cell
    )


def _data(name: str) -> str:
    found = importlib.util.find_spec("g2pk2")
    if found is None or found.origin is None:
        raise MissingLibraryError("Korean needs the package g2pk2; install it with: pip install g2pk2")
    return (Path(found.origin).parent / name).read_text("utf-8")
