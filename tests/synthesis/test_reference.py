"""Whether a recording can be a reference."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.errors import AudioError
from gsv.synthesis.reference import check_reference

RATE = 16000


def tone(folder: Path, seconds: float, amplitude: float, silence: float = 0) -> Path:
    wave = amplitude * np.sin(2 * np.pi * 220 * np.arange(round(seconds * RATE)) / RATE)
    path = folder / "tone.wav"
    soundfile.write(path, np.concatenate([wave, np.zeros(round(silence * RATE))]), RATE, subtype="FLOAT")
    return path


def test_loudness_is_that_of_the_voice_not_of_the_pauses(tmp_path: Path) -> None:
    found = check_reference(tone(tmp_path, 2, 0.5, silence=3))
    assert found.seconds == pytest.approx(5)
    assert found.loudness == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.1)
    assert found.peak == pytest.approx(20 * np.log10(0.5), abs=0.1)
    assert found.faults == ()


@pytest.mark.parametrize(
    ("seconds", "amplitude", "fault"), [(2, 0.5, "short"), (12, 0.5, "long"), (4, 0.01, "quiet"), (4, 1.5, "clipped")]
)
def test_faults_are_found(tmp_path: Path, seconds: float, amplitude: float, fault: str) -> None:
    assert check_reference(tone(tmp_path, seconds, amplitude)).faults == (fault,)


def test_a_recording_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="too short for a reference"):
        check_reference(tone(tmp_path, 0.5, 0.5))
    with pytest.raises(AudioError, match="silent from end to end"):
        check_reference(tone(tmp_path, 4, 0.0))
