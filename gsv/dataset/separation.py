"""Voice and accompaniment apart, by the models that UVR5 made known, or roughly by masks where there is no model.

Of a recording NAME come `vocal_NAME_AGG.FORMAT` and `instrument_NAME_AGG.FORMAT` (`_AGG`, the aggression, for VR models
alone), 44.1 kHz with as many channels as the recording, at most two. What each was made of is noted in the hidden
folder `.made`, so that a second run keeps what is there and makes anew what another model or setting has made.
"""

import json
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import soundfile
import soxr
import torch
from pydantic import Field

from gsv.audio.encode import Format, encoded
from gsv.audio.io import opened
from gsv.dataset.making import NOTES, making_in, unfinished_in
from gsv.dataset.masking import MaskEngine
from gsv.dataset.report import StepReport, run_reported
from gsv.dataset.sounds import sounds_in
from gsv.dataset.stretches import RATE, writing
from gsv.dataset.uvr5_models import SeparationModel, model_files, read_model
from gsv.dataset.workers import Item, worker_devices
from gsv.environments import Environment, Helper, HelperDied, environment
from gsv.errors import AudioError, CheckpointError, InputError, MissingWeightsError
from gsv.fields import WorkerGpus
from gsv.paths import Project, written_whole
from gsv.progress import Progress, TerminalProgress

_BLOCK = 1 << 18

# Files: the mix, what was to be found, what remains.
Separate = Callable[[Path, Path, Path], None]


@dataclass(frozen=True)
class SeparateOptions:
    """What to separate, and with what."""

    inp: Annotated[Path, Field(description="A recording, or a folder of recordings.")]
    model: Annotated[str, Field(description="Name of a model in pretrained_models/uvr5_weights, or its file.")] = ""
    vocal_root: Annotated[Path, Field(description="The folder for the voices.")] = Path("output/uvr5_opt")
    ins_root: Annotated[
        Path | None, Field(description="The folder for what is not voice; the voices' if not given.")
    ] = None
    agg: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            description="How much an older VR model (HP2 ...) takes away, in percent of its mask's exponent.",
        ),
    ] = 10
    format: Annotated[Format, Field(description="Format of the results.")] = "flac"
    method: Annotated[
        Literal["model", "hpss"],
        Field(description="model, or hpss: masks without any model, rough, for when there is none."),
    ] = "model"
    gpus: WorkerGpus = "0"
    project: Project = field(default_factory=Project.default)


def separate(options: SeparateOptions, progress: Progress | None = None) -> StepReport:
    """Separates all recordings. The files of the report are the voices and the rest.

    Raises a GsvError if input or model are not usable, or if nothing came out; where only some recordings fail, the
    others are finished and the report says which failed and why.
    """
    progress = progress or TerminalProgress()
    project = options.project
    inp = project.resolve(options.inp)
    items = sounds_in(inp, "inp")
    devices = worker_devices(options.gpus)
    vocal_root = project.resolve(options.vocal_root)
    ins_root = project.resolve(options.ins_root or options.vocal_root)
    engine = _engine(options)
    if engine.notice:
        progress.say(engine.notice)
    with ExitStack() as stack:
        for folder, argument in sorted({ins_root.resolve(): "ins_root", vocal_root.resolve(): "vocal_root"}.items()):
            stack.enter_context(making_in(folder, inp, argument))
        step = SeparateStep(engine, vocal_root, ins_root, options.format)
        return run_reported(step, items, devices, vocal_root, progress)


def usable(project: Project) -> str:
    """Whether recordings can be separated with a model, and what is missing, in words."""
    models = model_files(project)
    problem = environment("uvr5", project).problem()
    if problem:
        return f"not usable: {problem}"
    if not models:
        return "not usable: no separation model is there; get the usual ones with: gsv download uvr5"
    return f"usable with {', '.join(models)}"


class Engine(Protocol):
    """What separates. It is sent to the workers, so it must be picklable."""

    @property
    def identity(self) -> dict[str, Any]:
        """What its results depend on, as JSON."""
        ...

    @property
    def suffix(self) -> str:
        """What its results' names end in, before the format."""
        ...

    @property
    def voice_is_target(self) -> bool:
        """Whether what it finds is the voice."""
        ...

    @property
    def notice(self) -> str:
        """What the user should know about it; mostly nothing."""
        ...

    def start(self, device: torch.device) -> Separate: ...


def _engine(options: SeparateOptions) -> Engine:
    if options.method == "hpss":
        if options.model:
            raise InputError(f"method hpss takes no model; leave out the model {options.model}, or the method.")
        masks = MaskEngine()
        masks.check()
        return masks
    place = environment("uvr5", options.project)
    if not options.model:
        names = ", ".join(model_files(options.project))
        there = f"name one of: {names}" if names else "there is none; get the usual ones with: gsv download uvr5"
        raise MissingWeightsError(f"Separation needs a model; {there}. Without any, method hpss separates roughly.")
    model = read_model(options.model, options.project, options.agg)
    place.check()
    return ModelEngine(model, place)


@dataclass(frozen=True)
class ModelEngine:
    """A model at work in a process of the environment `uvr5`. A process that dies costs its recording alone."""

    model: SeparationModel
    environment: Environment
    notice: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        stat = self.model.path.stat()
        return {"model": self.model.name, "size": stat.st_size, "time": stat.st_mtime_ns, **self.model.settings}

    @property
    def suffix(self) -> str:
        return f"_{self.model.settings['aggression']}" if "aggression" in self.model.settings else ""

    @property
    def voice_is_target(self) -> bool:
        return self.model.voice_is_target

    def start(self, device: torch.device) -> Separate:
        helper = self._loaded(device)

        def run(mix: Path, target: Path, rest: Path) -> None:
            nonlocal helper
            if not helper.alive:
                helper.close()
                helper = self._loaded(device)
            for event in helper.ask({"mix": str(mix), "target": str(target), "rest": str(rest)}):
                if "failed" in event:
                    raise AudioError(f"{self.model.name} failed on it: {event['failed']}.")

        return run

    def _loaded(self, device: torch.device) -> Helper:
        helper = self.environment.start()
        request = {
            "family": self.model.family,
            "path": str(self.model.path.resolve()),
            "settings": self.model.settings,
            "device": str(device),
            "threads": torch.get_num_threads(),
        }
        try:
            for event in helper.ask(request):
                if "failed" in event:
                    raise CheckpointError(
                        f"{self.model.path} cannot be used as a {self.model.family} model: {event['failed']}."
                    )
        except (CheckpointError, HelperDied):
            helper.close()
            raise
        return helper


@dataclass(frozen=True)
class SeparateStep:
    """Separates a recording into two files. Any number of channels and any length; it is never in memory whole."""

    engine: Engine
    vocal_root: Path
    ins_root: Path
    format: Format
    title: str = "separate"

    def start(self, device: torch.device, part: int) -> Callable[[Item], Literal["done", "kept"]]:
        _end_with_parent()
        run = self.engine.start(device)

        def handle(item: Item) -> Literal["done", "kept"]:
            note = self._note(item)
            if self._read_note(item) == note and all(path.is_file() for path in self.files(item)):
                return "kept"
            with unfinished_in(self.vocal_root) as temporary:
                mix, target, rest = (temporary / name for name in ("mix", "target", "rest"))
                channels = _prepare(item.audio, mix)
                run(mix, target, rest)
                self._note_path(item).unlink(missing_ok=True)
                parts = (target, rest) if self.engine.voice_is_target else (rest, target)
                for made, path in zip(parts, self.files(item), strict=True):
                    _export(made, path, channels)
            with written_whole(self._note_path(item)) as path:
                path.write_text(json.dumps(note), encoding="utf-8")
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        name = f"{item.name}{self.engine.suffix}.{self.format}"
        return (self.vocal_root / f"vocal_{name}", self.ins_root / f"instrument_{name}")

    def _note_path(self, item: Item) -> Path:
        return self.vocal_root / NOTES / f"{item.name}{self.engine.suffix}.{self.format}.json"

    def _note(self, item: Item) -> dict[str, Any]:
        stat = item.audio.stat()
        note = {"source": [str(item.audio.resolve()), stat.st_size, stat.st_mtime_ns], "made by": self.engine.identity}
        # As it is when it was read back.
        read: dict[str, Any] = json.loads(json.dumps({**note, "rest": str(self.ins_root.resolve())}))
        return read

    def _read_note(self, item: Item) -> dict[str, Any] | None:
        try:
            note: dict[str, Any] = json.loads(self._note_path(item).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return note


def _end_with_parent() -> None:
    """A recording can take an hour, and nobody would want what comes of it."""
    parent = parent_process()
    if parent is not None:
        ended = parent.sentinel

        def watch() -> None:
            wait([ended])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def _prepare(source: Path, mix: Path) -> int:
    """The recording as stereo sound at 44.1 kHz; returns the channels that its parts are to have."""
    with opened(source) as sound, writing(str(mix)) as file:
        channels = 1
        resampler = soxr.ResampleStream(sound.rate, RATE, 2, dtype="float32")
        for block in sound.blocks:
            channels = min(block.shape[1], 2)
            # Of surround sound, the mean: there is no telling which channel the voice is in.
            stereo = block if block.shape[1] == 2 else block.mean(axis=1, keepdims=True).repeat(2, axis=1)
            file.write(resampler.resample_chunk(stereo))
        file.write(resampler.resample_chunk(np.zeros((0, 2), np.float32), last=True))
        if not file.tell():
            raise AudioError(f"{source} holds no sound; give a recording.")
    return channels


def _export(made: Path, path: Path, channels: int) -> None:
    with soundfile.SoundFile(str(made)) as file, encoded(path, RATE, channels) as write:
        for block in file.blocks(_BLOCK, dtype="float32", always_2d=True):
            write(block.T if channels == 2 else block.mean(axis=1, keepdims=True).T)
