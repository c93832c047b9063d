"""Networks with weights of 8 bits."""

import pytest
import torch
from transformers import HubertConfig, HubertModel

from gsv.models.brief import BriefLinear, eight_bits, shorten


def test_a_weight_is_off_by_half_a_step_at_most() -> None:
    weight = torch.randn(5, 70) * torch.tensor([1e-3, 0.1, 1.0, 30.0, 0.0])[:, None]
    rounded, scale = eight_bits(weight)
    steps = scale.float()[:, None]
    assert (rounded * steps - weight).abs().le(steps / 2 * (1 + 1e-5)).all()
    assert rounded.abs().amax(1).tolist()[:4] == pytest.approx([127] * 4, abs=1)


@torch.inference_mode()
def test_a_layer_is_nearly_the_exact_product() -> None:
    weight, bias, x = torch.randn(33, 72), torch.randn(33), torch.randn(2, 5, 72)
    layer, exact = BriefLinear(weight, bias), torch.nn.functional.linear(x, weight, bias)
    assert 0 < (layer(x) - exact).norm() < 0.02 * exact.norm()


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
