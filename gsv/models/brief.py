"""The text-to-semantic network with weights of 8 bits, for CPUs: what it does between attentions, by ONNX Runtime.

A step of decoding reads every weight once, and reading is what takes the time; a quarter of the bytes takes little more
than a third of it. Weights share a scale by 32, and so do activations, which ONNX Runtime rounds to 8 bits for each
product.

All passages are branches of one model, since each model has threads of its own.
"""

from collections.abc import Sequence
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
        layers: list[Layer] = list(model.h.layers)
        self._width = model.config.hidden_dim
        self._session = _session(
            [_entrance(layers[0]), *(_between(i, layer, model) for i, layer in enumerate(layers))], self._width
        )

    def enter(self, x: Tensor) -> Tensor:
        return self._run(0, x, x)[1]

    def leave(self, layer: int, x: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
        return self._run(1 + layer, x, attended)

    def _run(self, branch: int, x: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
        given = {
            "branch": np.array(branch),
            "x": x.reshape(-1, self._width).numpy(),
            "attended": attended.reshape(-1, self._width).numpy(),
        }
        rows, joint = (torch.from_numpy(found).view(*x.shape[:-1], -1) for found in self._session.run(None, given))
        return rows, joint


def _entrance(first: "Layer") -> "_Branch":
    """Query, key and value of the first layer."""
    branch = _Branch("entrance")
    return branch.ended(branch.node("Identity", "x"), branch.linear("x", *_projection(first)))


def _between(number: int, layer: "Layer", model: "T2S") -> "_Branch":
    """From what the heads of a layer found to query, key and value of the following one, or to the logits."""
    branch = _Branch(f"layer{number}")
    found = branch.linear("attended", *_weights(layer, "self_attn.out_proj"))
    x = branch.norm(branch.node("Add", "x", found), layer.norm1)
    inner = branch.node("Relu", branch.linear(x, *_weights(layer, "linear1")))
    x = branch.norm(branch.node("Add", x, branch.linear(inner, *_weights(layer, "linear2"))), layer.norm2)
    following = number + 1
    if following < len(model.h.layers):
        return branch.ended(x, branch.linear(x, *_projection(model.h.layers[following])))
    return branch.ended(x, branch.linear(x, model.get_parameter("ar_predict_layer.weight"), None))


def _weights(layer: "Layer", name: str) -> tuple[Tensor, Tensor]:
    return layer.get_parameter(f"{name}.weight"), layer.get_parameter(f"{name}.bias")


def _projection(layer: "Layer") -> tuple[Tensor, Tensor]:
    return layer.self_attn.in_proj_weight, layer.self_attn.in_proj_bias


class _Branch:
    """Part of an ONNX model, put together operation by operation; it sees the model's inputs by their names."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._outputs: tuple[str, ...] = ()

    def node(self, operation: str, *inputs: str, domain: str = "", **settings: Any) -> str:
        """The name of what an operation gives."""
        return self.nodes(operation, inputs, 1, domain=domain, **settings)[0]

    def nodes(self, operation: str, inputs: Sequence[str], count: int, **settings: Any) -> tuple[str, ...]:
        """The names of the so many things that an operation gives."""
        from onnx import helper

        names = tuple(f"{self._name}.{len(self._nodes)}.{place}" for place in range(count))
        self._nodes.append(helper.make_node(operation, inputs, names, **settings))
        return names

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

        name = f"{self._name}.constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def ended(self, *outputs: str) -> "_Branch":
        self._outputs = outputs
        return self

    def graph(self, inputs: Sequence[Any] = ()) -> Any:
        from onnx import TensorProto, helper

        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, None]) for name in self._outputs]
        return helper.make_graph(self._nodes, "rows", inputs, outputs, self._constants)


def _choice(branches: Sequence[_Branch], first: int = 0) -> _Branch:
    """That of the branches, numbered from `first`, whose number is the model's input `branch`: halved until found."""
    if len(branches) == 1:
        return branches[0]
    from onnx import numpy_helper

    middle = len(branches) // 2
    made = _Branch(f"from{first}to{first + len(branches)}")
    limit = made.node("Constant", value=numpy_helper.from_array(np.array(first + middle)))
    lower, upper = _choice(branches[:middle], first), _choice(branches[middle:], first + middle)
    chosen = {"then_branch": lower.graph(), "else_branch": upper.graph()}
    return made.ended(*made.nodes("If", [made.node("Less", "branch", limit)], 2, **chosen))


def _session(branches: Sequence[_Branch], width: int) -> Any:
    """Inputs `branch` (its number), `x` and `attended` [rows, width]; gives the branch's two outputs."""
    import onnxruntime
    from onnx import TensorProto, helper

    rows = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width]) for name in ("x", "attended")]
    inputs = [helper.make_tensor_value_info("branch", TensorProto.INT64, []), *rows]
    sets = [helper.make_opsetid(name, number) for name, number in _OPERATIONS.items()]
    model = helper.make_model(_choice(branches).graph(inputs), opset_imports=sets, ir_version=_FORMAT)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


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
