"""The text-to-semantic network with weights of 8 bits, for CPUs: what it does between attentions, by ONNX Runtime.

A step of decoding reads every weight once, and reading is what takes the time; a quarter of the bytes takes little more
than a third of it. Weights share a scale by 32, and so do activations, which ONNX Runtime rounds to 8 bits for each
product.

Every passage is a model of its own, computed in one thread: more would belong to each model anew, and waking them costs
more than they save.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from gsv.errors import MissingLibraryError

if TYPE_CHECKING:
    from gsv.models.t2s import T2S, Layer

# How many numbers share a scale.
GROUP = 32
# Versions of the format and of its two sets of operations.
_FORMAT = 9
_MORE = "com.microsoft"
_OPERATIONS = {"": 17, _MORE: 1}
# Products of rounded activations, in 8 bits as well.
_ROUNDED_PRODUCTS = 4


def missing() -> str:
    """What is missing, in plain words; empty if nothing is."""
    if find_spec("onnx") is None:
        return 'Weights of 8 bits need the library onnx; install it with: pip install "gsv[fast]"'
    return ""


class BriefPassages:
    """See `gsv.models.t2s.Passages`. A row gets the same in company as alone.

    Raises MissingLibraryError if ONNX Runtime is not there.
    """

    def __init__(self, model: "T2S"):
        if problem := missing():
            raise MissingLibraryError(problem)
        self._first = _entrance(model)
        self._between = [_between(model, number) for number in range(model.config.n_layer)]

    def enter(self, x: Tensor) -> Tensor:
        (joint,) = self._first.run(x)
        return joint

    def leave(self, layer: int, x: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
        x, joint = self._between[layer].run(x, attended)
        return x, joint


def _entrance(model: "T2S") -> "_Running":
    """Query, key and value of the first layer."""
    graph = _Graph(model.config.hidden_dim)
    return graph.running(graph.linear(graph.given("x"), *_projection(model.h.layers[0])))


def _between(model: "T2S", number: int) -> "_Running":
    """From what the heads of a layer found to query, key and value of the following one, or to the logits."""
    layer, following = model.h.layers[number], number + 1
    graph = _Graph(model.config.hidden_dim)
    before, attended = graph.given("x"), graph.given("attended")
    found = graph.linear(attended, *_weights(layer, "self_attn.out_proj"))
    x = graph.norm(graph.node("Add", before, found), layer.norm1)
    inner = graph.node("Relu", graph.linear(x, *_weights(layer, "linear1")))
    x = graph.norm(graph.node("Add", x, graph.linear(inner, *_weights(layer, "linear2"))), layer.norm2)
    if following < len(model.h.layers):
        return graph.running(x, graph.linear(x, *_projection(model.h.layers[following])))
    return graph.running(x, graph.linear(x, model.get_parameter("ar_predict_layer.weight"), None))


def _weights(layer: "Layer", name: str) -> tuple[Tensor, Tensor]:
    return layer.get_parameter(f"{name}.weight"), layer.get_parameter(f"{name}.bias")


def _projection(layer: "Layer") -> tuple[Tensor, Tensor]:
    return layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias


class _Graph:
    """An ONNX model of rows [N, width], put together operation by operation."""

    def __init__(self, width: int):
        self._width = width
        self._inputs: list[str] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def given(self, name: str) -> str:
        """The name of rows that are handed in."""
        self._inputs.append(name)
        return name

    def node(self, operation: str, *inputs: str, domain: str = "", **settings: Any) -> str:
        """The name of what an operation gives."""
        from onnx import helper

        name = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [name], domain=domain, **settings))
        return name

    def linear(self, x: str, weight: Tensor, bias: Tensor | None) -> str:
        rounded, scales = eight_bits(weight)
        inputs = [x, self._kept(rounded), self._kept(scales), "", ""]
        inputs += [self._kept(bias.numpy())] if bias is not None else []
        settings = {"N": weight.shape[0], "K": weight.shape[1], "bits": 8, "block_size": GROUP}
        return self.node("MatMulNBits", *inputs, domain=_MORE, accuracy_level=_ROUNDED_PRODUCTS, **settings)

    def norm(self, x: str, layer: torch.nn.LayerNorm) -> str:
        inputs = (self._kept(layer.weight.numpy()), self._kept(layer.bias.numpy()))
        return self.node("LayerNormalization", x, *inputs, axis=-1, epsilon=layer.eps)

    def _kept(self, value: np.ndarray) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def running(self, *outputs: str) -> "_Running":
        """The model, loaded by ONNX Runtime; it gives these values."""
        import onnxruntime
        from onnx import TensorProto, helper

        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, self._width]) for name in self._inputs]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None]) for name in outputs]
        graph = helper.make_graph(self._nodes, "rows", inputs, results, self._constants)
        sets = [helper.make_opsetid(name, number) for name, number in _OPERATIONS.items()]
        model = helper.make_model(graph, opset_imports=sets, ir_version=_FORMAT)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return _Running(session, tuple(self._inputs))


@dataclass(frozen=True)
class _Running:
    """A model that ONNX Runtime has loaded, and the names of what it is given."""

    session: Any
    inputs: tuple[str, ...]

    def run(self, *given: Tensor) -> list[Tensor]:
        """[..., width] each -> [..., V] each."""
        shape = given[0].shape
        rows = {name: x.reshape(-1, shape[-1]).numpy() for name, x in zip(self.inputs, given, strict=True)}
        return [torch.from_numpy(found).view(*shape[:-1], -1) for found in self.session.run(None, rows)]


def eight_bits(weight: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """weight [N, K] -> multiples of a scale, and 128 more, [N, K / GROUP, GROUP], and the scales [N * K / GROUP].

    A weight is (rounded - 128) * scale. Where K is no multiple of GROUP, zeros stand behind.
    """
    count = -(-weight.shape[1] // GROUP)
    padded = torch.nn.functional.pad(weight.float(), (0, count * GROUP - weight.shape[1]))
    groups = padded.view(len(weight), count, GROUP)
    scales = (groups.abs().amax(-1, keepdim=True) / 127).clamp(min=1e-20)
    rounded = (groups / scales).round() + 128
    return rounded.to(torch.uint8).numpy(), scales.flatten().numpy()
