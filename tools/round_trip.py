"""English sentences with numbers, spoken by the bundled voice and heard by a recogniser.

    python tools/round_trip.py [--seeds 3] [--each]

Each sentence is spoken twice, as it is written and with its numbers spelt out by hand, and PocketSphinx writes down
what it hears. Printed are the word errors of both against the spelt form: what is written in digits should be heard no
worse than what is spelt out. To compare two states of gsv, run this file with PYTHONPATH set to the root and the
`tools` folder of either.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gsv
from gsv import Engine, SpeechOptions
from gsv.synthesis.reference import Reference
from tiny.judging import Recogniser, Tally
from tiny.sentences import words_of

# As written, and as a reader says it.
SENTENCES: tuple[tuple[str, str], ...] = (
    ("The train leaves at 3:05pm from track 12.", "The train leaves at three oh five P M from track twelve."),
    ("They raised $3.5M in the first round.", "They raised three point five million dollars in the first round."),
    (
        "The room is 3x4 m and costs $85 a night.",
        "The room is three by four meters and costs eighty five dollars a night.",
    ),
    (
        "Dr. Brown saw 2,347 people in 1998.",
        "Doctor Brown saw two thousand three hundred forty seven people in nineteen ninety eight.",
    ),
    ("The wind was blowing at 80 km/h.", "The wind was blowing at eighty kilometers per hour."),
    ("It was -12 degrees on Jan. 3.", "It was negative twelve degrees on January third."),
    ("Henry VIII had 6 wives.", "Henry the eighth had six wives."),
    ("World War II ended in 1945.", "World War two ended in nineteen forty five."),
    ("Our team won the game 3-1 on Monday.", "Our team won the game three to one on Monday."),
    ("Read pp. 12-15 before class.", "Read pages twelve to fifteen before class."),
    ("The meeting is on 2024-03-15.", "The meeting is on march fifteenth twenty twenty four."),
    ("He paid €45.50 for the old book.", "He paid forty five euros and fifty cents for the old book."),
    ("Call me at 555-0199 after dinner.", "Call me at five five five zero one nine nine after dinner."),
    ("She lives on Green St. near the park.", "She lives on Green Street near the park."),
    ("Take 500 mg every 6-8 hours.", "Take five hundred milligrams every six to eight hours."),
    ("He is 5'10\" and weighs 180 lbs.", "He is five foot ten and weighs one hundred eighty pounds."),
    ("Music of the ’90s is 3x better.", "Music of the nineties is three times better."),
    ("I scored 95/100 on the test.", "I scored ninety five out of one hundred on the test."),
    ("We open Mon-Fri from 9-5.", "We open Monday to Friday from nine to five."),
    ("Chips are 99¢ and water is $1.25.", "Chips are ninety nine cents and water is one dollar and twenty five cents."),
)  # fmt: skip


def heard(engine: Engine, recogniser: Recogniser, text: str, seeds: Sequence[int]) -> list[list[str]]:
    """What the recogniser hears of a text, spoken once for each seed by the voice that comes along."""
    own = Reference.of(engine.project.base_of(engine.version, engine.content_module))
    if own is None:
        raise SystemExit("These weights bring no recording along; run this where the bundled voice is what speaks.")
    voice = engine.voice(own.audio, own.transcript, own.language)
    spoken = (engine.speak(text, "en", voice, replace(SpeechOptions(split="cut0"), seed=seed)) for seed in seeds)
    return [recogniser.words(speech.wave, speech.sampling_rate) for speech in spoken]


def main() -> None:
    parser = argparse.ArgumentParser(description="Word errors of spoken numbers, by a recogniser.")
    parser.add_argument("--seeds", type=int, default=3, help="how often each sentence is spoken")
    parser.add_argument("--each", action="store_true", help="print every sentence")
    given = parser.parse_args()
    engine = Engine.load(device="cpu")
    recogniser = Recogniser()
    written, spelt = Tally(), Tally()
    for text, words in SENTENCES:
        wanted = words_of(words)
        for tally, form in ((written, text), (spelt, words)):
            takes = heard(engine, recogniser, form, range(given.seeds))
            for take in takes:
                tally.add(wanted, take)
            if given.each:
                print(f"{form}\n    {' '.join(takes[0])}")
    print(f"{len(SENTENCES)} sentences, {given.seeds} times each, gsv of {Path(gsv.__file__).parents[1]}")
    print(f"word errors: {written.rate:.1%} as written, {spelt.rate:.1%} spelt out by hand")


if __name__ == "__main__":
    main()
