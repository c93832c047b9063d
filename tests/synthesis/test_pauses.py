"""Pauses that a text asks for are silence of exactly that length."""

from dataclasses import replace

import numpy as np
import pytest

from gsv import Engine, SpeechOptions
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice

pytestmark = pytest.mark.usefixtures("short_takes")

OPTIONS = SpeechOptions(seed=3, pause=0.25)


def silence_behind(wave: np.ndarray) -> int:
    return len(wave) - int(np.flatnonzero(wave)[-1]) - 1


def test_a_pause_takes_the_place_of_the_usual_one(engine: Engine, voice: Voice) -> None:
    text = 'Hello there, friend.<break time="730ms"/>And then some. And more.'
    plain, asked = (
        [fragment.wave for fragment in engine.stream(words, "en", voice, OPTIONS)]
        for words in ("Hello there, friend. And then some. And more.", text)
    )
    rate = engine.sampling_rate
    assert len(plain) == len(asked)
    (changed,) = (i for i, (one, other) in enumerate(zip(plain, asked, strict=True)) if len(one) != len(other))
    assert len(asked[changed]) - len(plain[changed]) == int(0.48 * rate)
    assert not asked[changed][-int(0.73 * rate) :].any()
    for i, (one, other) in enumerate(zip(plain, asked, strict=True)):
        if i != changed:
            assert np.array_equal(one, other)


def test_a_pause_in_front_and_one_at_the_end_are_heard_too(engine: Engine, voice: Voice) -> None:
    plain = engine.speak("Hello there, friend.", "en", voice, replace(OPTIONS, pause=0, split="cut0")).wave
    text = '<break time="0.5s"/>Hello there, friend.<break time="1s"/>'
    asked = engine.speak(text, "en", voice, replace(OPTIONS, pause=0, split="cut0")).wave
    lead = int(0.5 * engine.sampling_rate)
    assert len(asked) == len(plain) + 3 * lead
    assert not asked[:lead].any() and not asked[-2 * lead :].any()
    assert np.array_equal(asked[lead : lead + len(plain)], plain)


def test_chunks_within_a_piece_have_the_same_pauses(engine: Engine, voice: Voice) -> None:
    text = '<break time="0.5s"/>Hello there, friend.<break time="1s"/>'
    options = replace(OPTIONS, split="cut0")
    chunks = list(engine.stream_audio(text, "en", voice, options, Streaming("fixed", min_chunk_length=10)))
    lead = int(0.5 * engine.sampling_rate)
    assert not np.concatenate(chunks)[:lead].any() and np.concatenate(chunks)[lead : lead + 2000].any()
    assert silence_behind(np.concatenate(chunks)) >= 2 * lead
