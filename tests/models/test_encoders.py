"""The pretrained encoders: official layouts load, features are those of the whole network, mistakes are named."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM, HubertConfig, HubertModel

from gsv.checkpoints import write_tensors
from gsv.errors import AudioError, CheckpointError, MissingWeightsError, TextError, UnsafeCheckpointError
from gsv.models.encoders import ContentEncoder, TextEncoder, load_speaker_encoder
from gsv.models.speaker import SpeakerConfig, SpeakerEncoder

CHARACTERS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "你", "好", "世", "界", "，", "。", "a", "##b", "ab"]


def hubert(width: int = 24) -> HubertModel:
    torch.manual_seed(1)
    config = HubertConfig(
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=[8] * 7,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=4,
    )
    return HubertModel(config).eval()


def bert() -> BertForMaskedLM:
    torch.manual_seed(2)
    config = BertConfig(
        vocab_size=len(CHARACTERS),
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=20,
    )
    return BertForMaskedLM(config).eval()


def in_folder(folder: Path, network: Any, form: str) -> Path:
    folder.mkdir()
    network.config.save_pretrained(folder)
    # Tied tensors are written twice, as they are in the file the models are distributed with.
    state = {name: tensor.half().clone() for name, tensor in network.state_dict().items()}
    if form == "old":
        renamed = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
        for new, old in renamed.items():
            state = {name.replace(new, old): tensor for name, tensor in state.items()}
    if form == "safetensors":
        save_file(state, folder / "model.safetensors")
    else:
        torch.save(state, folder / "pytorch_model.bin")
    return folder


def with_vocabulary(folder: Path) -> Path:
    (folder / "vocab.txt").write_text("\n".join(CHARACTERS) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("form", ["bin", "old", "safetensors"])
def test_content_features_are_those_of_the_network_on_the_plain_wave(tmp_path: Path, form: str) -> None:
    network = hubert()
    encoder = ContentEncoder.load(in_folder(tmp_path / "hubert", network, form))
    network.load_state_dict({name: tensor.half().float() for name, tensor in network.state_dict().items()})
    wave = torch.randn(2, 16000, generator=torch.Generator().manual_seed(3)) * 0.1 + 0.05
    with torch.inference_mode():
        features = encoder(wave)
        expected = network(wave).last_hidden_state
    assert encoder.width == 24 and features.shape == (2, 24, 49)
    torch.testing.assert_close(features.transpose(1, 2), expected)
    assert not encoder.training and next(encoder.parameters()).dtype == torch.float32


def test_a_wave_shorter_than_a_frame_is_named(tmp_path: Path) -> None:
    encoder = ContentEncoder(hubert())
    assert encoder.shortest == 400
    assert encoder(torch.randn(1, 400)).shape == (1, 24, 1)
    with pytest.raises(AudioError, match="at least 400"):
        encoder(torch.randn(1, 399))


@pytest.mark.parametrize("form", ["bin", "safetensors"])
def test_text_features_are_the_third_hidden_state_from_the_end(tmp_path: Path, form: str) -> None:
    network = bert()
    encoder = TextEncoder.load(with_vocabulary(in_folder(tmp_path / "roberta", network, form)))
    network.load_state_dict({name: tensor.half().float() for name, tensor in network.state_dict().items()})
    text, word2ph = "你好，世界。", [2, 2, 1, 3, 2, 1]
    ids = torch.tensor([[2, 5, 6, 9, 7, 8, 10, 3]])
    with torch.inference_mode():
        rows: Tensor = network(ids, output_hidden_states=True).hidden_states[-3][0, 1:-1]
    expected = torch.stack([rows[i] for i, count in enumerate(word2ph) for _ in range(count)], dim=1)
    assert encoder.width == 16
    torch.testing.assert_close(encoder.features(text, word2ph), expected)


def test_every_character_gets_its_own_row_even_in_words(tmp_path: Path) -> None:
    encoder = TextEncoder.load(with_vocabulary(in_folder(tmp_path / "roberta", bert(), "bin")))
    assert encoder.features("Ab你x", [1, 0, 2, 1]).shape == (16, 4)


def test_a_tokenizer_file_serves_as_well_as_a_vocabulary(tmp_path: Path) -> None:
    folder = with_vocabulary(in_folder(tmp_path / "roberta", bert(), "bin"))
    first = TextEncoder.load(folder)
    first.tokenizer.save_pretrained(tmp_path / "tokenizer")
    (folder / "vocab.txt").unlink()
    (tmp_path / "tokenizer" / "tokenizer.json").rename(folder / "tokenizer.json")
    text, counts = "你好ab", [1, 2, 1, 1]
    torch.testing.assert_close(TextEncoder.load(folder).features(text, counts), first.features(text, counts))


def test_texts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    encoder = TextEncoder.load(with_vocabulary(in_folder(tmp_path / "roberta", bert(), "bin")))
    assert encoder.features("你" * 18, [1] * 18).shape == (16, 18)
    with pytest.raises(TextError, match="cut it to 18"):
        encoder.features("你" * 19, [1] * 19)
    with pytest.raises(TextError, match="2 characters, but 3"):
        encoder.features("你好", [1, 1, 1])


def test_missing_folders_come_with_the_command_that_gets_them(tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"chinese-hubert-base .*gsv download"):
        ContentEncoder.load(tmp_path / "chinese-hubert-base")
    with pytest.raises(MissingWeightsError, match=r"chinese-roberta-wwm-ext-large .*gsv download"):
        TextEncoder.load(tmp_path / "chinese-roberta-wwm-ext-large")
    with pytest.raises(MissingWeightsError, match=r"pretrained_eres2netv2w24s4ep4.ckpt .*gsv download v2Pro"):
        load_speaker_encoder(tmp_path / "sv" / "pretrained_eres2netv2w24s4ep4.ckpt")


def test_incomplete_and_damaged_folders_are_named(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "hubert", hubert(), "bin")
    weights = folder / "pytorch_model.bin"
    whole = weights.read_bytes()
    state = torch.load(weights, weights_only=True)

    weights.write_bytes(whole[:1000])
    with pytest.raises(CheckpointError, match="damaged"):
        ContentEncoder.load(folder)
    torch.save({name: tensor for name, tensor in state.items() if "encoder.layers.1" not in name}, weights)
    with pytest.raises(CheckpointError, match=r"lack 16 tensors, encoder.layers.1"):
        ContentEncoder.load(folder)
    torch.save(state | {"encoder.layer_norm.weight": torch.ones(5)}, weights)
    with pytest.raises(CheckpointError, match=r"do not fit|lack"):
        ContentEncoder.load(folder)
    weights.unlink()
    with pytest.raises(MissingWeightsError, match=r"pytorch_model.bin"):
        ContentEncoder.load(folder)
    (folder / "model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(CheckpointError, match="damaged"):
        ContentEncoder.load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match="config"):
        ContentEncoder.load(folder)
    with pytest.raises(CheckpointError, match="vocab"):
        TextEncoder.load(in_folder(tmp_path / "roberta", bert(), "bin"))


def test_code_in_an_encoders_weights_is_refused(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> Any:
            return exec, (f"open({str(tmp_path / 'marker')!r}, 'w')",)

    folder = in_folder(tmp_path / "hubert", hubert(), "bin")
    torch.save({"a": Attack()}, folder / "pytorch_model.bin")
    with pytest.raises(UnsafeCheckpointError, match="exec"):
        ContentEncoder.load(folder)
    assert not (tmp_path / "marker").exists()


def test_the_speaker_encoder_loads_from_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = SpeakerEncoder(SpeakerConfig(m_channels=8, seg_width=4)).eval()
    state = {name: t.half() if t.is_floating_point() else t for name, t in network.state_dict().items()}
    write_tensors(tmp_path / "sv.ckpt", state)
    encoder = load_speaker_encoder(tmp_path / "sv.ckpt")
    assert not encoder.training and next(encoder.parameters()).dtype == torch.float32
    bank = torch.randn(1, 50, 80)
    torch.testing.assert_close(encoder(bank), network(bank), rtol=0.02, atol=0.02)

    write_tensors(tmp_path / "sv.ckpt", {"conv1.weight": torch.ones(8, 1, 3, 3)})
    with pytest.raises(CheckpointError, match="speaker encoder"):
        load_speaker_encoder(tmp_path / "sv.ckpt")
