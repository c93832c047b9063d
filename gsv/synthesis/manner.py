"""How something is said, apart from who says it: the manner of one reference in the timbre of another, emotions by
numbers or words, and the melody that stands in where no reference has the manner that is wanted.

An emotion is eight numbers from 0 to 1, in the order of `EMOTIONS`. Where they fall near a labelled reference of the
user's bank, that reference's manner is used, or that of two of them one after the other. What no reference gives is
made of pace, pitch, its range and loudness, after what is known of how emotions sound (I. Murray, J. Arnott, "Toward
the simulation of emotion in synthetic speech", 1993; K. Scherer, "Vocal communication of emotion", 2003).
"""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated
from weakref import WeakKeyDictionary

import numpy as np
import torch
import yaml
from pydantic import Field, TypeAdapter, ValidationError

from gsv.audio.prosody import Melody, louder, repitched
from gsv.errors import InputError
from gsv.synthesis.engine import Engine, Fragment, SpeechOptions
from gsv.synthesis.voice import TOKEN_RATE, Voice

EMOTIONS = ("happy", "angry", "sad", "afraid", "disgusted", "melancholic", "surprised", "calm")
Vector = tuple[float, ...]
NEUTRAL: Vector = (0.0,) * len(EMOTIONS)

# A wish that lies less far from no emotion at all than this needs no reference.
_FAINT = 0.15
# How much nearer than no emotion a reference must lie to be of use.
_NEAR = 0.7
# Beyond these a changed melody is a caricature.
_STRONGEST = 1.6
_LOUDEST_DB = 6.0
# Of a reference in which less is said, the pace is not known.
_LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Prosody:
    """Factors of pace, mean F0 and range of F0, 1 being natural, and dB of loudness."""

    pace: float = 1.0
    pitch: float = 1.0
    range: float = 1.0
    energy: float = 0.0

    def then(self, other: "Prosody", times: float = 1.0) -> "Prosody":
        """Both, the other one so many times; minus once takes it back."""
        return Prosody(
            self.pace * other.pace**times,
            self.pitch * other.pitch**times,
            self.range * other.range**times,
            self.energy + other.energy * times,
        )

    def bounded(self) -> "Prosody":
        """The same within what still sounds like the speaker."""

        def factor(value: float) -> float:
            return min(max(value, 1 / _STRONGEST), _STRONGEST)

        energy = min(max(self.energy, -_LOUDEST_DB), _LOUDEST_DB)
        return Prosody(factor(self.pace), factor(self.pitch), factor(self.range), energy)


# What each emotion does to the melody of speech where it is at its full strength.
_SOUND = {
    "happy": Prosody(1.08, 1.12, 1.40, 2.0),
    "angry": Prosody(1.12, 1.06, 1.35, 4.0),
    "sad": Prosody(0.85, 0.94, 0.70, -3.0),
    "afraid": Prosody(1.15, 1.15, 1.10, -1.0),
    "disgusted": Prosody(0.90, 0.94, 0.90, -0.5),
    "melancholic": Prosody(0.88, 0.93, 0.75, -3.0),
    "surprised": Prosody(1.05, 1.18, 1.55, 2.0),
    "calm": Prosody(0.94, 0.97, 0.80, -1.5),
}


def prosody_of(vector: Vector) -> Prosody:
    """The melody of an emotion; numbers below 0 turn an emotion's effect round."""
    total = Prosody()
    for name, strength in zip(EMOTIONS, vector, strict=True):
        total = total.then(_SOUND[name], strength)
    return total.bounded()


NATURAL = Prosody()


@dataclass(frozen=True)
class Manner:
    """A voice with a manner to speak in. `notes` say what of the wish could not be had, or how it was made."""

    voice: Voice
    prosody: Prosody = NATURAL
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Example:
    """A reference of a bank: a recording, what is said in it, and the emotion it is said with."""

    audio: Path
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    language: str
    emotion: Annotated[
        tuple[Annotated[float, Field(ge=0, le=1)], ...], Field(min_length=len(EMOTIONS), max_length=len(EMOTIONS))
    ]


_EXAMPLES = TypeAdapter(list[Example])


@dataclass(frozen=True)
class Bank:
    """Labelled references: a folder with recordings and a `bank.yaml` or `bank.json`, which is a list of such entries:

    - audio: cheerful.wav
      text: What a lovely morning!
      language: en
      emotion: [0.9, 0, 0, 0, 0, 0, 0.1, 0]
    """

    examples: tuple[Example, ...] = ()

    @classmethod
    def load(cls, folder: Path) -> "Bank":
        """The bank of a folder, empty if there is none; InputError, which names the file, for one that is not right."""
        path = next(
            (folder / name for name in ("bank.yaml", "bank.yml", "bank.json") if (folder / name).is_file()), None
        )
        if path is None:
            return cls()
        try:
            # JSON is YAML too.
            examples = _EXAMPLES.validate_python(yaml.safe_load(path.read_text("utf-8")) or [])
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not right YAML; see the documentation of emotion banks.") from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{path}, entry {place}: {first['msg']}.") from error
        # The files of a bank lie in its folder.
        for example in examples:
            inside = (folder / example.audio).resolve()
            if folder.resolve() not in inside.parents or not inside.is_file():
                raise InputError(f"{path} names {str(example.audio)!r}, which is no file in that folder.")
        return cls(tuple(replace(example, audio=folder / example.audio) for example in examples))

    def nearest(self, vector: Vector) -> tuple[tuple[Example, ...], Vector]:
        """The example, or the two, whose mean emotion is nearest, the nearer last, and what is missing then.

        None where not even those are much nearer than no emotion at all.
        """
        wish = np.array(vector)
        length = float(np.linalg.norm(wish))
        if length < _FAINT:
            return (), vector

        def distance(examples: Sequence[Example]) -> float:
            return float(np.linalg.norm(wish - np.mean([one.emotion for one in examples], axis=0)))

        singles = sorted(((one,) for one in self.examples), key=distance)[:10]
        pairs = list(combinations((one for (one,) in reversed(singles)), 2))
        # One alone is clearer, so that two must be nearer by something.
        best = min([*singles, *pairs], key=lambda some: distance(some) + 0.05 * length * (len(some) - 1), default=())
        if not best or distance(best) > _NEAR * length:
            return (), vector
        missing = wish - np.mean([one.emotion for one in best], axis=0)
        return best, tuple(float(value) for value in missing)


# Tells the emotion of a description.
Judge = Callable[[str], Vector]


class Feelings:
    """A bank whose references each engine listens to once, when they are first needed. Threads may share it.

    Without a `judge` of descriptions, the lexicon is asked (`gsv.synthesis.wording`).
    """

    def __init__(self, bank: Bank, judge: Judge | None = None):
        self.bank = bank
        self.judge = judge
        self._lock = threading.Lock()
        self._voices: WeakKeyDictionary[Engine, dict[Path, Voice]] = WeakKeyDictionary()

    def manner(self, engine: Engine, speaker: Voice, vector: Vector, weight: float = 1.0) -> Manner:
        """The speaker with an emotion. `weight` from 0 to 1 is how much of it; 0 is the speaker's own manner."""
        wish = tuple(weight * value for value in checked(vector))
        if not any(wish):
            return Manner(speaker, notes=("No emotion was asked for, so the manner is that of the reference.",))
        examples, missing = self.bank.nearest(wish)
        prosody = prosody_of(missing)
        if not examples:
            what = "is near this emotion" if self.bank.examples else "is there"
            return Manner(
                speaker, prosody,
                (f"No labelled reference {what}; the emotion is made of pace, pitch, range and loudness alone.",),
            )  # fmt: skip
        manner = joined([self._voice(engine, example) for example in examples])
        names = " and ".join(example.audio.name for example in examples)
        return Manner(with_timbre(manner, speaker), prosody, (f"The manner is that of {names}.",))

    def _voice(self, engine: Engine, example: Example) -> Voice:
        with self._lock:
            known = self._voices.setdefault(engine, {})
            if example.audio not in known:
                known[example.audio] = engine.voice(example.audio, example.text, example.language)
            return known[example.audio]


def checked(vector: Sequence[float]) -> Vector:
    """The vector, if it is one; InputError otherwise."""
    if len(vector) != len(EMOTIONS) or not all(0 <= value <= 1 for value in vector):
        raise InputError(f"An emotion is {len(EMOTIONS)} numbers from 0 to 1: {', '.join(EMOTIONS)}.")
    return tuple(float(value) for value in vector)


def with_timbre(manner: Voice, speaker: Voice) -> Voice:
    """Says it as the one does, in the other's voice."""
    return replace(manner, timbre=speaker.timbre, warnings=(*speaker.warnings, *manner.warnings))


def joined(voices: Sequence[Voice]) -> Voice:
    """References one after another, as if somebody had said them all; the last one has the most say."""
    first, *others = voices
    for other in others:
        if first.transcript is None or other.transcript is None:
            raise InputError("References can only be joined where it is known what is said in them.")
        first = replace(
            first,
            prompt=torch.cat([first.prompt, other.prompt]),
            transcript=first.transcript.then(other.transcript),
            warnings=(*first.warnings, *other.warnings),
        )
    return first


@dataclass(frozen=True)
class Heard:
    """A reference as a voice and, where it could be measured, its melody."""

    voice: Voice
    melody: Melody | None

    @property
    def pace(self) -> float | None:
        """Phonemes a second; None without a transcript."""
        enough = self.voice.spoken_tokens > _LEAST_SECONDS * TOKEN_RATE
        return TOKEN_RATE / self.voice.pace if self.voice.pace is not None and enough else None


def of_reference(speaker: Heard, emotion: Heard, weight: float) -> Manner:
    """The manner of one reference in the voice of another.

    At a weight of 1 speech continues from the emotion's reference, and nothing is changed; at 0 it is the speaker's.
    In between, speech continues from the nearer of the two, the emotion's from a half on, and its pace and the range of
    its melody are drawn towards the other's. Where it is not known what the emotion's reference says, speech cannot
    continue from it: then the range of its melody is all that is taken over.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"emo_weight is {weight:g}; it must be between 0 and 1.")
    if weight == 0:
        return Manner(speaker.voice, notes=("emo_weight is 0, so the manner is that of the speaker's reference.",))
    towards = _between(speaker, emotion)
    if emotion.voice.transcript is None:
        note = "The words of the emotion reference are not known, so only the range of its melody is taken over."
        return Manner(speaker.voice, Prosody().then(replace(towards, pace=1.0), weight).bounded(), (note,))
    if weight < 0.5:
        return Manner(speaker.voice, Prosody().then(towards, weight).bounded())
    # The emotion's prompt brings all of the way to its own prosody.
    return Manner(with_timbre(emotion.voice, speaker.voice), Prosody().then(towards, weight - 1).bounded())


def _between(speaker: Heard, emotion: Heard) -> Prosody:
    """What leads from the one's prosody to the other's; mean pitch is the voice's, and loudness the recording's."""
    pace = emotion.pace / speaker.pace if emotion.pace and speaker.pace else 1.0
    wide = 1.0
    if speaker.melody and emotion.melody and min(speaker.melody.spread, emotion.melody.spread) > 0.5:
        wide = emotion.melody.spread / speaker.melody.spread
    return Prosody(pace=pace, range=wide)


def spoken(
    engine: Engine,
    text: str,
    language: str,
    manner: Manner,
    options: SpeechOptions,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Fragment]:
    """`Engine.stream` in a manner. Pace is the model's doing; melody and loudness are changed afterwards."""
    prosody = manner.prosody
    paced = replace(options, speed=min(max(options.speed * prosody.pace, 0.1), 10.0))
    for fragment in engine.stream(text, language, manner.voice, paced, stopped):
        yield replace(fragment, wave=_sounding(fragment.wave, fragment.sampling_rate, prosody))


def _sounding(wave: np.ndarray, rate: int, prosody: Prosody) -> np.ndarray:
    if not (math.isclose(prosody.pitch, 1) and math.isclose(prosody.range, 1)):
        wave = repitched(wave, rate, prosody.pitch, prosody.range)
    return louder(wave, prosody.energy) if prosody.energy else wave
