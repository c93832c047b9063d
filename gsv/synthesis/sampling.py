"""From logits to a drawn token. Works on a batch whose rows may each have their own options and random generator."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from gsv.errors import InputError


@dataclass(frozen=True)
class SamplingOptions:
    """How the next semantic token is chosen.

    `top_k` of 0 and `top_p` of 1 or more switch their filter off; `top_k` of 1 takes the best token always.
    """

    top_k: int = 15
    top_p: float = 1.0
    temperature: float = 1.0
    repetition_penalty: float = 1.35

    def __post_init__(self) -> None:
        if self.top_k < 0:
            raise InputError(f"top_k is {self.top_k}; it must be 0 (off) or more.")
        # `not ... > 0` and not `<= 0`, so that what is not a number is refused as well.
        if not self.top_p > 0:
            raise InputError(f"top_p is {self.top_p}; it must be above 0 (1 switches it off).")
        if not 0 <= self.temperature <= 100:
            raise InputError(f"temperature is {self.temperature}; it must be between 0 and 100 (1 is natural).")
        if not 0 < self.repetition_penalty <= 100:
            raise InputError(
                f"repetition_penalty is {self.repetition_penalty}; it must be above 0 (1 switches it off), at most 100."
            )

    def suited(self, temperature: float, penalty: float) -> "SamplingOptions":
        """The same for a network to which another temperature and penalty are natural, see `T2SConfig`."""
        return replace(
            self,
            temperature=self.temperature * temperature,
            repetition_penalty=self.repetition_penalty**penalty,
        )


class Sampler:
    """The options of a batch's rows as tensors, so that a step costs one pass whatever the rows want."""

    # Below this a division would overflow; the official decoder clamps to the same value.
    LEAST_TEMPERATURE = 1e-5

    def __init__(self, options: Sequence[SamplingOptions], vocabulary: int, device: torch.device):
        def column(values: list[float], dtype: torch.dtype = torch.float32) -> Tensor:
            return torch.tensor(values, dtype=dtype, device=device)[:, None]

        self.penalty = column([o.repetition_penalty for o in options])
        self.temperature = column([max(o.temperature, self.LEAST_TEMPERATURE) for o in options])
        self.top_p = column([o.top_p if o.top_p < 1 else float("inf") for o in options])
        self.has_nucleus = any(o.top_p < 1 for o in options)
        self.top_k = column([min(o.top_k or vocabulary, vocabulary) for o in options], torch.int64)

    def penalise(self, logits: Tensor, seen: Tensor) -> Tensor:
        """logits [B, V], seen [B, V] of bool: tokens that occurred before become less likely (arXiv 1909.05858)."""
        return torch.where(seen, torch.where(logits < 0, logits * self.penalty, logits / self.penalty), logits)

    def probabilities(self, logits: Tensor) -> Tensor:
        """Penalised logits [B, V] -> probabilities [B, V]: nucleus, then temperature, then top-k.

        The nucleus drops every token whose running total exceeds top_p, the one that crosses it too, but never the
        best; top-k keeps ties. Both as in the official decoder.
        """
        ordered, order = logits.sort(-1, descending=True)
        if self.has_nucleus:
            outside = ordered.softmax(-1).cumsum(-1) > self.top_p
            outside[:, 0] = False
            ordered = ordered.masked_fill(outside, float("-inf"))
        ordered = ordered / self.temperature
        weakest = ordered.gather(-1, self.top_k - 1)
        ordered = ordered.masked_fill(ordered < weakest, float("-inf"))
        return torch.zeros_like(logits).scatter(-1, order, ordered.softmax(-1))


def draw(probabilities: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """One token a row, [B, V] -> [B], each from its own generator (exponential race)."""
    noise = torch.empty_like(probabilities)
    for row, generator in zip(noise, generators, strict=True):
        row.exponential_(generator=generator)
    return (probabilities / noise).argmax(-1)
