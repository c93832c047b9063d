"""Matrix products on a CPU whose rows do not know of each other.

There are two ways to them, of which each is nearly twice as fast on some processors.
"""

import platform
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.devices import has_intel_processor


class PackedLinear(nn.Module):
    """A linear layer with its weights laid out once for oneDNN: faster for few rows, and equal for any number of them.

    A row's result is the same to the last bit alone and among others, which torch's own product does not give: it takes
    another way for one row than for several, and sums up in another order. oneDNN does so as well where the layer has
    more than `LONGEST` inputs, so that a longer one is made of several. The layer cannot be trained, saved or moved.

    Args:
        weight: [outputs, inputs] of float32 on a CPU.
        bias: [outputs] or None.
    """

    LONGEST = 1024
    # The number of rows that the layout is made for; one row would be laid out differently.
    ROWS = 16

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        pack = torch.ops.mkldnn._reorder_linear_weight
        parts = weight.detach().split(self.LONGEST, dim=1)
        self.inputs = [part.shape[1] for part in parts]
        self.weights = [pack(part.contiguous(), self.ROWS) for part in parts]
        # A copy, so that nothing holds what the weights were taken from.
        self.bias = None if bias is None else bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        product = torch.ops.mkldnn._linear_pointwise
        first, *others = x.split(self.inputs, dim=-1)
        out = product(first, self.weights[0], self.bias, "none", [], "")
        for part, weight in zip(others, self.weights[1:], strict=True):
            out = out + product(part, weight, None, "none", [], "")
        return out


class BlockedLinear(nn.Module):
    """A linear layer that computes single rows eight at a time, with zeros where there are fewer.

    Torch's own product sums up in another order for another number of rows, but not for other neighbours. The layer
    cannot be trained, saved or moved. Arguments are those of `PackedLinear`.
    """

    ROWS = 8

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.weight = weight.detach()
        self.bias = None if bias is None else bias.detach()

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, inputs] -> [B, T, outputs]; single rows (T = 1), or all of a text and its prompt, which are alone."""
        if x.shape[1] != 1:
            return F.linear(x, self.weight, self.bias)
        blocks = F.pad(x[:, 0], (0, 0, 0, -len(x) % self.ROWS)).split(self.ROWS)
        return torch.cat([F.linear(block, self.weight, self.bias) for block in blocks])[: len(x), None]


SteadyLinear: TypeAlias = PackedLinear | BlockedLinear


def steady_linear(weight: Tensor, bias: Tensor | None) -> SteadyLinear:
    """The faster of the two on this processor: torch's own products are Intel's."""
    return (BlockedLinear if has_intel_processor() else PackedLinear)(weight, bias)


def is_steady(weight: Tensor) -> bool:
    """Whether this machine can do it for such weights; elsewhere nothing is promised of single rows' last bits."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and platform.machine() in {"x86_64", "AMD64"}
        and torch.backends.mkldnn.is_available()
    )
