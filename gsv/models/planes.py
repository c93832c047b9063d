"""What networks on a CPU spend their time with, done by oneDNN in the way that it is fastest with.

Convolutions along time are done as those over a picture one row high, whose channels come last.

Where the processor has products of bfloat16, they can be done in that: twice as fast, with noise 38 to 44 dB below.
"""

import platform

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import replace_layers


class Plane(nn.Module):
    """A convolution's stand-in for inference, in its precision or another; the difference is rounding alone.

    The weights lie as oneDNN multiplies by them: laid out anew for every call, they are a sixth of the time of half a
    second of sound.
    """

    # About how long what is convolved is; other lengths are hardly slower.
    LENGTH = 2560

    def __init__(self, conv: nn.Conv1d, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype
        self.geometry = (0, int(conv.padding[0])), (1, conv.stride[0]), (1, conv.dilation[0]), conv.groups
        weight = conv.weight.detach()[:, :, None].to(dtype).contiguous()
        size = 1, conv.in_channels, 1, self.LENGTH
        self.packed = torch.ops.mkldnn._reorder_convolution_weight(weight, *self.geometry, size)
        self.bias = None if conv.bias is None else conv.bias.detach().to(dtype).clone()

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> [B, outputs, T']. In memory the channels stay last, through what works on single numbers too."""
        return self._followed(x, "none", [], "")

    def leaky(self, x: Tensor, slope: float) -> Tensor:
        """A leaky ReLU of what a convolution gives [B, C, T], done while its sums are in registers."""
        return self._followed(x, "leaky_relu", [slope], "")

    def added(self, x: Tensor, shortcut: Tensor) -> Tensor:
        """What a convolution gives [B, C, T] and a shortcut [B, outputs, T'] around it, summed in the same way."""
        binary = torch.ops.mkldnn._convolution_pointwise.binary
        planes = _plane(x, self.dtype), _plane(shortcut, self.dtype)
        found: Tensor = binary(*planes, self.packed, self.bias, *self.geometry, "add", 1.0, None, [], None)
        return found[:, :, 0]

    def _followed(self, x: Tensor, by: str, scalars: list[float], algorithm: str) -> Tensor:
        convolved = torch.ops.mkldnn._convolution_pointwise
        plane = _plane(x, self.dtype)
        found: Tensor = convolved(plane, self.packed, self.bias, *self.geometry, by, scalars, algorithm)
        return found[:, :, 0]


class TransposedPlane(nn.Module):
    """A transposed convolution's stand-in for inference, as `Plane` is one of others."""

    def __init__(self, conv: nn.ConvTranspose1d, dtype: torch.dtype):
        super().__init__()
        self.dtype = dtype
        self.geometry = (1, conv.stride[0]), (0, int(conv.padding[0])), (0, 0), conv.groups, (1, conv.dilation[0])
        weight = conv.weight.detach()[:, :, None].to(dtype).contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().to(dtype), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> [B, outputs, T']."""
        return F.conv_transpose2d(_plane(x, self.dtype), self.weight, self.bias, *self.geometry)[:, :, 0]


def _plane(x: Tensor, dtype: torch.dtype) -> Tensor:
    """[B, C, T] -> [B, C, 1, T], channels last in memory."""
    return x[:, :, None].to(dtype).contiguous(memory_format=torch.channels_last)


def leaky(conv: nn.Module, x: Tensor, slope: float) -> Tensor:
    """A leaky ReLU of what a convolution along time gives, [B, C, T] -> [B, outputs, T']."""
    if isinstance(conv, Plane):
        return conv.leaky(x, slope)
    return F.leaky_relu(conv(x), slope, inplace=True)


def added(conv: nn.Module, x: Tensor, shortcut: Tensor) -> Tensor:
    """What a convolution along time gives, [B, C, T], and a shortcut [B, outputs, T'] around it."""
    if isinstance(conv, Plane):
        return conv.added(x, shortcut)
    total: Tensor = conv(x)
    return total.add_(shortcut)


def lay_out(network: nn.Module, dtype: torch.dtype | None = None) -> None:
    """Replaces every convolution along time in a network that will not be trained, if oneDNN is usable there.

    What follows a convolution is then computed in `dtype` too; None: each keeps its own.
    """

    def plane(layer: nn.Module) -> nn.Module | None:
        if isinstance(layer, nn.Conv1d) and usable(layer.weight):
            return Plane(layer, dtype or layer.weight.dtype)
        if isinstance(layer, nn.ConvTranspose1d) and usable(layer.weight):
            return TransposedPlane(layer, dtype or layer.weight.dtype)
        return None

    replace_layers(network, plane)


class PackedLinear(nn.Module):
    """A linear layer's stand-in for inference, whose weights lie as oneDNN multiplies by them; it stays where it is."""

    # About how many rows come at once; other numbers are hardly slower.
    ROWS = 64

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), self.ROWS)
        # A copy, so that nothing holds what the weights were taken from.
        self.bias = None if bias is None else bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        return _onednn_linear(x, self.packed, self.bias)


def pack(network: nn.Module) -> None:
    """Replaces all linear layers in a network that will not be trained, if oneDNN is usable there."""

    def packed(layer: nn.Module) -> nn.Module | None:
        if type(layer) is nn.Linear and layer.weight.dtype == torch.float32 and usable(layer.weight):
            return PackedLinear(layer.weight, layer.bias)
        return None

    replace_layers(network, packed)


class Windows(nn.Module):
    """A stand-in for a convolution that looks at every place: what it looks at from each is a row of one product.

    Unlike after a `Plane`, numbers stay in the precision that they are in; the product is in `dtype`. For a network of
    few frames and many weights, which would be laid out anew for every `Plane`.
    """

    def __init__(self, conv: nn.Conv1d, dtype: torch.dtype):
        super().__init__()
        self.size, self.padding, self.dtype = conv.kernel_size[0], int(conv.padding[0]), dtype
        bias = None if conv.bias is None else conv.bias.to(dtype)
        self.linear = PackedLinear(conv.weight.detach().to(dtype).transpose(1, 2).flatten(1), bias)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> [B, outputs, T']."""
        frames = F.pad(x.transpose(1, 2).to(self.dtype), (0, 0, self.padding, self.padding)).contiguous()
        batch, count, width = frames.shape
        shape = batch, count - self.size + 1, self.size * width
        rows = frames.as_strided(shape, (count * width, width, 1)).contiguous()
        found: Tensor = self.linear(rows)
        return found.transpose(1, 2).to(x.dtype)


def multiply_in(network: nn.Module, dtype: torch.dtype) -> None:
    """Replaces the convolutions along time that look at every place in a network that will not be trained."""

    def windows(layer: nn.Module) -> nn.Module | None:
        if isinstance(layer, nn.Conv1d) and layer.stride == layer.dilation == (1,) and layer.groups == 1:
            return Windows(layer, dtype) if usable(layer.weight) else None
        return None

    replace_layers(network, windows)


def usable(weight: Tensor) -> bool:
    """Whether oneDNN is known to be faster where the weights are: on x86, by half for a vocoder; else not measured."""
    return (
        weight.device.type == "cpu"
        and platform.machine() in {"x86_64", "AMD64"}
        and torch.backends.mkldnn.is_available()
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """[..., inputs] times [outputs, inputs] -> [..., outputs], for many rows and weights that are not kept for it."""
    if weight.dtype == torch.float32 and usable(weight):
        return _onednn_linear(x, weight, bias)
    # torch takes oneDNN for bfloat16 by itself.
    return F.linear(x, weight, bias)


def _onednn_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def brief_dtype(device: torch.device) -> torch.dtype | None:
    """The precision that products are fast in on this processor though numbers are kept in 32 bits, if there is one."""
    fast = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if device.type == "cpu" and fast else None
