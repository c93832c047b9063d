"""Japanese: text as spoken, phones and pitch marks."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_japanese import READ_WRONG, SENTENCES

from gsv.text import japanese
from gsv.text.symbols import JAPANESE_CONSONANTS, JAPANESE_MORAIC, JAPANESE_VOWELS, symbol_table

SOUNDS = frozenset((*JAPANESE_VOWELS, *JAPANESE_CONSONANTS, *JAPANESE_MORAIC))

_ROWS = {
    "": "アイウエオ",
    "k": "カキクケコ",
    "g": "ガギグゲゴ",
    "s": "サ スセソ",
    "z": "ザ ズゼゾ",
    "t": "タ  テト",
    "d": "ダ  デド",
    "n": "ナニヌネノ",
    "h": "ハヒ ヘホ",
    "b": "バビブベボ",
    "p": "パピプペポ",
    "m": "マミムメモ",
    "y": "ヤ ユ ヨ",
    "r": "ラリルレロ",
    "w": "ワ    ",
}
_MORAE = {
    letter: (consonant + " " + vowel).split()
    for consonant, letters in _ROWS.items()
    for letter, vowel in zip(letters, "aiueo", strict=False)
    if letter != " "
} | {
    "シ": ["sh", "i"],
    "ジ": ["j", "i"],
    "チ": ["ch", "i"],
    "ツ": ["ts", "u"],
    "フ": ["f", "u"],
    "ン": ["N"],
    "ッ": ["cl"],
}
_PALATAL = {
    "キ": "ky",
    "ギ": "gy",
    "シ": "sh",
    "ジ": "j",
    "チ": "ch",
    "ニ": "ny",
    "ヒ": "hy",
    "ビ": "by",
    "ピ": "py",
} | {
    "ミ": "my",
    "リ": "ry",
}
_GLIDES = {"ャ": "a", "ュ": "u", "ョ": "o"}


def phones_of(kana: str) -> list[str]:
    """The phones of a reading, told from katakana alone."""
    phones: list[str] = []
    for letter, following in zip(kana, kana[1:] + " ", strict=True):
        if letter == "ー":
            phones.append(phones[-1])
        elif letter in _GLIDES:
            phones.append(_GLIDES[letter])
        elif following in _GLIDES:
            phones.append(_PALATAL[letter])
        else:
            phones += _MORAE[letter]
    return phones


def spoken(text: str) -> list[str]:
    return [phone for phone in japanese.g2p(japanese.normalize(text)) if phone in SOUNDS]


def test_recorded_readings_are_met_phone_by_phone(shared: Path) -> None:
    """All but those with a quirk, in both symbol tables; docs/text-japanese.md tells what becomes of the quirks."""
    items = json.loads((shared / "reference" / "text" / "ja.json").read_text("utf-8"))["items"]
    for item in items:
        if "quirk" in item:
            continue
        norm_text = japanese.normalize(item["text"])
        assert norm_text == item["v2"]["norm_text"]
        phones = japanese.g2p(norm_text)
        assert phones == item["raw_symbols"], item["id"]
        for table in ("v1", "v2"):
            assert symbol_table(table).ids(phones) == item[table]["ids"], item["id"]


@pytest.mark.parametrize(
    ("text", "kana"),
    [
        *SENTENCES,
        *(
            pytest.param(*each, marks=pytest.mark.xfail(strict=True, reason="the dictionary misreads it"))
            for each in READ_WRONG
        ),
    ],
)
def test_spoken_sentences_are_read_as_people_read_them(text: str, kana: str) -> None:
    assert spoken(text) == phones_of(kana)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("1,234,567円", "1234567円"),
        ("3.14", "3.14"),
        ("１２：３０", "12時30分"),
        ("10:00", "10時"),
        ("25:30〜", "25時30分から"),
        ("1:02:03", "1時2分3秒"),
        ("19時05分", "19時5分"),
        ("2024.5.10", "2024年5月10日"),
        ("5/10（金）", "5月10日（金曜）"),
        ("1/3", "3分の1"),
        ("1/2/3", "1/2/3"),
        ("½カップ", "2分の1カップ"),
        ("09012345678", "ゼロキューゼロイチニーサンヨンゴーロクナナハチ"),
        ("(03)1234-5678", "ゼロサン、イチニーサンヨン、ゴーロクナナハチ"),
        ("3-5日", "3から5日"),
        ("渋谷2-21", "渋谷2の21"),
        ("$1.5億", "1.5億ドル"),
        ("￥500", "500円"),
        ("50％", "50パーセント"),
        ("100km/h", "時速100km"),
        ("時速100km/hで", "時速100kmで"),
        ("5 kg", "5kg"),
        ("20㎡", "20平方メートル"),
        ("2.4GHz", "2.4ギガヘルツ"),
        ("72°F", "華氏72度"),
        ("①②", "1、2"),
        ("第Ⅲ章", "第3章"),
        ("2−1", "2ヒク1"),
        ("192.168.0.1", "192点168点0点1"),
        ("すごい〜！", "すごいー！"),
        ("東京〜大阪", "東京から大阪"),
        ("10%〜20%", "10パーセントから20パーセント"),
        ("（株）山田", "株式会社山田"),
        ("○○さん", "マルマルさん"),
        ("か゛", "が"),
        ("café", "cafe"),
        ("👨‍👩‍👧です", "です"),
        ("本当!?!?", "本当!"),
    ],
)
def test_signs_are_written_out(text: str, written: str) -> None:
    assert japanese.normalize(text) == written


def test_pitch_tells_words_of_the_same_sounds_apart() -> None:
    chopsticks, bridge, edge = (japanese.g2p(word) for word in ("箸が", "橋が", "端が"))
    assert chopsticks == ["h", "a", "]", "sh", "i", "g", "a"]
    assert bridge == ["h", "a", "[", "sh", "i", "]", "g", "a"]
    assert edge == ["h", "a", "[", "sh", "i", "g", "a"]


def test_devoiced_vowels_are_plain_ones() -> None:
    assert not {"I", "U"}.intersection(japanese.g2p("好きな靴下です"))


def test_marks_stay_and_blanks_go() -> None:
    assert japanese.g2p("あ、い。う！え？お… か") == ["a", ",", "i", ".", "u", "!", "e", "?", "o", "…", "k", "a"]


def test_simplified_ideographs_that_say_nothing_are_read_as_japanese_ones() -> None:
    assert japanese.g2p("说") == japanese.g2p("説")


def test_what_cannot_be_read_stands_for_itself() -> None:
    assert japanese.g2p("𰻞") == ["𰻞"]
    assert japanese.g2p("한") == ["한"]


def test_given_kana_are_taken_at_their_word() -> None:
    assert spoken_only(japanese.read_kana("はは")) == ["h", "a", "h", "a"]
    assert spoken_only(japanese.read_kana("ハハ")) == ["h", "a", "h", "a"]
    assert spoken_only(japanese.read_kana("きょう")) == ["ky", "o", "o"]
    assert spoken_only(japanese.read_kana("すずみや")) == ["s", "u", "z", "u", "m", "i", "y", "a"]


def spoken_only(phones: list[str]) -> list[str]:
    return [phone for phone in phones if phone in SOUNDS]


def test_a_text_without_marks_is_read_to_its_end() -> None:
    phones = japanese.g2p("かきくけこ" * 400)
    assert [phones.count(sound) for sound in "kaiueo"] == [2000, 400, 400, 400, 400, 400]


def test_a_long_text_is_read_like_its_sentences() -> None:
    sentences = [japanese.normalize(text) for text, _ in SENTENCES]
    assert (
        japanese.g2p("。".join(sentences))
        == [phone for sentence in sentences for phone in (*japanese.g2p(sentence), ".")][:-1]
    )


def test_threads_do_not_disturb_one_another() -> None:
    texts = [text for text, _ in SENTENCES] * 3
    alone = [spoken(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(spoken, texts)) == alone


_LETTERS = st.characters(min_codepoint=0x3041, max_codepoint=0x30FA) | st.sampled_from("漢字日本語今日人々3０Aｂ〇ー")


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters() | _LETTERS | st.sampled_from("、。！？-~〜:：/,.％%¥ \n😀"), max_size=40))
def test_any_text_has_phones_or_holds_no_letter(text: str) -> None:
    norm_text = japanese.normalize(text)
    phones = japanese.g2p(norm_text)
    assert all(phone and not phone.isspace() for phone in phones if phone != "\u3000")
    if re.search("[ぁ-んァ-ン0-9a-z一-鿿]", norm_text):
        assert phones


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(_LETTERS, min_size=1, max_size=6).map(lambda run: "あ" + run), min_size=1, max_size=6))
def test_every_run_of_letters_is_heard(runs: list[str]) -> None:
    heard = [[]]  # type: list[list[str]]
    for phone in japanese.g2p("。".join(runs)):
        if phone == ".":
            heard.append([])
        else:
            heard[-1].append(phone)
    assert len(heard) == len(runs)
    assert all(SOUNDS.intersection(phones) for phones in heard)
