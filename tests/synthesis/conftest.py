"""An engine on narrow untrained weights: the way is real, what it says is noise."""

from pathlib import Path

import pytest

from gsv import Engine
from gsv.paths import Project
from gsv.synthesis.voice import Voice

CLIP = Path(__file__).parent.parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."


@pytest.fixture(scope="session")
def engine(narrow: Project) -> Engine:
    return Engine.load(project=narrow, device="cpu")


@pytest.fixture(scope="session")
def voice(engine: Engine) -> Voice:
    return engine.voice(CLIP, WORDS, "en")
