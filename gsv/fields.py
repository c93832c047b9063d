"""Kinds of parameters that the options of several stages share, with their meanings and limits."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from gsv.errors import InputError
from gsv.paths import Project
from gsv.versions import VERSIONS, version_named


def _version(name: str) -> str:
    return version_named(name).name


def _experiment(name: str) -> str:
    return Project(Path()).experiment(name).name


def gpu_numbers(text: str) -> tuple[int, ...]:
    """The text "0-1" as (0, 1). Raises InputError."""
    numbers = text.strip().split("-")
    if not all(number.isascii() and number.isdigit() and len(number) < 5 for number in numbers):
        raise InputError(f"The GPUs {text[:80]!r} cannot be read; write their numbers, for example 0 or 0-1.")
    return tuple(int(number) for number in numbers)


def _numbers(value: object) -> object:
    return gpu_numbers(value) if isinstance(value, str) else value


def _parts(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


# For a list of choices that may also be written with commas.
SplitAtCommas = BeforeValidator(_parts)

VersionName = Annotated[str, AfterValidator(_version), Field(description=f"Model version: {', '.join(VERSIONS)}.")]
ExperimentName = Annotated[
    str, AfterValidator(_experiment), Field(description="Name of the experiment; its files go to logs/NAME.")
]
WorkerGpus = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,4}(-[0-9]{1,4})*$",
        examples=["0", "0-0", "0-1"],
        description="A GPU for each worker: 0-0 is two on GPU 0, 0-1 one on each. Without a GPU: two on the CPU.",
    ),
]
TrainingGpus = Annotated[
    tuple[Annotated[int, Field(ge=0, le=9999)], ...],
    BeforeValidator(_numbers),
    Field(min_length=1, description="GPUs to train on, for example 0-1. Without a GPU: processes on the CPU."),
]
Seed = Annotated[int, Field(ge=0, lt=2**63, description="Of all random draws.")]

Epochs = Annotated[int, Field(ge=1, le=100_000, description="Epochs in all, those trained already included.")]
BatchSize = Annotated[int, Field(ge=1, le=4096, description="Clips of one step, on each GPU.")]
SaveEvery = Annotated[int, Field(ge=1, le=100_000, description="Save every so many epochs.")]
KeepOnlyLatest = Annotated[bool, Field(description="Keep the newest state to resume from alone, or every one.")]
SaveEveryWeights = Annotated[bool, Field(description="Export weights whenever saving, or at the end only.")]
