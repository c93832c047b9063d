"""Measures what emotions and their weight do to speech: python tools/measure_manner.py [--sentences 12]

Every sentence is spoken plainly and in each manner with the same seed. Of each manner the table gives the medians over
the sentences of what has changed: pace, mean F0, the range of F0, and loudness; and how far the long-term spectrum, by
which one knows a voice, has moved, in parts of the way to another speaker's.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gsv.audio.io import Samples, load
from gsv.audio.prosody import melody
from gsv.paths import Project
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.manner import EMOTIONS, Bank, Feelings, Heard, Manner, of_reference, spoken
from gsv.synthesis.reference import Reference
from gsv.versions import version_named
from tiny.acceptance import long_term_spectrum
from tiny.harvard import SENTENCES

CLIPS = Path(__file__).parent.parent / "tests" / "sample" / "clips"
EMOTIONAL = Reference(CLIPS / "07.flac", "The old clock in the hall stopped at half past nine.", "en")
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
_RATE = 16000


@dataclass(frozen=True)
class Change:
    """From plain speech to speech in a manner: factors of pace, mean F0 and range of F0, dB of loudness, and the
    spectrum's way in parts of that to the other speaker."""

    pace: float
    pitch: float
    range: float
    energy: float
    spectrum: float

    def __str__(self) -> str:
        numbers = (self.pace, self.pitch, self.range, self.energy, self.spectrum)
        return " | ".join(f"{value:.2f}" for value in numbers)


@dataclass(frozen=True)
class Stage:
    """Who speaks, whose manner can be lent, the sentences, and the plain takes of both."""

    engine: Engine
    speaker: Heard
    emotional: Heard
    texts: Sequence[str]
    plain: Sequence[Samples]
    others: Sequence[Samples]

    @classmethod
    def of(cls, engine: Engine, speaker: Heard, emotional: Heard, texts: Sequence[str]) -> "Stage":
        plain, others = ([say(engine, text, Manner(one.voice)) for text in texts] for one in (speaker, emotional))
        return cls(engine, speaker, emotional, texts, plain, others)

    def change(self, manner: Manner) -> Change:
        """The medians over the sentences."""
        changes = []
        for text, plain, other in zip(self.texts, self.plain, self.others, strict=True):
            made = say(self.engine, text, manner)
            before, after = (melody(wave, self.engine.sampling_rate) for wave in (plain, made))
            if before is None or after is None or min(before.spread, after.spread) == 0:
                continue
            way, whole = (np.linalg.norm(long_term_spectrum(plain) - long_term_spectrum(one)) for one in (made, other))
            changes.append(
                (
                    len(plain) / len(made),
                    after.f0 / before.f0,
                    after.spread / before.spread,
                    after.level - before.level,
                    float(way / whole),
                )
            )
        return Change(*np.median(np.array(changes), axis=0).tolist())


def say(engine: Engine, text: str, manner: Manner) -> Samples:
    options = SpeechOptions(seed=1, pause=0.0)
    return np.concatenate([fragment.wave for fragment in spoken(engine, text, "en", manner, options)])


def heard(engine: Engine, reference: Reference) -> Heard:
    voice = engine.voice(reference.audio, reference.transcript, reference.language)
    return Heard(voice, melody(load(reference.audio, _RATE), _RATE))


def vector(emotion: str, strength: float = 1.0) -> tuple[float, ...]:
    return tuple(strength if name == emotion else 0.0 for name in EMOTIONS)


def lines(stage: Stage) -> Iterator[tuple[str, Change]]:
    """What to call each manner, and what it changes."""
    feelings = Feelings(Bank())
    for emotion in EMOTIONS:
        for strength in (0.5, 1.0):
            yield (
                f"{emotion} {strength:g}",
                stage.change(feelings.manner(stage.engine, stage.speaker.voice, vector(emotion, strength))),
            )
    for weight in WEIGHTS:
        made = of_reference(stage.speaker, stage.emotional, weight)
        yield f"reference, emo_weight {weight:g}", stage.change(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=12)
    count = parser.parse_args().sentences
    torch.set_num_threads(1)
    project = Project.default()
    engine = Engine.load(project=project, device="cpu")
    own = Reference.of(project.base(version_named("v2")))
    assert own is not None, "the bundled voice is measured, which official weights stand in for here"
    speaker, emotional = heard(engine, own), heard(engine, EMOTIONAL)
    for name, one in (("speaker", speaker), ("emotion", emotional)):
        print(f"{name}: {one.pace:.1f} phonemes a second, {one.melody}")
    stage = Stage.of(engine, speaker, emotional, SENTENCES[:count])
    print(
        "| manner | pace | mean F0 | range of F0 | loudness, dB | way to the other speaker |\n|---|---|---|---|---|---|"
    )
    for name, change in lines(stage):
        print(f"| {name} | {change} |", flush=True)


if __name__ == "__main__":
    main()
