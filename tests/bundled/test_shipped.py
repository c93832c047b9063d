"""The bundled voice as it lies in the repository: it speaks by itself, offline, in words that can be heard."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv.audio.io import load
from gsv.paths import BUNDLED_NOTICE, Project
from gsv.synthesis.common import Common
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.reference import Reference
from gsv.versions import version_named
from tiny.harvard import SENTENCES
from tiny.judging import Recogniser, Tally
from tiny.sentences import words_of

CHECKOUT = Project(Path(__file__).parent.parent.parent)
FOLDER = CHECKOUT.pretrained / "gsv-tiny"
V2 = version_named("v2")

# gsv's command in a process that cannot reach any network.
OFFLINE = """
import socket, sys

def refuse(*arguments, **named):
    raise OSError("There is no network here.")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from gsv.cli import main
try:
    main(sys.argv[1:])
finally:
    assert "transformers" not in sys.modules, "a start takes twice as long with it"
"""


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project folder with no weights but the bundled ones, whatever has been downloaded into this checkout."""
    root = tmp_path_factory.mktemp("fresh")
    (root / "pretrained_models").mkdir()
    (root / "pretrained_models" / "gsv-tiny").symlink_to(FOLDER)
    return Project(root)


def test_the_set_is_no_larger_than_a_repository_should_carry() -> None:
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert {"s2G.pth", "s2D.pth", "s1.ckpt", "reference.json", "README.md"} <= {path.name for path in files}
    assert sum(path.stat().st_size for path in files) <= 25e6


def test_a_fresh_machine_speaks_without_a_network(fresh: Project, tmp_path: Path) -> None:
    wav = tmp_path / "out.wav"
    command = ["--home", str(fresh.root), "tts", "--text", "The sun is in the sky.", "--seed", "1", "-o", str(wav)]
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *command], cwd=CHECKOUT.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert BUNDLED_NOTICE in done.stderr
    wave = load(wav, V2.sampling_rate)
    assert 0.8 < len(wave) / V2.sampling_rate < 5
    assert 0.05 < float(np.abs(wave).max()) <= 1


def test_what_comes_with_the_set_need_not_be_listened_to(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.load(project=fresh, device="cpu")
    own = Reference.of(fresh.base(V2))
    assert own is not None
    assert own.heard is not None
    listened = engine.voice(own.audio, own.transcript, own.language)

    def listen(common: Common, folder: Path) -> None:
        raise AssertionError("The content encoder was loaded.")

    monkeypatch.setattr(Common, "content_encoder", listen)
    voice = engine.voice(own.audio, own.transcript, own.language, heard=own.heard)
    assert torch.equal(voice.prompt, listened.prompt)
    assert torch.equal(voice.timbre, listened.timbre)
    assert voice.pace == listened.pace
    # The style alone needs no content either.
    assert len(engine.voice(own.audio, heard=own.heard).prompt) == 0
    with pytest.raises(AssertionError, match="was loaded"):
        engine.voice(own.audio, own.transcript, own.language, heard=replace(own.heard, weights="others"))


def test_words_are_heard_in_what_the_bundled_voice_says(fresh: Project) -> None:
    engine = Engine.load(project=fresh, device="cpu")
    own = Reference.of(fresh.base(V2))
    assert own is not None
    voice = engine.voice(own.audio, own.transcript, own.language)
    recogniser, tally = Recogniser(), Tally()
    for text in SENTENCES[:6]:
        speech = engine.speak(text, "en", voice, SpeechOptions(seed=1))
        assert not speech.warnings
        tally.add(words_of(text), recogniser.words(speech.wave, speech.sampling_rate))
    # By chance, hardly a word of ten is right.
    assert tally.rate < 0.75
