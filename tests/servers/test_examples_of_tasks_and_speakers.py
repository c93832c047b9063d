"""The examples of docs/speakers.md and docs/tasks.md, as they stand there."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_server import CLIP, WORDS, listening_app

from gsv.audio.encoder import encode
from gsv.audio.io import load
from gsv.paths import Project
from gsv.servers import indextts, voices
from gsv.servers.access import Access
from gsv.servers.configurations import Configuration
from gsv.servers.interface import Service
from gsv.servers.together import Part, together
from gsv.synthesis.pool import Pool

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def address(home: Project, pool: Pool, short_takes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    service = Service.of(home, pool, Access(port=0))
    configuration = Configuration(device="cpu")
    service.speakers.clone(pool.engine(), "anna", CLIP, WORDS, "en")
    setup = indextts.Setup(configuration, tmp_path_factory.mktemp("tasks"))
    parts = [
        Part(voices.NAME, voices.build(service, voices.Setup(configuration)), voices.MARKS),
        Part(indextts.NAME, indextts.build(service, setup)),
    ]
    with listening_app(together(service, parts)) as url:
        yield url.removeprefix("http://")
    service.speakers.remove(["anna"])


def interpreter(language: str) -> list[str]:
    """What runs a language; the test is skipped where it is not there, except in CI."""
    if language == "python":
        return [sys.executable]
    if language == "js":
        from playwright._impl._driver import compute_driver_executable

        return [str(compute_driver_executable()[0])]
    found = shutil.which("bash") if shutil.which("curl") else None
    if found is None and not os.environ.get("CI"):
        pytest.skip("needs bash and curl")
    assert found
    return [found, "-e"]


@pytest.mark.parametrize("page", ["speakers.md", "tasks.md"])
@pytest.mark.parametrize("language", ["bash", "python", "js"])
def test_an_example_works_as_it_stands(address: str, page: str, language: str, tmp_path: Path) -> None:
    (code,) = re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    code = re.sub(r"127\.0\.0\.1:\d+", address, code)
    (tmp_path / "prompt.wav").write_bytes(encode("wav", load(CLIP, 24000), 24000))
    script = tmp_path / {"bash": "example.sh", "python": "example.py", "js": "example.mjs"}[language]
    script.write_text(code, encoding="utf-8")
    environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [*interpreter(language), script.name],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    if language == "bash":
        assert '"success": true' in done.stdout if page == "tasks.md" else '"anna"' in done.stdout
        assert "error" not in done.stdout
    elif language == "js":
        assert "parts of sound" in done.stdout if page == "speakers.md" else "The task is done." in done.stdout
    if (language, page) in {("python", "speakers.md"), ("python", "tasks.md"), ("js", "tasks.md")}:
        assert (tmp_path / "output.wav").read_bytes()[:4] == b"RIFF"
