"""LoRA files: merged onto the base model they were trained on, and refused on any other."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv import Engine
from gsv.checkpoints import GeneratorFile, halved, read_generator, write_generator
from gsv.errors import CheckpointError, InputError, MissingWeightsError
from gsv.lora import merged, read_voice, write_merged
from gsv.paths import Project
from gsv.versions import Version, version_named

RANK = 4
_BLOCK = "transformer_blocks.0.attn."
_TRAINED = ("bridge.", "wns1.", "linear_mel.", "ref_enc.", "quantizer.")


def lora_of(base: GeneratorFile, version: Version) -> GeneratorFile:
    """One as a trainer would export it: adapters of the first block, and the rest that is trained, changed a little."""
    draw = torch.Generator().manual_seed(7)
    weight = {name: tensor.clone() for name, tensor in base.weight.items() if name.startswith(_TRAINED)}
    weight["bridge.0.bias"] += 1
    wrapped = "cfm.base_model.model.estimator."
    weight[wrapped + "rotary_embed.inv_freq"] = base.weight["cfm.estimator.rotary_embed.inv_freq"]
    for name in ("to_q", "to_k", "to_v", "to_out.0"):
        rows, columns = base.weight[f"cfm.estimator.{_BLOCK}{name}.weight"].shape
        weight[f"{wrapped}{_BLOCK}{name}.lora_A.default.weight"] = torch.randn(RANK, columns, generator=draw)
        weight[f"{wrapped}{_BLOCK}{name}.lora_B.default.weight"] = torch.randn(rows, RANK, generator=draw)
    assert version.lora_header is not None
    return GeneratorFile(halved(weight), base.config, "2epoch", version.name, RANK, version.lora_header)


@pytest.fixture(scope="module", params=["v3", "v4"])
def version(request: pytest.FixtureRequest) -> Version:
    return version_named(request.param)


@pytest.fixture(scope="module")
def project(version: Version, narrow_projects: Callable[[str], Project]) -> Project:
    return narrow_projects(version.name)


@pytest.fixture(scope="module")
def base(version: Version, project: Project) -> GeneratorFile:
    return read_generator(project.base(version).generator)


@pytest.fixture(scope="module")
def lora(version: Version, base: GeneratorFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lora") / f"anna_{version.name}_l{RANK}.pth"
    write_generator(path, lora_of(base, version))
    return path


def test_its_head_and_rank_tell_what_it_is(version: Version, lora: Path) -> None:
    assert lora.read_bytes()[:2] == version.lora_header
    file = read_generator(lora)
    assert (file.version, file.lora_rank, file.head) == (version.name, RANK, version.lora_header)


def test_merging_adds_the_product_and_replaces_what_was_trained(
    lora: Path, project: Project, base: GeneratorFile
) -> None:
    whole, given = read_voice(lora, project), read_generator(lora)
    assert whole.lora_rank is None
    assert whole.weight.keys() == base.weight.keys()
    name = f"cfm.estimator.{_BLOCK}to_k.weight"
    wrapped = f"cfm.base_model.model.estimator.{_BLOCK}to_k"
    down, up = (given.weight[f"{wrapped}.lora_{half}.default.weight"].float() for half in "AB")
    assert torch.allclose(whole.weight[name], base.weight[name].float() + up @ down)
    assert torch.equal(whole.weight["bridge.0.bias"], base.weight["bridge.0.bias"] + 1)
    untouched = "cfm.estimator.transformer_blocks.1.attn.to_k.weight"
    assert torch.equal(whole.weight[untouched], base.weight[untouched])


def test_the_engine_speaks_with_it_as_with_the_merged_file(
    version: Version, lora: Path, project: Project, tmp_path: Path
) -> None:
    write_generator(tmp_path / "merged.pth", read_voice(lora, project))
    adapted, merged, plain = (
        Engine.load(sovits=path, version=version.name, project=project, device="cpu").sovits.state_dict()
        for path in (lora, tmp_path / "merged.pth", None)
    )
    assert all(np.array_equal(adapted[name], merged[name]) for name in adapted)
    assert not torch.equal(adapted["bridge.0.bias"], plain["bridge.0.bias"])


def test_merging_a_file_writes_a_full_generator_of_half_precision(
    version: Version, lora: Path, project: Project, base: GeneratorFile, tmp_path: Path
) -> None:
    write_merged(lora, tmp_path / "merged.pth", project)
    file = read_generator(tmp_path / "merged.pth")
    assert (file.version, file.lora_rank, file.head) == (version.name, None, b"PK")
    assert file.weight.keys() == base.weight.keys()
    assert {tensor.dtype for tensor in file.weight.values()} == {torch.float16}
    with pytest.raises(InputError, match=r"merged.pth is a full model, so there is nothing to merge"):
        write_merged(tmp_path / "merged.pth", tmp_path / "again.pth", project)
    assert not (tmp_path / "again.pth").exists()


def test_a_missing_base_model_is_named_with_its_command(version: Version, lora: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=rf"is a LoRA .* gsv download {version.name}"):
        read_voice(lora, Project(tmp_path))


def test_base_models_that_it_was_not_trained_on_are_refused(
    version: Version, lora: Path, base: GeneratorFile, tmp_path: Path
) -> None:
    other = "v4" if version.name == "v3" else "v3"
    config = {**base.config, "model": {**base.config["model"], "version": other}}
    codebook = "quantizer.vq.layers.0._codebook.embed"
    key = f"cfm.estimator.{_BLOCK}to_q.weight"
    wrong = {
        f"which is of {other}": replace(base, config=config),
        "another codebook": replace(base, weight={**base.weight, codebook: base.weight[codebook] + 1}),
        "another shape": replace(base, weight={**base.weight, key: base.weight[key][:, :-1].clone()}),
        "is a LoRA itself": read_generator(lora),
    }
    project = Project(tmp_path)
    for message, file in wrong.items():
        write_generator(project.base(version).generator, file)
        with pytest.raises(CheckpointError, match=message):
            read_voice(lora, project)


def test_half_an_adapter_is_damage(version: Version, lora: Path, project: Project, tmp_path: Path) -> None:
    file = read_generator(lora)
    weight = {name: tensor for name, tensor in file.weight.items() if not name.endswith("to_v.lora_A.default.weight")}
    write_generator(tmp_path / "half.pth", replace(file, weight=weight))
    with pytest.raises(CheckpointError, match=r"one half of the adapter of .*to_v"):
        read_voice(tmp_path / "half.pth", project)


def test_a_full_generator_is_read_as_it_is(version: Version, project: Project, base: GeneratorFile) -> None:
    file = read_voice(project.base(version).generator, project)
    assert (file.version, file.lora_rank, file.head) == (version.name, None, b"PK")
    assert all(torch.equal(tensor, base.weight[name]) for name, tensor in file.weight.items())


def test_official_lora_names_fit_an_official_base(shared: Path, version: Version) -> None:
    """Every name of the official export meets a tensor of the official base model of the same shape."""

    def shapes(table: str) -> dict[str, list[int]]:
        tensors = json.loads((shared / "reference" / "checkpoints" / table).read_text())["tensors"]
        return {name: shape for name, (shape, _) in tensors.items()}

    def meta(table: str) -> dict[str, torch.Tensor]:
        # One number each, seen in the official shape.
        return {name: torch.zeros((), dtype=torch.float16).expand(shape) for name, shape in shapes(table).items()}

    lora = GeneratorFile(meta("s2G_v3_v4_lora_rank32.json"), {}, "", version.name, 32)
    base = GeneratorFile(meta(f"s2G_{version.name}.json"), {}, "", version.name)
    whole = merged(lora, Path("lora.pth"), base, Path("base.pth"))
    assert {name: list(tensor.shape) for name, tensor in whole.weight.items()} == shapes(f"s2G_{version.name}.json")
