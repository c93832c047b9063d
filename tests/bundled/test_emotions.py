"""Emotions of the bundled voice move its speech in their direction, as measured, and it stays the voice that it is."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gsv.paths import Project
from gsv.synthesis.engine import Engine
from gsv.synthesis.manner import Bank, Feelings, of_reference
from gsv.synthesis.reference import Reference
from gsv.versions import version_named
from tiny.harvard import SENTENCES

CHECKOUT = Project(Path(__file__).parent.parent.parent)
V2 = version_named("v2")


@pytest.fixture(scope="module")
def measure(tool: Callable[[str], ModuleType]) -> ModuleType:
    return tool("measure_manner")


@pytest.fixture(scope="module")
def stage(measure: ModuleType) -> Any:
    """Three sentences, spoken plainly."""
    base = CHECKOUT.base_of(V2, "gsv-tiny/content")
    engine = Engine.load(base.gpt, base.generator, project=CHECKOUT, device="cpu")
    own = Reference.of(base)
    assert own is not None
    speaker, emotional = measure.heard(engine, own), measure.heard(engine, measure.EMOTIONAL)
    return measure.Stage.of(engine, speaker, emotional, SENTENCES[:3])


@pytest.mark.parametrize(("emotion", "direction"), [("happy", 1), ("sad", -1)])
def test_an_emotion_moves_pace_pitch_range_and_loudness(
    measure: ModuleType, stage: Any, emotion: str, direction: int
) -> None:
    made = Feelings(Bank()).manner(stage.engine, stage.speaker.voice, measure.vector(emotion))
    change = stage.change(made)
    asked = made.prosody
    assert change.pace == pytest.approx(asked.pace, rel=0.06)
    assert change.pitch == pytest.approx(asked.pitch, rel=0.04)
    assert change.energy == pytest.approx(asked.energy, abs=0.8)
    # Another pace is spoken with another melody, so that its range follows less exactly.
    for found in (change.pace - 1, change.pitch - 1, change.range / asked.range**0.4 - 1, change.energy):
        assert found * direction > 0
    assert change.spectrum < 0.33


def test_less_of_another_manner_is_nearer_to_the_speakers_own(measure: ModuleType, stage: Any) -> None:
    def way(weight: float) -> float:
        return stage.change(of_reference(stage.speaker, stage.emotional, weight)).spectrum

    nothing, little, all_of_it = way(0.0), way(0.25), way(1.0)
    assert nothing == 0 < little < all_of_it < 0.5
