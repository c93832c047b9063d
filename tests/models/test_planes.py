"""What oneDNN does for networks on a CPU: convolutions as those over a picture one row high, and products."""

import pytest
import torch
from torch import nn

from gsv.models.layers import fold_weight_norm
from gsv.models.planes import Plane, added, brief_dtype, leaky, linear, multiply_in, pack, usable
from gsv.models.vocoders import HifiGenerator

left_alone = pytest.mark.skipif(not usable(torch.zeros(1)), reason="this machine's networks are left as they are")
# On other processors nothing is laid out in 16 bits, and oneDNN has no convolutions of them.
PRECISIONS = sorted({torch.float32, brief_dtype(torch.device("cpu")) or torch.float32}, key=str)


@torch.inference_mode()
@pytest.mark.parametrize("length", [1, 50, 3000])
@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv1d(6, 4, 7, padding=9, dilation=3),
        nn.Conv1d(6, 4, 1, bias=False),
        nn.Conv1d(6, 6, 5, 2, padding=2, groups=6),
        nn.ConvTranspose1d(6, 4, 16, 10, padding=3),
        nn.ConvTranspose1d(6, 4, 3, bias=False, dilation=2),
    ],
)
def test_a_plane_gives_what_the_convolution_gives(conv: nn.Conv1d | nn.ConvTranspose1d, length: int) -> None:
    plane, x = Plane(conv, torch.float32), torch.randn(2, 6, length)
    assert torch.allclose(plane(x), conv(x), atol=1e-5)
    # And of numbers whose channels are last in memory already.
    assert torch.allclose(plane(x.transpose(1, 2).contiguous().transpose(1, 2)), conv(x), atol=1e-5)


@torch.inference_mode()
@left_alone
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_what_follows_a_convolution_is_the_same_when_a_plane_does_it(dtype: torch.dtype) -> None:
    conv, x, shortcut = nn.Conv1d(6, 4, 7, padding=9, dilation=3), torch.randn(2, 6, 50), torch.randn(2, 4, 50)
    kept = shortcut.clone()
    for found, expected in (
        (leaky(Plane(conv, dtype), x, 0.1), leaky(conv, x, 0.1)),
        (added(Plane(conv, dtype), x, shortcut), added(conv, x, shortcut)),
    ):
        assert found.dtype == dtype
        assert torch.allclose(found.float(), expected, atol=1e-5 if dtype == torch.float32 else 0.05)
    assert leaky(conv, x, 0.1).min() < 0 < leaky(conv, x, 0.1).max()
    assert torch.equal(shortcut, kept)


@torch.inference_mode()
@left_alone
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_network_that_multiplies_in_another_precision_stays_in_its_own(dtype: torch.dtype) -> None:
    inner = nn.Sequential(nn.Tanh(), nn.Conv1d(8, 4, 4), nn.Conv1d(4, 4, 1, bias=False))
    strided = nn.Conv1d(4, 4, 3, stride=2)
    network = nn.Sequential(nn.Conv1d(6, 8, 5, padding=2), inner, strided)
    inputs = [torch.randn(2, 6, 50), torch.randn(1, 6, 9)]
    before = [network(x) for x in inputs]
    multiply_in(network, dtype)
    assert [module for module in network.modules() if isinstance(module, nn.Conv1d)] == [strided]
    for x, expected in zip(inputs, before, strict=True):
        after = network(x)
        assert after.dtype == torch.float32
        assert torch.allclose(after, expected, atol=1e-5 if dtype == torch.float32 else 0.05)


@torch.inference_mode()
@pytest.mark.parametrize("shape", [(1, 7, 24), (7, 24), (24,), (2, 1, 24)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_product_is_that_of_a_linear_layer(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, weight, bias = torch.randn(shape).to(dtype), torch.randn(10, 24).to(dtype), torch.randn(10).to(dtype)
    for also in (None, bias):
        found, expected = linear(x, weight, also), nn.functional.linear(x, weight, also)
        assert found.shape == expected.shape
        assert found.dtype == dtype
        assert torch.allclose(found, expected, rtol=1e-5 if dtype == torch.float32 else 0.02, atol=1e-4)


@torch.inference_mode()
@left_alone
def test_a_network_whose_weights_are_packed_says_the_same() -> None:
    network = nn.Sequential(nn.Linear(24, 40), nn.Sequential(nn.ReLU(), nn.Linear(40, 7, bias=False)))
    inputs = [torch.randn(shape) for shape in ((3, 24), (2, 65, 24), (24,))]
    before = [network(x) for x in inputs]
    pack(network)
    assert not any(isinstance(module, nn.Linear) for module in network.modules())
    for x, expected in zip(inputs, before, strict=True):
        assert torch.allclose(network(x), expected, atol=1e-5)


@left_alone
@pytest.mark.parametrize("dtype", PRECISIONS)
def test_a_vocoder_that_is_laid_out_says_the_same(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = HifiGenerator(8, 32, (4, 2), (8, 4), (3, 7), ((1, 3), (1, 3)), 5).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d) and not hasattr(module, "weight_g"):
            nn.init.normal_(module.weight, 0.0, 0.2)
    frames, condition = torch.randn(1, 8, 20), torch.randn(1, 5, 1)
    with torch.no_grad():
        before = network(frames, condition)
        fold_weight_norm(network)
        network.for_inference(brief=dtype != torch.float32)
        after = network(frames, condition)
    assert not any(isinstance(module, nn.Conv1d | nn.ConvTranspose1d) for module in network.modules())
    assert before.std() > 1e-3
    assert after.dtype == torch.float32
    if dtype == torch.float32:
        assert torch.allclose(before, after, atol=1e-5)
    else:
        assert 0 < (after - before).norm() < 0.03 * before.norm()
