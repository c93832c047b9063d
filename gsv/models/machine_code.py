"""The machine code of `gsv.models.kernel` for this processor: made once, kept, and called without the compiler.

A process of its own makes it, so that the compiler, 130 MiB and a second to load, is not in the one that speaks.
"""

import ctypes
import hashlib
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np

from gsv.devices import give_back_code
from gsv.errors import GsvError

log = logging.getLogger(__name__)

# The function's name in the code.
NAME = "gsv_step"
# Where in `gate` it is counted who has come, and where it is said that the step is given up.
COME, GIVEN_UP = 0, 1
# What a step is told: numbers, and the addresses of arrays, whose shapes and meanings `kernel.step` says. Of linear
# layers, those of weight, scale and bias.
GIVEN = np.dtype(
    [
        *((name, np.int64) for name in ("threads", "layers", "heads", "width", "outputs", "rows", "longest")),
        *((name, np.int64, 3) for name in ("projection", "behind", "first", "second", "predict")),
        *((name, np.int64) for name in ("gate", "norms", "x", "caches", "columns", "used")),
        *((name, np.int64) for name in ("joint", "found", "middle", "wide", "own", "scores", "logits")),
    ]
)


def has_halves() -> bool:
    """Whether this processor knows numbers of 16 bits; all do but x86 ones from before 2012 and some virtual ones."""
    return platform.machine() not in {"x86_64", "AMD64"} or llvm.get_host_cpu_features().get("f16c", False)


class Step:
    """A step of decoding as a function of this process; threads may call it at once, without Python's lock.

    Args:
        weights: what weights are kept in: float32, int16 (the bits of float16), or int8.
        kept: what keys and values are kept in: float32 or int16.

    Raises:
        GsvError: it cannot be compiled here.
    """

    def __init__(self, weights: type[np.generic], kept: type[np.generic]):
        announce_names()
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = this_machine(llvm.get_process_triple())
        module = llvm.parse_assembly("")
        module.triple, module.data_layout = machine.triple, str(machine.target_data)
        # It owns the code, which goes with it.
        self._engine = llvm.create_mcjit_compiler(module, machine)
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(_code(np.dtype(weights).name, np.dtype(kept).name)))
        self._engine.finalize_object()
        address = self._engine.get_function_address(NAME)
        # LLVM has done all that it is for here.
        give_back_code("llvmlite")
        pointer = ctypes.c_void_p
        self._function = ctypes.CFUNCTYPE(ctypes.c_int32, pointer, pointer, ctypes.c_int64, pointer)(address)

    def __call__(self, thread: int, given: np.ndarray, owner: object) -> None:
        """This thread's share of a step.

        Args:
            thread: its number.
            given: one `GIVEN`, the same for all threads.
            owner: of the arrays whose addresses are given, which live for as long as a thread is here, even if the one
                that sent it has gone on.
        """
        # Where compiled functions put their result and their errors, of which this one has neither.
        nothing = (ctypes.c_int64 * 2)()
        self._function(ctypes.addressof(nothing), ctypes.addressof(nothing) + 8, thread, given.ctypes.data)


def announce_names() -> None:
    """Makes known to compiled code in this process what it calls by name."""
    if sys.platform == "win32":
        pause = ctypes.windll.kernel32.Sleep
    else:
        pause = ctypes.CDLL(None).usleep
    address = ctypes.cast(pause, ctypes.c_void_p).value
    assert address is not None
    llvm.add_symbol("gsv_pause", address)
    # Of arrays that own memory, which none does here: it is named in the code and never called.
    llvm.add_symbol("NRT_MemInfo_call_dtor", address)


def this_machine(triple: str) -> llvm.TargetMachine:
    """What makes code for this very processor."""
    target = llvm.Target.from_triple(triple)
    # As the compiler has it for what stays in the process.
    relocation = "static" if target.name.startswith("x86") else "default"
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=_features(), opt=3, reloc=relocation, jit=True
    )


def _features() -> str:
    """What this processor can do; nothing where LLVM cannot tell, and goes by its name."""
    try:
        return llvm.get_host_cpu_features().flatten()
    except RuntimeError:
        return ""


def _code(weights: str, kept: str) -> bytes:
    """The code as an object file, from where it is kept, if it is."""
    name = f"step-{weights}-{kept}-{_digest()}.o"
    places = [folder / name for folder in _folders()]
    for place in places:
        with suppress(OSError):
            return place.read_bytes()
    log.info("Compiling a step of decoding for this processor, once.")
    code = _compiled(weights, kept)
    for place in places:
        with suppress(OSError):
            _keep(place, code)
            break
    return code


def _folders() -> Iterator[Path]:
    """Where code is kept: beside Python's own of this module or, where that cannot be written, in the user's folder."""
    yield Path(__file__).parent / "__pycache__"
    # Without a home there is none.
    with suppress(RuntimeError):
        yield Path.home() / ".cache" / "gsv"


def _digest() -> str:
    """Of all that code depends on."""
    here = Path(__file__).parent
    parts = [
        *((here / name).read_text(encoding="utf-8") for name in ("kernel.py", "machine_code.py")),
        *(version(name) for name in ("numba", "llvmlite", "numpy")),
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        _features(),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _compiled(weights: str, kept: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.o"
        command = [sys.executable, "-c", "from gsv.models.kernel import main; main()", weights, kept, str(path)]
        # Found where this process has found it, however that was.
        found_in = os.pathsep.join(filter(None, sys.path))
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "PYTHONPATH": found_in},
        )
        if done.returncode or not path.is_file():
            last = ((done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise GsvError(f"numba could not compile a step of decoding for this processor ({last}); install it again.")
        return path.read_bytes()


def _keep(place: Path, code: bytes) -> None:
    """Puts a file there as a whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=place.stem) as folder:
        part = Path(folder) / place.name
        part.write_bytes(code)
        part.replace(place)
