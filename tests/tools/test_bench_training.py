"""Training steps, measured: gsv's own, and those of a program that is not there."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from gsv.errors import InputError


def test_both_halves_are_measured_and_a_program_that_is_not_there_is_skipped(
    tool: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tool("bench_training")
    module = tmp_path / "GPT_SoVITS" / "module" / "__init__.py"
    module.parent.mkdir(parents=True)
    module.write_text("import a_library_that_is_nowhere")
    clips = training.Clips(count=2, frames=40, phonemes=6, tokens=20)
    results = training.compare_training([f"original={tmp_path}"], 1, "a machine", narrow=True, clips=clips)
    assert [(result.program, result.half) for result in results] == [("gsv", training.SOVITS), ("gsv", training.GPT)]
    for result in results:
        assert result.seconds_a_step > 0 and result.first_loss > 0 and result.times_original is None
    said = capsys.readouterr().err
    assert "original is skipped: No module named 'a_library_that_is_nowhere'; it needs: pip install" in said
    assert said.count("original is skipped") == 2
    beside = [training.replace(result, program="original", seconds_a_step=1.5) for result in results]
    own, _, other, _ = training._with_ratios(
        [*(training.replace(result, seconds_a_step=0.5) for result in results), *beside]
    )
    assert (own.times_original, other.times_original) == (3, 1)
    assert "| SoVITS | gsv | 0.50 | 3.00 |" in training.training_table([own])


def test_only_the_original_has_training_steps(tool: Callable[[str], ModuleType]) -> None:
    with pytest.raises(InputError, match="no program 'genie-tts' to compare with; give some of original"):
        tool("bench_training").compare_training(["genie-tts"], 1, "a machine")
