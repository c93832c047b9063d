"""What networks on a CPU spend their time with, done by oneDNN in the way that it is fastest with.

Convolutions along time are done as those over a picture one row high, whose channels come last; those of a network of
few frames, where that is faster, as products.

Where the processor has products of bfloat16, they can be done in that: twice as fast, with noise 38 to 44 dB below.
"""

import platform

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import replace_layers

_ALONG_TIME = (nn.Conv1d, nn.ConvTranspose1d)


class Plane(nn.Module):
    """A convolution's stand-in for inference, in its precision or another; the difference is rounding alone."""

    def __init__(self, conv: nn.Conv1d | nn.ConvTranspose1d, dtype: torch.dtype):
        super().__init__()
        kind = nn.ConvTranspose2d if isinstance(conv, nn.ConvTranspose1d) else nn.Conv2d
        self.conv = kind(
            conv.in_channels,
            conv.out_channels,
            (1, conv.kernel_size[0]),
            (1, conv.stride[0]),
            (0, int(conv.padding[0])),
            dilation=(1, conv.dilation[0]),
            groups=conv.groups,
            bias=conv.bias is not None,
            device="meta",
        )
        weight = conv.weight.detach()[:, :, None].to(dtype).contiguous(memory_format=torch.channels_last)
        self.conv.weight = nn.Parameter(weight, requires_grad=False)
        if conv.bias is not None:
            self.conv.bias = nn.Parameter(conv.bias.detach().to(dtype), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> [B, outputs, T']. In memory the channels stay last, through what works on single numbers too."""
        return self.conv(self._plane(x))[:, :, 0]

    def leaky(self, x: Tensor, slope: float) -> Tensor:
        """A leaky ReLU of what a convolution gives [B, C, T], done while its sums are in registers."""
        pointwise = torch.ops.mkldnn._convolution_pointwise
        return pointwise(self._plane(x), *self._convolution, "leaky_relu", [slope], "")[:, :, 0]

    def added(self, x: Tensor, shortcut: Tensor) -> Tensor:
        """What a convolution gives [B, C, T] and a shortcut [B, outputs, T'] around it, summed in the same way."""
        binary = torch.ops.mkldnn._convolution_pointwise.binary
        planes = self._plane(x), self._plane(shortcut)
        return binary(*planes, *self._convolution, "add", 1.0, None, [], None)[:, :, 0]

    def _plane(self, x: Tensor) -> Tensor:
        return x[:, :, None].to(self.conv.weight.dtype)

    @property
    def _convolution(self) -> tuple[object, ...]:
        conv = self.conv
        return conv.weight, conv.bias, conv.padding, conv.stride, conv.dilation, conv.groups


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
        if isinstance(layer, _ALONG_TIME) and usable(layer.weight):
            return Plane(layer, dtype or layer.weight.dtype)
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
