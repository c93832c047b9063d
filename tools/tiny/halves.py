"""The two halves of the voice, trained by gsv's own loops."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from torch import Tensor

from gsv.models.t2s import T2S
from gsv.training.data import GptBatch
from gsv.training.gpt import GptTrainOptions, train_gpt
from gsv.training.loop import TrainReport
from gsv.training.sovits import SovitsTrainOptions, train_sovits
from tiny.codes import TinyFiles, places_in_pairs, write_pairs
from tiny.guiding import Guide
from tiny.machine import MACHINE
from tiny.mishearing import mishear
from tiny.sounds import record_badly


@dataclass(frozen=True)
class StepsPlan:
    """See configs/tiny/steps.yaml."""

    seed: int
    sovits_epochs: int
    sovits_batch_size: int
    gpt_epochs: int
    gpt_batch_size: int
    reference: str

    @classmethod
    def read(cls, path: Path) -> "StepsPlan":
        return cls(**yaml.safe_load(path.read_text(encoding="utf-8")))


def train_voice(files: TinyFiles, plan: StepsPlan) -> TrainReport:
    """SoVITS on the corpus."""
    return train_sovits(
        SovitsTrainOptions(
            exp="train",
            epochs=plan.sovits_epochs,
            batch_size=plan.sovits_batch_size,
            text_low_lr_rate=1.0,
            save_every_weights=False,
            pretrained_g=files.generator,
            pretrained_d=files.discriminator,
            seed=plan.seed,
            machine=MACHINE,
            project=files.project,
        ),
        change=record_badly,
    )


def train_tokens(files: TinyFiles, plan: StepsPlan) -> Iterator[TrainReport]:
    """The text-to-semantic model on pairs of clips, an epoch at a time: each has pairs of its own."""
    done = 0
    while done < plan.gpt_epochs:
        guide = Guide(places_in_pairs(files, write_pairs(files, done)))

        def guidance(network: T2S, guide: Guide = guide) -> Callable[[GptBatch], Tensor]:
            mishear(network)
            return guide.watch(network)

        report = train_gpt(
            GptTrainOptions(
                exp="pairs",
                epochs=done + 1,
                batch_size=plan.gpt_batch_size,
                save_every_weights=False,
                pretrained=files.gpt,
                seed=plan.seed,
                machine=MACHINE,
                project=files.project,
            ),
            guidance=guidance,
        )
        done = report.outcome.epochs
        yield report
