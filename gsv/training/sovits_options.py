"""What the trainings of SoVITS have in common: their options, and what they check and write alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field

from gsv.errors import TrainingError
from gsv.fields import BatchSize, Epochs, ExperimentName, KeepOnlyLatest, SaveEvery, SaveEveryWeights, Seed, VersionName
from gsv.paths import Project
from gsv.training.data import SovitsData
from gsv.training.loop import Machine, Plan
from gsv.versions import Version

LORA_RANKS = (16, 128)

Settings = TypeVar("Settings", bound="AdamSettings")


@dataclass(frozen=True)
class SovitsTrainOptions:
    """A training of SoVITS on the files of stages 1a and 1b; the defaults are the WebUI's."""

    exp: ExperimentName
    version: VersionName = "v2"
    epochs: Epochs = 8
    batch_size: BatchSize = 4
    text_low_lr_rate: Annotated[
        float,
        Field(ge=0, le=1, description="Learning rate of the parts that read text, times the rest's; not v3 and v4."),
    ] = 0.4
    save_every_epoch: SaveEvery = 4
    keep_only_latest: KeepOnlyLatest = True
    save_every_weights: SaveEveryWeights = True
    grad_checkpointing: Annotated[
        bool, Field(description="Compute activations twice instead of keeping them: slower, in less memory.")
    ] = False
    lora_rank: Annotated[
        int | None,
        Field(
            ge=LORA_RANKS[0],
            le=LORA_RANKS[1],
            description="v3 and v4: train a LoRA of this rank beside the base model; left out, the model itself.",
        ),
    ] = None
    pretrained_g: Annotated[Path | None, Field(description="Generator to start from; the version's base.")] = None
    pretrained_d: Annotated[
        Path | None, Field(description="Discriminators to start from; the version's base. Not v3 and v4.")
    ] = None
    from_scratch: Annotated[
        Path | None,
        Field(description="JSON file of widths: start from random weights and a codebook of the experiment instead."),
    ] = None
    learning_rate: Annotated[
        float | None, Field(gt=0, lt=1, allow_inf_nan=False, description="The configuration's if not given.")
    ] = None
    seed: Seed = 1234
    machine: Machine = field(default_factory=Machine)
    project: Project = field(default_factory=Project.default)

    def check(self, version: Version) -> None:
        """TrainingError for values that cannot be trained with."""
        if self.batch_size < 1:
            raise TrainingError(f"batch_size is {self.batch_size}; it must be at least 1.")
        if not 0 <= self.text_low_lr_rate <= 1:
            raise TrainingError(f"text_low_lr_rate is {self.text_low_lr_rate}; it must lie between 0 and 1.")
        if self.learning_rate is not None and not 0 < self.learning_rate < 1:
            raise TrainingError(f"learning_rate is {self.learning_rate}; it must lie between 0 and 1.")
        if self.lora_rank is None:
            return
        least, most = LORA_RANKS
        if not least <= self.lora_rank <= most:
            raise TrainingError(f"lora_rank is {self.lora_rank}; it must lie between {least} and {most}.")
        if not version.trains_lora:
            raise TrainingError(f"Version {version.name} is not trained by LoRA; leave lora_rank out.")
        if self.from_scratch is not None:
            raise TrainingError("A LoRA goes beside a trained model; leave lora_rank or from_scratch out.")

    def plan(self, folder: Path) -> Plan:
        return Plan(
            folder, self.epochs, self.seed, self.save_every_epoch, self.keep_only_latest, self.save_every_weights
        )

    def check_width(self, data: SovitsData, ssl_dim: int) -> None:
        """TrainingError if the experiment's features are not as wide as those the model takes."""
        if data.ssl_dim != ssl_dim:
            raise TrainingError(
                f"The content features of {self.exp} are {data.ssl_dim} wide and this model takes {ssl_dim};"
                " make them again (stage 1b) with the HuBERT that belongs to the model."
            )

    def exported_config(self, config: Mapping[str, Any], version: Version) -> dict[str, Any]:
        """The configuration for the exported file: that of the model it came from, with this training's settings."""
        train = {
            **config.get("train", {}),
            "seed": self.seed,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "text_low_lr_rate": self.text_low_lr_rate,
            "save_every_epoch": self.save_every_epoch,
        }
        model = {**config["model"], "version": version.name}
        return {**config, "train": train, "model": model, "name": self.exp, "version": version.name}


@dataclass(frozen=True)
class AdamSettings:
    """The optimiser's numbers; names are those of a configuration's `train` group.

    The defaults are the official ones, at which all official models are fine-tuned; untrained networks go by their
    configuration, and so does the fine-tuning of models whose configuration has a group `fine_tune`.
    """

    learning_rate: float = 1e-4
    betas: tuple[float, float] = (0.8, 0.99)
    eps: float = 1e-9
    lr_decay: float = 0.999875

    @classmethod
    def from_file(cls: type[Settings], config: Mapping[str, Any], trained: bool) -> Settings:
        """For what starts from weights with that configuration."""
        return cls.from_dict(config.get("fine_tune" if trained else "train", {}))

    @classmethod
    def from_dict(cls: type[Settings], config: Mapping[str, Any]) -> Settings:
        known = {item.name: config[item.name] for item in fields(cls) if item.name in config}
        if "betas" in known:
            known["betas"] = tuple(known["betas"])
        return cls(**known)

    def rate(self, epoch: int) -> float:
        return self.learning_rate * self.lr_decay**epoch
