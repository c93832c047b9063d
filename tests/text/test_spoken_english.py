"""Sentences that people have read out are read as a reader would, in any length and from any number of threads."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from spoken_english import SPOKEN

from gsv.text import english
from gsv.text.frontend import Frontend

# The dictionary says these as they are written out here.
SAME_SOUND = {"html": "h t m l", "uk": "u k", "etc": "et cetera", "wifi": "wi fi", "wifi's": "wi fi's"}


def heard(text: str) -> str:
    """The words of a text as they are said, spelt ones letter by letter."""
    words = []
    for reading in english.words(english.spoken(english.normalize(text))):
        word = reading.token.lower().replace("-", " ").replace(".", " dot ").strip("'")
        letters = re.sub("[^a-z]", "", word)
        words.append(" ".join(letters) if reading.source == "letters" else SAME_SOUND.get(word, word))
    return " ".join(words)


@pytest.mark.parametrize(("written", "said"), SPOKEN)
def test_what_people_write_is_read_as_a_reader_would(written: str, said: str) -> None:
    assert heard(written) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It's $5-10, or £3–5k.", "It's five to ten dollars, or three to five thousand pounds."),
        ("US$3.50, C$4, 300 USD, ¢50", "three U S dollars and fifty cents, four Canadian dollars,"
         " three hundred U S dollars, fifty cents"),
        ("In 1999 students left; 2347 votes", "In nineteen ninety-nine students left,"
         " two thousand, three hundred forty-seven votes"),
        ("May 5, 2024; 5 May; I may 5 times; June 2024", "May fifth, twenty twenty-four, the fifth of May,"
         " I may five times, June twenty twenty-four"),
        ("12/25/2024, 25.12.2024, 05/06/2024", "December twenty-fifth, twenty twenty-four,"
         " December twenty-fifth, twenty twenty-four, five six twenty twenty-four"),
        ("The U.S. economy. J. K. Rowling has a Ph.D. in it.",
         "The U S economy. J K Rowling has a P H D in it."),
        ("Part I liked, I am. World War I began.", "Part I liked, I am. World War one began."),
        ("Malcolm X, Elizabeth II, an IV line, Type C, the XIX century",
         "Malcolm X, Elizabeth the second, an I V line, Type C, the nineteenth century"),
        ("agent 007, class of '05, the summer of '69", "agent zero zero seven,"
         " class of oh five, the summer of sixty-nine"),
        ("at 5 p.m., or 7:05", "at five P M, or seven oh five A M."),
        ("9:00-17:00", "nine o'clock A M to five o'clock P M."),
        ("020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
        ("3x faster, 1920x1080, 3 x 4 = 12", "three times faster, nineteen twenty by ten eighty,"
         " three times four Equals twelve"),
        ("a 10-year-old, COVID-19, 50-50", "a ten-year-old, Covid-nineteen, fifty fifty"),
        ("b<3, ≤5, ±2, I <3 you", "b less than three, at most five, plus or minus two, I heart you"),
        ("main.py, github.com/user/repo", "main dot py, github dot com slash user slash repo"),
        ("Dr. Who on Wall St., St. Louis; Rodeo Dr., 42nd St. and 5th Ave.",
         "Doctor Who on Wall Street, Saint Louis, Rodeo Drive, forty-second Street and fifth Avenue."),
        ("We met in St. Mary's. etc.", "We met in Saint Mary's. et cetera."),
        ("C# and C++", "C sharp and C plus plus"),
        ("1 1/2 tsp. of it, 3/4 tsp of it", "one and one half teaspoons of it, three fourths teaspoon of it"),
        ("5 ft. 10 in. tall, 8.5\" x 11\", 1.5e10", "five foot ten tall, eight point five by eleven inches,"
         " one point five e ten"),
        ("Dial 911 or 1-800-FLOWERS, Jan–Mar, 12 a.m.–1 p.m.", "Dial nine one one or one, eight hundred, Flowers,"
         " January to March, twelve A M to one P M."),
        ("the 'best' cats' toys, a B+ and an A-", "the best cats toys, a B plus and an A minus"),
        ("great :-) H.264, No.1", "great H two hundred sixty-four, Number one"),
        ("w/o salt, w/ sugar", "without salt, with sugar"),
    ],
)  # fmt: skip
def test_kinds_of_writing_that_are_easily_misread(written: str, said: str) -> None:
    assert english.spoken(english.normalize(written)) == said


def test_the_front_end_says_shortened_words_in_full() -> None:
    (reading,) = Frontend().read("Dr. Lee left at 7:05.", "en")
    assert reading.norm_text == "Doctor Lee left at seven oh five A M."
    assert " ".join(reading.phones).startswith("D AA1 K T ER0 L IY1")


@pytest.mark.parametrize(
    "unit", ["On Jan. 3 Dr. Lee paid $3.5M for 80 km/h at 3:05pm. ", "1-", "a.", "a-", "1,000,", "'", "A. ", "@a", "1/"]
)
def test_long_texts_without_sense_come_to_an_end(unit: str) -> None:
    """Where a rule looks at the rest of the text at every character, each of these takes minutes."""
    text = (unit * 50_000)[:50_000]
    assert english.g2p(english.spoken(english.normalize(text)))


def test_threads_read_alike() -> None:
    texts = [written for written, _ in SPOKEN]
    alone = [heard(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(heard, texts * 3)) == alone * 3
