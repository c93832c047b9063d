"""Low-rank adaptation (LoRA, arXiv 2106.09685) of a flow matcher's attention, in the layout of official files.

Beside each adapted matrix, which is frozen, the product of two thin ones is trained, zero at first and not scaled.
"""

from torch import Tensor, nn

from gsv.models.flow_sovits import FlowSovits

# The one adapter of a file.
_NAME = "default"


class Adapted(nn.Module):
    """A frozen linear layer with a trained product beside it."""

    def __init__(self, layer: nn.Linear, rank: int):
        super().__init__()
        self.base_layer = layer
        self.lora_A = nn.ModuleDict({_NAME: nn.Linear(layer.in_features, rank, bias=False)})
        self.lora_B = nn.ModuleDict({_NAME: nn.Linear(rank, layer.out_features, bias=False)})
        nn.init.zeros_(self.lora_B.get_parameter(f"{_NAME}.weight"))

    def forward(self, x: Tensor) -> Tensor:
        return self.base_layer(x) + self.lora_B[_NAME](self.lora_A[_NAME](x))


class _Wrapped(nn.Module):
    """Only puts into the names of a network's tensors what official files have there."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.base_model = nn.ModuleDict({"model": network})

    def forward(self, *inputs: Tensor) -> Tensor:
        made: Tensor = self.base_model["model"](*inputs)
        return made


def adapt(network: FlowSovits, rank: int) -> None:
    """Freezes the flow matcher and puts adapters of that rank on all projections of its attention."""
    matcher = network.cfm.requires_grad_(False)
    for block in matcher.estimator.transformer_blocks:
        attention = block.get_submodule("attn")
        for name in ("to_q", "to_k", "to_v"):
            setattr(attention, name, Adapted(getattr(attention, name), rank))
        out = attention.get_submodule("to_out")
        out.register_module("0", Adapted(out.get_submodule("0"), rank))  # type: ignore[arg-type]
    network.register_module("cfm", _Wrapped(matcher))
