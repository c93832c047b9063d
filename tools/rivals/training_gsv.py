"""gsv's own training steps."""

import gsv  # noqa: F401  Before torch: it tells OpenMP how to wait.

# isort: split
from pathlib import Path

from trainer import GATHERED, Batches, Trainer, answer, lengths
from worker import Job, serve

from gsv.checkpoints import read_generator, read_gpt
from gsv.models.sovits import Sovits
from gsv.models.t2s import T2S
from gsv.training.data import GptBatch, SovitsBatch
from gsv.training.gpt import FINE_TUNING_RATE, GptRecipe, GptTrainOptions
from gsv.training.loop import Machine
from gsv.training.optim import Constant
from gsv.training.sovits import DiscriminatorWidths, GanSettings, SovitsRecipe
from gsv.training.sovits_options import SovitsTrainOptions
from gsv.versions import version_named

VERSION = version_named("v2")
MACHINE = Machine(accelerator="cpu", precision="32-true")


class SovitsTrainer(Trainer):
    def __init__(self, job: Job):
        super().__init__()
        file = read_generator(Path(job.sovits))
        generator = Sovits.from_weights(file.config["model"], file.weight)
        settings = GanSettings.from_dict(file.config["train"])
        critics = DiscriminatorWidths.from_dict(file.config.get("discriminator", {})).build(VERSION)
        options = SovitsTrainOptions(exp="bench", machine=MACHINE)
        self.recipe = SovitsRecipe(MACHINE.fabric(), options, VERSION, file.config, settings, generator, critics, None)
        self.recipe.begin(1)
        given = Batches(job.inputs)
        frames, phonemes = lengths(given.spec), lengths(given.text)
        self.batch = SovitsBatch(given.ssl, given.spec, frames, given.wave, given.text, phonemes, None)

    def step(self) -> float:
        return float(self.recipe.step(self.batch, last=False)["loss/g/total"])


class GptTrainer(Trainer):
    def __init__(self, job: Job):
        super().__init__()
        file = read_gpt(Path(job.gpt))
        network = T2S.from_weights(file.config["model"], file.weight)
        options = GptTrainOptions(exp="bench", machine=MACHINE)
        rate = Constant(FINE_TUNING_RATE)
        self.recipe = GptRecipe(MACHINE.fabric(), options, VERSION, file.config, rate, network, GATHERED, None)
        given = Batches(job.inputs)
        self.batch = GptBatch(given.text, lengths(given.text), given.tokens, lengths(given.tokens), given.bert)

    def step(self) -> float:
        return float(sum(self.recipe.step(self.batch, last=False)["loss/total"] for _ in range(GATHERED)) / GATHERED)


if __name__ == "__main__":
    serve(lambda job: {"sovits": SovitsTrainer, "gpt": GptTrainer}[job.variant](job), answer)
