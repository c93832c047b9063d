"""Going on from a finished set: the content encoder is finished, and the halves are where they were."""

from pathlib import Path

import safetensors.torch

from gsv.checkpoints import read_discriminator, read_generator, read_gpt, write_resume
from gsv.errors import InputError
from gsv.models.encoders import ContentEncoder
from gsv.models.t2s import PREFIX
from gsv.paths import Project
from gsv.training.resume import LATEST, Part
from tiny.codes import MODULE, VERSION, TinyFiles, write_halves
from tiny.content import ContentPlan, content_optimizer, untrained_content, write_content
from tiny.shipping import HEADS


def restore(files: TinyFiles, configs: Path, project: Project) -> None:
    """Makes a new work folder start from a project's finished set; the epochs of the halves are counted from 0 again.

    Raises InputError if there is no set, or if the work folder holds parts already.
    """
    if files.content.exists() or files.generator.exists():
        raise InputError(f"{files.folder} holds parts of a voice already; name another work folder.")
    base = project.base_of(VERSION, MODULE)
    if not base.generator.is_file():
        raise InputError(f"{base.generator.parent} holds no finished set; there is nothing to go on from.")
    encoder = ContentEncoder.load(project.content_encoder(MODULE)).state_dict()
    heads = safetensors.torch.load_file(base.generator.parent / HEADS)
    trainer = untrained_content(configs / "hubert.json", ContentPlan.read(configs / "content.yaml"))
    trainer.load_state_dict(
        {
            **{f"encoder.{name}": tensor for name, tensor in encoder.items()},
            **{f"heads.{name}": tensor for name, tensor in heads.items()},
        }
    )
    optimizer = content_optimizer(trainer)
    write_resume(
        files.work / "content" / f"E_{LATEST}.pth",
        Part(trainer, optimizer, trainer.plan.learning_rate).saved(trainer.plan.epochs),
    )
    write_content(files.content, trainer.encoder)
    gpt = {name.removeprefix(PREFIX): tensor for name, tensor in read_gpt(base.gpt).weight.items()}
    generator, critics = read_generator(base.generator).weight, read_discriminator(base.discriminator).weight
    write_halves(files, configs, generator, critics, gpt)
