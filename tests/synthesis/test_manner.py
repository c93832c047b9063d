"""Manner apart from timbre: one reference's prompt in another's voice, emotions by numbers, banks of references."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from gsv import Engine, SpeechOptions
from gsv.audio.io import load
from gsv.audio.prosody import melody
from gsv.errors import InputError
from gsv.synthesis.engine import Fragment
from gsv.synthesis.manner import (
    EMOTIONS,
    NATURAL,
    Bank,
    Feelings,
    Heard,
    Manner,
    Prosody,
    of_reference,
    prosody_of,
    spoken,
)
from gsv.synthesis.voice import Voice

CLIPS = Path(__file__).parent.parent / "sample" / "clips"
WORDS = "The morning train left the small station a few minutes late."
SEEDED = SpeechOptions(seed=3)


pytestmark = pytest.mark.usefixtures("short_takes")


@pytest.fixture(scope="module")
def anna(engine: Engine) -> Voice:
    return engine.voice(CLIPS / "01.flac", WORDS, "en")


@pytest.fixture(scope="module")
def bert(engine: Engine) -> Voice:
    return engine.voice(CLIPS / "02.flac", "She walked along the quiet river in the evening.", "en")


def feeling(**strengths: float) -> tuple[float, ...]:
    return tuple(strengths.get(name, 0.0) for name in EMOTIONS)


def bank(folder: Path, *emotions: tuple[float, ...]) -> Bank:
    entries = []
    for i, emotion in enumerate(emotions, 1):
        name = f"{i}.wav"
        wave = load(CLIPS / f"0{i}.flac", 32000)
        soundfile.write(folder / name, wave, 32000)
        entries.append({"audio": name, "text": WORDS, "language": "en", "emotion": list(emotion)})
    (folder / "bank.json").write_text(json.dumps(entries))
    return Bank.load(folder)


def test_the_manner_is_one_references_and_the_timbre_the_others(anna: Voice, bert: Voice) -> None:
    made = of_reference(Heard(anna, None), Heard(bert, None), 1.0)
    assert torch.equal(made.voice.prompt, bert.prompt) and made.voice.transcript is bert.transcript
    assert torch.equal(made.voice.timbre, anna.timbre)
    assert made.prosody == NATURAL


def test_the_weight_draws_pace_and_melody_back_to_the_speakers(anna: Voice, bert: Voice) -> None:
    speaker = Heard(anna, melody(load(CLIPS / "01.flac", 16000), 16000))
    emotion = Heard(bert, melody(load(CLIPS / "02.flac", 16000), 16000))
    assert speaker.pace is not None and emotion.pace is not None and emotion.pace < speaker.pace
    # The emotion's prompt is drawn back to the faster speaker, and the speaker's is drawn to the slower emotion.
    made = [of_reference(speaker, emotion, weight) for weight in (1.0, 0.7, 0.5, 0.4, 0.1)]
    assert [torch.equal(one.voice.prompt, bert.prompt) for one in made] == [True, True, True, False, False]
    assert all(torch.equal(one.voice.timbre, anna.timbre) for one in made)
    own = [emotion.pace] * 3 + [speaker.pace] * 2
    paces = [pace * one.prosody.pace for pace, one in zip(own, made, strict=True)]
    assert paces[0] == emotion.pace and paces == sorted(paces) and paces[-1] < speaker.pace
    assert paces[2] == pytest.approx((emotion.pace * speaker.pace) ** 0.5)
    none = of_reference(speaker, emotion, 0.0)
    assert none.voice is anna and none.prosody == NATURAL and "emo_weight is 0" in none.notes[0]
    with pytest.raises(InputError, match="between 0 and 1"):
        of_reference(speaker, emotion, 1.1)


def test_a_manner_without_words_is_only_its_melody_and_says_so(engine: Engine, anna: Voice) -> None:
    silent = engine.voice(CLIPS / "02.flac")
    speaker = Heard(anna, melody(load(CLIPS / "01.flac", 16000), 16000))
    assert speaker.melody is not None
    made = of_reference(speaker, Heard(silent, replace(speaker.melody, spread=2 * speaker.melody.spread)), 0.5)
    assert made.voice is anna
    assert made.prosody.range == pytest.approx(2**0.5)
    assert "words of the emotion reference are not known" in made.notes[0]


@pytest.mark.parametrize(
    ("emotion", "faster", "higher", "livelier", "louder"),
    [("happy", 1, 1, 1, 1), ("angry", 1, 1, 1, 1), ("sad", -1, -1, -1, -1), ("calm", -1, -1, -1, -1)],
)
def test_emotions_move_speech_in_their_direction(
    emotion: str, faster: int, higher: int, livelier: int, louder: int
) -> None:
    weak, strong = prosody_of(feeling(**{emotion: 0.4})), prosody_of(feeling(**{emotion: 1.0}))
    for part, direction in (("pace", faster), ("pitch", higher), ("range", livelier), ("energy", louder)):
        values = [getattr(one, part) for one in (NATURAL, weak, strong)]
        assert values == sorted(values, reverse=direction < 0) and len(set(values)) == 3


def test_all_emotions_at_once_stay_bearable() -> None:
    made = prosody_of((1.0,) * len(EMOTIONS))
    assert 0.6 <= made.pace <= 1.6 and 0.6 <= made.range <= 1.6 and abs(made.energy) <= 6


def test_what_is_spoken_is_measured_to_move(engine: Engine, anna: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = 0.5 * load(CLIPS / "03.flac", 32000)
    asked: list[float] = []

    def speech(text: str, language: str, voice: Voice, options: SpeechOptions, stopped: object) -> list[Fragment]:
        asked.append(options.speed)
        return [Fragment(text, recording, 32000, 1, 0, "", 0)]

    monkeypatch.setattr(engine, "stream", speech)
    wave = next(spoken(engine, "Hello.", "en", Manner(anna, Prosody(1.2, 1.1, 1.3, 3.0)), SEEDED)).wave
    before, after = melody(recording, 32000), melody(wave, 32000)
    assert before and after
    assert after.f0 / before.f0 == pytest.approx(1.1, rel=0.03)
    assert after.spread / before.spread == pytest.approx(1.3, rel=0.15)
    assert after.level - before.level == pytest.approx(3, abs=1.5)
    assert asked == [pytest.approx(1.2)]


def test_pace_is_the_models_doing(engine: Engine, anna: Voice) -> None:
    def length(pace: float) -> int:
        fragments = list(spoken(engine, "Hello there.", "en", Manner(anna, Prosody(pace)), replace(SEEDED, pause=0)))
        return sum(len(fragment.wave) for fragment in fragments)

    assert length(1.25) < length(1.0) < length(0.8)
    plain = engine.speak("Hello there.", "en", anna, SEEDED).wave
    assert np.array_equal(next(spoken(engine, "Hello there.", "en", Manner(anna), SEEDED)).wave, plain)


def test_a_bank_gives_the_reference_that_is_nearest(engine: Engine, anna: Voice, tmp_path: Path) -> None:
    feelings = Feelings(bank(tmp_path, feeling(happy=1), feeling(sad=1), feeling(calm=1)))
    sad = feelings.manner(engine, anna, feeling(sad=0.9))
    assert torch.equal(sad.voice.prompt, engine.voice(tmp_path / "2.wav", WORDS, "en").prompt)
    assert torch.equal(sad.voice.timbre, anna.timbre)
    assert sad.notes == ("The manner is that of 2.wav.",)
    # It is sadder than was asked for, so that the melody takes some back.
    assert sad.prosody.pace > 1


def test_a_bank_blends_two_references_between_which_the_wish_lies(engine: Engine, anna: Voice, tmp_path: Path) -> None:
    feelings = Feelings(bank(tmp_path, feeling(happy=1), feeling(surprised=1)))
    both = feelings.manner(engine, anna, feeling(happy=0.5, surprised=0.5))
    lengths = [len(engine.voice(tmp_path / f"{i}.wav", WORDS, "en").prompt) for i in (1, 2)]
    assert len(both.voice.prompt) == sum(lengths)
    assert both.prosody == NATURAL
    assert engine.speak("Hello.", "en", both.voice, SEEDED).seconds > 0


def test_where_the_bank_has_nothing_near_melody_stands_in_and_the_answer_says_so(
    engine: Engine, anna: Voice, tmp_path: Path
) -> None:
    for one, words in ((Bank(), "reference is there"), (bank(tmp_path, feeling(happy=1)), "is near this emotion")):
        made = Feelings(one).manner(engine, anna, feeling(sad=1))
        assert made.voice is anna and made.prosody == prosody_of(feeling(sad=1))
        assert words in made.notes[0]


def test_the_weight_scales_the_emotion(engine: Engine, anna: Voice) -> None:
    feelings = Feelings(Bank())
    assert feelings.manner(engine, anna, feeling(sad=1), 0.5).prosody == prosody_of(feeling(sad=0.5))
    assert feelings.manner(engine, anna, feeling(sad=1), 0.0).prosody == NATURAL


@pytest.mark.parametrize("vector", [(), (0.5,) * 7, (0.5,) * 9, (1.1,) + (0.0,) * 7, (float("nan"),) * 8])
def test_vectors_that_are_none_are_refused(engine: Engine, anna: Voice, vector: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="8 numbers from 0 to 1: happy"):
        Feelings(Bank()).manner(engine, anna, vector)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- [", "not right YAML"),
        ("a: 1", "bank.yaml, entry"),
        ("- {audio: ../x.wav, text: a, language: en, emotion: [0,0,0,0,0,0,0,0]}", "no file in that folder"),
        ("- {audio: gone.wav, text: a, language: en, emotion: [0,0,0,0,0,0,0,0]}", "no file in that folder"),
        ("- {audio: x.wav, text: a, language: en, emotion: [0,0,0,0,0,0,0,2]}", "entry 0.emotion.7"),
        ("!!python/object/apply:os.system ['true']", "not right YAML"),
    ],
)
def test_banks_that_are_not_right_are_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "bank").mkdir()
    (tmp_path / "x.wav").write_bytes(b"")
    (tmp_path / "bank" / "bank.yaml").write_text(content)
    with pytest.raises(InputError, match=message):
        Bank.load(tmp_path / "bank")
    assert Bank.load(tmp_path).examples == ()
