"""Which GPUs a job may see, and what it calls them.

"0-1" is a worker on each of the GPUs 0 and 1. The job's processes see the chosen GPUs alone, numbered from 0.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

_VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Choice:
    """`visible` is for CUDA_VISIBLE_DEVICES; `numbers` are what the job calls the GPU of each of its workers."""

    visible: str
    numbers: tuple[int, ...]


def choose(numbers: Sequence[int], there: Sequence[str]) -> Choice:
    """The GPUs of these numbers among those that are there; one that does not exist falls back to the first.

    Without any GPU nothing is visible, and the numbers only say how many workers there are.
    """
    if not there:
        return Choice("", tuple(numbers))
    valid = [number if number < len(there) else 0 for number in numbers]
    used = sorted(set(valid))
    return Choice(",".join(there[number] for number in used), tuple(used.index(number) for number in valid))


def gpus() -> list[str]:
    """The names under which CUDA knows the GPUs that this process may use. The first call loads torch."""
    import torch

    count = torch.cuda.device_count()
    listed = [name.strip() for name in os.environ.get(_VISIBLE, "").split(",") if name.strip()]
    return listed[:count] if listed else [str(number) for number in range(count)]


def visible_to(choice: Choice) -> dict[str, str]:
    """The environment of a process that may use only the chosen GPUs."""
    return {_VISIBLE: choice.visible}
