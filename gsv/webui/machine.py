"""The machine the work is done on: its processors and memories, found without loading torch."""

import shutil
import subprocess
from dataclasses import dataclass

import psutil

_GIB = 2**30
_PATIENCE_SECONDS = 5
_LARGEST_BATCH = 32


@dataclass(frozen=True)
class Gpu:
    """An NVIDIA GPU; memory in MiB."""

    number: int
    name: str
    used: int
    total: int


@dataclass(frozen=True)
class Load:
    """How busy a machine is: percent of all cores, GiB of memory."""

    cpu: float
    cores: int
    used: float
    total: float
    gpus: tuple[Gpu, ...]


def load() -> Load:
    """The processors' share is that since the last call."""
    memory = psutil.virtual_memory()
    used = (memory.total - memory.available) / _GIB
    return Load(psutil.cpu_percent(), psutil.cpu_count() or 1, used, memory.total / _GIB, tuple(gpus()))


def gpus() -> list[Gpu]:
    """What `nvidia-smi` lists; nothing where it is not there or does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = ["--query-gpu=index,name,memory.used,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(
            [program, *query], capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=True
        )
        return [_gpu(line) for line in answer.stdout.splitlines() if line.strip()]
    except (OSError, subprocess.SubprocessError, ValueError):
        return []


def _gpu(line: str) -> Gpu:
    number, name, used, total = (part.strip() for part in line.split(","))
    return Gpu(int(number), name, int(used), int(total))


def batch_size(gib_a_clip: int = 2) -> int:
    """How many clips of a batch fit into the memory of the smallest GPU, or else into half of what is free."""
    cards = gpus()
    gib = min(card.total for card in cards) / 1024 if cards else psutil.virtual_memory().available / _GIB / 2
    return max(1, min(_LARGEST_BATCH, int(gib / gib_a_clip)))
