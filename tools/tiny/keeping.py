"""The state of the training in a few megabytes, so that it can be committed and gone on from elsewhere.

A finished set holds all that further training needs. Until there is one, `keep` writes less: content encoder and
codebook as they are, in half precision, since they give the tokens their meaning, and the two halves in eight bits a
weight with a scale for each row. A training that goes on from them soon makes up for that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from gsv.checkpoints import read_discriminator, read_generator, read_gpt, read_resume, write_resume
from gsv.errors import InputError
from gsv.models.encoders import ContentEncoder
from gsv.models.t2s import PREFIX
from gsv.paths import Project, written_whole
from gsv.training.resume import LATEST, Part
from tiny.codes import MODULE, VERSION, TinyFiles, untrained_critics, write_halves
from tiny.content import ContentPlan, content_optimizer, untrained_content, write_content
from tiny.shipping import HEADS

# The codebook and what leads to it.
EXACT = ("ssl_proj.", "quantizer.")
_SCALE = ".scale"
_PARTS = ("content", "sovits", "gpt")


@dataclass(frozen=True)
class Kept:
    """Tensors by name of the content encoder with its heads, and of the halves; None for critics that never judged."""

    content: Mapping[str, Tensor]
    generator: Mapping[str, Tensor]
    critics: Mapping[str, Tensor] | None
    gpt: Mapping[str, Tensor]


def packed(state: Mapping[str, Tensor], exact: tuple[str, ...] = EXACT) -> dict[str, Tensor]:
    """Matrices as int8 with a scale for each row beside them; all else in half precision."""
    found: dict[str, Tensor] = {}
    for name, tensor in state.items():
        value = tensor.detach().float().cpu()
        if value.dim() < 2 or name.startswith(exact):
            found[name] = value.half().contiguous()
        else:
            scale = value.flatten(1).abs().amax(1).clamp(min=1e-8) / 127
            rows = value.flatten(1) / scale[:, None]
            found[name] = rows.round().to(torch.int8).view_as(value).contiguous()
            found[name + _SCALE] = scale
    return found


def unpacked(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What `packed` was given, nearly."""
    return {
        name: tensor.float()
        if tensor.dtype != torch.int8
        else (tensor.flatten(1).float() * state[name + _SCALE][:, None]).view(tensor.shape)
        for name, tensor in state.items()
        if not name.endswith(_SCALE)
    }


def keep(files: TinyFiles, folder: Path) -> list[Path]:
    """Writes the newest states of all three parts to a folder; InputError if one has not been trained at all."""
    states = {
        "content": files.work / "content" / f"E_{LATEST}.pth",
        "sovits": files.project.experiment("train").sovits_logs(VERSION) / f"G_{LATEST}.pth",
        "gpt": files.project.experiment("pairs").gpt_logs(VERSION) / f"T_{LATEST}.pth",
    }
    written = []
    for part, path in states.items():
        if not path.is_file():
            raise InputError(f"{path} is missing; train all three parts before they are kept.")
        file = read_resume(path)
        target = folder / f"{part}.safetensors"
        with written_whole(target) as temporary:
            content = packed(file.model, ("",) if part == "content" else EXACT)
            safetensors.torch.save_file(content, temporary, {"epochs": str(file.iteration)})
        written.append(target)
    return written


def kept_in(folder: Path) -> Kept:
    """What `keep` wrote to a folder."""
    content, generator, gpt = (unpacked(safetensors.torch.load_file(folder / f"{part}.safetensors")) for part in _PARTS)
    return Kept(content, generator, None, gpt)


def kept_in_set(project: Project) -> Kept:
    """What a project's finished set holds."""
    base = project.base_of(VERSION, MODULE)
    encoder = ContentEncoder.load(project.content_encoder(MODULE)).state_dict()
    heads = safetensors.torch.load_file(base.generator.parent / HEADS)
    content = {f"encoder.{name}": tensor for name, tensor in encoder.items()}
    content |= {f"heads.{name}": tensor for name, tensor in heads.items()}
    gpt = {name.removeprefix(PREFIX): tensor for name, tensor in read_gpt(base.gpt).weight.items()}
    return Kept(content, read_generator(base.generator).weight, read_discriminator(base.discriminator).weight, gpt)


def restore(files: TinyFiles, configs: Path, project: Project, folder: Path, seed: int) -> None:
    """Makes a new work folder start from a project's finished set, or else from what `keep` wrote to a folder.

    The encoder is finished then, and the halves are where they were; their epochs are counted from 0 again. Raises
    InputError if there is nothing to start from, or if the work folder holds parts already.
    """
    if files.content.exists() or files.generator.exists():
        raise InputError(f"{files.folder} holds parts of a voice already; name another work folder.")
    if project.base_of(VERSION, MODULE).generator.is_file():
        kept = kept_in_set(project)
    elif all((folder / f"{part}.safetensors").is_file() for part in _PARTS):
        kept = kept_in(folder)
    else:
        raise InputError(f"Neither {project.pretrained} nor {folder} holds a voice; there is nothing to go on from.")
    trainer = untrained_content(configs / "hubert.json", ContentPlan.read(configs / "content.yaml"))
    trainer.load_state_dict(kept.content)
    optimizer = content_optimizer(trainer)
    write_resume(
        files.work / "content" / f"E_{LATEST}.pth",
        Part(trainer, optimizer, trainer.plan.learning_rate).saved(trainer.plan.epochs),
    )
    write_content(files.content, trainer.encoder)
    critics = kept.critics if kept.critics is not None else untrained_critics(configs, seed)
    write_halves(files, configs, kept.generator, critics, kept.gpt)
