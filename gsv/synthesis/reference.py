"""References: the one that weights bring along, and whether a recording can be one, judged by length and loudness."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsv.audio.io import load
from gsv.errors import AudioError
from gsv.paths import BaseFiles

# The length that the models were trained to continue from, and the length below which there is no voice to take.
ADVISED_SECONDS = (3.0, 10.0)
LEAST_SECONDS = 1.0
# A stretch this far below full scale is not speech but the room.
_QUIET_DB = -60.0
_TOO_SOFT_DB = -35.0
_CLIPPED_SHARE = 0.001


def check_length(path: Path, seconds: float) -> tuple[str, ...]:
    """Warnings about a reference's length; AudioError when it is too short for any use."""
    if seconds < LEAST_SECONDS:
        raise AudioError(
            f"{path} lasts {seconds:.2f} s, which is too short for a reference; give 3 to 10 s, at least "
            f"{LEAST_SECONDS:g} s."
        )
    low, high = ADVISED_SECONDS
    if not low <= seconds <= high:
        return (f"{path} lasts {seconds:.1f} s; references of {low:g} to {high:g} s work best.",)
    return ()


@dataclass(frozen=True)
class Heard:
    """A recording's semantic tokens, the silence behind it included, and the `Engine.weights_id` that they are of."""

    tokens: tuple[int, ...]
    weights: str


@dataclass(frozen=True)
class Reference:
    """A recording to speak like, what is said in it, and further recordings that are averaged into the timbre.

    `heard` spares some weights listening to it.
    """

    audio: Path
    transcript: str = ""
    language: str = "en"
    auxiliary: tuple[Path, ...] = ()
    heard: Heard | None = None

    @classmethod
    def of(cls, base: BaseFiles) -> "Reference | None":
        """The recording that comes with base models, if one does: the bundled voice's.

        Its file is JSON: `audio`, the name of a sound file beside it, `text`, `language` and, if it is known, `heard`.
        """
        if base.reference is None or not base.reference.is_file():
            return None
        told = json.loads(base.reference.read_text(encoding="utf-8"))
        heard = told.get("heard")
        heard = Heard(tuple(heard["tokens"]), heard["weights"]) if heard else None
        return cls(base.reference.parent / told["audio"], told["text"], told["language"], heard=heard)


@dataclass(frozen=True)
class ReferenceCheck:
    """What a recording is like as a reference: length in seconds, loudness of its speech and peak in dB of full scale.

    `faults` are keys of what is wrong with it: short, long, quiet, clipped.
    """

    seconds: float
    loudness: float
    peak: float
    faults: tuple[str, ...]


def check_reference(path: Path) -> ReferenceCheck:
    """Looks at a recording before it is used. Raises AudioError if it cannot be used at all."""
    rate = 16000
    wave = load(path, rate)
    seconds = len(wave) / rate
    check_length(path, seconds)
    peak = float(np.abs(wave).max())
    if peak == 0:
        raise AudioError(f"{path} is silent from end to end; give a recording of the voice.")
    frames = wave[: len(wave) // 400 * 400].reshape(-1, 400)
    power = np.square(frames, dtype=np.float64).mean(axis=1)
    # Pauses say nothing of how loud the voice is.
    spoken = power[power > 10 ** (_QUIET_DB / 10)]
    loudness = 10 * np.log10(spoken.mean()) if len(spoken) else _QUIET_DB
    low, high = ADVISED_SECONDS
    faults = {
        "short": seconds < low,
        "long": seconds > high,
        "quiet": loudness < _TOO_SOFT_DB,
        "clipped": (np.abs(wave) >= 0.999).mean() > _CLIPPED_SHARE,
    }
    found = tuple(name for name, there in faults.items() if there)
    return ReferenceCheck(seconds, float(loudness), float(20 * np.log10(peak)), found)
