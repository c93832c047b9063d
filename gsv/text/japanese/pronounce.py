"""From Japanese text to phones and pitch marks.

Open JTalk analyses the text. Its full-context labels say for each phone where in its accent phrase it lies; pitch marks
follow from that as in Kurihara, Seiyama and Kumano, "Prosodic Features Control by Symbols as Input of
Sequence-to-Sequence Acoustic Modeling for Neural TTS" (IEICE Transactions, 2021).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from gsv.text.symbols import JAPANESE_PITCH

if TYPE_CHECKING:
    from opencc import OpenCC

RISE, FALL = JAPANESE_PITCH
# Not in any symbol table, so that models know borders of accent phrases as the unknown symbol.
BORDER = "#"
PAUSE = "_"

_DIGIT = "0-9０-９"
_LETTER = (
    f"A-Za-z{_DIGIT}Ａ-Ｚａ-ｚ"
    "\u3005\u3006\u3007\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # 々〆〇, kana, half-width katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
# A point inside a number belongs to it.
_RUN = re.compile(f"(?:[{_LETTER}]|(?<=[{_DIGIT}])[.．](?=[{_DIGIT}]))+")
_MARKS = {"：": ",", "；": ",", "，": ",", "、": ",", "·": ",", "。": ".", "\n": ".", "！": "!", "？": "?"}

# Marks of repetition and the like have no sound without a letter before them.
_SILENT_LETTERS = "々〻ゝゞヽヾー・゠\u3099\u309aｰﾞﾟ"

# Open JTalk's buffers are limited; longer runs are cut before a change of script.
_LONGEST_RUN = 200
_SCRIPT_CHANGE = re.compile("(?<=[\u3041-\u3096])(?=[^\u3041-\u3096ー])")

_KATAKANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_LONG_O = re.compile("(?<=[オコソトノホモヨロゴゾドボポョォ])ウ")

_LABEL = re.compile(r"-(?P<phone>[^+]*)\+.*/A:(?P<a1>-?\w+)\+(?P<a2>\w+)\+(?P<a3>\w+)/B:.*/F:(?P<f1>\w+)_")
_CLOSING = frozenset("aeiouAEIOUN") | {"cl"}


def g2p(norm_text: str) -> list[str]:
    """Phones of a normalised text.

    Each run of letters is analysed by itself; every other character but a blank is one phone, a mark or something that
    no symbol table knows. After a phone may come `[` (the pitch rises), `]` (it falls) or `#` (an accent phrase ends);
    a pause that Open JTalk hears within a run is `_`.
    """
    phones: list[str] = []
    end = 0
    for run in _RUN.finditer(norm_text):
        phones += _marks(norm_text[end : run.start()])
        # A long vowel needs one before it.
        for stretch in _stretches(run[0].lower().lstrip("ー")):
            phones += _analysed(stretch)
        end = run.end()
    return phones + _marks(norm_text[end:])


def read_kana(kana: str) -> list[str]:
    """Phones of a word whose reading was given in kana, with the pitch that Open JTalk gives an unknown word.

    Every letter is what it says: は is never the particle. う after an o sound lengthens it, as ー does everywhere.
    """
    return g2p(_LONG_O.sub("ー", kana.translate(_KATAKANA)))


def _marks(text: str) -> list[str]:
    return [_MARKS.get(mark, mark) for mark in text if mark in "\n　" or not mark.isspace()]


def _stretches(run: str) -> Iterator[str]:
    while len(run) > _LONGEST_RUN:
        borders = [border.start() for border in _SCRIPT_CHANGE.finditer(run, _LONGEST_RUN // 2, _LONGEST_RUN)]
        cut = borders[-1] if borders else _LONGEST_RUN
        yield run[:cut]
        run = run[cut:].lstrip("ー")
    if run:
        yield run


@dataclass(frozen=True)
class _Label:
    """A phone and its place: `a1` mora after the accent, `a2` and `a3` mora from start and end of a phrase of `f1`."""

    phone: str
    a1: int | None
    a2: int | None
    a3: int | None
    f1: int | None


def _analysed(run: str) -> list[str]:
    """Phones of a run of letters.

    One that Open JTalk knows nothing of is tried again in Japanese forms of its characters (华 is 華). If that does not
    help either, the characters stand for themselves: no symbol table has them.
    """
    if not run.strip(_SILENT_LETTERS):
        return []
    return list(_heard(run)) or list(_heard(_in_japanese_forms(run))) or list(run)


def _in_japanese_forms(text: str) -> str:
    return _converter("t2jp").convert(_converter("s2t").convert(text))


@cache
def _converter(name: str) -> "OpenCC":
    from opencc import OpenCC

    return OpenCC(name)


def _heard(run: str) -> Iterator[str]:
    import pyopenjtalk

    words = pyopenjtalk.run_frontend(run)
    if all(word["pos"] == "記号" for word in words):
        return
    labels = [_parsed(label) for label in pyopenjtalk.make_label(words)]
    # The first and the last label are the silences around the run.
    for label, following in pairwise(labels[1:]):
        if label.phone == "pau":
            yield PAUSE
        else:
            yield label.phone.lower() if label.phone in "AEIOU" else label.phone
            yield from _mark_after(label, following)


def _parsed(text: str) -> _Label:
    found = _LABEL.search(text)
    assert found
    numbers = (None if found[name] == "xx" else int(found[name]) for name in ("a1", "a2", "a3", "f1"))
    return _Label(found["phone"], *numbers)


def _mark_after(label: _Label, following: _Label) -> Iterator[str]:
    if label.a2 is None or following.a2 is None:
        return
    if label.a3 == 1 and following.a2 == 1 and label.phone in _CLOSING:
        yield BORDER
    elif label.a1 == 0 and following.a2 == label.a2 + 1 and label.a2 != label.f1:
        yield FALL
    elif label.a2 == 1 and following.a2 == 2:
        yield RISE
