"""The loop that both trainings run in: on a CPU, one GPU, several, or several machines (Lightning Fabric).

All randomness of an epoch follows from the seed, the epoch's number and the process's rank. So a training that goes on
from the end of an epoch does exactly what one without a break would have done, and no generator state need be saved.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Sized
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments import SLURMEnvironment, TorchElasticEnvironment
from lightning_fabric.plugins.precision import MixedPrecision, Precision
from pydantic import Field
from torch import Tensor
from torch.multiprocessing import ProcessRaisedException
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from gsv.devices import half_precision_works
from gsv.errors import TrainingError
from gsv.fields import TrainingGpus
from gsv.paths import alone_in
from gsv.progress import Progress, TerminalProgress
from gsv.training.data import BucketBatches, DataReport
from gsv.training.resume import Part, ResumePoint, set_steps_seen, steps_seen

PrecisionName = Literal["auto", "bf16-mixed", "16-mixed", "32-true"]
Accelerator = Literal["auto", "cuda", "cpu"]
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class Autocast(MixedPrecision):
    """Mixed precision that leaves inputs and outputs as they are, so that what must stay exact can."""

    def convert_input(self, data: Any) -> Any:
        return data

    def convert_output(self, data: Any) -> Any:
        return data


@dataclass(frozen=True)
class Machine:
    """Where a training runs and how precisely."""

    gpus: TrainingGpus = (0,)
    accelerator: Annotated[Accelerator, Field(description="The GPU where there is one, if auto.")] = "auto"
    nodes: Annotated[
        int, Field(ge=1, le=4096, description="Machines that train together, each started with torchrun or SLURM.")
    ] = 1
    precision: Annotated[
        PrecisionName,
        Field(description="auto is bf16 where a GPU has it, fp16 on older ones that are fast at it, else 32 bits."),
    ] = "auto"
    workers: Annotated[
        int | None,
        Field(ge=0, le=256, description="Processes that read data, for each that trains."),
    ] = None

    def fabric(self) -> Fabric:
        """TrainingError if a GPU is asked for that is not there."""
        kind = ("cuda" if torch.cuda.is_available() else "cpu") if self.accelerator == "auto" else self.accelerator
        if self.nodes < 1:
            raise TrainingError(f"nodes is {self.nodes}; it must be at least 1.")
        if not self.gpus or len(set(self.gpus)) != len(self.gpus):
            raise TrainingError(f"The devices {list(self.gpus)} are not usable; name each GPU once, for example 0.")
        if kind == "cuda":
            there = torch.cuda.device_count()
            absent = [gpu for gpu in self.gpus if not 0 <= gpu < there]
            if absent:
                raise TrainingError(f"There is no GPU {absent[0]}; this machine has {there}, numbered from 0.")
            torch.set_float32_matmul_precision("high")
        elif self.precision == "16-mixed":
            raise TrainingError("Precision 16-mixed needs a GPU; choose 32-true, or auto.")
        name = _best_precision(self.gpus[0]) if self.precision == "auto" and kind == "cuda" else self.precision
        plugin = Precision() if name in ("auto", "32-true") else Autocast(name, device=kind)  # type: ignore[arg-type]
        many = len(self.gpus) > 1 or self.nodes > 1
        started_for_us = TorchElasticEnvironment.detect() or SLURMEnvironment.detect()
        return Fabric(
            accelerator=kind,
            devices=list(self.gpus) if kind == "cuda" else len(self.gpus),
            num_nodes=self.nodes,
            # Spawned processes, unlike re-run scripts, work from inside any program.
            strategy="auto" if not many else "ddp" if started_for_us else "ddp_spawn",
            plugins=[plugin],
        )

    def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Calls `function(fabric, *arguments)` in every training process and returns what the first one returns."""
        fabric = self.fabric()
        try:
            result: Result = fabric.launch(_Job(function, arguments))
        except ProcessRaisedException as error:
            raise TrainingError(_last_line(str(error))) from error
        except torch.cuda.OutOfMemoryError as error:
            raise TrainingError(_OUT_OF_MEMORY) from error
        return result


@dataclass(frozen=True)
class _Job:
    """A function with its arguments; Fabric would look into arguments that it is given itself."""

    function: Callable[..., Any]
    arguments: tuple[object, ...]

    def __call__(self, fabric: Fabric) -> Any:
        return self.function(fabric, *self.arguments)


_OUT_OF_MEMORY = "The GPU's memory is not enough; train with a smaller batch size or with gradient checkpointing."


def _best_precision(gpu: int) -> PrecisionName:
    if torch.cuda.get_device_properties(gpu).major >= 8:
        return "bf16-mixed"
    return "16-mixed" if half_precision_works(gpu) else "32-true"


def _last_line(trace: str) -> str:
    """The message of the error that a process ended with."""
    lines = [line for line in trace.strip().splitlines() if line.strip()]
    message = lines[-1] if lines else "A training process ended for no known reason."
    if "OutOfMemoryError" in message:
        return _OUT_OF_MEMORY
    prefix, _, rest = message.partition(": ")
    return rest if rest and prefix.startswith("gsv.errors.") else message


@dataclass(frozen=True)
class Plan:
    """How long a training goes and what it keeps.

    Args:
        folder: for resume files and TensorBoard logs.
        save_every: epochs between exported weights (and kept states, unless `only_latest`).
        only_latest: keep only the newest state to resume from.
        export_every: export weights not only at the end but after every `save_every` epochs.
    """

    folder: Path
    epochs: int
    seed: int
    save_every: int
    only_latest: bool
    export_every: bool

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("save_every_epoch", self.save_every)):
            if value < 1:
                raise TrainingError(f"{name} is {value}; it must be at least 1.")

    def keeps(self, epoch: int) -> bool:
        """Whether the state after that epoch is kept besides later ones."""
        return not self.only_latest and epoch % self.save_every == 0

    def exports(self, epoch: int) -> bool:
        """Whether weights are exported after that epoch."""
        return epoch == self.epochs or (self.export_every and epoch % self.save_every == 0)


class Board(Protocol):
    """Where pictures and sounds go: a TensorBoard SummaryWriter."""

    def add_image(self, tag: str, img_tensor: Tensor, global_step: int, *, dataformats: str) -> None: ...

    def add_audio(self, tag: str, snd_tensor: Tensor, global_step: int, sample_rate: int) -> None: ...


class Recipe(Protocol):
    """What is trained: networks with their optimisers, and how one batch moves them."""

    parts: dict[str, Part]

    def begin(self, epoch: int) -> None:
        """Called before each epoch, counted from 1; sets learning rates."""

    def step(self, batch: Any, last: bool) -> dict[str, Tensor]:
        """Trains on a batch, the `last` of its epoch or not, and returns scalars to log."""

    def show(self, board: Board, step: int) -> None:
        """Shows on the board what the last batch looked and sounded like."""

    def weights(self, epoch: int, step: int) -> Path:
        """Where the finished weights of that epoch and step belong."""

    def export(self, path: Path, epoch: int, step: int) -> None:
        """Writes the finished weights."""


class Outcome(NamedTuple):
    """What a run of the loop did: epochs and steps in all, where it began, the means of each of its epochs' scalars."""

    epochs: int
    steps: int
    resumed_from: int
    history: tuple[dict[str, float], ...]
    exported: tuple[Path, ...]


@dataclass(frozen=True)
class TrainReport:
    """What a training did and with which clips."""

    outcome: Outcome
    data: DataReport

    @property
    def weights(self) -> Path:
        """The finished weights."""
        return self.outcome.exported[-1]

    @property
    def counts(self) -> dict[str, int]:
        return {"epochs": self.outcome.epochs, "steps": self.outcome.steps, "clips": self.data.used}

    @property
    def files(self) -> tuple[Path, ...]:
        return self.outcome.exported

    # A clip that cannot be trained on is left out by a rule, which the sentence tells; a training fails as a whole.
    problems: ClassVar[tuple[()]] = ()
    logs: ClassVar[tuple[()]] = ()

    def __str__(self) -> str:
        done = self.outcome
        if done.resumed_from >= done.epochs:
            did = f"All {done.epochs} epochs were trained already"
        else:
            after = f", going on after epoch {done.resumed_from}" if done.resumed_from else ""
            did = f"Trained {done.epochs} epochs ({done.steps} steps){after}"
        return f"{did} on {self.data}. Weights: {self.weights}"


def optimizer_on(fabric: Fabric, optimizer: Optimizer) -> Any:
    """The optimiser as the fabric steps it, which under fp16 means: unless the gradient has overflowed."""
    return fabric.setup_optimizers(optimizer)


def loader(
    fabric: Fabric, machine: Machine, data: Dataset[Any], batches: BucketBatches, collate: Any
) -> DataLoader[Any]:
    """Batches on the fabric's device, read ahead by worker processes where that helps."""
    on_gpu = fabric.device.type == "cuda"
    workers = machine.workers if machine.workers is not None else (4 if on_gpu else 0)
    plain = DataLoader(
        data,
        batch_sampler=batches,
        collate_fn=collate,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=on_gpu,
        # The workers' seeds would otherwise be drawn from the generator that the networks use, in some epochs only.
        generator=torch.Generator(),
    )
    wrapped: Any = fabric.setup_dataloaders(plain, use_distributed_sampler=False)
    return wrapped


def derived_seed(*sources: object) -> int:
    """A seed that follows from several values."""
    return random.Random(" ".join(map(str, sources))).getrandbits(63)  # noqa: S311 - not for secrets


def fit(
    fabric: Fabric,
    recipe: Recipe,
    data: DataLoader[Any],
    batches: BucketBatches,
    plan: Plan,
    progress: Progress | None = None,
) -> Outcome:
    """Trains up to `plan.epochs` epochs in all, going on from what an earlier run left.

    After every epoch the state is saved, so a run that is killed loses at most the epoch it was in. Weights are
    exported before the state of their epoch is saved, so that none is skipped. If nothing is left to do, the weights of
    what is there are exported.

    Raises TrainingError if a loss is no longer a number, or if files cannot be written, and InputError if another
    training is at work in the same folder.
    """
    with alone_in(plan.folder) if fabric.is_global_zero else nullcontext():
        return _fit(fabric, recipe, data, batches, plan, progress or TerminalProgress())


def _fit(
    fabric: Fabric, recipe: Recipe, data: DataLoader[Any], batches: BucketBatches, plan: Plan, progress: Progress
) -> Outcome:
    point = ResumePoint(plan.folder, tuple(recipe.parts))
    first = next(iter(recipe.parts.values()))
    if fabric.is_global_zero:
        point.tidy()
    fabric.barrier()
    done = point.load(recipe.parts)
    # Nobody may change the files while another process still reads them.
    fabric.barrier()
    step = steps_seen(first) or done * len(batches)
    if done >= plan.epochs:
        log.info("%d epochs are trained already and %d were asked for; nothing is left to train.", done, plan.epochs)
        path = recipe.weights(done, step)
        if fabric.is_global_zero:
            recipe.export(path, done, step)
        fabric.barrier()
        return Outcome(done, step, done, (), (path,))
    if done:
        log.info("Going on after epoch %d.", done)

    if fabric.is_global_zero and done and plan.keeps(done):
        point.keep_if_missing(done, step)
    history: list[dict[str, float]] = []
    exported: list[Path] = []
    with _Journal(fabric, plan, done, step, batches, progress) as journal:
        for epoch in range(done + 1, plan.epochs + 1):
            batches.epoch = epoch
            recipe.begin(epoch)
            iterator = enumerate(data, start=1)
            torch.manual_seed(derived_seed(plan.seed, epoch, fabric.global_rank))
            journal.begin(epoch)
            for index, batch in iterator:
                scalars = recipe.step(batch, last=index == len(batches))
                step += 1
                journal.log(step, scalars)
            history.append(journal.finish())
            exports = plan.exports(epoch)
            path = recipe.weights(epoch, step)
            exported += [path] if exports else []
            if fabric.is_global_zero:
                journal.show(recipe, step)
                set_steps_seen(first, step)
                try:
                    if exports:
                        recipe.export(path, epoch, step)
                    point.save(recipe.parts, epoch)
                    if plan.keeps(epoch):
                        point.keep(step)
                except (OSError, RuntimeError) as error:
                    raise TrainingError(f"Epoch {epoch} cannot be saved under {plan.folder}: {error}.") from error
            fabric.barrier()
    return Outcome(plan.epochs, step, done, tuple(history), tuple(exported))


class _Journal:
    """What a run tells of its progress, and its TensorBoard log; only the first process tells and writes."""

    def __init__(self, fabric: Fabric, plan: Plan, done: int, step: int, batches: Sized, progress: Progress):
        # Importing it takes long, and only trainings need it.
        from torch.utils.tensorboard import SummaryWriter

        self.plan = plan
        self.writes = fabric.is_global_zero
        # What a killed run logged after its last saved epoch is about to be logged again; readers are told to drop it.
        self.board = SummaryWriter(plan.folder, purge_step=step + 1) if self.writes else None
        per_epoch = len(batches)
        self.progress = progress
        if self.writes:
            progress.begin("training", plan.epochs * per_epoch, "step", done * per_epoch)
        self.sums: dict[str, float] = {}
        self.count = 0
        self.epoch = done
        self.started = time.monotonic()

    def __enter__(self) -> "_Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.board is not None:
            self.progress.end()
            self.board.close()

    def begin(self, epoch: int) -> None:
        self.epoch = epoch
        self.sums, self.count, self.started = {}, 0, time.monotonic()

    def log(self, step: int, scalars: dict[str, Tensor]) -> None:
        # One transfer for all of them.
        values = torch.stack([value.detach().float() for value in scalars.values()]).tolist()
        shown = dict(zip(scalars, values, strict=True))
        for name, value in shown.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            if self.board is not None:
                self.board.add_scalar(name, value, step)
        self.count += 1
        if self.writes:
            losses = [f"{name.partition('/')[2]}={value:.3g}" for name, value in shown.items() if "/" in name]
            self.progress.advance(note=", ".join([f"epoch {self.epoch}/{self.plan.epochs}", *losses]))

    def finish(self) -> dict[str, float]:
        """The epoch's means; TrainingError if one is not a number."""
        means = {name: total / self.count for name, total in self.sums.items()}
        for name, mean in means.items():
            # Half precision skips single steps whose gradient overflows; the losses themselves must stay finite.
            if "loss" in name and not math.isfinite(mean):
                raise TrainingError(
                    f"Training broke down in epoch {self.epoch}: {name} is {mean}; the state of epoch {self.epoch - 1} "
                    "is kept. Train in 32-true precision, or with cleaner data."
                )
        if self.writes:
            text = ", ".join(f"{name} {mean:.4g}" for name, mean in means.items())
            log.info("Epoch %d of %d (%.1f s): %s", self.epoch, self.plan.epochs, time.monotonic() - self.started, text)
        return means

    def show(self, recipe: Recipe, step: int) -> None:
        if self.board is not None:
            recipe.show(self.board, step)
            # Before the state is saved, so that a run that goes on from it finds no gap.
            self.board.flush()
