"""Matrix products on a CPU whose rows do not know of each other.

There are two ways to them, of which each is nearly twice as fast on some processors.
"""

import platform
from functools import cache
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.devices import has_intel_processor


class OneDnnLinear(nn.Module):
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


class MklLinear(nn.Module):
    """The same laid out for MKL, for processors on which that is steady, see `_is_mkl_steady`.

    Outputs are made a multiple of `BLOCK`, without which it is nowhere. The layer cannot be trained, saved or moved.
    Arguments are those of `OneDnnLinear`.
    """

    BLOCK = 32
    # The number of rows that the layout is made for, as many as a text and its prompt have: such are read twice as fast
    # then as with a layout for a few, and single rows are no slower.
    ROWS = 160

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.outputs = len(weight)
        missing = -self.outputs % self.BLOCK
        filled = F.pad(weight.detach(), (0, 0, 0, missing))
        self.weight = torch.ops.mkl._mkl_reorder_linear_weight(filled, self.ROWS)
        # All that is asked of the weight as it was is its shape.
        self._shape = filled.new_empty(()).expand(filled.shape)
        self.bias = None if bias is None else F.pad(bias.detach(), (0, missing))

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        rows = x.flatten(0, -2)
        out: Tensor = torch.ops.mkl._mkl_linear(rows, self.weight, self._shape, self.bias, len(rows))
        return out[:, : self.outputs].unflatten(0, x.shape[:-1])


SteadyLinear: TypeAlias = OneDnnLinear | MklLinear


def steady_linear(weight: Tensor, bias: Tensor | None) -> SteadyLinear:
    """The faster of the two on this processor: MKL is Intel's."""
    own = has_intel_processor() and torch.backends.mkl.is_available() and _is_mkl_steady()
    return (MklLinear if own else OneDnnLinear)(weight, bias)


@cache
def _is_mkl_steady() -> bool:
    """Whether a row's product is the same alone and among others. Nobody promises it, so it is tried."""
    chance = torch.Generator().manual_seed(0)
    rows = torch.randn(20, 512, generator=chance)
    layer = MklLinear(torch.randn(512, 512, generator=chance), None)
    single = torch.cat([layer(row) for row in rows.split(1)])
    return all(torch.equal(layer(rows[:count]), single[:count]) for count in range(2, len(rows) + 1))


def is_steady(weight: Tensor) -> bool:
    """Whether this machine can do it for such weights; elsewhere nothing is promised of single rows' last bits."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.float32
        and platform.machine() in {"x86_64", "AMD64"}
        and torch.backends.mkldnn.is_available()
    )
