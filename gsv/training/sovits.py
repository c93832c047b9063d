"""Training of SoVITS: of v1, v2 and the Pro versions as a GAN here, as the official models are fine-tuned.

Discriminators and generator take turns on every batch. The generator makes a slice of audio of each clip and is judged
by the discriminators, by the distance of log-Mel spectrograms, and by the distance of its posterior from its prior.
What turns HuBERT's features into semantic tokens is frozen, so the tokens keep their meaning.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import AdamW

from gsv.audio.pitch import pitch
from gsv.audio.spectral import log_mel, mel_from_spectrogram
from gsv.checkpoints import (
    export_generator,
    missing_weights,
    read_discriminator,
    read_generator,
    write_generator,
)
from gsv.errors import CheckpointError
from gsv.models.discriminators import Discriminators
from gsv.models.sovits import Sovits, SovitsConfig, slice_segments
from gsv.progress import Progress, TerminalProgress
from gsv.training.data import FRAMES_PER_BUCKET, STFT, BucketBatches, SovitsBatch, SovitsData
from gsv.training.flow import train_flow
from gsv.training.listening import Listener
from gsv.training.loop import Board, Outcome, Plan, TrainReport, derived_seed, fit, loader, optimizer_on
from gsv.training.losses import (
    discriminator_loss,
    feature_loss,
    generator_loss,
    kl_loss,
    mel_loss,
    pitch_loss,
    stft_loss,
)
from gsv.training.resume import Part
from gsv.training.sovits_options import AdamSettings, SovitsTrainOptions
from gsv.training.start import UNTRAINED, built, fitted, read_config, untrained_generator
from gsv.versions import Version, version_named

# These learn at a reduced rate: the little text of a small experiment would spoil what they know.
TEXT_PARTS = ("enc_p.text_embedding.", "enc_p.encoder_text.", "enc_p.mrte.")

# Windows of the loss on spectra, in samples.
STFT_SIZES = (512, 1024, 2048)

# What a caller does to the generator before it is trained.
Change = Callable[[Sovits], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GanSettings(AdamSettings):
    """The recipe's numbers; as for the optimiser's, names are those of a configuration and the defaults official.

    Args:
        mel_floor: what is quieter than this Mel magnitude counts as that loud in the Mel loss.
        c_stft, stft_floor: weight of a loss on spectra of several resolutions, and its floor.
        c_pitch: weight of the pitch loss of a vocoder that makes a pitch of its own.
        c_content: weight of the loss of what the model's content encoder hears, see `gsv.training.listening`.
        kl_epochs: over so many epochs the weight of the KL loss rises to `c_kl`, from a tenth of it.
        critics_from: the first epoch in which the discriminators judge and learn.
        clip: gradients are scaled down to this norm.
        prior_share: of a batch's clips, how many are spoken from the prior, as in synthesis, rather than from the
            posterior. A network that is too small to tell the two alike learns to speak from what it will be given.
    """

    segment_size: int = 20480
    c_mel: float = 45.0
    c_kl: float = 1.0
    mel_floor: float = 1e-5
    c_stft: float = 0.0
    stft_floor: float = 2e-2
    c_pitch: float = 10.0
    c_content: float = 0.0
    kl_epochs: int = 0
    critics_from: int = 1
    clip: float = math.inf
    prior_share: float = 0.0

    def kl_weight(self, epoch: int) -> float:
        return self.c_kl * min(1.0, 0.1 + 0.9 * (epoch - 1) / self.kl_epochs) if self.kl_epochs else self.c_kl

    @property
    def segment_frames(self) -> int:
        return self.segment_size // STFT.hop


@dataclass(frozen=True)
class DiscriminatorWidths:
    """Channels of the discriminators' layers; the defaults are official."""

    scale: tuple[int, ...] = (16, 64, 256, 1024, 1024, 1024)
    period: tuple[int, ...] = (32, 128, 512, 1024, 1024)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "DiscriminatorWidths":
        """From the group `discriminator` of a configuration for training from scratch."""
        return cls(**{name: tuple(widths) for name, widths in config.items()})

    @classmethod
    def from_weights(cls, weight: Mapping[str, Tensor]) -> "DiscriminatorWidths":
        def widths(index: int) -> tuple[int, ...]:
            prefix = f"discriminators.{index}.convs."
            count = sum(name.startswith(prefix) and name.endswith(".bias") for name in weight)
            return tuple(len(weight[f"{prefix}{layer}.bias"]) for layer in range(count))

        return cls(widths(0), widths(1))

    def build(self, version: Version) -> Discriminators:
        return Discriminators(version.discriminator_periods, self.scale, self.period)


@dataclass(frozen=True)
class _Start:
    """What a training begins with; from scratch, there are no weights for the discriminators."""

    config: dict[str, Any]
    settings: GanSettings
    model: SovitsConfig
    widths: DiscriminatorWidths
    generator: dict[str, Tensor]
    discriminator: dict[str, Tensor] | None


def train_sovits(
    options: SovitsTrainOptions, progress: Progress | None = None, change: Change | None = None
) -> TrainReport:
    """Trains, going on from what an earlier run of the experiment left, and exports `SoVITS_weights*/EXP_eN_sM.pth`.

    `change` is done to the generator of all versions but v3 and v4 before it is trained, for instance to add hooks.

    Raises InputError, TrainingError, MissingWeightsError or CheckpointError if the options, the experiment or the
    weights are not usable; nothing has been written then.
    """
    version = version_named(options.version)
    options.check(version)
    if version.uses_flow:
        return train_flow(options, version, progress or TerminalProgress())
    experiment = options.project.experiment(options.exp)
    plan = options.plan(experiment.sovits_logs(version))
    data = SovitsData(experiment, version)
    if options.from_scratch is None:
        start = _pretrained(options, version)
    else:
        start = _from_scratch(options, version, data, options.project.resolve(options.from_scratch))
    options.check_width(data, start.model.ssl_dim)
    if options.learning_rate is not None:
        start = replace(start, settings=replace(start.settings, learning_rate=options.learning_rate))
    log.info("Training %s on %s.", options.exp, data.report)
    listener = None
    if start.settings.c_content:
        listener = Listener.load(options.project.content_encoder(start.config.get("content_module")))
    shown = progress or TerminalProgress()
    notice = options.project.base(version).notice
    if notice and options.pretrained_g is None and options.from_scratch is None:
        shown.say(notice)
    outcome = options.machine.run(_train, options, version, plan, start, data, change, listener, shown)
    return TrainReport(outcome, data.report)


def _pretrained(options: SovitsTrainOptions, version: Version) -> _Start:
    base, project = options.project.base(version), options.project
    path_g = project.resolve(options.pretrained_g or base.generator)
    path_d = project.resolve(options.pretrained_d or base.discriminator or "")
    for path in (path_g, path_d):
        if not path.exists():
            raise missing_weights(path)
    file = read_generator(path_g)
    if file.version != version.name:
        raise CheckpointError(f"{path_g} is a model of version {file.version}; version {version.name} was asked for.")
    if not any(name.startswith("enc_q.") for name in file.weight):
        raise CheckpointError(
            f"{path_g} has no posterior encoder, like all exported voices; training starts from a base model."
        )
    weight_d = read_discriminator(path_d).weight
    count = len({name.split(".")[1] for name in weight_d})
    expected = len(version.discriminator_periods) + 1
    if count != expected:
        raise CheckpointError(f"{path_d} holds {count} discriminators; those of version {version.name} are {expected}.")
    model = SovitsConfig.from_weights(file.config["model"], file.weight)
    widths = DiscriminatorWidths.from_weights(weight_d)
    return _Start(
        file.config,
        GanSettings.from_file(file.config, trained=file.info != UNTRAINED),
        model,
        widths,
        fitted(lambda: Sovits(model), file.weight, path_g),
        fitted(lambda: widths.build(version), weight_d, path_d),
    )


def _from_scratch(options: SovitsTrainOptions, version: Version, data: SovitsData, path: Path) -> _Start:
    config = read_config(path)
    seed = derived_seed(options.seed, "generator")
    network = untrained_generator(config, version, data.ssl_dim, data.content(), seed)
    widths = DiscriminatorWidths.from_dict(config.get("discriminator", {}))
    built(lambda: widths.build(version))
    return _Start(
        config, GanSettings.from_dict(config.get("train", {})), network.config, widths, network.state_dict(), None
    )


def _train(
    fabric: Fabric,
    options: SovitsTrainOptions,
    version: Version,
    plan: Plan,
    start: _Start,
    data: SovitsData,
    change: Change | None,
    listener: Listener | None,
    progress: Progress,
) -> Outcome:
    """In every training process."""
    torch.manual_seed(derived_seed(options.seed, "weights"))
    generator, discriminator = Sovits(start.model), start.widths.build(version)
    generator.load_state_dict(start.generator)
    if change is not None:
        change(generator)
    if start.discriminator is not None:
        discriminator.load_state_dict(start.discriminator)
    generator.gradient_checkpointing = options.grad_checkpointing
    batches = BucketBatches(
        data.lengths, FRAMES_PER_BUCKET, options.batch_size, options.seed, fabric.global_rank, fabric.world_size
    )
    recipe = SovitsRecipe(fabric, options, version, start.config, start.settings, generator, discriminator, listener)
    return fit(fabric, recipe, loader(fabric, options.machine, data, batches, data.collate), batches, plan, progress)


class _Pass(nn.Module):
    """The generator's training pass, with plain tensors as results: several processes can share its gradient."""

    def __init__(self, network: Sovits, settings: GanSettings):
        super().__init__()
        self.network = network
        self.settings = settings

    def forward(self, batch: SovitsBatch) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Audio [B, 1, segment], the frame at which each slice starts [B], the KL loss, the vocoder's pitch if any."""
        made = self.network(
            batch.ssl,
            batch.spec,
            batch.spec_lengths,
            batch.text,
            batch.text_lengths,
            batch.speaker,
            segment_frames=self.settings.segment_frames,
            from_prior=round(self.settings.prior_share * len(batch.spec)),
        )
        kl = kl_loss(made.z_p, made.logs_q, made.m_p, made.logs_p, made.mask)
        return made.audio, made.starts, kl, made.log_pitch


class SovitsRecipe:
    """Moves generator and discriminators by batches."""

    def __init__(
        self,
        fabric: Fabric,
        options: SovitsTrainOptions,
        version: Version,
        config: dict[str, Any],
        settings: GanSettings,
        generator: Sovits,
        discriminator: Discriminators,
        listener: Listener | None,
    ):
        self.fabric = fabric
        self.options = options
        self.version = version
        self.config = config
        self.settings = settings
        self.listener = None if listener is None else listener.to(fabric.device)
        rate, betas, eps = settings.learning_rate, settings.betas, settings.eps
        optimizer_g = AdamW(_groups(generator, rate, options.text_low_lr_rate), rate, betas=betas, eps=eps)
        optimizer_d = AdamW(discriminator.parameters(), rate, betas=betas, eps=eps)
        self.generator = fabric.setup_module(_Pass(generator, self.settings).train())
        self.discriminator = fabric.setup_module(discriminator.train())
        self.step_g = optimizer_on(fabric, optimizer_g)
        self.step_d = optimizer_on(fabric, optimizer_d)
        self.parts = {"G": Part(generator, optimizer_g, rate), "D": Part(discriminator, optimizer_d, rate)}
        self.seen: dict[str, Tensor] = {}
        self.epoch = 0

    def begin(self, epoch: int) -> None:
        self.epoch = epoch
        rate = self.settings.rate(epoch)
        # The generator's groups after the first are the parts that read text.
        for part in self.parts.values():
            for number, group in enumerate(part.optimizer.param_groups):
                group["lr"] = rate * (self.options.text_low_lr_rate if number else 1.0)

    def step(self, batch: SovitsBatch, last: bool) -> dict[str, Tensor]:
        settings, segment = self.settings, self.settings.segment_frames
        fake, starts, kl, log_pitch = self.generator(batch)
        fake = fake.float()
        real = slice_segments(batch.wave, starts * STFT.hop, settings.segment_size)

        real_mel = mel_from_spectrogram(slice_segments(batch.spec, starts, segment), STFT)
        fake_mel = log_mel(fake.squeeze(1), STFT)
        floor = math.log(settings.mel_floor)
        losses = {
            "mel": settings.c_mel * mel_loss(real_mel.clamp(min=floor), fake_mel.clamp(min=floor)),
            "kl": settings.kl_weight(self.epoch) * kl,
        }
        if settings.c_stft:
            distance = stft_loss(real.squeeze(1), fake.squeeze(1), STFT_SIZES, settings.stft_floor)
            losses["stft"] = settings.c_stft * distance
        if log_pitch is not None:
            measured = pitch(real.squeeze(1), STFT.sampling_rate, settings.segment_size // log_pitch.shape[-1])
            losses["pitch"] = settings.c_pitch * pitch_loss(measured, log_pitch)
        if self.listener is not None:
            with self.fabric.autocast():
                losses["content"] = settings.c_content * self.listener(real.squeeze(1), fake.squeeze(1))
        scalars = {}
        if self.epoch >= settings.critics_from:
            loss_d = self._judge(real, fake.detach())
            self.step_d.zero_grad()
            self.fabric.backward(loss_d)
            scalars = {"loss/d/total": loss_d, "grad_norm_d": self._gradient_norm(self.discriminator, self.step_d)}
            self.step_d.step()
            losses["adversarial"], losses["fm"] = self._persuade(real, fake)
        loss_g = torch.stack(list(losses.values())).sum()
        self.step_g.zero_grad()
        self.fabric.backward(loss_g)
        norm_g = self._gradient_norm(self.generator, self.step_g)
        self.step_g.step()

        self.seen = {
            "real": real[0],
            "made": fake[0].detach(),
            "real_mel": real_mel[0],
            "made_mel": fake_mel[0].detach(),
        }
        return {
            "loss/g/total": loss_g,
            **{f"loss/g/{name}": loss for name, loss in losses.items()},
            **scalars,
            "grad_norm_g": norm_g,
            "learning_rate": torch.tensor(self.parts["G"].optimizer.param_groups[0]["lr"], device=fake.device),
        }

    def _judge(self, real: Tensor, fake: Tensor) -> Tensor:
        """The discriminators' loss. They see real and made audio in one go, which they may, having no batch norm."""
        scores, _ = self.discriminator(torch.cat([real, fake]))
        halves = [score.chunk(2) for score in scores]
        return discriminator_loss([half[0] for half in halves], [half[1] for half in halves])

    def _persuade(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        """The generator's adversarial and feature losses; no gradient is computed for the discriminators."""
        critic = self.discriminator.module
        critic.requires_grad_(False)
        with self.fabric.autocast():
            with torch.no_grad():
                _, real_maps = critic(real)
            scores, fake_maps = critic(fake)
        critic.requires_grad_(True)
        return generator_loss(scores), feature_loss(real_maps, fake_maps)

    def _gradient_norm(self, module: Any, optimizer: Any) -> Any:
        """For the log; the official recipe clips nothing."""
        return self.fabric.clip_gradients(module, optimizer, max_norm=self.settings.clip, error_if_nonfinite=False)

    def show(self, board: Board, step: int) -> None:
        for name in ("real", "made"):
            mel = self.seen[f"{name}_mel"].float()
            picture = (mel - mel.min()) / (mel.max() - mel.min()).clamp(min=1e-5)
            board.add_image(f"slice/mel_{name}", picture.flip(0).cpu(), step, dataformats="HW")
            board.add_audio(f"slice/{name}", self.seen[name].float().cpu(), step, STFT.sampling_rate)

    def weights(self, epoch: int, step: int) -> Path:
        name = f"{self.options.exp}_e{epoch}_s{step}.pth"
        return self.options.project.root / self.version.sovits_folder / name

    def export(self, path: Path, epoch: int, step: int) -> None:
        config = self.options.exported_config(self.config, self.version)
        state = self.parts["G"].network.state_dict()
        write_generator(path, export_generator(state, config, f"{epoch}epoch_{step}iteration", self.version.name))


def _groups(network: Sovits, rate: float, text_ratio: float) -> list[dict[str, Any]]:
    """All that is trained first, then each of the parts that read text."""
    named = [(name, parameter) for name, parameter in network.named_parameters() if parameter.requires_grad]
    groups = [{"params": [parameter for name, parameter in named if not name.startswith(TEXT_PARTS)], "lr": rate}]
    for prefix in TEXT_PARTS:
        chosen = [parameter for name, parameter in named if name.startswith(prefix)]
        groups.append({"params": chosen, "lr": rate * text_ratio})
    return groups
