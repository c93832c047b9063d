"""Cutting a clause into words, and joining those that the tone rules treat as one.

Rules and order are those of PaddleSpeech's tone sandhi as GPT-SoVITS has them.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType

from gsv.text.chinese.polyphones import dictionary_readings

_LONGEST_JOINED_THIRD_TONES = 3


@dataclass(frozen=True)
class Word:
    """A word and its part of speech, in jieba's tags: n noun, v verb, a adjective, m number ..."""

    text: str
    pos: str

    def __add__(self, other: "Word") -> "Word":
        """Both written together, with the part of speech of the first."""
        return Word(self.text + other.text, self.pos)


@cache
def _jieba() -> ModuleType:
    # Loading takes about a second, so it waits for the first Mandarin text; jieba announces it on stderr.
    import jieba
    import jieba.posseg

    jieba.setLogLevel(logging.WARNING)
    jieba.initialize()
    return jieba


def words(clause: str) -> list[Word]:
    """The words of a normalised clause, joined as the tone rules need them."""
    cut = [Word(pair.word, pair.flag) for pair in _jieba().posseg.lcut(clause)]
    for join in (
        _count_drops,
        _join_bu,
        _join_verb_yi_verb,
        _join_yi,
        _join_repeated,
        _join_wholly_third_tones,
        _join_touching_third_tones,
        _join_er,
    ):
        cut = join(cut)
    return cut


def halves(word: str) -> tuple[str, str]:
    """Cut a word in two: the shortest part that jieba's search mode finds goes first or last."""
    shortest = min(_jieba().cut_for_search(word), key=len)
    if word.startswith(shortest):
        return shortest, word[len(shortest) :]
    return word[: -len(shortest)], shortest


def _join(cut: Iterable[Word], belongs: Callable[[Word, Word], bool]) -> list[Word]:
    """Join each word to what has become of the words before it, where `belongs(before, word)`."""
    joined: list[Word] = []
    for word in cut:
        if joined and belongs(joined[-1], word):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _count_drops(cut: Sequence[Word]) -> list[Word]:
    # 滴 is a particle in chats; behind a number it is a measure word, which jieba does not know.
    return [
        replace(word, pos="q") if word.text == "滴" and before.text[-1:].isnumeric() else word
        for before, word in zip((Word("", ""), *cut), cut, strict=False)
    ]


def _join_bu(cut: Sequence[Word]) -> list[Word]:
    # The word after 不 gives the whole its part of speech; a 不 that ends the clause is an adverb.
    joined: list[Word] = []
    for word in cut:
        if joined and joined[-1].text == "不":
            joined[-1] = Word("不" + word.text, word.pos)
        else:
            joined.append(word)
    if joined and joined[-1].text == "不":
        joined[-1] = Word("不", "d")
    return joined


def _join_verb_yi_verb(cut: Sequence[Word]) -> list[Word]:
    joined: list[Word] = []
    skip = False
    for position, word in enumerate(cut):
        if skip:
            skip = False
            continue
        after = cut[position + 1] if position + 1 < len(cut) else None
        if word.text == "一" and joined and after and joined[-1] == after and after.pos == "v":
            joined[-1] = Word(f"{after.text}一{after.text}", "v")
            skip = True
        else:
            joined.append(word)
    return joined


def _join_yi(cut: Sequence[Word]) -> list[Word]:
    return _join(cut, lambda before, word: before.text == "一")


def _join_repeated(cut: Sequence[Word]) -> list[Word]:
    return _join(cut, lambda before, word: before.text == word.text)


def _join_er(cut: Sequence[Word]) -> list[Word]:
    return _join(cut, lambda before, word: word.text == "儿")


def _join_wholly_third_tones(cut: Sequence[Word]) -> list[Word]:
    return _join_third_tones(cut, lambda left, right: set(left) == set(right) == {3})


def _join_touching_third_tones(cut: Sequence[Word]) -> list[Word]:
    return _join_third_tones(cut, lambda left, right: left[-1] == right[0] == 3)


def _join_third_tones(cut: Sequence[Word], alike: Callable[[Sequence[int], Sequence[int]], bool]) -> list[Word]:
    tones = [_tones(word.text) for word in cut]
    joined: list[Word] = []
    just_joined = False
    for position, word in enumerate(cut):
        left = cut[position - 1]
        just_joined = (
            position > 0
            and not just_joined
            and alike(tones[position - 1], tones[position])
            and not _is_doubled(left.text)
            and len(left.text) + len(word.text) <= _LONGEST_JOINED_THIRD_TONES
        )
        if just_joined:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _tones(word: str) -> list[int]:
    return [syllable.tone for syllable in dictionary_readings(word)]


def _is_doubled(word: str) -> bool:
    return len(word) == 2 and word[0] == word[1]
