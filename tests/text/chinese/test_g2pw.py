"""The polyphone model is asked what it knows, in the form it knows; the network itself is a stand-in here."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from gsv.errors import CheckpointError, MissingWeightsError
from gsv.text.chinese import g2p, g2pw
from gsv.text.chinese.g2pw import G2PW

# Traditional script, as the model's lists have it.
POLYPHONES = {"長": ["ㄔㄤ2", "ㄓㄤ3"], "樂": ["ㄌㄜ4", "ㄩㄝ4"], "一": ["ㄧ1", "ㄧ4"]}
SYLLABLES = {"ㄔㄤ": "chang", "ㄓㄤ": "zhang", "ㄌㄜ": "le", "ㄩㄝ": "yue", "ㄧ": "yi", "ㄊㄧㄢ": "tian"}
CHARACTERS = "我長音樂天快大一很"


class LastAllowed:
    """A network that gives the last reading it is allowed."""

    def __init__(self) -> None:
        self.fed: list[Mapping[str, NDArray[Any]]] = []

    def run(self, output_names: None, input_feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        self.fed.append(input_feed)
        mask = input_feed["phoneme_mask"]
        return [mask * (1 + np.arange(mask.shape[1]))]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    model, encoder = tmp_path / "G2PWModel", tmp_path / "roberta"
    model.mkdir()
    encoder.mkdir()
    lines = [f"{character}\t{sound}" for character, sounds in POLYPHONES.items() for sound in sounds]
    (model / "POLYPHONIC_CHARS.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (model / "MONOPHONIC_CHARS.txt").write_text("天\tㄊㄧㄢ1\n", "utf-8")
    (model / "bopomofo_to_pinyin_wo_tune_dict.json").write_text(json.dumps(SYLLABLES), "utf-8")
    (model / "config.py").write_text("use_mask = True\nuse_char_phoneme = False\nlr = 5e-5\n", "utf-8")
    (model / "g2pW.onnx").write_bytes(b"")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", *CHARACTERS]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (encoder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}), "utf-8")
    return model, encoder


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> LastAllowed:
    stand_in = LastAllowed()
    monkeypatch.setattr(g2pw, "_session", lambda path: stand_in)
    return stand_in


def test_network_chooses_among_the_readings_of_the_character(folders: tuple[Path, Path], network: LastAllowed) -> None:
    model = G2PW.load(*folders)
    assert model("我长大.") == ["wo3", "chang2", "da4", "."]
    assert model("音乐.")[1] == "yue4"


def test_network_is_fed_tokens_masks_and_positions(folders: tuple[Path, Path], network: LastAllowed) -> None:
    G2PW.load(*folders)("长龘乐.")
    (fed,) = network.fed
    long, music, unknown, stop = 6, 8, 1, 4
    np.testing.assert_array_equal(fed["input_ids"], [[2, long, unknown, music, stop, 3]] * 2)
    np.testing.assert_array_equal(fed["attention_mask"], np.ones((2, 6)))
    np.testing.assert_array_equal(fed["token_type_ids"], np.zeros((2, 6)))
    np.testing.assert_array_equal(fed["position_ids"], [1, 3])
    # Characters and labels are numbered in sorted order: 一 樂 長, and ㄌㄜ4 ㄓㄤ3 ㄔㄤ2 ㄧ1 ㄧ4 ㄩㄝ4.
    np.testing.assert_array_equal(fed["char_ids"], [2, 1])
    np.testing.assert_array_equal(fed["phoneme_mask"], [[0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1]])
    assert {name: array.dtype for name, array in fed.items() if name != "phoneme_mask"} == {
        name: np.dtype(np.int64) for name in fed if name != "phoneme_mask"
    }
    assert fed["phoneme_mask"].dtype == np.float32


def test_network_sees_sixteen_characters_around_what_it_is_asked(
    folders: tuple[Path, Path], network: LastAllowed
) -> None:
    G2PW.load(*folders)("快" * 30 + "长" + "快" * 30 + ".")
    (fed,) = network.fed
    assert fed["input_ids"].shape == (1, 1 + 16 + 1 + 16 + 1)
    np.testing.assert_array_equal(fed["position_ids"], [17])


def test_network_is_not_asked_without_need(folders: tuple[Path, Path], network: LastAllowed) -> None:
    assert G2PW.load(*folders)("一天.") == ["yi1", "tian1", "."]  # 一 is left to the tone rules
    assert network.fed == []


def test_sound_without_pinyin_is_left_to_the_dictionary(folders: tuple[Path, Path], network: LastAllowed) -> None:
    (folders[0] / "bopomofo_to_pinyin_wo_tune_dict.json").write_text('{"ㄔㄤ": "chang"}', "utf-8")
    assert G2PW.load(*folders)("快乐.")[1] == "le4"


def test_dictionary_corrects_whole_words(folders: tuple[Path, Path], network: LastAllowed) -> None:
    assert G2PW.load(*folders)("快乐.")[1] == "yue4"
    phones, _ = g2p("快乐.", polyphones=G2PW.load(*folders))
    assert phones == ["k", "uai4", "l", "e4", "."]


def test_dictionary_entries_with_changed_tones_are_not_used() -> None:
    phones, _ = g2p("不是.", polyphones=lambda clause: ["bu4", "ti2", "."])
    assert phones == ["b", "u4", "t", "i2", "."]


def test_settings_are_read_and_not_run(folders: tuple[Path, Path], network: LastAllowed, tmp_path: Path) -> None:
    (folders[0] / "config.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n", "utf-8")
    G2PW.load(*folders)
    assert not (tmp_path / "ran").exists()
    (folders[0] / "config.py").write_text("use_mask = open('x')\n", "utf-8")
    with pytest.raises(CheckpointError, match="plain values"):
        G2PW.load(*folders)


@pytest.mark.parametrize("name", ["g2pW.onnx", "POLYPHONIC_CHARS.txt", "MONOPHONIC_CHARS.txt", "config.py"])
def test_missing_file_is_named(folders: tuple[Path, Path], network: LastAllowed, name: str) -> None:
    (folders[0] / name).unlink()
    with pytest.raises(MissingWeightsError, match=rf"{name}.*G2PWModel 1\.1"):
        G2PW.load(*folders)


def test_vocabulary_may_be_a_list_of_words(folders: tuple[Path, Path], network: LastAllowed) -> None:
    (folders[1] / "tokenizer.json").unlink()
    with pytest.raises(MissingWeightsError, match="text encoder"):
        G2PW.load(*folders)
    (folders[1] / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n长\n", "utf-8")
    assert G2PW.load(*folders)("我长大.")[1] == "chang2"
    (folders[1] / "vocab.txt").write_text("a\nb\n", "utf-8")
    with pytest.raises(CheckpointError, match="BERT"):
        G2PW.load(*folders)


def test_damaged_lists_are_told_of(folders: tuple[Path, Path], network: LastAllowed) -> None:
    (folders[0] / "POLYPHONIC_CHARS.txt").write_text("長ㄔㄤ2\n", "utf-8")
    with pytest.raises(CheckpointError, match="tab"):
        G2PW.load(*folders)


def write_network(path: Path, labels: int, inputs: tuple[str, ...]) -> None:
    """An ONNX file of the network's signature that gives the last reading it is allowed."""
    floats = ("phoneme_mask",)
    described = [
        helper.make_tensor_value_info(
            name,
            TensorProto.FLOAT if name in floats else TensorProto.INT64,
            ["Q"] if name in ("char_ids", "position_ids") else ["Q", "T"],
        )
        for name in inputs
    ]
    ramp = helper.make_tensor("ramp", TensorProto.FLOAT, [labels], [float(number + 1) for number in range(labels)])
    graph = helper.make_graph(
        [helper.make_node("Mul", ["phoneme_mask", "ramp"], ["probs"])],
        "g2pw",
        described,
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["Q", labels])],
        [ramp],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


INPUTS = ("input_ids", "token_type_ids", "attention_mask", "phoneme_mask", "char_ids", "position_ids")


def test_network_runs_in_onnxruntime(folders: tuple[Path, Path]) -> None:
    write_network(folders[0] / "g2pW.onnx", 6, INPUTS)
    assert G2PW.load(*folders)("我长大.") == ["wo3", "chang2", "da4", "."]


def test_file_that_is_no_network_is_told_of(folders: tuple[Path, Path]) -> None:
    with pytest.raises(CheckpointError, match="no model that onnxruntime can run"):
        G2PW.load(*folders)
    write_network(folders[0] / "g2pW.onnx", 6, INPUTS[:-1])
    with pytest.raises(CheckpointError, match="no input 'position_ids'"):
        G2PW.load(*folders)


def test_network_of_other_lists_is_told_of(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    class OfOtherLists(LastAllowed):
        def run(self, output_names: None, input_feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
            return [np.zeros((len(input_feed["char_ids"]), 9))]

    monkeypatch.setattr(g2pw, "_session", lambda path: OfOtherLists())
    with pytest.raises(CheckpointError, match="same G2PWModel"):
        G2PW.load(*folders)("我长大.")


def test_clause_is_asked_about_in_one_pass(folders: tuple[Path, Path], network: LastAllowed) -> None:
    G2PW.load(*folders)("长乐" * 20 + ".")
    (fed,) = network.fed
    assert len(fed["char_ids"]) == 40


def test_endless_clause_is_asked_about_in_windows_that_the_network_holds(
    folders: tuple[Path, Path], network: LastAllowed
) -> None:
    readings = G2PW.load(*folders)("快长" * 1000 + ".")
    assert readings[1::2] == ["chang2"] * 1000
    assert max(fed["input_ids"].shape[1] for fed in network.fed) <= 512
    assert max(fed["input_ids"].size for fed in network.fed) <= 1 << 14
    for fed in network.fed:
        assert (np.take_along_axis(fed["input_ids"], fed["position_ids"][:, None], axis=1) == 6).all()
