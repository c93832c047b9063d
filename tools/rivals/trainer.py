"""What the processes that tools/bench.py --training starts have in common; see worker.py for how they are asked.

The first request is a `Job` whose variant is `sovits` or `gpt`; then every {"do": "step"} is one update -> seconds,
loss.
"""

import time
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from worker import installed

# How many batches the text-to-semantic model gathers for an update.
GATHERED = 4


class Batches:
    """Clips of one length, the same for every program.

    For SoVITS `ssl` [B, C, T], `spec` [B, 1025, T], `wave` [B, 1, 640 T] and `text` [B, L] of int64; for the other half
    `text`, `bert` [B, 1024, L] and `tokens` [B, Y] of int64.
    """

    def __init__(self, path: str):
        with np.load(path) as arrays:
            self.ssl = torch.from_numpy(arrays["ssl"])
            self.spec = torch.from_numpy(arrays["spec"])
            self.wave = torch.from_numpy(arrays["wave"])
            self.text = torch.from_numpy(arrays["text"])
            self.bert = torch.from_numpy(arrays["bert"])
            self.tokens = torch.from_numpy(arrays["tokens"])


def lengths(whole: torch.Tensor) -> torch.Tensor:
    """[B, ..., T], where nothing is padded -> [B]."""
    return torch.full((len(whole),), whole.shape[-1])


class Trainer(ABC):
    """A half with its optimisers, on a CPU, in 32 bits."""

    converted_s = 0.0

    def __init__(self) -> None:
        self.versions = installed("gsv", "torch", "numpy")

    @abstractmethod
    def step(self) -> float:
        """One update on the batch (of the text-to-semantic model: on `GATHERED` of them); the generator's loss."""


def answer(trainer: Trainer, request: dict[str, Any]) -> dict[str, Any]:
    assert request["do"] == "step"
    start = time.perf_counter()
    loss = trainer.step()
    return {"seconds": time.perf_counter() - start, "loss": loss}
