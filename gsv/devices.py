"""Where computing happens: which device, and in which precision."""

import ctypes
import mmap
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from gsv.errors import InputError

_LARGE_PAGE = 2 << 20
# Of mallopt(3).
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3


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


def in_large_pages(size: int) -> torch.Tensor:
    """Memory of the CPU, [size] of int8 that are not set, in large pages where the system has them.

    Reading through much of it can be faster so in a virtual machine, where looking up a page is slow.
    """
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return torch.empty(size, dtype=torch.int8)
    region = mmap.mmap(-1, size + _LARGE_PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # A kernel without them says so; its usual pages do as well.
    with suppress(OSError):
        region.madvise(mmap.MADV_HUGEPAGE)
    memory = torch.frombuffer(region, dtype=torch.int8)
    start = -memory.data_ptr() % _LARGE_PAGE
    return memory[start : start + size]


@contextmanager
def fresh_memory() -> Iterator[None]:
    """For loading of networks: what is read, converted and laid out leaves no holes behind in the CPU's memory.

    Within, every larger block is the system's own and goes back to it at once, and of one that is never written to as a
    whole the rest is not there at all. glibc would otherwise keep what was freed and fill it with what is to stay.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is None:
        yield
        return
    set_option(_M_MMAP_THRESHOLD, 1 << 20)
    try:
        yield
    finally:
        # What glibc comes to by itself, once larger blocks have been freed; it no longer does after the above.
        set_option(_M_MMAP_THRESHOLD, 32 << 20)
        set_option(_M_TRIM_THRESHOLD, 64 << 20)
        give_back_memory(torch.device("cpu"))


def give_back_memory(device: torch.device) -> None:
    """Hands memory that nothing uses any more back to the system, where it would be kept for later otherwise."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    if sys.platform == "linux":
        # glibc's; other C libraries have none and keep less.
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def give_back_code(library: str) -> None:
    """Lets go of a library's code, which stays loaded: what is ever asked of it again is read from its file once more.

    Args:
        library: a part of the file's name.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        span, access, _offset, _device, _inode, *path = line.split(maxsplit=5)
        # Code alone is the same in memory as in the file.
        if access == "r-xp" and path and library in Path(path[0]).name:
            start, end = (int(edge, 16) for edge in span.split("-"))
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)
