"""The eight voices that the finished set is asked to speak in, and what synthesisers say for comparison."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsv.audio.io import duration, save_wav
from gsv.dataset.listing import read_list
from gsv.errors import InputError
from gsv.synthesis.reference import ADVISED_SECONDS
from tiny.corpus import Corpus, CorpusPlan, spoken_by
from tiny.humans import HELD
from tiny.synthesisers import RATE


@dataclass(frozen=True)
class Reference:
    """A clip of a voice and its words; `source` is the corpus' speaker that speaks the texts for comparison.

    A family is a synthesiser whose voice, read at other rates, was trained on; the others are humans, of whom the
    second was heard by no part of the set.
    """

    name: str
    clip: Path
    transcript: str
    source: str
    family: bool


def references(corpus: Corpus, plan: CorpusPlan, humans: Path, listing: Path) -> list[Reference]:
    """One held-out clip of every held-out speaker, one of LJSpeech, and one of a voice that nothing was trained on.

    Raises InputError if a speaker has no clip of an advised length.
    """
    lines = read_list(corpus.held)
    found = []
    for speaker in plan.held_speakers:
        mine = [(corpus.wavs / line.audio, line.text) for line in lines if line.speaker == speaker]
        clip, transcript = advised(mine, speaker)
        found.append(Reference(speaker, clip, transcript, speaker, family=True))
    people = [(humans / line.audio, line.text, line.speaker) for line in read_list(listing)[-HELD:]]
    sources = list(plan.held_speakers)
    for number, person in enumerate(dict.fromkeys(person for _, _, person in people)):
        clip, transcript = advised([(path, text) for path, text, owner in people if owner == person], person)
        found.append(Reference(person, clip, transcript, sources[number], family=False))
    return found


def advised(clips: Sequence[tuple[Path, str]], speaker: str) -> tuple[Path, str]:
    """The first clip that is as long as references should be, or nearest to that."""
    low, high = ADVISED_SECONDS
    there = [(path, text) for path, text in clips if path.is_file()]
    if not there:
        raise InputError(f"There is no clip of {speaker}; make the corpus, and name the folder of --humans.")

    def excess(clip: tuple[Path, str]) -> float:
        seconds = duration(clip[0])
        return max(low - seconds, seconds - high, 0.0)

    return min(there, key=excess)


@dataclass(frozen=True)
class Sources:
    """What the corpus' speakers say, each text once, kept in a folder."""

    folder: Path
    plan: CorpusPlan

    def said(self, speaker: str, text: str) -> Path:
        """A sound file at 32 kHz."""
        number = hashlib.sha256(text.encode()).hexdigest()[:12]
        wav = self.folder / f"{speaker}-{number}.wav"
        if not wav.is_file():
            save_wav(wav, spoken_by(self.plan.everyone[speaker], text, self.plan.loudness).wave, RATE)
        return wav
