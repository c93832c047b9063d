"""Debian's speech synthesisers as sources of speech whose phonemes and their times are known.

flite: `-psdur` prints `phone:end` pairs. festival: `utt.save.segs` writes lines of end, a number and the phone.
Both name phones as the CMU dictionary does, in lower case, with `ax` and `axr` besides and `pau` for a pause.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from gsv.audio.io import Samples, load
from gsv.errors import InputError, MissingLibraryError

PACKAGES = {
    "flite": "flite",
    "festival": "festival festvox-us-slt-hts festvox-kdlpc16k",
}
# Rate at which a synthesised wave is read before its warp; above all of the voices' own.
RATE = 32000
_SECONDS = 60

PAUSE = "pau"
PHONES = (
    PAUSE,
    *[
        "aa",
        "ae",
        "ah",
        "ao",
        "aw",
        "ay",
        "b",
        "ch",
        "d",
        "dh",
        "eh",
        "er",
        "ey",
        "f",
        "g",
        "hh",
        "ih",
        "iy",
        "jh",
        "k",
        "l",
        "m",
        "n",
        "ng",
        "ow",
        "oy",
        "p",
        "r",
        "s",
        "sh",
        "t",
        "th",
        "uh",
        "uw",
        "v",
        "w",
        "y",
        "z",
        "zh",
    ],
)
_SAME = {"ax": "ah", "axr": "er", "ix": "ih", "ux": "uw", "el": "l", "em": "m", "en": "n", "h#": PAUSE, "brth": PAUSE}


class Label(NamedTuple):
    """A phone of `PHONES` and the second at which it ends."""

    phone: str
    end: float


@dataclass(frozen=True)
class Spoken:
    """A wave at 32 kHz and its phones."""

    wave: Samples
    labels: tuple[Label, ...]


def phone(name: str) -> str:
    """The phone of `PHONES` that a synthesiser's name means; InputError if there is none."""
    plain = _SAME.get(name, name)
    if plain not in PHONES:
        raise InputError(f"The synthesiser names a phone {name!r}, which is not known; add it to the table.")
    return plain


def flite_labels(text: str) -> tuple[Label, ...]:
    """The labels that `flite -psdur` prints: `pau:0.184 dh:0.236 ...`."""
    pairs = (word.rpartition(":") for word in text.split())
    return tuple(Label(phone(name), float(end)) for name, _, end in pairs)


def festival_labels(text: str) -> tuple[Label, ...]:
    """The labels of a segment file: after a line `#`, lines such as `0.1650 100 pau`."""
    lines = text.partition("#\n")[2].splitlines()
    rows = [line.split() for line in lines if line.strip()]
    return tuple(Label(phone(row[2]), float(row[0])) for row in rows)


def check_installed(programs: set[str]) -> None:
    """Raises MissingLibraryError with the packages that hold the programs that are not there."""
    missing = sorted(program for program in programs if shutil.which(program) is None)
    if missing:
        packages = " ".join(PACKAGES[program] for program in missing)
        raise MissingLibraryError(f"The synthesiser {missing[0]} is not installed: apt-get install {packages}")


def speak(program: str, voice: str, text: str, stretch: float, pitch: float | None) -> Spoken:
    """Speaks a text with `stretch` times its natural length and a mean pitch in Hz, where the voice can do that.

    Raises InputError if the synthesiser fails.
    """
    with TemporaryDirectory() as folder:
        wav = Path(folder) / "spoken.wav"
        if program == "flite":
            labels = _flite(voice, text, stretch, pitch, wav)
        else:
            labels = _festival(voice, text, stretch, pitch, wav)
        return Spoken(load(wav, RATE), labels)


def _flite(voice: str, text: str, stretch: float, pitch: float | None, wav: Path) -> tuple[Label, ...]:
    command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.4f}"]
    if pitch is not None:
        command += ["--setf", f"int_f0_target_mean={pitch:.2f}"]
    return flite_labels(_output([*command, "-psdur", "-t", text, "-o", str(wav)]))


# Only the diphone voice takes a pace and a pitch; the mean of 170 and deviation of 34 are its intonation model's.
_SCHEME = """
({voice})
(if (string-equal "{voice}" "voice_ked_diphone")
    (begin
      (Parameter.set 'Duration_Stretch {stretch})
      (set! int_lr_params '((target_f0_mean {mean}) (target_f0_std {deviation})
                            (model_f0_mean 170) (model_f0_std 34)))))
(set! spoken (utt.synth (eval (list 'Utterance 'Text {text}))))
(utt.save.wave spoken {wav})
(utt.save.segs spoken {segments})
"""


def _festival(voice: str, text: str, stretch: float, pitch: float | None, wav: Path) -> tuple[Label, ...]:
    mean = pitch if pitch is not None else 105.0
    segments, script = wav.with_suffix(".segs"), wav.with_suffix(".scm")
    script.write_text(
        _SCHEME.format(
            voice=voice,
            stretch=f"{stretch:.4f}",
            mean=f"{mean:.2f}",
            deviation=f"{mean * 0.14:.2f}",
            # Texts are of letters and plain marks only, so JSON's quoting is Scheme's.
            text=json.dumps(text),
            wav=json.dumps(str(wav)),
            segments=json.dumps(str(segments)),
        )
    )
    _output(["festival", "-b", str(script)])
    if not segments.is_file():
        raise InputError(f"festival spoke nothing for {text!r}; is its voice {voice} installed?")
    return festival_labels(segments.read_text())


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode:
        raise InputError(f"{command[0]} failed with status {done.returncode}: {done.stderr.strip()[:200]}")
    return done.stdout
