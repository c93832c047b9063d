"""Labels are read, sentences chosen, and utterances made once each."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv.audio.io import load
from gsv.dataset.workers import Item
from gsv.errors import InputError, MissingLibraryError
from tiny import corpus as corpus_module
from tiny.corpus import Corpus, CorpusPlan, Speaker, SpeechStep, levelled, warped
from tiny.sentences import plain_sentences, read_texts, words_of
from tiny.synthesisers import (
    PHONES,
    RATE,
    Label,
    Spoken,
    check_installed,
    festival_labels,
    flite_labels,
    phone,
)

CONFIG = Path(__file__).parent.parent.parent / "configs" / "tiny" / "corpus.yaml"


def test_flite_labels_are_read_as_printed() -> None:
    assert flite_labels("pau:0.184 dh:0.236 ax:0.267 \n") == (
        Label("pau", 0.184),
        Label("dh", 0.236),
        Label("ah", 0.267),
    )


def test_festival_labels_are_read_from_a_segment_file() -> None:
    text = "nfields 1\n#\n0.1650 100 pau\n0.2150 100 dh\n0.2550 100 axr\n"
    assert festival_labels(text) == (Label("pau", 0.165), Label("dh", 0.215), Label("er", 0.255))


def test_a_phone_that_nobody_knows_is_refused() -> None:
    assert len(set(PHONES)) == 40
    with pytest.raises(InputError, match="'qq'"):
        phone("qq")


def test_a_missing_synthesiser_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingLibraryError, match="festvox-us-slt-hts"):
        check_installed({"festival"})


def test_sentences_are_plain_known_and_neither_short_nor_long(tmp_path: Path) -> None:
    (tmp_path / "wise").write_text("The dog ran home. It is 5 o'clock now.\n%\nNo way.\n%\nThe dog ran home.\n")
    (tmp_path / "wise.dat").write_text("A file of another kind.")
    known = {"the", "dog", "ran", "home", "it", "is", "no", "way", "now"}
    texts = read_texts(tmp_path)
    assert plain_sentences(texts, known) == ["The dog ran home."]
    assert words_of("Don't go, 'John'!") == ["don't", "go", "john"]


def test_no_sentence_is_said_twice_and_all_speakers_speak() -> None:
    plan = CorpusPlan.read(CONFIG)
    train, held = plan.turns([f"Sentence {number}." for number in range(10_000)])
    said = [turn.sentence for turn in (*train, *held)]
    assert len(set(said)) == len(said)
    assert len({turn.name for turn in (*train, *held)}) == len(said)
    assert {turn.speaker for turn in train} == set(plan.speakers)
    assert {turn.speaker for turn in held} == {*plan.speakers, *plan.held_speakers}
    assert len(train) == plan.utterances * len(plan.speakers) + sum(plan.more_utterances.values())


def test_what_is_said_besides_changes_nothing_else() -> None:
    plan = CorpusPlan.read(CONFIG)
    sentences = [f"Sentence {number}." for number in range(10_000)]
    (train, held), (few, same) = plan.turns(sentences), replace(plan, more_utterances={}).turns(sentences)
    assert held == same
    assert train[: len(few)] == few
    assert {turn.speaker for turn in train[len(few) :]} == set(plan.more_utterances)


def test_texts_that_are_too_few_are_told() -> None:
    plan = CorpusPlan.read(CONFIG)
    with pytest.raises(InputError, match="3 usable sentences"):
        plan.turns(["One.", "Two.", "Three."])


def test_a_warp_moves_times_with_the_sound() -> None:
    wave = np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE).astype(np.float32)
    higher = warped(Spoken(wave, (Label("aa", 0.5), Label("pau", 1.0))), 1.25)
    assert len(higher.wave) == RATE / 1.25
    assert [label.end for label in higher.labels] == [0.4, 0.8]
    assert np.abs(np.fft.rfft(higher.wave)).argmax() * RATE / len(higher.wave) == pytest.approx(250, abs=2)


def test_loudness_is_evened_without_clipping() -> None:
    assert np.sqrt(np.mean(levelled(np.full(100, 0.5, np.float32), 0.08) ** 2)) == pytest.approx(0.08)
    spiky = np.zeros(10_000, np.float32)
    spiky[0] = 0.5
    assert np.abs(levelled(spiky, 0.5)).max() <= 0.981


def test_an_utterance_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def speak(program: str, voice: str, text: str, stretch: float, pitch: float | None) -> Spoken:
        calls.append((program, voice, text, stretch, pitch))
        return Spoken(np.full(RATE, 0.1, np.float32), (Label("aa", 1.0),))

    monkeypatch.setattr(corpus_module, "speak", speak)
    made = Corpus(tmp_path)
    step = SpeechStep(made, {"x": Speaker("flite", "slt", 1.25, 200)}, 0.08)
    item = Item("x-00000.wav", made.wavs / "x-00000.wav", "en", "Hello.")
    assert step.start(torch.device("cpu"), 0)(item) == "done"
    assert step.start(torch.device("cpu"), 0)(item) == "kept"
    # What the warp does to pace and pitch is made up for.
    assert calls == [("flite", "slt", "Hello.", 1.25, 160.0)]
    assert len(load(item.audio, RATE)) == RATE / 1.25
    made.labels.settle()
    assert made.labels_by_name() == {item.name: (Label("aa", 0.8),)}
