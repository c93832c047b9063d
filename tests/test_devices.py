"""Which precision a GPU gets, by what it says of itself; and memory that is given back."""

import sys
from pathlib import Path
from types import SimpleNamespace

import llvmlite.binding as llvm
import pytest
import torch

from gsv.devices import give_back_code, working_dtype


@pytest.mark.parametrize(
    ("name", "major", "dtype"),
    [
        ("NVIDIA GeForce GTX 1080 Ti", 6, torch.float32),
        ("NVIDIA GeForce GTX 1660 SUPER", 7, torch.float32),
        ("NVIDIA GeForce RTX 2080", 7, torch.float16),
        ("NVIDIA H200", 9, torch.float16),
    ],
)
def test_half_precision_is_for_gpus_that_compute_it_well(
    monkeypatch: pytest.MonkeyPatch, name: str, major: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(name=name, major=major))
    assert working_dtype(torch.device("cuda")) == dtype


def test_without_a_gpu_precision_is_single() -> None:
    assert working_dtype(torch.device("cpu")) == working_dtype(torch.device("mps")) == torch.float32


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is mapped where")
def test_the_code_of_a_library_is_let_go_and_comes_back() -> None:
    assert llvm.get_host_cpu_name()
    assert in_memory("llvmlite") > 0
    give_back_code("llvmlite")
    assert in_memory("llvmlite") == 0
    assert llvm.get_host_cpu_name()
    assert in_memory("llvmlite") > 0


def in_memory(library: str) -> int:
    """Kilobytes of a library's code."""
    total, code = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *others = line.split()
        if "-" in first and len(others) >= 4:
            code = others[0] == "r-xp" and library in line.rpartition("/")[2]
        elif code and first == "Rss:":
            total += int(others[0])
    return total
