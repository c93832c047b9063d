"""Bad input to the command: one sentence, an exit status other than 0, no traceback, nothing half-written."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.checkpoints import read_generator, read_gpt, write_generator, write_gpt
from gsv.cli import main
from gsv.jobs.commands import PARTLY_DONE
from gsv.paths import Project
from gsv.versions import VERSIONS

CLIP = Path(__file__).parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs a command that must fail, and gives its one sentence."""

    def run(*arguments: object) -> str:
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        assert stopped.value.code not in (0, None)
        # sys.exit prints a string it is given, and only then.
        message = stopped.value.code if isinstance(stopped.value.code, str) else capsys.readouterr().err
        assert message.startswith("Error: ")
        assert "Traceback" not in message
        assert len(message.strip().splitlines()) == 1
        return message

    return run


@pytest.fixture
def home(narrow: Project, tmp_path: Path) -> Path:
    """A project folder of its own that shares the narrow weights."""
    (tmp_path / "pretrained_models").symlink_to(narrow.pretrained)
    return tmp_path


def speak(home: Path, **changes: object) -> list[object]:
    options = {"text": "Hello there.", "ref": CLIP, "prompt-text": WORDS, "output": home / "out.wav", **changes}
    return ["--home", home, "tts", *(part for name, value in options.items() for part in (f"--{name}", value))]


def left(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*")} - {"pretrained_models"}


def test_a_missing_reference_is_named(home: Path, refused: Refused) -> None:
    assert "nowhere.wav" in refused(*speak(home, ref="nowhere.wav"))
    assert not left(home)


def test_a_corrupt_reference_is_named(home: Path, refused: Refused) -> None:
    (home / "bad.wav").write_bytes(b"RIFF\x00\x00not a wave")
    assert "bad.wav" in refused(*speak(home, ref=home / "bad.wav"))
    assert left(home) == {"bad.wav"}


def test_a_reference_of_a_fifth_of_a_second_is_refused_with_the_right_length(home: Path, refused: Refused) -> None:
    soundfile.write(home / "short.wav", np.random.default_rng(0).normal(0, 0.1, 6400), 32000)
    message = refused(*speak(home, ref=home / "short.wav"))
    assert "0.20 s" in message
    assert "3 to 10 s" in message
    assert left(home) == {"short.wav"}


@pytest.mark.parametrize("language", ["fr", "klingon"])
def test_a_language_that_is_not_there_is_refused_with_those_that_are(
    home: Path, refused: Refused, language: str
) -> None:
    message = refused(*speak(home, **{"text-lang": language}))
    assert language in message
    assert "en" in message
    assert not left(home)


def test_a_missing_weight_file_is_named_with_the_command_that_gets_it(tmp_path: Path, refused: Refused) -> None:
    message = refused(*speak(tmp_path))
    assert "s2G2333k.pth" in message
    assert "gsv download v2" in message
    assert not left(tmp_path)


def test_a_missing_trained_voice_is_named(home: Path, refused: Refused) -> None:
    assert "mine_e8_s96.pth" in refused(*speak(home, sovits="SoVITS_weights_v2/mine_e8_s96.pth"))


def test_a_gpt_file_of_another_version_is_refused(home: Path, refused: Refused) -> None:
    gpt = read_gpt(home / "pretrained_models" / VERSIONS["v2"].base.gpt)
    name = "model.ar_text_embedding.word_embeddings.weight"
    config = {**gpt.config, "model": {**gpt.config["model"], "phoneme_vocab_size": 512}}
    old = replace(gpt, weight={**gpt.weight, name: gpt.weight[name][:512].clone()}, config=config)
    write_gpt(home / "v1.ckpt", old)
    message = refused(*speak(home, gpt=home / "v1.ckpt"))
    assert "512" in message
    assert "v2" in message


def test_a_gpt_file_given_as_sovits_weights_is_refused(home: Path, refused: Refused) -> None:
    gpt = home / "pretrained_models" / VERSIONS["v2"].base.gpt
    assert "GPT" in refused(*speak(home, sovits=gpt))


def test_a_damaged_weight_file_is_named(home: Path, refused: Refused) -> None:
    (home / "half.pth").write_bytes((home / "pretrained_models" / VERSIONS["v2"].base.generator).read_bytes()[:5000])
    assert "half.pth" in refused(*speak(home, sovits=home / "half.pth"))


def test_sovits_weights_that_lack_a_tensor_are_refused_by_its_name(home: Path, refused: Refused) -> None:
    generator = read_generator(home / "pretrained_models" / VERSIONS["v2"].base.generator)
    weight = {name: tensor for name, tensor in generator.weight.items() if name != "dec.conv_pre.weight"}
    write_generator(home / "gap.pth", replace(generator, weight=weight))
    assert "dec.conv_pre.weight" in refused(*speak(home, sovits=home / "gap.pth"))


@pytest.mark.parametrize("text", ["", "\n\n\n", "...!?"])
def test_text_with_nothing_to_say_is_refused(home: Path, refused: Refused, text: str) -> None:
    refused(*speak(home, text=text))
    assert not left(home)


def test_text_and_text_file_together_are_refused(home: Path, refused: Refused) -> None:
    assert "--text-file" in refused(*speak(home, **{"text-file": home / "text.txt"}))


@pytest.mark.parametrize(("option", "value"), [("speed", 0), ("top-k", -3), ("split", "cut9"), ("device", "abacus")])
def test_an_impossible_option_is_named(home: Path, refused: Refused, option: str, value: object) -> None:
    assert re.search(str(value) + "|" + option, refused(*speak(home, **{option: value})))
    assert not left(home)


def test_a_missing_list_is_named(home: Path, refused: Refused) -> None:
    assert "no.list" in refused("--home", home, "prepare", "no.list", "--exp", "mine")
    assert not left(home)


def test_an_empty_list_is_refused(home: Path, refused: Refused) -> None:
    (home / "empty.list").write_text("\n\n")
    assert "empty.list" in refused("--home", home, "prepare", home / "empty.list", "--exp", "mine")
    assert left(home) == {"empty.list"}


def test_a_list_line_without_its_text_is_named_by_number(home: Path, refused: Refused) -> None:
    (home / "bad.list").write_text("a.wav|me|en\n")
    assert re.search(r"\b1\b", refused("--home", home, "prepare", home / "bad.list", "--exp", "mine"))
    assert left(home) == {"bad.list"}


@pytest.mark.parametrize("name", ["", "a/b", ".."])
def test_an_experiment_name_that_is_no_name_is_refused(home: Path, refused: Refused, name: str) -> None:
    (home / "one.list").write_text(f"{CLIP}|me|en|{WORDS}\n")
    assert "name" in refused("--home", home, "prepare", home / "one.list", "--exp", name)


@pytest.mark.parametrize("half", ["sovits", "gpt"])
def test_training_what_was_not_prepared_is_refused(home: Path, refused: Refused, half: str) -> None:
    assert "mine" in refused("--home", home, "train", half, "--exp", "mine")
    assert not left(home)


def test_a_version_that_is_not_there_is_refused_with_those_that_are(home: Path, refused: Refused) -> None:
    message = refused("--home", home, "train", "gpt", "--exp", "mine", "--version", "v9")
    assert "v9" in message
    assert "v2ProPlus, v3, v4" in message


@pytest.mark.parametrize("gpus", ["0,1", "zero", ""])
def test_gpus_that_are_no_numbers_are_refused(home: Path, refused: Refused, gpus: str) -> None:
    assert "--gpus" in refused("--home", home, "train", "gpt", "--exp", "mine", "--gpus", gpus)


def test_a_file_that_cannot_be_written_is_named_before_anything_is_loaded(tmp_path: Path, refused: Refused) -> None:
    (tmp_path / "file").write_text("")
    for output, reason in (("out.mp3", r"out\.mp3 .*\.wav"), (".", "is a folder"), ("file/out.wav", "no folder")):
        # There are no weights here: it would be they that are named.
        assert re.search(reason, refused(*speak(tmp_path, output=tmp_path / output)))


def test_errors_of_the_system_are_sentences_too(home: Path, refused: Refused) -> None:
    (home / "logs").write_text("")
    (home / "my.list").write_text(f"{CLIP}|me|en|Hello there.", encoding="utf-8")
    message = refused("--home", home, "prepare", home / "my.list", "--exp", "mine")
    assert "logs" in message
    assert "Errno" not in message


def test_prepare_tells_each_reason_once_and_in_which_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [f"{CLIP}|me|en|{WORDS}", "nowhere.wav|me|en|Hello.", *(f"{i}.wav|me|xx|Hello." for i in range(6))]
    (home / "my.list").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        main(["--home", str(home), "prepare", str(home / "my.list"), "--exp", "mine", "--gpus", "0"])
    assert stopped.value.code == PARTLY_DONE
    told = capsys.readouterr().err
    assert told.count("Line 3: There is no language 'xx'") == 1
    assert re.search(r"Partly done: 7 inputs failed; see .*problems\.txt", told.splitlines()[-1])
    assert "There is no sound file" in told


def test_a_terminal_that_lacks_a_character_does_not_make_speech_fail(home: Path) -> None:
    command = [sys.executable, "-m", "gsv.cli", *speak(home, output=home / "声.wav", **{"prompt-text": "", "seed": 1})]
    done = subprocess.run(
        [str(word) for word in command],
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "\\u58f0.wav" in done.stdout
    assert (home / "声.wav").is_file()


def test_the_installed_command_fails_with_one_sentence_and_status_1(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gsv.cli", "--home", tmp_path, "tts", "--text", "Hi.", "--ref", "nowhere.wav"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_an_unknown_option_is_refused_by_name() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gsv.cli", "tts", "--volume", "11"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--volume" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_tells_what_is_missing_and_how_to_get_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--home", str(tmp_path), "doctor"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    for name in VERSIONS:
        assert f"gsv download {name}" in shown
    engines = dict(
        line.split(": ", 1) for line in shown.splitlines() if re.match(r"(Slic|Deno|Separ|Transcr|Mandarin)", line)
    )
    assert len(engines) >= 9
    for engine, state in engines.items():
        # Usable, or the command or the folder that changes that.
        assert re.match(r"usable", state) or re.search(r"gsv (download|install)|pip install|/", state), engine
    assert "gsv install uvr5" in engines["Separation by models"]
    assert str(tmp_path) in engines["Denoising by FRCRN"]
