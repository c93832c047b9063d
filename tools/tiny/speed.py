"""How long a user waits for the finished set."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tiny.acceptance import LANGUAGE, Candidate
from tiny.gates import Score
from tiny.references import Reference

SHORT = "The morning train left the quiet harbour before the sun rose."
LONG = "The salt breeze came across from the sea. " * 3


def judge_speed(candidate: Candidate, reference: Reference, texts: Sequence[str]) -> Iterator[Score]:
    """Seconds by seconds of audio of a loaded engine, to the first audio of a request, and of the whole command."""
    engine = candidate.engine
    voice = candidate.voice(reference)
    # The first call prepares what all others use.
    engine.speak(texts[0], LANGUAGE, voice, candidate.options)
    began, seconds = time.monotonic(), 0.0
    for text in texts:
        seconds += engine.speak(text, LANGUAGE, voice, candidate.options).seconds
    yield Score("seconds of work by a second of audio", (time.monotonic() - began) / seconds, 0.5)
    began = time.monotonic()
    again = candidate.voice(reference)
    next(iter(engine.stream(LONG, LANGUAGE, again, replace(candidate.options, split="cut5"))))
    yield Score("seconds to the first audio, the reference included", time.monotonic() - began, 0.7)
    wav = candidate.folder / "command.wav"
    wav.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "gsv.cli", "--home", str(candidate.project.root), "tts", "--text", SHORT]
    command += ["--seed", "1", "-o", str(wav)]
    another = ["--ref", str(reference.clip), "--prompt-text", reference.transcript]
    for given, whose in (([], "the set's own"), (another, "another")):
        began = time.monotonic()
        subprocess.run([*command, *given], check=True, capture_output=True)
        seconds = time.monotonic() - began
        yield Score(f"seconds of the command `gsv tts`, {whose} reference, from its start to the file", seconds, 8.0)
