"""Which precision a GPU gets, by what it says of itself."""

from types import SimpleNamespace

import pytest
import torch

from gsv.devices import working_dtype


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
