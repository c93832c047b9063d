"""LoRA files of v3 and v4 (arXiv 2106.09685) and the full generators that they make with their base model.

Such a file holds, in the official layout, two thin matrices for each adapted one, and everything else that was trained.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from gsv.checkpoints import (
    ARCHIVE_HEAD,
    Config,
    GeneratorFile,
    Weight,
    halved,
    missing_weights,
    read_generator,
    write_generator,
)
from gsv.errors import CheckpointError, InputError, MissingWeightsError
from gsv.paths import Project
from gsv.versions import Version, version_named

# What the trainer's library puts into names, and where these matrices stand in plain ones.
_WRAPPED, _PLAIN = "cfm.base_model.model.", "cfm."
_DOWN, _UP = ".lora_A.default.weight", ".lora_B.default.weight"
_CODEBOOK = "quantizer.vq.layers.0._codebook.embed"
# The base model's, of which an official file has nothing; of its flow matcher, only the adapters and the buffer.
_FROZEN = ("enc_p.", "ssl_proj.", "cfm.")
_ADDED = (_DOWN, _UP, "rotary_embed.inv_freq")
# A note in an exported configuration, and the matrix that tells one base model from another: full training changes it.
_BASE = "lora_base"
_TELLING = "cfm.estimator.transformer_blocks.0.attn.to_q.weight"


def export_lora(
    state: Mapping[str, Tensor], base: Mapping[str, Tensor], config: Config, info: str, version: Version, rank: int
) -> GeneratorFile:
    """An adapted network's tensors as the official exporter lays them out: half precision, nothing of what is frozen.

    What base model it belongs to is noted in the configuration, which official programs take no notice of.
    """
    kept = {name: tensor for name, tensor in state.items() if name.endswith(_ADDED) or not name.startswith(_FROZEN)}
    config = {**config, _BASE: _fingerprint(base[_TELLING])}
    return GeneratorFile(halved(kept), config, info, version.name, rank, version.lora_header or ARCHIVE_HEAD)


def _fingerprint(matrix: Tensor) -> str:
    return hashlib.sha256(matrix.detach().to("cpu", torch.float16).contiguous().numpy().tobytes()).hexdigest()


def read_voice(path: Path, project: Project) -> GeneratorFile:
    """A full generator: the file itself, or if it is a LoRA, that merged onto its version's base model.

    Raises as `read_generator`; MissingWeightsError if the base model is not there, CheckpointError if it is another
    than the LoRA was trained on.
    """
    file = read_generator(path)
    if file.lora_rank is None:
        return file
    base = project.base(version_named(file.version)).generator
    if not base.is_file():
        raise MissingWeightsError(
            f"{path} is a LoRA and needs the base model of {file.version}. {missing_weights(base)}"
        )
    return merged(file, path, read_generator(base), base)


def write_merged(path: Path, output: Path, project: Project) -> None:
    """Writes the full generator, in half precision, that a LoRA makes with its base model.

    Raises as `read_voice`, and InputError if the file is no LoRA.
    """
    if read_generator(path).lora_rank is None:
        raise InputError(f"{path} is a full model, so there is nothing to merge; name a LoRA.")
    whole = read_voice(path, project)
    write_generator(output, replace(whole, weight=halved(whole.weight)))


def merged(lora: GeneratorFile, path: Path, base: GeneratorFile, base_path: Path) -> GeneratorFile:
    """A LoRA on its base model, in float32 where they meet: W + B A, as alpha is always the rank.

    Raises CheckpointError if they do not belong together; the paths are for the message.
    """
    wrong = f"{path} is a LoRA of version {lora.version} and was not trained on {base_path}"
    if base.lora_rank is not None:
        raise CheckpointError(f"{base_path} is a LoRA itself; the base model must be a full one.")
    if base.version != lora.version:
        raise CheckpointError(f"{wrong}, which is of {base.version}; put the base model of {lora.version} there.")
    weight: Weight = dict(base.weight)
    for name, tensor in lora.weight.items():
        plain = _PLAIN + name.removeprefix(_WRAPPED) if name.startswith(_WRAPPED) else name
        if plain.endswith(_DOWN):
            continue
        added, target = tensor, plain
        if plain.endswith(_UP):
            target = plain.removesuffix(_UP) + ".weight"
            down = lora.weight.get(name.removesuffix(_UP) + _DOWN)
            if down is None or down.dim() != 2 or tensor.dim() != 2 or len(down) != tensor.shape[1]:
                raise CheckpointError(f"{path} lacks one half of the adapter of {target}; it is damaged.")
            added = tensor.float() @ down.float()
        there = weight.get(target)
        if there is None or there.shape != added.shape:
            raise CheckpointError(f"{wrong}: {target} has another shape there; put the right base model in its place.")
        weight[target] = there.float() + added if plain.endswith(_UP) else added
    noted = lora.config.get(_BASE)
    if noted is not None and noted != _fingerprint(base.weight[_TELLING]):
        raise CheckpointError(f"{wrong}: its attention differs; put the base model of its training in its place.")
    _check_codebook(lora, base, wrong)
    config = {name: value for name, value in {**base.config, **lora.config}.items() if name != _BASE}
    return GeneratorFile(weight, config, lora.info, lora.version)


def _check_codebook(lora: GeneratorFile, base: GeneratorFile, wrong: str) -> None:
    """Training leaves the codebook as it is, so a LoRA's tells which base model it was."""
    ours, theirs = lora.weight.get(_CODEBOOK), base.weight.get(_CODEBOOK)
    if ours is not None and theirs is not None and not torch.equal(ours.half(), theirs.half()):
        raise CheckpointError(f"{wrong}: it has another codebook; put the base model of its training in its place.")
