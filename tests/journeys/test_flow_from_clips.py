"""The whole way of v3 and v4 as a user types it: clips, features, training, speech, the same for the same seed."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.cli import main
from gsv.paths import Project
from gsv.versions import version_named

SAMPLE = Path(__file__).parent.parent / "sample"
WORDS = "We walked along the river until the sun went down."

pytestmark = pytest.mark.usefixtures("short_takes")


@pytest.mark.parametrize(("version", "how"), [("v3", ["--lora-rank", "16"]), ("v4", ["--grad-checkpointing"])])
def test_from_clips_to_speech(
    narrow_projects: Callable[[str], Project],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    version: str,
    how: list[str],
) -> None:
    def typed(*arguments: object) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["--home", str(tmp_path), *map(str, arguments)])
        said = capsys.readouterr()
        assert ended.value.code == 0, (ended.value.code, said.err)
        return said.out

    def heard(name: str, sovits: Path) -> np.ndarray:
        output = tmp_path / name
        voice = ("--sovits", sovits, "--ref", SAMPLE / "clips" / "05.flac", "--prompt-text", WORDS)
        same = ("--version", version, "--seed", 1, "--device", "cpu")
        assert str(output) in typed("tts", *voice, *same, "--text", "The morning train left.", "-o", output)
        wave, rate = soundfile.read(output)
        assert rate == version_named(version).sampling_rate
        assert np.abs(wave).max() > 0
        return wave

    (tmp_path / "pretrained_models").symlink_to(narrow_projects(version).pretrained)
    same = ("--exp", "journey", "--version", version)
    said = typed("prepare", SAMPLE / "sample.list", "--audio", SAMPLE / "clips", *same, "--gpus", 0)
    assert len(re.findall(r"\b12 made", said)) == 3

    said = typed("train", "sovits", *same, "--epochs", 1, "--batch-size", 12, *how)
    (sovits,) = (tmp_path / version_named(version).sovits_folder).iterdir()
    assert str(sovits) in said
    first = heard("first.wav", sovits)
    assert np.array_equal(first, heard("again.wav", sovits))
    if sovits.stem.endswith("_l16"):
        merged = tmp_path / "merged.pth"
        assert str(merged) in typed("merge", sovits, "-o", merged)
        # Half precision rounds what a LoRA and its base model make together.
        rounded = heard("merged.wav", merged)
        assert rounded.shape == first.shape
        assert np.linalg.norm(rounded - first) < 0.05 * np.linalg.norm(first)
