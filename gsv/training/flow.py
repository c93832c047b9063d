"""Training of SoVITS v3 and v4: in full, or a LoRA beside a base model, as the official models are fine-tuned.

There is one loss, flow matching's. What finds tokens and hidden frames is frozen. Of each clip the beginning is given
as a prompt, up to two thirds of it, and the network learns to draw the rest.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim import AdamW

from gsv.audio.io import resample
from gsv.audio.spectral import Stft, flow_scaled, log_mel
from gsv.checkpoints import export_generator, missing_weights, read_generator, write_generator
from gsv.errors import CheckpointError
from gsv.lora import export_lora
from gsv.models.adapters import adapt
from gsv.models.flow_sovits import FlowSovits, FlowSovitsConfig
from gsv.paths import Experiment
from gsv.progress import Progress
from gsv.training.data import FRAMES_PER_BUCKET, STFT, BucketBatches, SovitsData, SpokenClip
from gsv.training.loop import Board, Outcome, Plan, TrainReport, derived_seed, fit, loader, optimizer_on
from gsv.training.resume import Part
from gsv.training.sovits_options import AdamSettings, SovitsTrainOptions
from gsv.training.start import UNTRAINED, fitted, read_config, untrained_generator
from gsv.versions import Version

# Official files have these, and training as it is done gives them no gradient.
_UNMOVED = ("ref_enc", "linear_mel")

log = logging.getLogger(__name__)


class FlowBatch(NamedTuple):
    """Padded on the right; T is even."""

    ssl: Tensor  # [B, ssl_dim, T]
    spec: Tensor  # [B, 1025, T]
    mel: Tensor  # [B, bands, M], as `flow_scaled`
    spec_lengths: Tensor  # [B]
    mel_lengths: Tensor  # [B]
    text: Tensor  # [B, L]
    text_lengths: Tensor  # [B]


class FlowData(SovitsData):
    """The clips that a version that speaks by flow matching can be trained on; raises as `SovitsData`."""

    # 20 s: all of a clip is drawn at once, while a GAN makes but a slice of it.
    longest = 1000

    def __init__(self, experiment: Experiment, version: Version):
        super().__init__(experiment, version)
        facts = version.flow
        assert facts is not None, "a version that speaks by flow matching"
        self.stft = Stft(facts.sampling_rate, facts.n_fft, facts.hop, facts.n_fft, facts.bands)

    def collate(self, clips: Sequence[SpokenClip]) -> FlowBatch:  # type: ignore[override]
        """Reads the clips' files and pads them to one length."""
        batch = super().collate(clips)
        mels = [self._mel(wave[0, : clip.frames * STFT.hop]) for wave, clip in zip(batch.wave, clips, strict=True)]
        lengths = [mel.shape[-1] for mel in mels]
        return FlowBatch(
            batch.ssl,
            batch.spec,
            torch.stack([F.pad(mel, (0, max(lengths) - mel.shape[-1])) for mel in mels]),
            batch.spec_lengths,
            torch.tensor(lengths),
            batch.text,
            batch.text_lengths,
        )

    def _mel(self, wave: Tensor) -> Tensor:
        """[samples] at 32 kHz -> [bands, M]."""
        at_rate = torch.from_numpy(resample(wave.numpy(), STFT.sampling_rate, self.stft.sampling_rate)).float()
        return flow_scaled(log_mel(at_rate[None], self.stft))[0]


@dataclass(frozen=True)
class _Start:
    """What a training begins with."""

    config: dict[str, Any]
    settings: AdamSettings
    model: FlowSovitsConfig
    weight: dict[str, Tensor]


def train_flow(options: SovitsTrainOptions, version: Version, progress: Progress) -> TrainReport:
    """`gsv.training.sovits.train_sovits` for the versions that speak by flow matching.

    Exports `SoVITS_weights_v3/EXP_eN_sM.pth`, with a LoRA `EXP_eN_sM_lRANK.pth`.
    """
    experiment = options.project.experiment(options.exp)
    plan = options.plan(experiment.sovits_logs(version, options.lora_rank))
    data = FlowData(experiment, version)
    start = _pretrained(options, version) if options.from_scratch is None else _from_scratch(options, version, data)
    options.check_width(data, start.model.base.ssl_dim)
    if options.learning_rate is not None:
        start = replace(start, settings=replace(start.settings, learning_rate=options.learning_rate))
    log.info("Training %s on %s.", options.exp, data.report)
    outcome = options.machine.run(_train, options, version, plan, start, data, progress)
    return TrainReport(outcome, data.report)


def _pretrained(options: SovitsTrainOptions, version: Version) -> _Start:
    path = options.project.resolve(options.pretrained_g or options.project.base(version).generator)
    if not path.exists():
        raise missing_weights(path)
    file = read_generator(path)
    if file.version != version.name:
        raise CheckpointError(f"{path} is a model of version {file.version}; version {version.name} was asked for.")
    if file.lora_rank is not None:
        raise CheckpointError(f"{path} is a LoRA; training starts from a full model of version {version.name}.")
    model = FlowSovitsConfig.from_weights(version, file.config["model"], file.weight)
    settings = AdamSettings.from_file(file.config, trained=file.info != UNTRAINED)
    return _Start(file.config, settings, model, fitted(lambda: FlowSovits(model), file.weight, path))


def _from_scratch(options: SovitsTrainOptions, version: Version, data: FlowData) -> _Start:
    assert options.from_scratch is not None
    config = read_config(options.project.resolve(options.from_scratch))
    seed = derived_seed(options.seed, "generator")
    network = untrained_generator(config, version, data.ssl_dim, data.content(), seed)
    assert isinstance(network, FlowSovits)
    return _Start(config, AdamSettings.from_dict(config.get("train", {})), network.settings, network.state_dict())


def _train(
    fabric: Fabric,
    options: SovitsTrainOptions,
    version: Version,
    plan: Plan,
    start: _Start,
    data: FlowData,
    progress: Progress,
) -> Outcome:
    """In every training process."""
    torch.manual_seed(derived_seed(options.seed, "weights"))
    network = FlowSovits(start.model)
    network.load_state_dict(start.weight)
    network.cfm.estimator.gradient_checkpointing = options.grad_checkpointing
    for name in _UNMOVED:
        network.get_submodule(name).requires_grad_(False)
    if options.lora_rank is not None:
        adapt(network, options.lora_rank)
    batches = BucketBatches(
        data.lengths, FRAMES_PER_BUCKET, options.batch_size, options.seed, fabric.global_rank, fabric.world_size
    )
    recipe = _FlowRecipe(fabric, options, version, start, network)
    return fit(fabric, recipe, loader(fabric, options.machine, data, batches, data.collate), batches, plan, progress)


class _FlowRecipe:
    """Moves what is trained of the network by batches."""

    def __init__(
        self, fabric: Fabric, options: SovitsTrainOptions, version: Version, start: _Start, network: FlowSovits
    ):
        self.fabric = fabric
        self.options = options
        self.version = version
        self.start = start
        settings = start.settings
        trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        optimizer = AdamW(trained, settings.learning_rate, betas=settings.betas, eps=settings.eps)
        self.network = fabric.setup_module(network.train())
        self.moving = optimizer_on(fabric, optimizer)
        self.parts = {"G": Part(network, optimizer, settings.learning_rate)}

    def begin(self, epoch: int) -> None:
        for group in self.parts["G"].optimizer.param_groups:
            group["lr"] = self.start.settings.rate(epoch)

    def step(self, batch: FlowBatch, last: bool) -> dict[str, Tensor]:
        loss = self.network(*batch)
        self.moving.zero_grad()
        self.fabric.backward(loss)
        # For the log; the official recipe clips nothing.
        norm = self.fabric.clip_gradients(self.network, self.moving, max_norm=float("inf"), error_if_nonfinite=False)
        self.moving.step()
        rate = self.parts["G"].optimizer.param_groups[0]["lr"]
        assert isinstance(norm, Tensor)
        return {"loss/g/total": loss, "grad_norm_g": norm, "learning_rate": torch.tensor(rate, device=loss.device)}

    def show(self, board: Board, step: int) -> None:
        """Nothing: a step makes velocities on the way to a spectrogram, which tell an eye or ear nothing."""

    def weights(self, epoch: int, step: int) -> Path:
        rank = self.options.lora_rank
        name = f"{self.options.exp}_e{epoch}_s{step}" + ("" if rank is None else f"_l{rank}")
        return self.options.project.root / self.version.sovits_folder / f"{name}.pth"

    def export(self, path: Path, epoch: int, step: int) -> None:
        config = self.options.exported_config(self.start.config, self.version)
        state, info = self.parts["G"].network.state_dict(), f"{epoch}epoch_{step}iteration"
        if self.options.lora_rank is None:
            file = export_generator(state, config, info, self.version.name)
        else:
            file = export_lora(state, self.start.weight, config, info, self.version, self.options.lora_rank)
        write_generator(path, file)
