"""What decoding does to the text-to-semantic network's rows: those of a text and its prompt, then token by token."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.models.layers import merged_heads

if TYPE_CHECKING:
    from gsv.models.t2s import T2S, T2SConfig


class Passages(ABC):
    """What there is between attentions, and whole steps.

    `cache_dtype` is that of keys and values, which are kept for each sequence as [layers, 2, heads, columns, D].
    """

    def __init__(self, config: "T2SConfig", cache_dtype: torch.dtype):
        self.config = config
        self.cache_dtype = cache_dtype

    def enter(self, x: Tensor) -> Tensor:
        """Rows [..., C] -> query, key and value of the first layer, [..., 3 C]."""
        return self._joint(0, x)

    def leave(self, layer: int, x: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
        """A layer's rows and what its heads found, both [..., C] -> the next layer's rows, and query, key and value.

        After the last layer these are the logits [..., V].
        """
        x = self._finish(layer, x, attended)
        following = layer + 1
        return x, self._joint(following, x) if following < self.config.n_layer else self._predict(x)

    def step(self, x: Tensor, caches: Sequence[Tensor], used: Sequence[int]) -> Tensor:
        """A token of each of several sequences, which know nothing of each other.

        Args:
            x: [N, C], the tokens' embeddings.
            caches: their keys and values; those of these tokens are put there.
            used: how many columns of each are in use before.

        Returns:
            The logits [N, V].
        """
        joint = self.enter(x)
        for i in range(self.config.n_layer):
            heads = joint.unflatten(-1, (3, self.config.head, 1, -1))
            found = []
            for row, cache, place in zip(heads, caches, used, strict=True):
                cache[i, :, :, place : place + 1] = row[1:]
                keys, values = cache[i, :, None, :, : place + 1]
                found.append(F.scaled_dot_product_attention(row[:1].to(keys.dtype), keys, values))
            x, joint = self.leave(i, x, merged_heads(torch.cat(found))[:, 0])
        return joint

    @abstractmethod
    def _joint(self, layer: int, x: Tensor) -> Tensor:
        """A layer's rows [..., C] -> query, key and value, [..., 3 C]."""

    @abstractmethod
    def _finish(self, layer: int, x: Tensor, attended: Tensor) -> Tensor:
        """A layer's rows and what its heads found, both [..., C] -> the next layer's rows."""

    @abstractmethod
    def _predict(self, x: Tensor) -> Tensor:
        """The last layer's rows [..., C] -> logits [..., V]."""


class OwnPassages(Passages):
    """Those of the network's own layers, wherever they are."""

    def __init__(self, model: "T2S"):
        super().__init__(model.config, model.dtype)
        self._layers, self._last = model.h.layers, model.ar_predict_layer

    def _joint(self, layer: int, x: Tensor) -> Tensor:
        joint: Tensor = self._layers[layer].self_attn.joint(x)
        return joint

    def _finish(self, layer: int, x: Tensor, attended: Tensor) -> Tensor:
        own = self._layers[layer]
        finished: Tensor = own.finish(x, own.self_attn.out_proj(attended))
        return finished

    def _predict(self, x: Tensor) -> Tensor:
        logits: Tensor = self._last(x)
        return logits
