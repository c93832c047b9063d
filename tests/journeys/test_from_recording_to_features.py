"""From a long noisy recording to features: slice, denoise, transcribe, check and prepare, as a user types them."""

import os
import subprocess
import sys
from pathlib import Path

JOURNEYS = Path(__file__).parent


def test_from_a_recording_to_features(shared: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", JOURNEYS / "from_recording_to_features.sh", shared / "data" / "ljspeech-mini", tmp_path],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stderr
    experiment = tmp_path / "home" / "logs" / "reader"
    listed = (tmp_path / "quiet" / "lists" / "denoised.list").read_text(encoding="utf-8").splitlines()
    assert len(listed) > 30
    assert len((experiment / "2-name2text.txt").read_text(encoding="utf-8").splitlines()) == len(listed)
    assert len(list((experiment / "5-wav32k").iterdir())) == len(listed)
    assert (tmp_path / "loud" / "slices" / "plots" / "reader.wav.png").is_file()
