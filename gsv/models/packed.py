"""Matrix products on a CPU whose rows do not know of each other.

A row's result is the same to the last bit alone and among others, which torch's own product does not give: it takes
another way for one row than for several, and sums up in another order. There are three ways to such products. None of
the layers can be trained, saved or moved.
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

    Where a layer has more than `LONGEST` inputs, oneDNN too takes another way for one row, so a longer one is made of
    several.

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
    """The same laid out for MKL, for Intel's processors, on which it is nearly twice as fast as oneDNN's.

    Outputs are made a multiple of `BLOCK`, without which it is steady nowhere. Arguments are those of `OneDnnLinear`.
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


class HalfLinear(nn.Module):
    """The same with its weights in float16, of which there is half as much to read; sums are in float32 as ever.

    Nothing is rounded: it is for weights that are numbers of 16 bits, see `fits`, as those of all published and
    exported models are. Arguments are those of `OneDnnLinear`.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        # FBGEMM's layout, which knows the bias as well.
        self.weight = torch.ops.quantized.linear_prepack_fp16(weight.detach(), None if bias is None else bias.detach())

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs]."""
        out: Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self.weight)
        return out

    @staticmethod
    def fits(weight: Tensor) -> bool:
        """Whether float16 holds the weights as they are, and this machine has a product for it."""
        return "fbgemm" in torch.backends.quantized.supported_engines and torch.equal(weight.half().float(), weight)


SteadyLinear: TypeAlias = OneDnnLinear | MklLinear | HalfLinear


def steady_linear(weight: Tensor, bias: Tensor | None) -> SteadyLinear:
    """The fastest that this processor and these weights allow."""
    if HalfLinear.fits(weight) and _keeps_rows_apart(HalfLinear):
        return HalfLinear(weight, bias)
    own = has_intel_processor() and torch.backends.mkl.is_available() and _keeps_rows_apart(MklLinear)
    return (MklLinear if own else OneDnnLinear)(weight, bias)


@cache
def _keeps_rows_apart(kind: type[MklLinear] | type[HalfLinear]) -> bool:
    """Whether a row's product is the same alone and among others. Nobody promises it of these two, so it is tried."""
    chance = torch.Generator().manual_seed(0)
    rows = torch.randn(20, 512, generator=chance)
    layer = kind(torch.randn(512, 512, generator=chance), None)
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
