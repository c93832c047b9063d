"""Networks with weights of 8 bits, for CPUs: the text-to-semantic one, and what looks at references and texts.

A step of decoding reads every weight once, and reading is what takes the time; a quarter of the bytes takes little more
than a quarter of it. The weights of an output share a scale, activations are rounded to bfloat16 for each product, and
all between products stays in 32 bits.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.devices import in_large_pages
from gsv.models.passages import LaidOutPassages
from gsv.models.planes import brief_dtype

if TYPE_CHECKING:
    from gsv.models.t2s import T2S


class BriefLinear(nn.Module):
    """A linear layer whose weights are multiples of a scale, from -127 to 127; it cannot be trained, saved or moved.

    One row's result does not depend on how many others there are.

    Args:
        weight: [outputs, inputs] of float32 on a CPU.
        bias: [outputs] or None.
    """

    # Torch's product takes so many numbers at once, and looks behind the end of weights that are no multiple of it.
    BLOCK = 32

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.outputs, inputs = weight.shape
        self._missing = -inputs % self.BLOCK
        self.rounded, self.scale = eight_bits(F.pad(weight.detach(), (0, self._missing, 0, -self.outputs % self.BLOCK)))
        # A copy, so that nothing holds what the weights were taken from.
        self.bias = None if bias is None else bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        """Single rows [N, inputs], or many at once [B, T, inputs] -> the same with outputs, of float32."""
        if self._missing:
            x = F.pad(x, (0, self._missing))
        product = self._few(x) if x.dim() == 2 else self._many(x)
        if product.shape[-1] > self.outputs:
            product = product[..., : self.outputs]
        return product.float() if self.bias is None else self.bias + product

    def _few(self, x: Tensor) -> Tensor:
        return torch._weight_int8pack_mm(x.to(torch.bfloat16), self.rounded, self.scale)

    def _many(self, x: Tensor) -> Tensor:
        """Of many rows, reading the weights takes little of the time, so they are widened for a usual product."""
        dtype = brief_dtype(x.device) or torch.float32
        return F.linear(x.to(dtype), self.rounded.to(dtype)).float() * self.scale.float()


def shorten(network: nn.Module) -> None:
    """Replaces all linear layers of a network on a CPU that will not be trained; it takes a quarter of their memory."""
    for name, child in network.named_children():
        if type(child) is nn.Linear:
            setattr(network, name, BriefLinear(child.weight, child.bias))
        else:
            shorten(child)


def eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight [N, K] -> multiples of a scale [N, K] of int8, and the scales [N] of bfloat16."""
    # Rounded up, so that the largest weight still fits.
    scale = (weight.float().abs().amax(1) / 127 * (1 + 2**-8)).clamp(min=1e-20).bfloat16()
    return (weight.float() / scale.float()[:, None]).round().to(torch.int8), scale


class BriefPassages(LaidOutPassages):
    """Those of layers with weights of 8 bits."""

    def __init__(self, model: "T2S"):
        super().__init__(model, BriefLinear)
        _shelve([linear for linear in self.linears if isinstance(linear, BriefLinear)])


def _shelve(linears: Sequence[BriefLinear]) -> None:
    """Moves the weights of layers beside each other."""
    shelf = in_large_pages(sum(linear.rounded.numel() for linear in linears))
    sizes = [linear.rounded.numel() for linear in linears]
    for linear, place in zip(linears, shelf.split(sizes), strict=True):
        linear.rounded = place.view_as(linear.rounded).copy_(linear.rounded)
