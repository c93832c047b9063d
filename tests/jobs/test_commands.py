"""The commands that are made from the stages: what they take, what they refuse, and how they end."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.cli import main
from gsv.jobs.commands import PARTLY_DONE
from gsv.jobs.stages import STAGES


def command(stage: str) -> list[str]:
    """How a stage is called."""
    half = stage.removeprefix("train-")
    return ["train", half] if half != stage else [stage]


def gsv(*arguments: object) -> object:
    """What the program exits with: a number, or the sentence that it prints."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


def recording(path: Path) -> Path:
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 4).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise, 16000)
    return path


@pytest.mark.parametrize("stage", STAGES)
def test_the_help_of_every_stage_tells_every_parameter_with_its_meaning(
    stage: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    assert gsv(*command(stage), "--help") == 0
    shown = " ".join(capsys.readouterr().out.split())
    for parameter in STAGES[stage].parameters():
        assert parameter.description in shown


def test_the_list_of_commands_has_every_stage_and_loads_none() -> None:
    code = "import sys, gsv.cli\ntry: gsv.cli.main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for stage in STAGES:
        assert re.search(rf"^  {command(stage)[0]} ", done.stdout, re.MULTILINE)


def test_looking_at_the_table_loads_nothing_heavy() -> None:
    code = "import sys, gsv.jobs.registry, gsv.jobs.stages; assert not {'torch', 'numpy'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("stage", STAGES)
def test_every_number_of_every_stage_is_refused_by_the_name_of_its_flag(stage: str, tmp_path: Path) -> None:
    table = STAGES[stage]
    required = [name for name in table.arguments if name]
    needed = [
        part
        for parameter in table.parameters()
        if parameter.required and parameter.name not in required
        for part in (table.flags.get(parameter.name, f"--{parameter.name}"), "mine")
    ]
    for parameter in table.parameters():
        if parameter.is_number:
            flag = table.flags.get(parameter.name, "--" + parameter.name.replace("_", "-"))
            said = gsv("--home", tmp_path, *command(stage), *required, *needed, flag, "4; touch x")
            assert said == f"Error: {flag} is '4; touch x'; it must be {parameter.right}."
    assert not list(tmp_path.iterdir())


def test_work_that_is_done_exits_with_0_and_says_what_was_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gsv("--home", tmp_path, "slice", recording(tmp_path / "a.wav"), "-o", tmp_path / "out") in (0, None)
    assert "1 made" in capsys.readouterr().out
    assert list((tmp_path / "out").glob("*.wav"))


def test_work_that_is_partly_done_exits_with_3_and_ends_by_saying_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording(tmp_path / "in" / "a.wav")
    (tmp_path / "in" / "b.wav").write_bytes(b"RIFF no sound")
    assert gsv("--home", tmp_path, "slice", tmp_path / "in", "-o", tmp_path / "out") == PARTLY_DONE
    said = capsys.readouterr().err
    assert said.count("b.wav cannot be decoded") == 1
    assert re.search(r"Partly done: 1 input failed; see .*problems\.txt", said.splitlines()[-1])


def test_work_that_failed_exits_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(b"RIFF no sound")
    assert re.match(r"Error: .*b\.wav", str(gsv("--home", tmp_path, "slice", tmp_path / "b.wav", "-o", tmp_path / "o")))


def test_what_a_stage_refuses_by_itself_is_called_by_its_flag_too(tmp_path: Path) -> None:
    said = str(gsv("--home", tmp_path, "transcribe", tmp_path, "--model", "pocketsphinx", "--language", "zh"))
    assert said.startswith("Error: --language: PocketSphinx")
    assert str(gsv("--home", tmp_path, "slice", tmp_path / "nowhere")).startswith("Error: INP: there is no file")


def test_results_go_where_the_user_is_not_where_the_project_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    recording(tmp_path / "here" / "-a.wav")
    monkeypatch.chdir(tmp_path / "here")
    assert gsv("--home", tmp_path / "home", "slice", "-o", "out", "--", "-a.wav") in (0, None)
    assert list((tmp_path / "here" / "out").glob("*.wav"))
