"""What oneDNN does for networks on a CPU: convolutions as those over a picture one row high, and products."""

import copy

import pytest
import torch
from torch import nn

from gsv.models.layers import fold_weight_norm
from gsv.models.planes import Plane, lay_out, linear, pack, usable
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


@torch.inference_mode()
@pytest.mark.parametrize("shape", [(1, 7, 24), (7, 24), (24,), (2, 1, 24)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_product_is_that_of_a_linear_layer(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, weight = torch.randn(shape).to(dtype), torch.randn(10, 24).to(dtype)
    found, expected = linear(x, weight), nn.functional.linear(x, weight)
    assert found.shape == expected.shape
    assert found.dtype == dtype
    assert torch.allclose(found, expected, rtol=1e-5 if dtype == torch.float32 else 0.02, atol=1e-4)


@torch.inference_mode()
@pytest.mark.skipif(not usable(torch.zeros(1)), reason="this machine's products are left as they are")
def test_a_network_whose_weights_are_packed_says_the_same() -> None:
    network = nn.Sequential(nn.Linear(24, 40), nn.Sequential(nn.ReLU(), nn.Linear(40, 7, bias=False)))
    inputs = [torch.randn(shape) for shape in ((3, 24), (2, 65, 24), (24,))]
    before = [network(x) for x in inputs]
    pack(network)
    assert not any(isinstance(module, nn.Linear) for module in network.modules())
    for x, expected in zip(inputs, before, strict=True):
        assert torch.allclose(network(x), expected, atol=1e-5)


@pytest.mark.skipif(not usable(torch.zeros(1)), reason="this machine's convolutions are left as they are")
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
