"""What the processes that tools/bench.py --compare starts have in common: one program each, asked line by line.

A request is a JSON object on a line of standard input, and so is its answer on standard output. The first request is a
`Job`; once the networks are loaded come these, in any order:

    {"do": "tokens", "count": 201, "top_k": 15}    draws so many -> seconds, tokens (null if there is no way to them)
    {"do": "decode", "noise": true}                the job's codes into sound -> seconds, samples
    {"do": "decode", "noise": false, "file": F}    the same without the random part, written there as .npy
    {"do": "whole", "count": 125}                  draws so many and makes them sound -> seconds, samples

An answer with `missing` says that the program or a library of it is not there, one with `error` what went wrong. This
file and its like run with the libraries of other programs: it needs Python and numpy alone.
"""

import importlib.util
import json
import os
import sys
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

TOP_K = 15
PENALTY = 1.35
NOISE = 0.5


@dataclass(frozen=True)
class Job:
    """What is to be loaded.

    Args:
        gpt, sovits: weight files of the official layout.
        inputs: what `Inputs` holds, as .npz.
        folder: the program's own files, for one that is not a package.
        scratch: a folder to write to.
        variant: which way of the program's, if it has several.
    """

    gpt: str
    sovits: str
    inputs: str
    folder: str
    scratch: str
    variant: str


class Inputs:
    """What a sentence is made from. All numbers are random, and the same for every program.

    `prompt_phonemes` [P] and `phonemes` [L] of int64; `content` [1, C, 2 Y], from which the prompt's tokens `prompt`
    [Y] of int64 come; `wave` [samples] of the reference and `spec` [1, 1025, T] of it; `codes` [N] of int64, to make
    sound of.
    """

    def __init__(self, path: str):
        with np.load(path) as arrays:
            self.prompt_phonemes = arrays["prompt_phonemes"]
            self.phonemes = arrays["phonemes"]
            self.content = arrays["content"]
            self.prompt = arrays["prompt"]
            self.wave = arrays["wave"]
            self.spec = arrays["spec"]
            self.codes = arrays["codes"]

    @property
    def all_phonemes(self) -> np.ndarray:
        return np.concatenate([self.prompt_phonemes, self.phonemes])


class Worker(ABC):
    """A program with its networks loaded.

    `codes` are those of the inputs. `greedy` and `quiet` tell whether it can do without chance in its two parts.
    `converted_s` is what it took to convert the weights, which is done once and no part of loading.
    """

    greedy: ClassVar[bool] = True
    quiet: ClassVar[bool] = True
    versions: str
    codes: list[int]
    converted_s: float = 0.0

    @abstractmethod
    def draw(self, count: int, top_k: int) -> list[int]:
        """So many tokens after the prompt."""

    @abstractmethod
    def sound(self, codes: list[int], noise: float) -> np.ndarray:
        """The wave [samples] of float32 that they become, as the program computes it for every sentence."""


def answer(worker: Worker, request: dict[str, Any]) -> dict[str, Any]:
    start = time.perf_counter()
    if request["do"] == "tokens":
        tokens = worker.draw(request["count"], request["top_k"])
        seconds = time.perf_counter() - start
        shown = worker.greedy or request["top_k"] > 1
        return {"seconds": seconds, "tokens": tokens if shown else None}
    if request["do"] == "whole":
        wave = worker.sound(worker.draw(request["count"], TOP_K), NOISE)
        return {"seconds": time.perf_counter() - start, "samples": len(wave)}
    wave = worker.sound(worker.codes, NOISE if request["noise"] else 0.0)
    seconds = time.perf_counter() - start
    if "file" in request and worker.quiet:
        np.save(request["file"], wave)
    return {"seconds": seconds, "samples": len(wave)}


def serve(load: Callable[[Job], Any], answer: Callable[[Any, dict[str, Any]], dict[str, Any]] = answer) -> None:
    """Answers what comes until the input ends; what is loaded has `versions` and `converted_s`."""
    # Programs print to standard output and some read from the input; both are ours.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(2, 1)
    with Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)

    worker: Any = None
    for line in requests:
        request = json.loads(line)
        try:
            if worker is None:
                worker = load(Job(**request))
                reply: dict[str, Any] = {
                    "pid": os.getpid(),
                    "versions": worker.versions,
                    "converted_s": worker.converted_s,
                }
            else:
                reply = answer(worker, request)
        except ImportError as error:
            traceback.print_exc()
            reply = {"missing": str(error)}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        channel.write(json.dumps(reply) + "\n")
        channel.flush()


def find_checkout(folder: str) -> None:
    """Lets modules of a checkout of the original be imported as its own scripts do: from two folders of it."""
    sys.path[:0] = [str(Path(folder) / "GPT_SoVITS"), folder]


def without_its_start(package: str) -> None:
    """Lets parts of an installed package be imported without what its own `__init__` brings: front ends, mostly.

    What the networks need is loaded, as of the other programs, and nothing else. Raises ImportError if the package is
    not there.
    """
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise ImportError(f"No module named '{package}'")
    sys.modules[package] = importlib.util.module_from_spec(spec)


def installed(*packages: str) -> str:
    """Their versions, and that of Python."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join([*found, f"Python {sys.version.split()[0]}"])
