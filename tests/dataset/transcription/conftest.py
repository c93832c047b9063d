"""Small untrained models in the true formats, and clips to hear."""

from pathlib import Path

import pytest
import soundfile

from gsv.audio.io import load
from gsv.paths import Project

from . import tiny_whisper

SAMPLE = Path(__file__).parents[2] / "sample" / "clips"
SAID = ["Hello", " wor", "ld", "."]


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project folder with two Whispers: `tiny` hears English, `large-v3` Japanese. Do not write to it."""
    project = Project(tmp_path_factory.mktemp("whisper"))
    places = project.pretrained / "asr"
    places.mkdir(parents=True)
    tiny_whisper.write(places / "faster-whisper-tiny", "en", SAID, languages=99)
    tiny_whisper.write(places / "faster-whisper-large-v3", "ja", ["こん", "にちは", "。"])
    return project


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three short clips of speech in a folder that has all that can go wrong in its name."""
    folder = tmp_path / '-my "voice\'s" 声音; rm'
    folder.mkdir()
    for name, source in zip(("-b.wav", "a b.wav", "c'\"声.wav"), sorted(SAMPLE.iterdir()), strict=False):
        soundfile.write(folder / name, load(source, 16000)[:24000], 16000)
    return folder
