"""The corpus: sentences spoken by synthesisers, with labels, and the clips of real speech that are given besides.

    WORK/corpus/wavs/SPEAKER-NNNNN.wav      32 kHz
    WORK/corpus/labels.tsv                  name, and `phone:end` in seconds for every phone
    WORK/corpus/train.list, held.list       for gsv's own `prepare`; `held` is for the gates alone

An utterance that is there is kept, so making the corpus goes on where it was stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from gsv.audio.io import Samples, resample, save_wav
from gsv.dataset.listing import Line, read_list, write_list
from gsv.dataset.rows import RowFile
from gsv.dataset.steps import Handle, Made
from gsv.dataset.workers import Item, Outcome, run
from gsv.errors import InputError
from gsv.progress import TerminalProgress
from tiny.sentences import LONGEST, dictionary, plain_sentences, read_texts, shuffled
from tiny.synthesisers import RATE, Label, Spoken, check_installed, flite_labels, speak


@dataclass(frozen=True)
class Speaker:
    """See configs/tiny/corpus.yaml."""

    program: str
    voice: str
    warp: float
    pitch: float | None = None


@dataclass(frozen=True)
class Corpus:
    """Where the files of a corpus lie."""

    root: Path

    @property
    def wavs(self) -> Path:
        return self.root / "wavs"

    @property
    def train(self) -> Path:
        return self.root / "train.list"

    @property
    def held(self) -> Path:
        return self.root / "held.list"

    @property
    def labels(self) -> RowFile:
        return RowFile(self.root / "labels.tsv", columns=2)

    def labels_by_name(self) -> dict[str, tuple[Label, ...]]:
        """Raises InputError if the corpus has not been made."""
        if not self.labels.path.is_file():
            raise InputError(f"{self.labels.path} is missing; make the corpus first.")
        return {name: flite_labels(row[1]) for name, row in self.labels.rows().items()}


@dataclass(frozen=True)
class Turn:
    """A speaker's sentence; turns are numbered across all speakers."""

    speaker: str
    number: int
    sentence: str

    @property
    def name(self) -> str:
        return f"{self.speaker}-{self.number:05d}.wav"


@dataclass(frozen=True)
class CorpusPlan:
    """The groups of configs/tiny/corpus.yaml."""

    seed: int
    loudness: float
    utterances: int
    held_texts: int
    held_utterances: int
    more_utterances: dict[str, int]
    speakers: dict[str, Speaker]
    held_speakers: dict[str, Speaker]

    @classmethod
    def read(cls, path: Path) -> "CorpusPlan":
        config: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in ("speakers", "held_speakers"):
            config[group] = {name: Speaker(**entry) for name, entry in config[group].items()}
        return cls(**config)

    @property
    def everyone(self) -> dict[str, Speaker]:
        return {**self.speakers, **self.held_speakers}

    def turns(self, sentences: Sequence[str]) -> tuple[list[Turn], list[Turn]]:
        """What is said for training and for the gates; no sentence is said twice, whoever says it."""
        train = [name for _ in range(self.utterances) for name in self.speakers]
        held = [name for _ in range(self.held_texts) for name in self.speakers]
        held += [name for _ in range(self.held_utterances) for name in self.held_speakers]
        more = [name for name, count in self.more_utterances.items() for _ in range(count)]
        speakers = [*train, *held, *more]
        if len(sentences) < len(speakers):
            raise InputError(
                f"The texts hold {len(sentences)} usable sentences and {len(speakers)} are needed; give more."
            )
        turns = [
            Turn(name, number, sentence)
            for number, (name, sentence) in enumerate(zip(speakers, shuffled(sentences, self.seed), strict=False))
        ]
        first, last = len(train), len(train) + len(held)
        return turns[:first] + turns[last:], turns[first:last]


def warped(spoken: Spoken, warp: float) -> Spoken:
    """The same as if it had been recorded at `warp` times the rate: higher and shorter for a warp above 1."""
    wave = resample(spoken.wave, round(RATE * warp), RATE)
    return Spoken(wave, tuple(Label(name, end / warp) for name, end in spoken.labels))


def levelled(wave: Samples, loudness: float) -> Samples:
    """The wave at a root mean square of `loudness`, or less where it would be clipped."""
    peak = float(np.abs(wave).max())
    scale = loudness / max(float(np.sqrt(np.mean(np.square(wave)))), 1e-6)
    return wave * np.float32(min(scale, 0.98 / max(peak, 1e-6)))


def spoken_by(speaker: Speaker, text: str, loudness: float) -> Spoken:
    """A text in a speaker's voice; InputError if the synthesiser fails."""
    pitch = None if speaker.pitch is None else speaker.pitch / speaker.warp
    spoken = warped(speak(speaker.program, speaker.voice, text, speaker.warp, pitch), speaker.warp)
    return Spoken(levelled(spoken.wave, loudness), spoken.labels)


@dataclass(frozen=True)
class SpeechStep:
    """Has an utterance spoken by the speaker that its name begins with."""

    corpus: Corpus
    speakers: Mapping[str, Speaker]
    loudness: float
    title: str = "corpus"

    def start(self, device: torch.device, part: int) -> Handle:
        there = self.corpus.labels.rows()

        def handle(item: Item) -> Made:
            if item.name in there and item.audio.is_file():
                return "kept"
            spoken = spoken_by(self.speakers[item.name.partition("-")[0]], item.text, self.loudness)
            save_wav(item.audio, spoken.wave, RATE)
            self.corpus.labels.append(part, [item.name, written(spoken.labels)])
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return (item.audio,)


def written(labels: Sequence[Label]) -> str:
    """Labels in the form that `flite_labels` reads."""
    return " ".join(f"{name}:{end:.4f}" for name, end in labels)


def make_corpus(corpus: Corpus, plan: CorpusPlan, texts: Path, workers: int) -> list[Outcome]:
    """Raises InputError or MissingLibraryError if texts or synthesisers are not there."""
    check_installed({speaker.program for speaker in plan.everyone.values()})
    if not texts.is_dir():
        raise InputError(f"There is no folder of texts {texts}; apt-get install fortunes, or name another.")
    train, held = plan.turns(plain_sentences(read_texts(texts), dictionary()))
    items = [Item(turn.name, corpus.wavs / turn.name, "en", turn.sentence) for turn in [*train, *held]]
    corpus.labels.settle()
    outcomes = run(SpeechStep(corpus, plan.everyone, plan.loudness), items, ["cpu"] * workers, TerminalProgress())
    usable = {outcome.name for outcome in outcomes if not outcome.reason}
    corpus.labels.join([item.name for item in items if item.name in usable])
    for path, part in ((corpus.train, items[: len(train)]), (corpus.held, items[len(train) :])):
        write_list(path, [_line(item) for item in part if item.name in usable])
    return outcomes


def new_sentences(corpus: Corpus, texts: Path) -> list[str]:
    """Usable sentences of the texts, and longer ones too, that no speaker of the corpus has said."""
    said = {line.text for path in (corpus.train, corpus.held) for line in read_list(path)}
    everything = plain_sentences(read_texts(texts), dictionary(), most=LONGEST)
    return [sentence for sentence in shuffled(everything, 0) if sentence not in said]


def _line(item: Item) -> Line:
    return Line(item.name, item.name.partition("-")[0], "en", item.text)


def speaker_of(corpus: Corpus) -> dict[str, str]:
    """The speaker of every listed utterance."""
    return {line.audio: line.speaker for path in (corpus.train, corpus.held) for line in read_list(path)}
