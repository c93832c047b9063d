"""Where computing happens: which device, and in which precision."""

import ctypes
import sys

import torch

from gsv.errors import InputError


def best_device(name: str | None = None) -> torch.device:
    """The device of that name ("cpu", "cuda", "cuda:1", "mps"), or without a name the fastest there is.

    Raises InputError if the machine does not have it.
    """
    if name is None:
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"There is no device {name!r}; choose cpu, cuda, cuda:N or mps.") from None
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, False):
        raise InputError(f"This machine has no device {name}; leave it out to take the fastest there is.")
    return device


def working_dtype(device: torch.device) -> torch.dtype:
    """Half precision on CUDA GPUs that are fast at it and right, single precision elsewhere."""
    return torch.float16 if device.type == "cuda" and half_precision_works(device) else torch.float32


def half_precision_works(gpu: torch.device | int) -> bool:
    """Whether a CUDA GPU computes well in fp16: not before Volta (slow), and not the GTX 16 series (NaN)."""
    properties = torch.cuda.get_device_properties(gpu)
    return properties.major >= 7 and "GTX 16" not in properties.name


def give_back_memory(device: torch.device) -> None:
    """Hands memory that nothing uses any more back to the system, where it would be kept for later otherwise."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        # glibc's; other C libraries have none and keep less.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
