"""The text-to-semantic network's layers on a CPU, laid out for `gsv.models.kernel`, which steps through all of them.

Weights are kept in the fewest bits that lose nothing, or in 8, which do. A text and its prompt are read by torch's own
products, for which weights are widened one layer after the other.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.devices import in_large_pages
from gsv.models.brief import eight_bits, scaled_linear
from gsv.models.machine_code import GIVEN, GIVEN_UP, Step, has_halves
from gsv.models.passages import Passages
from gsv.models.planes import linear

if TYPE_CHECKING:
    from gsv.models.t2s import T2S, Layer

# A thread more is worth its while from so many weights on.
WEIGHTS_A_THREAD = 4_000_000
# What numbers are to compiled code.
_NUMBERS: dict[torch.dtype, type[np.generic]] = {
    torch.float32: np.float32,
    torch.float16: np.int16,
    torch.int8: np.int8,
}


@dataclass(frozen=True)
class Stack:
    """The same linear layer of all layers: weight [layers, outputs, inputs], scale and bias [layers, outputs]."""

    weight: Tensor
    scale: Tensor
    bias: Tensor

    @classmethod
    def of(cls, shape: Sequence[int], dtype: torch.dtype) -> "Stack":
        """For weights of this shape, which are not set yet."""
        count = int(np.prod(shape))
        weight = in_large_pages(count * dtype.itemsize).view(dtype).view(*shape)
        return cls(weight, torch.ones(*shape[:2]), torch.zeros(*shape[:2]))

    def put(self, layer: int, weight: Tensor, bias: Tensor | None) -> None:
        if self.weight.dtype == torch.int8:
            self.weight[layer], self.scale[layer] = eight_bits(weight.detach())
        else:
            self.weight[layer] = weight.detach()
        if bias is not None:
            self.bias[layer] = bias.detach()

    def many(self, layer: int, x: Tensor) -> Tensor:
        """Rows [B, T, inputs] -> [B, T, outputs]."""
        weight, scale, bias = self.weight[layer], self.scale[layer], self.bias[layer]
        if weight.dtype == torch.int8:
            return scaled_linear(x, weight, scale, bias)
        # Other weights have scales of one.
        return linear(x, weight.float(), bias)

    def addresses(self) -> list[int]:
        """Of weight, scale and bias."""
        return [tensor.data_ptr() for tensor in (self.weight, self.scale, self.bias)]


class CompiledPassages(Passages):
    """Those of a network on a CPU, whose weights are taken from it one by one.

    A row of a step gets what it would get alone, to the last bit.

    Args:
        model: can do nothing but decode by these passages afterwards.
        brief: keep weights in 8 bits and keys and values in 16: another rounding, and now and then another token.
    """

    def __init__(self, model: "T2S", brief: bool):
        config, width = model.config, model.config.hidden_dim
        halves = torch.float16 if has_halves() else torch.float32
        super().__init__(config, halves if brief else torch.float32)
        layers, predict = model.h.layers, model.ar_predict_layer.weight
        weights = [predict, *(weight for name, weight in layers.named_parameters() if "weight" in name)]
        dtype = torch.int8 if brief else halves if all(map(fits_half, weights)) else torch.float32
        shapes = ((3 * width, width), (width, width), (4 * width, width), (width, 4 * width))
        self._stacks = [Stack.of((config.n_layer, *shape), dtype) for shape in shapes]
        self._norms = torch.empty(config.n_layer, 4, width)
        for i in range(config.n_layer):
            self._take(i, layers.pop(0))
        self._last = Stack.of((1, *predict.shape), dtype)
        self._last.put(0, predict, None)
        del model.h, model.ar_predict_layer
        size = sum(stack.weight.numel() for stack in self._stacks)
        self._threads = max(1, min(torch.get_num_threads(), config.head, size // WEIGHTS_A_THREAD))
        self._helpers = ThreadPoolExecutor(self._threads, thread_name_prefix="decoding")
        self._turn = Lock()
        self._step = Step(_NUMBERS[dtype], _NUMBERS[self.cache_dtype])
        self._given = np.zeros((), GIVEN)
        numbers = (config.n_layer, config.head, width, config.vocab_size, self._norms.data_ptr())
        for name, number in zip(("layers", "heads", "width", "outputs", "norms"), numbers, strict=True):
            self._given[name] = number
        for name, stack in zip(
            ("projection", "behind", "first", "second", "predict"), (*self._stacks, self._last), strict=True
        ):
            self._given[name] = stack.addresses()

    def step(self, x: Tensor, caches: Sequence[Tensor], used: Sequence[int]) -> Tensor:
        (count, width), threads = x.shape, self._threads
        logits = torch.empty(count, self.config.vocab_size)
        columns = [cache.shape[3] for cache in caches]
        given = self._given.copy()
        given["threads"], given["rows"], given["longest"] = threads, count, max(columns, default=0)
        arrays = {
            "gate": torch.zeros(2, dtype=torch.int64),
            "x": x.contiguous(),
            "caches": torch.tensor([cache.data_ptr() for cache in caches]),
            "columns": torch.tensor(columns),
            "used": torch.tensor(used),
            "joint": torch.empty(count, 3 * width),
            "found": torch.empty(count, width),
            "middle": torch.empty(count, width),
            "wide": torch.empty(count, 4 * width),
            "own": torch.empty(threads, count, width),
            "scores": torch.empty(threads, given["longest"]),
            "logits": logits,
        }
        for name, array in arrays.items():
            given[name] = array.data_ptr()
        with self._turn:
            try:
                others = [self._helpers.submit(self._step, thread, given, arrays) for thread in range(1, threads)]
                self._step(0, given, arrays)
                for other in others:
                    other.result()
            except BaseException:
                # Or those who have begun would wait for ever for those who will not.
                arrays["gate"][GIVEN_UP] = 1
                raise
        return logits

    def _joint(self, layer: int, x: Tensor) -> Tensor:
        return self._stacks[0].many(layer, x)

    def _finish(self, layer: int, x: Tensor, attended: Tensor) -> Tensor:
        _, behind, first, second = self._stacks
        gain, shift, last_gain, last_shift = self._norms[layer]
        x = F.layer_norm(x + behind.many(layer, attended), gain.shape, gain, shift)
        wide = first.many(layer, x).relu_()
        return F.layer_norm(x + second.many(layer, wide), gain.shape, last_gain, last_shift)

    def _predict(self, x: Tensor) -> Tensor:
        return self._last.many(0, x)

    def _take(self, i: int, layer: "Layer") -> None:
        attention = layer.self_attn
        linears = (
            (attention.in_proj_weight, attention.in_proj_bias),
            *((one.weight, one.bias) for one in (attention.out_proj, layer.linear1, layer.linear2)),
        )
        for stack, (weight, bias) in zip(self._stacks, linears, strict=True):
            stack.put(i, weight, bias)
        norms = layer.norm1.weight, layer.norm1.bias, layer.norm2.weight, layer.norm2.bias
        self._norms[i] = torch.stack([tensor.detach() for tensor in norms])


def fits_half(weight: Tensor) -> bool:
    """Whether float16 holds the weights as they are, as it does those of all published and exported models."""
    return torch.equal(weight.half().float(), weight)
