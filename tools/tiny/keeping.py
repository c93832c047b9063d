"""The state of the training in a few megabytes, so that it can be committed now and then and gone on from elsewhere.

Content encoder and codebook are kept as they are, in half precision: they give the tokens their meaning. The two halves
are kept in eight bits a weight with a scale for each row; a training that goes on from them soon makes up for that.
"""

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from gsv.checkpoints import read_resume, write_resume
from gsv.errors import InputError
from gsv.paths import written_whole
from gsv.training.resume import LATEST, Part
from tiny.codes import VERSION, TinyFiles, write_halves
from tiny.content import ContentPlan, content_optimizer, untrained_content, write_content

# The codebook and what leads to it.
EXACT = ("ssl_proj.", "quantizer.")
_SCALE = ".scale"


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


def restore(files: TinyFiles, configs: Path, folder: Path, seed: int) -> None:
    """Makes a new work folder start from what `keep` wrote: the encoder finished, the halves where they were.

    Their epochs are counted from 0 again. Raises InputError if there is nothing to start from, or if the work folder
    holds parts already.
    """
    if files.content.exists() or files.generator.exists():
        raise InputError(f"{files.folder} holds parts of a voice already; name another work folder.")
    missing = [part for part in ("content", "sovits", "gpt") if not (folder / f"{part}.safetensors").is_file()]
    if missing:
        raise InputError(f"{folder} has no {missing[0]}.safetensors; there is nothing to go on from.")
    content, sovits, gpt = (
        unpacked(safetensors.torch.load_file(folder / f"{part}.safetensors")) for part in ("content", "sovits", "gpt")
    )
    trainer = untrained_content(configs / "hubert.json", ContentPlan.read(configs / "content.yaml"))
    trainer.load_state_dict(content)
    optimizer = content_optimizer(trainer)
    write_resume(
        files.work / "content" / f"E_{LATEST}.pth",
        Part(trainer, optimizer, trainer.plan.learning_rate).saved(trainer.plan.epochs),
    )
    write_content(files.content, trainer.encoder)
    write_halves(files, configs, sovits, gpt, seed)
