"""Official weight files in and out: SoVITS generators, discriminators, GPT models, trainer resume files, plain tensors.

All of them are `torch.save` archives. They are read with torch's restricted unpickler, which builds tensors, containers
and numbers and calls nothing else. One foreign type is let in: the settings object `utils.HParams` that the original
trainer pickles into its generators. It is read as plain nested dictionaries, so no class of that name need exist.

Exports of the Pro versions and LoRA exports carry two ASCII digits in place of the archive's own `PK`, so that their
version can be told without opening them; such a file is read through a view that puts `PK` back, not through a copy.
"""

import hashlib
import io
import pickletools
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, BinaryIO

import torch
from torch import Tensor

from gsv.errors import CheckpointError, MissingWeightsError, UnsafeCheckpointError
from gsv.paths import written_whole
from gsv.versions import HUBERT, ROBERTA, SPEAKER_ENCODER, VERSIONS

Weight = dict[str, Tensor]
Config = dict[str, Any]

ARCHIVE_HEAD = b"PK"

# v3 and v4 hold the very same tensors, so nothing inside a file tells them apart, but what it begins with may.
_FLOW = tuple(version for version in VERSIONS.values() if version.uses_flow)
_FLOW_HEADS = {head: version.name for version in _FLOW for head in (version.header, version.lora_header)}
_FLOW_MD5 = {version.base_md5: version.name for version in _FLOW}
_KNOWN_HEADS = {version.header for version in VERSIONS.values()} | set(_FLOW_HEADS)

# What several versions share, and a version whose download brings it.
_SHARED_SOURCES = {SPEAKER_ENCODER: "v2Pro", HUBERT: "v2", ROBERTA: "v2"}


@dataclass(frozen=True)
class GeneratorFile:
    """A SoVITS generator: names and shapes as in the file, tensors on the CPU with the stored types.

    `version` is told from the content. `head` is what the file begins with: `PK`, or an exporter's two digits.
    """

    weight: Weight
    config: Config
    info: str
    version: str
    lora_rank: int | None = None
    head: bytes = ARCHIVE_HEAD


@dataclass(frozen=True)
class DiscriminatorFile:
    """The discriminator that belongs to a generator; only training needs it."""

    weight: Weight


@dataclass(frozen=True)
class GptFile:
    """A text-to-semantic transformer; all names start with `model.`."""

    weight: Weight
    config: Config
    info: str


@dataclass(frozen=True)
class ResumeFile:
    """What a trainer needs to go on: a full-precision model and its optimizer after so many epochs (`iteration`)."""

    model: Weight
    optimizer: dict[str, Any]
    iteration: int
    learning_rate: float


class _Settings:
    """Stands in for the original's `utils.HParams`: takes attributes and does nothing."""


# A constant registration: every torch.load of this process may build this one inert class, which can hold data only.
torch.serialization.add_safe_globals([(_Settings, "utils.HParams")])


def read_generator(path: Path) -> GeneratorFile:
    """Any official generator, full or exported, LoRA included.

    Raises MissingWeightsError, UnsafeCheckpointError, or CheckpointError for another kind of file or a damaged one.
    """
    content = _load(path)
    weight, config, info = _wrapped(content, path, "SoVITS generator")
    first = _first_bytes(path)
    rank = content.get("lora_rank")
    return GeneratorFile(
        weight=weight,
        config=config,
        info=info,
        version=_version(weight, config, first, path),
        lora_rank=int(rank) if rank else _rank_in(weight),
        head=first[:2] if first[:2] in _KNOWN_HEADS else ARCHIVE_HEAD,
    )


def read_discriminator(path: Path) -> DiscriminatorFile:
    """A discriminator; raises as `read_generator`."""
    return DiscriminatorFile(_weight_of(_load(path), path, "discriminator"))


def read_gpt(path: Path) -> GptFile:
    """A text-to-semantic model; raises as `read_generator`."""
    return GptFile(*_wrapped(_load(path), path, "GPT"))


def read_resume(path: Path) -> ResumeFile:
    """A `G_*.pth` or `D_*.pth` that a trainer left; raises as `read_generator`."""
    content = _load(path)
    kind = _kind(content)
    if kind != "trainer resume":
        raise CheckpointError(f"{path} is {_article(kind)} file, not one that a trainer left to resume from.")
    return ResumeFile(
        model=_tensors(content["model"], path),
        optimizer=dict(content["optimizer"]),
        iteration=int(content["iteration"]),
        learning_rate=float(content["learning_rate"]),
    )


def read_tensors(path: Path) -> Weight:
    """A file of tensors without a wrapper, as the speaker encoder and the v4 vocoder have it; raises as above."""
    content = _load(path)
    kind = _kind(content)
    if kind != "plain tensor":
        raise CheckpointError(f"{path} is {_article(kind)} file; tensors without a wrapper were expected.")
    return _tensors(content, path)


def read_network(path: Path) -> Weight:
    """Tensors that another program's trainer wrote, bare or under `state_dict` or `model`; raises as above."""
    content = _load(path)
    for wrapper in ("state_dict", "model"):
        if isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    return _tensors(content, path)


def read_content(path: Path) -> dict[str, Any]:
    """Whatever mapping a weight file of another program holds; raises as `read_generator`."""
    return _load(path)


def write_generator(path: Path, file: GeneratorFile) -> None:
    """Writes a generator as official programs read it, under a temporary name until it is whole."""
    content: dict[str, Any] = {"weight": file.weight, "config": file.config, "info": file.info}
    if file.lora_rank is not None:
        content["lora_rank"] = file.lora_rank
    _save(path, content, file.head)


def write_discriminator(path: Path, file: DiscriminatorFile) -> None:
    """Writes a discriminator, whole or not at all."""
    _save(path, {"weight": file.weight})


def write_gpt(path: Path, file: GptFile) -> None:
    """Writes a text-to-semantic model, whole or not at all."""
    _save(path, {"weight": file.weight, "config": file.config, "info": file.info})


def write_resume(path: Path, file: ResumeFile) -> None:
    """Writes a trainer's state, whole or not at all."""
    content = {
        "model": file.model,
        "iteration": file.iteration,
        "optimizer": file.optimizer,
        "learning_rate": file.learning_rate,
    }
    _save(path, content)


def write_tensors(path: Path, weight: Weight) -> None:
    """Writes tensors without a wrapper, whole or not at all."""
    _save(path, weight)


def write_content(path: Path, content: Mapping[str, Any]) -> None:
    """Writes what `read_content` reads, whole or not at all."""
    _save(path, content)


def export_generator(state: Mapping[str, Tensor], config: Config, info: str, version: str) -> GeneratorFile:
    """A trained generator as the official exporter lays it out: half precision, buffers too, no posterior encoder."""
    kept = {name: tensor for name, tensor in state.items() if "enc_q" not in name}
    row = VERSIONS.get(version)
    marked = row.header if row and row.header_is_written else None
    return GeneratorFile(halved(kept), config, info, version, head=marked or ARCHIVE_HEAD)


def export_gpt(state: Mapping[str, Tensor], config: Config, info: str) -> GptFile:
    """A trained text-to-semantic model as the official exporter lays it out; names must start with `model.`."""
    return GptFile(halved(state), config, info)


def halved(state: Mapping[str, Tensor]) -> Weight:
    """Half-precision copies on the CPU, each with a storage of its own: a saved view drags its whole storage along."""
    return {
        name: tensor.detach().to("cpu", torch.float16, copy=True, memory_format=torch.contiguous_format)
        for name, tensor in state.items()
    }


def missing_weights(path: Path) -> MissingWeightsError:
    """The error for a weight file or folder that is not there; official ones come with the command that gets them."""
    source = _official_source(path)
    advice = f"get it with: gsv download {source}" if source else "check the path."
    return MissingWeightsError(f"The weights {path.name} are not in the folder {path.parent}; {advice}")


def _official_source(path: Path) -> str | None:
    """The argument of `gsv download` that brings this file, or None for a file that is not an official one."""
    official = {
        base: version.name for version in reversed(VERSIONS.values()) for base in version.weights
    } | _SHARED_SOURCES
    return next((source for base, source in official.items() if f"/{path.as_posix()}".endswith(f"/{base}")), None)


def _load(path: Path) -> dict[str, Any]:
    """The mapping that the file holds. Nothing in the file is run."""
    if not path.exists():
        raise missing_weights(path)
    if not path.is_file():
        raise CheckpointError(f"{path} is a folder; give the weight file itself.")
    with _opened(path) as stream:
        try:
            content = torch.load(stream, map_location="cpu", weights_only=True)
            if isinstance(content, dict):
                return {str(name): _plain(value) for name, value in content.items()}
        except UnpicklingError as error:
            refused = _foreign_globals(path)
            if not refused:
                raise _damaged(path) from error
            raise UnsafeCheckpointError(
                f"{path} asks for code to be run ({', '.join(refused)}), which no weight file needs; it was not loaded."
            ) from error
        except Exception as error:  # A broken archive or pickle can end in nearly any built-in error.
            raise _damaged(path) from error
    raise CheckpointError(f"{path} holds a {type(content).__name__}, not a mapping of weights.")


def _damaged(path: Path) -> CheckpointError:
    size = path.stat().st_size
    return CheckpointError(f"{path} ({size} bytes) is damaged or is not a weight file; get or copy it again.")


def _save(path: Path, content: Mapping[str, Any], head: bytes = ARCHIVE_HEAD) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        # Through a file object, because torch writes a path's name into the file: equal contents make equal files.
        torch.save(dict(content), file)
        if head != ARCHIVE_HEAD:
            file.seek(0)
            file.write(head)


class _ArchiveView(io.RawIOBase):
    """A file seen with `PK` in place of its first two bytes."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        start = self._file.tell()
        count = self._file.readinto(buffer)
        view = memoryview(buffer).cast("B")
        for position in range(start, min(start + count, len(ARCHIVE_HEAD))):
            view[position - start] = ARCHIVE_HEAD[position]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _opened(path: Path) -> BinaryIO:
    try:
        file = path.open("rb")
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    head = file.peek(2)[:2]
    if head in _KNOWN_HEADS:
        return io.BufferedReader(_ArchiveView(file), buffer_size=1 << 20)
    if head.isdigit():
        file.close()
        raise CheckpointError(f"{path} is marked {head.decode()}, which stands for no version that gsv knows.")
    return file


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8192)


def _plain(value: Any) -> Any:
    """The value with settings objects turned into dictionaries, however deep they lie."""
    if isinstance(value, _Settings):
        value = vars(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    return value


def _kind(content: Mapping[str, Any]) -> str:
    """What sort of weight file this is, in words for a message."""
    if {"model", "optimizer", "iteration"} <= content.keys():
        return "trainer resume"
    weight = content.get("weight")
    if not isinstance(weight, dict):
        tensors = [isinstance(value, Tensor) for value in content.values()]
        return "plain tensor" if tensors and all(tensors) else "foreign"
    names = [str(name) for name in weight]
    if any(name.startswith("discriminators.") for name in names):
        return "discriminator"
    if any(name.startswith("model.") for name in names):
        return "GPT"
    if any(name.startswith(("enc_p.", "dec.", "cfm.", "ref_enc.")) for name in names):
        return "SoVITS generator"
    return "foreign"


def _article(kind: str) -> str:
    return f"a {kind}"


def _weight_of(content: Mapping[str, Any], path: Path, wanted: str) -> Weight:
    kind = _kind(content)
    if kind != wanted:
        raise CheckpointError(f"{path} is {_article(kind)} file; {_article(wanted)} file was expected.")
    return _tensors(content["weight"], path)


def _wrapped(content: Mapping[str, Any], path: Path, wanted: str) -> tuple[Weight, Config, str]:
    weight = _weight_of(content, path, wanted)
    config = content.get("config")
    if not isinstance(config, dict):
        raise CheckpointError(f"{path} has no `config`, without which its weights cannot be used.")
    return weight, config, str(content.get("info", ""))


def _tensors(weight: Any, path: Path) -> Weight:
    if not isinstance(weight, dict) or not all(isinstance(tensor, Tensor) for tensor in weight.values()):
        raise CheckpointError(f"{path} has something other than tensors among its weights.")
    return {str(name): tensor.detach() for name, tensor in weight.items()}


def _version(weight: Weight, config: Config, first: bytes, path: Path) -> str:
    """The model version, from names and shapes, which nobody can mislabel; v3 and v4 need a label."""
    if any(name.startswith("cfm.") for name in weight):
        labels = (
            _FLOW_MD5.get(hashlib.md5(first, usedforsecurity=False).hexdigest()),
            _FLOW_HEADS.get(first[:2]),
            config.get("model", {}).get("version"),
        )
        # A full v4 export that nothing marks is taken for v3, as official programs take it.
        return next((str(label) for label in labels if label in _FLOW_HEADS.values()), "v3")
    if "sv_emb.weight" in weight:
        # The two Pro versions differ in the first upsampling kernel: 20 or 16 samples.
        first_kernel = weight.get("dec.ups.0.weight_v", weight.get("dec.ups.0.weight"))
        return "v2ProPlus" if first_kernel is not None and first_kernel.shape[-1] == 20 else "v2Pro"
    symbols = len(weight["enc_p.text_embedding.weight"]) if "enc_p.text_embedding.weight" in weight else 0
    for version in VERSIONS.values():
        if version.sovits_symbols == symbols:
            return version.name
    known = " or ".join(sorted({str(version.sovits_symbols) for version in VERSIONS.values()}))
    raise CheckpointError(f"{path} has a table of {symbols} phonemes, which no version has ({known} were expected).")


def _rank_in(weight: Weight) -> int | None:
    return next((len(tensor) for name, tensor in weight.items() if ".lora_A." in name), None)


def _foreign_globals(path: Path) -> list[str]:
    """Names of the functions and classes that the file's pickles ask for, beyond those every weight file asks for.

    Only reads the pickles' text; torch has refused the file by then, and this is for naming the reason.
    """
    try:
        with _opened(path) as stream:
            if zipfile.is_zipfile(stream):
                with zipfile.ZipFile(stream) as archive:
                    records = [name for name in archive.namelist() if name.endswith(".pkl")]
                    found = {name for record in records for name in _globals_in(archive.open(record))}
            else:
                stream.seek(0)
                found = set(_globals_in(stream))
    except (OSError, ValueError, IndexError, zipfile.BadZipFile):
        return []
    return sorted(name for name in found if not _is_ordinary(name))


def _is_ordinary(name: str) -> bool:
    if name.startswith("torch."):
        return name.startswith("torch._utils._rebuild_") or name.endswith("Storage")
    return name in {"collections.OrderedDict", "utils.HParams"}


def _globals_in(stream: Any) -> Iterator[str]:
    """`module.name` of every global in the pickles at the start of the stream (the old format has several in a row)."""
    strings: list[str] = []
    while stream.read(1):
        stream.seek(-1, io.SEEK_CUR)
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in {"GLOBAL", "INST"}:
                    yield str(argument).replace(" ", ".")
                elif opcode.name == "STACK_GLOBAL":
                    yield ".".join(strings[-2:])
                elif isinstance(argument, str):
                    strings.append(argument)
        except (ValueError, MemoryError):  # The pickles have ended; what follows, read as one, can be of any length.
            return
