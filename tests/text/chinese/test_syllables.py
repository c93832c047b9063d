"""Pinyin becomes the two symbols that models know."""

import json
from pathlib import Path

import pytest
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials

from gsv.text.chinese import g2p
from gsv.text.chinese.syllables import Syllable
from gsv.text.symbols import symbol_table

# pypinyin gives yo the final o, without its y, so that this syllable never reaches the symbols as written.
UNREACHABLE = {"yo"}


def test_every_syllable_agrees_with_the_reference(shared: Path) -> None:
    recorded = json.loads((shared / "reference/text/pinyin_to_symbols.json").read_text("utf-8"))
    for pinyin, (initial, final) in recorded.items():
        if pinyin not in UNREACHABLE:
            tone3 = to_finals_tone3(pinyin + "1", neutral_tone_with_five=True)
            assert Syllable(to_initials(pinyin + "1"), tone3[:-1], 1).phones == (initial, f"{final}1"), pinyin


@pytest.mark.parametrize(
    ("syllable", "phones"),
    [
        (Syllable("zh", "i", 4), ("zh", "ir4")),
        (Syllable("c", "i", 2), ("c", "i02")),
        (Syllable("", "ian", 3), ("y", "En3")),
        (Syllable("", "uei", 4), ("w", "ei4")),
        (Syllable("d", "uei", 4), ("d", "ui4")),
        (Syllable("", "van", 2), ("y", "van2")),
        (Syllable("", "er", 5), ("EE", "er5")),
        (Syllable(","), (",",)),
        (Syllable("", "", 5), ("UNK", "UNK")),
    ],
)
def test_syllable_has_an_initial_and_a_final(syllable: Syllable, phones: tuple[str, ...]) -> None:
    assert syllable.phones == phones


def test_every_character_has_two_phones_of_the_table() -> None:
    table = symbol_table("v2")
    # A sample of the block that normalised text may hold, and characters nobody can say.
    text = "".join(map(chr, range(0x4E00, 0x9FA6, 60))) + "噷瓧"
    for start in range(0, len(text), 50):
        phones, word2ph = g2p(text[start : start + 50])
        assert set(word2ph) == {2}
        assert all(phone in table for phone in phones)
