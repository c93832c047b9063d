"""Training of the text-to-semantic model ("GPT"), as the official models are fine-tuned.

Summed cross entropy, with a preference term if asked for; gradients of four batches are added up for a step of
ScaledAdam. The official networks' dropout of 0.1, which their configuration does not speak of, acts in training only.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor, nn

from gsv.checkpoints import export_gpt, missing_weights, read_gpt, write_gpt
from gsv.errors import CheckpointError, TrainingError
from gsv.fields import BatchSize, Epochs, ExperimentName, KeepOnlyLatest, SaveEvery, SaveEveryWeights, Seed, VersionName
from gsv.models.t2s import PREFIX, T2S, T2SConfig
from gsv.paths import Project
from gsv.progress import Progress, TerminalProgress
from gsv.training.data import MAX_SECONDS, SECONDS_PER_BUCKET, TOKENS_PER_SECOND, BucketBatches, GptBatch, GptData
from gsv.training.loop import Board, Machine, Outcome, Plan, TrainReport, derived_seed, fit, loader, optimizer_on
from gsv.training.losses import preference_loss, rejected_sequences, semantic_targets, token_loss, top_accuracy
from gsv.training.optim import FINE_TUNING_RATE, Constant, ScaledAdam, WarmupCosine
from gsv.training.resume import Part
from gsv.training.start import UNTRAINED, built, fitted, read_config
from gsv.versions import Version, version_named

BATCHES_PER_STEP = 4

# Given the network, what gives the loss to add for a batch that the network was just called with.
Guidance = Callable[[T2S], Callable[[GptBatch], Tensor]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GptTrainOptions:
    """A training of the text-to-semantic model on the files of stages 1a and 1c; the defaults are the WebUI's."""

    exp: ExperimentName
    version: VersionName = "v2"
    epochs: Epochs = 15
    batch_size: BatchSize = 4
    dpo: Annotated[
        bool, Field(description="Add a term against repeated and swallowed words; twice the memory, half the batch.")
    ] = False
    save_every_epoch: SaveEvery = 5
    keep_only_latest: KeepOnlyLatest = True
    save_every_weights: SaveEveryWeights = True
    pretrained: Annotated[Path | None, Field(description="GPT weights to start from; the version's base.")] = None
    from_scratch: Annotated[
        Path | None, Field(description="YAML file of widths: start from random weights instead.")
    ] = None
    seed: Seed = 1234
    machine: Machine = field(default_factory=Machine)
    project: Project = field(default_factory=Project.default)


@dataclass(frozen=True)
class _Start:
    """What a training begins with: a configuration and, unless from scratch, weights without the official prefix."""

    config: dict[str, Any]
    weight: dict[str, Tensor] | None
    trained: bool

    @property
    def model(self) -> T2SConfig:
        return T2SConfig.from_dict(self.config["model"])


def train_gpt(
    options: GptTrainOptions, guidance: Guidance | None = None, progress: Progress | None = None
) -> TrainReport:
    """Trains, going on from what an earlier run of the experiment left, and exports `GPT_weights*/EXP-eN.ckpt`.

    `guidance` adds a loss of the caller's own, on what the network does inside.

    Raises InputError, TrainingError, MissingWeightsError or CheckpointError if the options, the experiment or the
    weights are not usable; nothing has been written then.
    """
    version = version_named(options.version)
    experiment = options.project.experiment(options.exp)
    if options.batch_size < 1:
        raise TrainingError(f"batch_size is {options.batch_size}; it must be at least 1.")
    plan = Plan(
        experiment.gpt_logs(version),
        options.epochs,
        options.seed,
        options.save_every_epoch,
        options.keep_only_latest,
        options.save_every_weights,
    )
    start = _start(options, version)
    max_seconds = start.config.get("data", {}).get("max_sec", MAX_SECONDS)
    data = GptData(experiment, version, start.model.EOS, max_seconds, start.model.bert_dim)
    log.info("Training %s on %s.", options.exp, data.report)
    shown = progress or TerminalProgress()
    notice = options.project.base(version).notice
    if notice and options.pretrained is None and options.from_scratch is None:
        shown.say(notice)
    outcome = options.machine.run(_train, options, version, plan, start, _rate(start), data, guidance, shown)
    return TrainReport(outcome, data.report)


def _start(options: GptTrainOptions, version: Version) -> _Start:
    if options.from_scratch is not None:
        config = read_config(options.project.resolve(options.from_scratch))
        config["model"]["phoneme_vocab_size"] = version.gpt_symbols
        built(lambda: T2S(T2SConfig.from_dict(config["model"])))
        return _Start(config, None, trained=False)
    path = options.project.resolve(options.pretrained or options.project.base(version).gpt)
    if not path.exists():
        raise missing_weights(path)
    file = read_gpt(path)
    weight = {name.removeprefix(PREFIX): tensor for name, tensor in file.weight.items()}
    rows = file.config.get("model", {}).get("phoneme_vocab_size")
    if rows != version.gpt_symbols:
        raise CheckpointError(
            f"{path} has a table of {rows} phonemes; a model of version {version.name} has {version.gpt_symbols}."
        )
    model = T2SConfig.from_dict(file.config["model"])
    return _Start(file.config, fitted(lambda: T2S(model), weight, path), trained=file.info != UNTRAINED)


def _train(
    fabric: Fabric,
    options: GptTrainOptions,
    version: Version,
    plan: Plan,
    start: _Start,
    rate: WarmupCosine | Constant,
    data: GptData,
    guidance: Guidance | None,
    progress: Progress,
) -> Outcome:
    """In every training process."""
    torch.manual_seed(derived_seed(options.seed, "weights"))
    network = T2S(replace(start.model, dropout=start.model.training_dropout))
    if start.weight is not None:
        network.load_state_dict(start.weight)
    size = options.batch_size // 2 if options.dpo else options.batch_size
    # So that even a small experiment's epoch has several batches.
    size = max(1, min(size, len(data) // 4))
    batches = BucketBatches(
        data.lengths,
        SECONDS_PER_BUCKET * TOKENS_PER_SECOND,
        size,
        options.seed,
        fabric.global_rank,
        fabric.world_size,
    )
    recipe = GptRecipe(fabric, options, version, start.config, rate, network, len(batches), guidance)
    return fit(fabric, recipe, loader(fabric, options.machine, data, batches, data.collate), batches, plan, progress)


class _Pass(nn.Module):
    """The network and its losses as one module, so that several processes can share the gradient of one call."""

    def __init__(self, network: T2S, dpo: bool, guidance: Guidance | None):
        super().__init__()
        self.network = network
        self.dpo = dpo
        self.guide = guidance(network) if guidance is not None else None
        for position in (network.ar_text_position, network.ar_audio_position):
            position.register_forward_hook(self._drop)

    def forward(self, batch: GptBatch) -> tuple[Tensor, Tensor, Tensor]:
        """The loss, what guidance adds to it, and the share of tokens that are among the best three guesses."""
        end = self.network.config.EOS
        targets = semantic_targets(batch.tokens, batch.token_lengths, end)
        logits = self._logits(batch, batch.tokens, batch.token_lengths)
        guided = self.guide(batch) if self.guide is not None else logits.new_zeros(())
        loss = token_loss(logits, targets)
        if self.dpo:
            rejected, lengths = rejected_sequences(batch.tokens)
            rejected_targets = semantic_targets(rejected, lengths, end)
            loss = loss + preference_loss(logits, targets, self._logits(batch, rejected, lengths), rejected_targets)
        return loss, guided, top_accuracy(logits, targets, end)

    def _drop(self, module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return F.dropout(output, self.network.config.dropout, module.training)

    def _logits(self, batch: GptBatch, tokens: Tensor, lengths: Tensor) -> Tensor:
        logits: Tensor = self.network(batch.phonemes, batch.phoneme_lengths, tokens, lengths, batch.bert)
        return logits


class GptRecipe:
    """Moves the network by batches."""

    def __init__(
        self,
        fabric: Fabric,
        options: GptTrainOptions,
        version: Version,
        config: dict[str, Any],
        rate: WarmupCosine | Constant,
        network: T2S,
        batches: int,
        guidance: Guidance | None,
    ):
        self.fabric = fabric
        self.options = options
        self.version = version
        self.config = config
        self.rate = rate
        self.guided = guidance is not None
        optimizer = ScaledAdam(network.parameters(), rate(0))
        self.model = fabric.setup_module(_Pass(network, options.dpo, guidance).train())
        self.optimizer = optimizer_on(fabric, optimizer)
        self.parts = {"T": Part(network, optimizer, rate(0))}
        self.updates_per_epoch = -(-batches // BATCHES_PER_STEP)
        self.updates = 0
        self.gathered = 0

    def begin(self, epoch: int) -> None:
        self.updates = (epoch - 1) * self.updates_per_epoch

    def step(self, batch: GptBatch, last: bool) -> dict[str, Tensor]:
        self.gathered += 1
        # The rest of an epoch makes a step of its own, so that nothing is carried over its end.
        complete = last or self.gathered == BATCHES_PER_STEP
        with self.fabric.no_backward_sync(self.model, enabled=not complete):
            loss, guided, accuracy = self.model(batch)
            self.fabric.backward(loss + guided)
        rate = self.rate(self.updates)
        if complete:
            for group in self.parts["T"].optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.gathered = 0
            self.updates += 1
        per_token = loss / batch.tokens.numel()
        return {
            "loss/total": loss,
            "loss/per_token": per_token,
            **({"loss/guidance": guided / batch.tokens.numel()} if self.guided else {}),
            "accuracy/top_3": accuracy,
            "learning_rate": torch.tensor(rate, device=loss.device),
        }

    def show(self, board: Board, step: int) -> None:
        """Tokens have no picture."""

    def weights(self, epoch: int, step: int) -> Path:
        return self.options.project.root / self.version.gpt_folder / f"{self.options.exp}-e{epoch}.ckpt"

    def export(self, path: Path, epoch: int, step: int) -> None:
        state = {PREFIX + name: tensor for name, tensor in self.parts["T"].network.state_dict().items()}
        write_gpt(path, export_gpt(state, _export_config(self.config, self.options), f"GPT-e{epoch}"))


def _rate(start: _Start) -> WarmupCosine | Constant:
    """A fine-tuning's learning rate does not change; that of an untrained network follows its configuration.

    A configuration may say, as `lr_fine_tune`, what rate suits a network that is not of the official widths.
    """
    settings: Mapping[str, Any] = start.config.get("optimizer", {})
    if start.trained:
        return Constant(float(settings.get("lr_fine_tune", FINE_TUNING_RATE)))
    try:
        return WarmupCosine(
            float(settings["lr_init"]),
            float(settings["lr"]),
            float(settings["lr_end"]),
            int(settings["warmup_steps"]),
            int(settings["decay_steps"]),
        )
    except KeyError as error:
        raise TrainingError(
            f"The configuration has no optimizer.{error.args[0]}, which training from scratch needs."
        ) from error


def _export_config(config: Mapping[str, Any], options: GptTrainOptions) -> dict[str, Any]:
    """The configuration for the exported file: that of the model it came from, with this training's settings."""
    train = {
        **config.get("train", {}),
        "seed": options.seed,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "if_dpo": options.dpo,
        "save_every_n_epoch": options.save_every_epoch,
        "exp_name": options.exp,
    }
    return {**config, "train": train, "data": {"max_sec": MAX_SECONDS, **config.get("data", {})}}
