"""Convolutions along time as those over a picture one row high."""

import copy

import pytest
import torch
from torch import nn

from gsv.models.layers import fold_weight_norm
from gsv.models.planes import Plane, lay_out
from gsv.models.vocoders import HifiGenerator


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv1d(6, 4, 7, padding=9, dilation=3),
        nn.Conv1d(6, 4, 1, bias=False),
        nn.ConvTranspose1d(6, 4, 16, 10, padding=3),
    ],
)
def test_a_plane_gives_what_the_convolution_gives(conv: nn.Conv1d | nn.ConvTranspose1d) -> None:
    x = torch.randn(2, 6, 50)
    with torch.no_grad():
        assert torch.allclose(Plane(conv, torch.float32)(x), conv(x), atol=1e-5)


@pytest.mark.skipif(not Plane.usable(torch.zeros(1)), reason="this machine's convolutions are left as they are")
def test_a_vocoder_that_is_laid_out_says_the_same() -> None:
    torch.manual_seed(0)
    network = HifiGenerator(8, 32, (4, 2), (8, 4), (3, 7), ((1, 3), (1, 3)), 5).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d) and not hasattr(module, "weight_g"):
            nn.init.normal_(module.weight, 0.0, 0.2)
    frames, condition = torch.randn(1, 8, 20), torch.randn(1, 5, 1)
    with torch.no_grad():
        before = network(frames, condition)
        fold_weight_norm(network)
        brief = copy.deepcopy(network)
        network.for_inference(brief=False)
        after = network(frames, condition)
    assert not any(isinstance(module, nn.Conv1d | nn.ConvTranspose1d) for module in network.modules())
    assert before.std() > 1e-3
    assert torch.allclose(before, after, atol=1e-5)
    with torch.no_grad():
        lay_out(brief, torch.bfloat16)
        rounded = brief(frames, condition)
    assert rounded.dtype == torch.float32
    assert 0 < (rounded - before).norm() < 0.03 * before.norm()
