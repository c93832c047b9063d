"""Ends the token loops of other programs where enough has been drawn: each goes on to an end mark or a fixed length."""

from collections.abc import Callable
from typing import Any

import torch


class EnoughError(Exception):
    pass


class Meter:
    """Looks at the layer that every newly drawn token is embedded by, and raises EnoughError after so many of them."""

    def __init__(self, embedding: torch.nn.Module):
        self._drawn: list[torch.Tensor] = []
        self._count = 0
        embedding.register_forward_pre_hook(self._look)

    def draw(self, count: int, run: Callable[[], object]) -> list[int]:
        """The first `count` tokens that `run` draws after its prompt."""
        # The prompt is embedded first, all of it at once.
        self._drawn, self._count = [], count + 1
        try:
            run()
        except EnoughError:
            pass
        else:
            raise RuntimeError(f"it ended before {count} tokens were drawn")
        return torch.cat(self._drawn[1:], dim=1)[0].tolist()

    def _look(self, module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        self._drawn.append(inputs[0])
        if len(self._drawn) == self._count:
            raise EnoughError
