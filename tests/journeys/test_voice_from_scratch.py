"""The whole way as a user types it: untrained weights, a dozen clips, features, both trainings, speech."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.versions import version_named

PROJECT = Path(__file__).parent.parent.parent
SAMPLE = PROJECT / "tests" / "sample"
WORDS = "We walked along the river until the sun went down."


def typed(*command: object) -> str:
    """Runs a command and gives what it said; it must succeed."""
    done = subprocess.run(
        [sys.executable, *map(str, command)], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("version", ["v1", "v2", "v2Pro", "v2ProPlus"])
def test_from_clips_to_speech(tmp_path: Path, version: str) -> None:
    typed("tools/init_weights.py", tmp_path / "pretrained_models", "--version", version, "--clips", SAMPLE / "clips")
    gsv = ("-m", "gsv.cli", "--home", tmp_path)
    same = ("--exp", "journey", "--version", version)

    said = typed(*gsv, "prepare", SAMPLE / "sample.list", "--audio", SAMPLE / "clips", *same)
    assert len(re.findall(r"\b12 made", said)) == (4 if version_named(version).uses_speaker_vector else 3)

    said = typed(*gsv, "train", "sovits", *same, "--epochs", 1)
    (sovits,) = (tmp_path / version_named(version).sovits_folder).iterdir()
    assert str(sovits) in said
    assert re.fullmatch(r"journey_e1_s\d+\.pth", sovits.name)

    said = typed(*gsv, "train", "gpt", *same, "--epochs", 4)
    (gpt,) = (tmp_path / version_named(version).gpt_folder).iterdir()
    assert str(gpt) in said
    assert gpt.name == "journey-e4.ckpt"

    # Asked again for what is there, it says so and exports it.
    gpt.unlink()
    assert "already" in typed(*gsv, "train", "gpt", *same, "--epochs", 4)
    assert gpt.is_file()

    output = tmp_path / "speech.wav"
    voice = ("--sovits", sovits, "--gpt", gpt, "--ref", SAMPLE / "clips" / "05.flac", "--prompt-text", WORDS)
    said = typed(*gsv, "tts", *voice, "--text", "The morning train left.", "--seed", 1, "-o", output)
    assert str(output) in said
    wave, rate = soundfile.read(output)
    assert rate == 32000
    assert len(wave) > 0.3 * rate
    assert np.abs(wave).max() > 0
