"""What decoding does to the text-to-semantic network's rows between attentions, where no row knows of another."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from torch import Tensor, nn

if TYPE_CHECKING:
    from gsv.models.t2s import T2S, Layer

# A weight [outputs, inputs] and its bias, if any -> the linear layer of them, laid out for speed.
LayOut = Callable[[Tensor, Tensor | None], nn.Module]


class Steps(Protocol):
    """What one layer does to rows before and after attention."""

    def joint(self, x: Tensor) -> Tensor:
        """Rows [..., C] -> query, key and value, [..., 3 C]."""
        ...

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        """The layer's rows and what its heads found, both [..., C] -> the next layer's rows."""
        ...


class Passages:
    """Rows are [1, T, C], all of a text and its prompt, or [N, C], single ones that are read together."""

    def __init__(self, layers: Sequence[Steps], predict: nn.Module):
        self._layers = layers
        self._predict = predict

    def enter(self, x: Tensor) -> Tensor:
        """Rows [..., C] -> query, key and value of the first layer, [..., 3 C]."""
        return self._layers[0].joint(x)

    def leave(self, layer: int, x: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
        """A layer's rows and what its heads found, both [..., C] -> the next layer's rows, and query, key and value.

        After the last layer these are the logits [..., V].
        """
        x = self._layers[layer].finish(x, attended)
        following = layer + 1
        return x, self._layers[following].joint(x) if following < len(self._layers) else self._predict(x)


class OwnPassages(Passages):
    """Those of the network's own layers."""

    def __init__(self, model: "T2S"):
        super().__init__([_OwnLayer(layer) for layer in model.h.layers], model.ar_predict_layer)


class LaidOutPassages(Passages):
    """Those of layers with the same weights, laid out for speed. They are taken from the network one by one.

    Args:
        model: can do nothing but decode by these passages afterwards.
    """

    def __init__(self, model: "T2S", lay_out: LayOut):
        layers = model.h.layers
        laid_out = [_LaidOutLayer(layers.pop(0), lay_out) for _ in range(len(layers))]
        predict = lay_out(model.get_parameter("ar_predict_layer.weight"), None)
        super().__init__(laid_out, predict)
        # In the order in which they are read.
        self.linears = [*(linear for layer in laid_out for linear in layer.linears), predict]
        del model.h, model.ar_predict_layer


class _OwnLayer:
    def __init__(self, layer: "Layer"):
        self._layer = layer

    def joint(self, x: Tensor) -> Tensor:
        return self._layer.self_attn.joint(x)

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        return self._layer.finish(x, self._layer.self_attn.out_proj(attended))


class _LaidOutLayer:
    def __init__(self, layer: "Layer", lay_out: LayOut):
        attention = layer.self_attn
        self.joint = lay_out(attention.in_proj_weight, attention.in_proj_bias)
        self._out, self._wide, self._narrow = (
            lay_out(layer.get_parameter(f"{name}.weight"), layer.get_parameter(f"{name}.bias"))
            for name in ("self_attn.out_proj", "linear1", "linear2")
        )
        self._first, self._second = _copy(layer.norm1), _copy(layer.norm2)

    @property
    def linears(self) -> tuple[nn.Module, ...]:
        return self.joint, self._out, self._wide, self._narrow

    def finish(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self._first(x + self._out(attended))
        out: Tensor = self._second(x + self._narrow(self._wide(x).relu_()))
        return out


def _copy(norm: nn.LayerNorm) -> nn.LayerNorm:
    """So that nothing holds what the weights were taken from."""
    made = nn.LayerNorm(norm.normalized_shape, norm.eps)
    made.load_state_dict(norm.state_dict())
    return made.requires_grad_(False)
