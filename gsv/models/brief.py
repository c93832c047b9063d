"""Networks with weights of 8 bits, for CPUs: what looks at references and texts. It takes a quarter of their memory.

The weights of an output share a scale. Activations are rounded to bfloat16 for each product where the processor is
faster at that, and all between products stays in 32 bits.
"""

import torch
from torch import Tensor, nn

from gsv.models.layers import replace_layers
from gsv.models.planes import brief_dtype, linear


class BriefLinear(nn.Module):
    """A linear layer whose weights are multiples of a scale, from -127 to 127; it cannot be trained, saved or moved.

    Args:
        weight: [outputs, inputs] of float32 on a CPU.
        bias: [outputs] or None.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None):
        super().__init__()
        self.rounded, self.scale = eight_bits(weight.detach())
        # A copy, so that nothing holds what the weights were taken from.
        self.bias = None if bias is None else bias.detach().clone()

    def forward(self, x: Tensor) -> Tensor:
        """[..., inputs] -> [..., outputs] of float32. Weights are widened for a usual product of many rows."""
        return scaled_linear(x, self.rounded, self.scale, self.bias)


def shorten(network: nn.Module) -> None:
    """Replaces all linear layers of a network on a CPU that will not be trained."""
    replace_layers(network, lambda layer: BriefLinear(layer.weight, layer.bias) if type(layer) is nn.Linear else None)


def scaled_linear(x: Tensor, rounded: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    """[..., inputs] times [outputs, inputs] of int8 with scales [outputs] -> [..., outputs], all else of float32."""
    dtype = brief_dtype(x.device) or torch.float32
    product = linear(x.to(dtype), rounded.to(dtype)).float()
    return product * scale if bias is None else torch.addcmul(bias, product, scale)


def eight_bits(weight: Tensor) -> tuple[Tensor, Tensor]:
    """weight [N, K] -> multiples of a scale [N, K] of int8, and the scales [N]."""
    scale = (weight.float().abs().amax(1) / 127).clamp(min=1e-20)
    return (weight.float() / scale[:, None]).round().to(torch.int8), scale
