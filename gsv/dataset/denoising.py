"""Recordings without their noise: by spectral gating, or by FRCRN where its weights and modelscope are there."""

import mimetypes
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field

from gsv.audio.chunks import chunkwise
from gsv.audio.gate import gate
from gsv.audio.io import Samples, Sound, opened, stream, wav_written
from gsv.dataset import frcrn
from gsv.dataset.making import Making, making_in
from gsv.dataset.report import StepReport, run_reported
from gsv.dataset.sounds import sounds_in
from gsv.dataset.workers import Item, Outcome
from gsv.devices import best_device
from gsv.errors import AudioError, InputError
from gsv.paths import Project
from gsv.progress import Progress, TerminalProgress

# Samples per channel that are worked on at once, and for how many of them chunks are faded into one another.
_GATE_CHUNK, _GATE_OVERLAP = 20 * 48000, 24000
_FRCRN_CHUNK, _FRCRN_OVERLAP = 20 * frcrn.RATE, frcrn.RATE


@dataclass(frozen=True)
class DenoiseOptions:
    """Which recordings to free of noise, and how."""

    denoise_inp_dir: Annotated[Path, Field(description="A recording, or a folder of recordings.")]
    denoise_opt_dir: Annotated[Path, Field(description="The folder for the results.")] = Path("output/denoise_opt")
    denoiser: Annotated[
        Literal["auto", "gate", "frcrn"],
        Field(
            description="gate: spectral gating, keeps rate and channels; frcrn: a network for 16 kHz mono; auto: "
            "frcrn where it is installed, else gate."
        ),
    ] = "auto"
    n_parts: Annotated[int, Field(ge=1, le=64, description="Worker processes that share the recordings (gate).")] = 4
    project: Project = field(default_factory=Project.default)


def denoise(options: DenoiseOptions, progress: Progress | None = None) -> StepReport:
    """Frees all recordings of noise. A result has its input's name, which ends in `.wav` if it did not.

    Raises a GsvError if the input or the denoiser is not usable, or if nothing came out; where only some recordings
    fail, the others are finished and the report says which failed and why.
    """
    progress = progress or TerminalProgress()
    recordings = options.project.resolve(options.denoise_inp_dir)
    items, rejected = _distinct(sounds_in(recordings, "denoise_inp_dir"))
    model = _model(options, progress)
    for outcome in rejected:
        outcome.tell(progress)
    folder = options.project.resolve(options.denoise_opt_dir)
    # The network uses all of a device by itself.
    devices = [str(best_device())] if model else ["cpu"] * min(options.n_parts, len(items))
    with making_in(folder, recordings, "denoise_opt_dir"):
        return run_reported(DenoiseStep(folder, model), items, devices, folder, progress, rejected)


def _model(options: DenoiseOptions, progress: Progress) -> Path | None:
    """The folder of FRCRN if it is to be used; InputError if it was asked for and cannot be."""
    if options.denoiser == "gate":
        return None
    problem = frcrn.problem(options.project)
    found = frcrn.find(options.project)
    if not problem:
        return found
    if options.denoiser == "frcrn":
        raise InputError(problem)
    if found:
        progress.say(f"{problem}. Meanwhile spectral gating does the work.")
    return None


def _distinct(items: Sequence[Item]) -> tuple[list[Item], list[Outcome]]:
    """The items that come out under names of their own, and the failure of the others. Who keeps a name gets it."""
    by_name: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.name != name_of_result(item.name)):
        by_name[name_of_result(item.name)].append(item)
    first = [same[0] for same in by_name.values()]
    failed = [
        Outcome(item.name, "failed", f"{item.name} would come out as {name}, as {same[0].name} does; rename one.")
        for name, same in by_name.items()
        for item in same[1:]
    ]
    return first, failed


def name_of_result(name: str) -> str:
    """`a.wav` of `a.wav`, `a.mp3` or `a`."""
    path = Path(name)
    if path.suffix.lower() == ".wav":
        return name
    kind, _ = mimetypes.guess_type(name)
    is_sound = kind is not None and kind.partition("/")[0] in {"audio", "video"}
    return f"{path.stem if is_sound else name}.wav"


@dataclass(frozen=True)
class DenoiseStep:
    """Frees a recording of noise, chunk by chunk. `model` is the folder of FRCRN, None for spectral gating."""

    folder: Path
    model: Path | None
    title: str = "denoise"

    def start(self, device: torch.device, part: int) -> Callable[[Item], Literal["done", "kept"]]:
        denoised = _by_frcrn(self.model, device) if self.model else _by_gate

        def handle(item: Item) -> Literal["done", "kept"]:
            making = self._making(item)
            if making.is_done():
                return "kept"
            with making.anew() as folder, denoised(item.audio) as sound:
                first = next(sound.blocks, None)
                if first is None:
                    raise AudioError(f"{item.audio} holds no sound; give a file with speech in it.")
                name = folder / name_of_result(item.name)
                with wav_written(name, sound.rate, first.shape[1]) as write:
                    for chunk in chain((first,), sound.blocks):
                        write(chunk.T)
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return self._making(item).files()

    def _making(self, item: Item) -> Making:
        return Making(self.folder, item, {"denoiser": "frcrn" if self.model else "gate"})


@contextmanager
def _by_gate(path: Path) -> Iterator[Sound]:
    with opened(path) as sound:

        def work(chunk: Samples) -> Samples:
            return gate(chunk, sound.rate)

        yield Sound(sound.rate, chunkwise(sound.blocks, _GATE_CHUNK, _GATE_OVERLAP, work))


def _by_frcrn(model: Path, device: torch.device) -> Callable[[Path], AbstractContextManager[Sound]]:
    network = frcrn.Frcrn(model, device)

    @contextmanager
    def denoised(path: Path) -> Iterator[Sound]:
        blocks = (block[:, None] for block in stream(path, frcrn.RATE, _FRCRN_CHUNK))
        yield Sound(frcrn.RATE, chunkwise(blocks, _FRCRN_CHUNK, _FRCRN_OVERLAP, network))

    return denoised
