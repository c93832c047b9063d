"""How the tones of a Mandarin word change in speech.

The rules run in order on each word, each on what the ones before left: 不, 一, unstressed syllables, third tones, 儿.
They are those of PaddleSpeech as GPT-SoVITS has them; docs/text-chinese.md tells them in words.
"""

import re
from collections.abc import Collection, Sequence

from gsv.text.chinese.lexicon import lexicon
from gsv.text.chinese.words import Word, halves

NEUTRAL = 5

_PARTICLES = frozenset("吧呢哈啊呐噻嘛吖嗨呐哦哒额滴哩哟喽啰耶喔诶")
_STRUCTURAL = frozenset("的地得")
_ASPECT_TAGS = frozenset({"ul", "uz", "ug"})
_DIRECTIONS = frozenset("上下进出回过起开")
_BEFORE_GE = frozenset("几有两半多各整每做是")
_NOT_STRESSED_TAGS = ("n", "v", "a")
_NUMERALS = "零一二三四五六七八九十百千万亿"
# Where 一 is a number by itself and counts nothing: 十一月, 二零一一年, 十一月一日, 一到两件, 三比一.
_NUMBER_ONE = re.compile(
    f"(?<=[{_NUMERALS}])一(?=[年月])|(?<=月)一(?=[日号])|一(?=月[{_NUMERALS}]+[日号])|一(?=[到至比][{_NUMERALS}两])"
    f"|(?<=[{_NUMERALS}]比)一(?![{_NUMERALS}])"
)
_MARKS = frozenset("：，；。？！“”‘’':,;.?!")


def numbers_one(clause: str) -> frozenset[int]:
    """The positions of each 一 in a clause that is a number by itself, whose tone does not change."""
    return frozenset(match.start() for match in _NUMBER_ONE.finditer(clause))


def spoken_tones(word: Word, tones: Sequence[int], kept: Collection[int] = ()) -> list[int]:
    """Tones of a word as spoken, from those of its syllables said alone (1 to 5; 0 for a punctuation mark).

    kept: positions in the word where 一 keeps its tone.
    """
    changed = list(tones)
    _change_bu(word.text, changed)
    _change_yi(word.text, changed)
    for position in kept:
        changed[position] = tones[position]
    _change_unstressed(word, changed)
    _change_third(word.text, changed)
    return changed


def _change_bu(word: str, tones: list[int]) -> None:
    if len(word) == 3 and word[1] == "不":
        tones[1] = NEUTRAL
        return
    for position, (character, next_tone) in enumerate(zip(word, tones[1:], strict=False)):
        if character == "不" and next_tone == 4:
            tones[position] = 2


def _change_yi(word: str, tones: list[int]) -> None:
    if "一" not in word or all(character.isnumeric() for character in word):
        return
    if len(word) == 3 and word[1] == "一" and word[0] == word[2]:
        tones[1] = NEUTRAL
    elif word.startswith("第一"):
        tones[1] = 1
    else:
        for position, character in enumerate(word[:-1]):
            if character == "一" and word[position + 1] not in _MARKS:
                tones[position] = 2 if tones[position + 1] == 4 else 4


def _change_unstressed(word: Word, tones: list[int]) -> None:
    text = word.text
    if word.pos.startswith(_NOT_STRESSED_TAGS) and text not in lexicon().not_neutral:
        for position in range(1, len(text)):
            if text[position] == text[position - 1] and not _meet(text, position):
                tones[position] = NEUTRAL
    unstressed = _unstressed_position(word)
    if unstressed is not None:
        tones[unstressed] = NEUTRAL
    first, second = halves(text)
    if _ends_unstressed(first):
        tones[len(first) - 1] = NEUTRAL
    if _ends_unstressed(second):
        tones[-1] = NEUTRAL


def _meet(word: str, position: int) -> bool:
    """Whether two words of two characters meet here: the second 行 of 银行行长 repeats nothing."""
    return len(word) == 4 and position == 2 and len(halves(word)[0]) == 2


def _ends_unstressed(text: str) -> bool:
    return text in lexicon().neutral or text[-2:] in lexicon().neutral


def _unstressed_position(word: Word) -> int | None:
    """Which syllable the first rule that fits makes unstressed."""
    text, pos = word.text, word.pos
    before, last = text[-2:-1], text[-1]
    if last in _STRUCTURAL or (last in _PARTICLES and pos != "q"):
        return -1
    if text in ("了", "着", "过") and pos in _ASPECT_TAGS:
        return -1
    if before and last in "们子" and pos in ("r", "n") and text not in lexicon().not_neutral:
        return -1
    if before and last in "上下里" and pos in ("s", "l", "f"):
        return -1
    if last in "来去" and before in _DIRECTIONS:
        return -1
    ge = text.find("个")
    if text == "个" or (ge > 0 and (text[ge - 1].isnumeric() or text[ge - 1] in _BEFORE_GE)):
        return ge
    return -1 if _ends_unstressed(text) else None


def _change_third(word: str, tones: list[int]) -> None:
    if len(word) == 2:
        _change_pair(tones, 0)
    elif len(word) == 3:
        _change_three(word, tones)
    elif len(word) == 4:
        _change_pair(tones, 0)
        _change_pair(tones, 2)


def _change_pair(tones: list[int], start: int) -> None:
    if tones[start : start + 2] == [3, 3]:
        tones[start] = 2


def _change_three(word: str, tones: list[int]) -> None:
    border = len(halves(word)[0])
    if tones == [3, 3, 3]:
        if border < 3:
            tones[1] = 2
        if border == 2:
            tones[0] = 2
    elif border == 1:
        second_is_third = tones[1:] == [3, 3]
        _change_pair(tones, 1)
        if not second_is_third and tones[:2] == [3, 3]:
            tones[0] = 2
    elif border == 2:
        _change_pair(tones, 0)


def erhua_tone(word: Word, syllables: Sequence[tuple[str, int]]) -> int | None:
    """The tone of a 儿 that ends the word and melts into the syllable before, or None where it keeps its own.

    Args:
        word: the word.
        syllables: toneless final and tone as spoken, for each character.
    """
    if word.text[-1] != "儿" or len(word.text) < 2:
        return None
    known = lexicon()
    exception = word.text in known.not_erhua or word.pos in ("a", "j", "nr")
    if exception and word.text not in known.erhua:
        return None
    if word.text[-2:] in known.not_erhua or syllables[-1] not in (("er", 2), ("er", NEUTRAL)):
        return None
    return syllables[-2][1]
