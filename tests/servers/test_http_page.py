"""The examples of docs/http.md work as they stand there; only the address is another one."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from http_server import CLIP, WORDS, House

PAGE = Path(__file__).parents[2] / "docs" / "http.md"
SECTIONS = ("HTTP synthesis API 3.0", "One endpoint with a default reference", "OpenAI's form")
RUN = {"bash": ["bash", "-c"], "python": [sys.executable, "-c"], "javascript": ["node", "-e"]}


@pytest.fixture(scope="module")
def narrator(house: House) -> Iterator[House]:
    """The server with the speaker of the examples, and the recording where they look for it."""
    shutil.copy(CLIP, house.project.root / "reference.wav")
    house.service.speakers.clone(house.service.pool.engine(), "narrator", CLIP, WORDS, "en")
    yield house
    house.service.speakers.remove(["narrator"])


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("language", RUN)
def test_an_example_of_the_page_writes_speech(narrator: House, tmp_path: Path, section: str, language: str) -> None:
    program = RUN[language]
    if shutil.which(program[0]) is None:
        assert not os.environ.get("CI"), f"{program[0]} is needed"
        pytest.skip(f"{program[0]} is not here")
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    (code,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert "http://127.0.0.1:9880" in code
    code = code.replace("http://127.0.0.1:9880", narrator.url)
    done = subprocess.run([*program, code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (made,) = tmp_path.glob("speech.*")
    with av.open(str(made)) as sound:
        assert sum(frame.samples / frame.sample_rate for frame in sound.decode(audio=0)) > 0.5
