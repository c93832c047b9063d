"""gsv beside other programs: what is asked of them, what becomes of the answers, and of those that are not there."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gsv.errors import InputError

Tool = Callable[[str], ModuleType]

# What stands in for a checkout of another program: it counts tokens up from its prompt's last, and hums.
NETWORKS = """
import os
import torch

class Text2SemanticDecoder(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ar_audio_embedding = torch.nn.Embedding(config["model"]["vocab_size"], 4)

    def load_state_dict(self, state):
        assert "ar_predict_layer.weight" in state

    def infer_panel(self, x, x_lens, prompts, bert_feature, top_k, top_p, repetition_penalty):
        assert bert_feature.shape[2] == x.shape[1] == x_lens.item()
        self.ar_audio_embedding(prompts)
        for token in range(100):
            self.ar_audio_embedding(torch.tensor([[token]]))

class SynthesizerTrn(torch.nn.Module):
    def __init__(self, spec_channels, segment_size, n_speakers, version, **widths):
        super().__init__()

    def load_state_dict(self, state, strict):
        assert "dec.conv_pre.weight" in state

    def decode(self, codes, text, refer, noise_scale):
        if noise_scale and DIES:
            os._exit(3)
        return torch.sin(torch.arange(1280 * codes.shape[2]) / 10)[None, None]
"""


def checkout(folder: Path, networks: str) -> Path:
    for name in ("module/models.py", "AR/models/t2s_model.py"):
        file = folder / "GPT_SoVITS" / name
        file.parent.mkdir(parents=True)
        file.write_text(networks, encoding="utf-8")
    return folder


@pytest.fixture
def compare(tool: Tool) -> ModuleType:
    return tool("bench_compare")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["gsv-tts"], "no program 'gsv-tts' .* original, cpufast, gsv-tts-lite, genie-tts"),
        (["original"], "original=FOLDER"),
        (["cpufast@python3"], "cpufast=FOLDER"),
        (["genie-tts=somewhere"], "genie-tts@PYTHON"),
        (["genie-tts", "genie-tts@python3"], "named 2 times"),
    ],
)
def test_what_no_program_is_named_by_is_refused_in_a_sentence(
    compare: ModuleType, texts: list[str], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        compare.compare(texts, 1, "a machine")
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_program_is_named_with_its_folder_and_its_interpreter(compare: ModuleType, tmp_path: Path) -> None:
    interpreter = tmp_path / "environment" / "python"
    interpreter.parent.mkdir()
    interpreter.symlink_to(sys.executable)
    own, lite, original = compare.choices(
        ["gsv-tts-lite", f"original={tmp_path}@{interpreter}"], compare.GSV, compare.KINDS
    )
    assert (own.kind.name, own.python) == ("gsv", sys.executable)
    assert (lite.kind.name, lite.folder, lite.python) == ("gsv-tts-lite", "", sys.executable)
    assert (original.kind.name, original.folder) == ("original", str(tmp_path.resolve()))
    assert original.python == str(interpreter), "an environment's own interpreter, not what it links to"


def test_ratios_say_how_many_times_as_fast(compare: ModuleType) -> None:
    own = compare.CompareResult(
        program="gsv",
        rounds=1,
        threads=None,
        load_s=1,
        resident_after_load_mib=500,
        peak_of_load_mib=None,
        peak_mib=None,
        prefill_s=0.1,
        t2s_tokens_per_s=60,
        decode_s=0.1,
        whole_s=0.5,
        judge="original",
        greedy_tokens=200,
        greedy_tokens_alike=None,
        alike_db=None,
        busy_percent=0,
        versions="",
        hardware="",
    )
    other = replace(
        own,
        program="original",
        resident_after_load_mib=1200,
        prefill_s=0.2,
        t2s_tokens_per_s=30,
        decode_s=0.25,
        whole_s=1.0,
        greedy_tokens_alike=200,
    )
    one, two = compare.with_ratios([own, other])
    assert one.beside_gsv == compare.Ratios(1, 1, 1, 1, 1) == two.beside_original
    assert two.beside_gsv == compare.Ratios(prefill=0.5, tokens=0.5, sound=0.4, whole=0.5, memory=2.4)
    assert one.beside_original == compare.Ratios(prefill=2, tokens=2, sound=2.5, whole=2, memory=0.42)
    text = compare.tables([one, two])
    assert "greedy tokens as original, of 200" in text
    assert "| original | 0.50 | 0.50 | 0.40 | 0.50 | 2.40 |" in text
    assert "| gsv | 2.00 | 2.00 | 2.50 | 2.00 | 0.42 |" in text
    assert "original" not in compare.tables(compare.with_ratios([replace(own, judge="gsv")]))


def test_how_alike_two_programs_are(compare: ModuleType) -> None:
    assert compare.alike([1, 2, 3], [1, 2, 3]) == 3
    assert compare.alike([1, 5, 3], [1, 2, 3]) == 1
    sound = np.sin(np.arange(1000, dtype=np.float32))
    assert compare.decibels(sound, sound) == compare.MOST_DECIBELS
    assert compare.decibels(sound, 0.99 * sound) == pytest.approx(40, abs=0.1)
    assert compare.decibels(sound, sound[1:]) is None


def test_programs_are_measured_in_turn_and_those_that_are_not_there_are_skipped(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = compare.Sizes(prompt_phonemes=4, phonemes=5, prompt=10, tokens=8, codes=6)
    humming = checkout(tmp_path / "humming", NETWORKS.replace("DIES", "False"))
    lacking = checkout(tmp_path / "lacking", "import a_library_that_is_nowhere")
    programs = [f"original={humming}", f"cpufast={lacking}", f"genie-tts@{tmp_path / 'python'}"]
    results = compare.compare(programs, 2, "a machine", narrow=True, sizes=sizes)
    assert [result.program for result in results] == ["gsv", "gsv --fast", "original"]
    own, _, other = results
    assert own.judge == "original"
    assert other.greedy_tokens_alike == 8
    assert other.alike_db == compare.MOST_DECIBELS
    assert own.alike_db is not None, "both make 40 ms of a token"
    assert own.beside_original is not None
    assert min(own.resident_after_load_mib, own.t2s_tokens_per_s, own.decode_s, own.whole_s) > 0
    assert "torch" in own.versions
    skipped = [line for line in capsys.readouterr().err.splitlines() if "skipped" in line]
    assert len(skipped) == 2
    assert "cpufast is skipped: No module named 'a_library_that_is_nowhere'; it needs: pip install" in skipped[0]
    assert "genie-tts is skipped" in skipped[1]
    assert "cannot be run" in skipped[1]


def test_a_program_that_dies_is_left_out(
    compare: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = compare.Sizes(prompt_phonemes=4, phonemes=5, prompt=10, tokens=8, codes=6)
    programs = [f"original={checkout(tmp_path / 'dying', NETWORKS.replace('DIES', 'True'))}", f"cpufast={tmp_path}"]
    results = compare.compare(programs, 1, "a machine", narrow=True, sizes=sizes)
    assert [result.program for result in results] == ["gsv", "gsv --fast"]
    assert results[0].judge == "gsv"
    assert results[0].greedy_tokens_alike == 8
    said = capsys.readouterr().err
    assert "original is skipped: it ended without a word." in said
    assert f"cpufast is skipped: {tmp_path} is no checkout of it" in said
