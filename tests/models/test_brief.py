"""The network with weights of 8 bits."""

import pytest
import torch
from transformers import HubertConfig, HubertModel

from gsv.models.brief import BriefLinear, BriefPassages, eight_bits, shorten
from gsv.models.t2s import T2S, T2SConfig

# Of widths that are no multiples of what processors take at once.
CONFIG = T2SConfig(
    vocab_size=65, phoneme_vocab_size=40, hidden_dim=72, embedding_dim=72, head=4, n_layer=3, EOS=64, bert_dim=64
)


@pytest.fixture(scope="module")
def model() -> T2S:
    torch.manual_seed(3)
    return T2S(CONFIG).requires_grad_(False).eval()


def test_a_weight_is_off_by_half_a_step_at_most() -> None:
    weight = torch.randn(5, 70) * torch.tensor([1e-3, 0.1, 1.0, 30.0, 0.0])[:, None]
    rounded, scale = eight_bits(weight)
    steps = scale.float()[:, None]
    assert (rounded * steps - weight).abs().le(steps / 2 * (1 + 1e-5)).all()
    assert rounded.abs().amax(1).tolist()[:4] == pytest.approx([127] * 4, abs=1)


@torch.inference_mode()
def test_single_rows_and_rows_of_a_text_are_nearly_the_exact_product() -> None:
    weight, bias, x = torch.randn(33, 72), torch.randn(33), torch.randn(2, 5, 72)
    layer, exact = BriefLinear(weight, bias), torch.nn.functional.linear(x, weight, bias)
    assert (layer(x) - exact).norm() < 0.02 * exact.norm()
    single = torch.cat([layer(x[:, i : i + 1]) for i in range(5)], dim=1)
    assert (single - exact).norm() < 0.02 * exact.norm()


@torch.inference_mode()
def test_rows_are_nearly_those_of_the_network_and_the_same_in_company(model: T2S) -> None:
    own, brief_ones = model.passages(), BriefPassages(model)
    x, attended = torch.randn(5, 1, 72), torch.randn(5, 1, 72)
    assert (brief_ones.enter(x) - own.enter(x)).norm() < 0.02 * own.enter(x).norm()
    for layer in range(CONFIG.n_layer):
        for mine, theirs in zip(brief_ones.leave(layer, x, attended), own.leave(layer, x, attended), strict=True):
            assert mine.shape == theirs.shape
            assert 0 < (mine - theirs).norm() < 0.03 * theirs.norm()
    together = brief_ones.leave(2, x, attended)[1]
    alone = brief_ones.leave(2, x[3:4], attended[3:4])[1]
    assert torch.equal(alone[0], together[3])


@torch.inference_mode()
def test_all_linear_layers_of_an_encoder_are_shortened_and_it_hears_nearly_the_same() -> None:
    torch.manual_seed(0)
    widths = {"hidden_size": 40, "intermediate_size": 72, "num_attention_heads": 4, "num_hidden_layers": 2}
    narrow = {"conv_dim": [8] * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
    encoder = HubertModel(HubertConfig(**widths, **narrow)).eval()
    wave = torch.randn(1, 8000)
    before = encoder(wave).last_hidden_state
    shorten(encoder)
    assert not any(type(module) is torch.nn.Linear for module in encoder.modules())
    assert 0 < (encoder(wave).last_hidden_state - before).norm() < 0.05 * before.norm()
