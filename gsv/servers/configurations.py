"""Configurations of the original's form (tts_infer.yaml): which weights speak, and on which device."""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gsv.errors import InputError
from gsv.paths import Placed, Project
from gsv.servers.files import Files
from gsv.synthesis.engine import Engine
from gsv.synthesis.pool import Pool
from gsv.versions import VERSIONS, version_named

log = logging.getLogger(__name__)

_LARGEST_BYTES = 64 * 1024
# Pools beside the main one: for other devices, and for networks that lie elsewhere.
_OTHER_POOLS = 2


@dataclass(frozen=True)
class Configuration:
    """Weights that speak together; what is not given is the base of the version, the device the fastest there is."""

    version: str = "v2"
    gpt: Path | None = None
    sovits: Path | None = None
    device: str | None = None
    roberta: Path | None = None
    hubert: Path | None = None

    def project(self, project: Project) -> Project:
        """The project with the networks where the configuration has them."""
        if self.roberta is None and self.hubert is None:
            return project
        return Placed(project.root, self.roberta, self.hubert)


class _Section(BaseModel):
    """What a configuration's `custom` section says; what else stands there is not gsv's."""

    model_config = ConfigDict(extra="ignore")

    version: str = "v2"
    t2s_weights_path: str | None = None
    vits_weights_path: str | None = None
    device: str | None = None
    is_half: bool | None = None
    bert_base_path: str | None = None
    cnhuhbert_base_path: str | None = None


class _Document(BaseModel):
    custom: Annotated[_Section, Field(description="The configuration in use.")]


def base_configuration(project: Project, device: str | None = None) -> Configuration:
    """What speaks where nothing is configured: v2, or the first version whose base models are there."""
    usual = version_named("v2")
    there = (one.name for one in (usual, *VERSIONS.values()) if project.base(one).generator.is_file())
    return Configuration(next(there, usual.name), device=device)


def read_configuration(path: Path, files: Files) -> Configuration:
    """A configuration file. Raises InputError if it is none; nothing that is in it is repeated.

    Base models of a version that are named and not there are the version's usual ones, which may be the bundled voice.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(f"{path} is too large for a configuration such as tts_infer.yaml.")
        document = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        section = _Document.model_validate(document).custom
    except (OSError, ValueError, ValidationError, yaml.YAMLError, RecursionError):
        raise InputError(f"{path} is no configuration such as tts_infer.yaml, with a section `custom`.") from None
    version = version_named(section.version)
    project = files.project
    base = version.base

    def place(text: str | None, usual: Path) -> Path | None:
        if not text:
            return None
        found = files.path(text, "a path in the configuration")
        return None if found == usual.resolve() else found

    return Configuration(
        version.name,
        place(section.t2s_weights_path, project.pretrained / base.gpt),
        place(section.vits_weights_path, project.pretrained / base.generator),
        _device(section.device),
        place(section.bert_base_path, project.roberta),
        place(section.cnhuhbert_base_path, project.hubert),
    )


def _device(name: str | None) -> str | None:
    if name is not None and name.startswith("cuda") and not torch.cuda.is_available():
        log.warning("The configuration asks for %s, which this machine does not have; the CPU speaks.", name[:20])
        return "cpu"
    return name


class Engines:
    """Engines by configuration. Those that are like the main one come from its pool; a few others have their own."""

    def __init__(self, main: Configuration, pool: Pool):
        self._main = main
        self._pool = pool
        self._lock = threading.Lock()
        self._others: OrderedDict[Configuration, Pool] = OrderedDict()

    def engine(self, configuration: Configuration) -> Engine:
        """Raises as `Engine.load`."""
        one = configuration
        return self._pool_of(one).engine(one.gpt, one.sovits, one.version)

    def _pool_of(self, one: Configuration) -> Pool:
        key = Configuration(device=one.device, roberta=one.roberta, hubert=one.hubert)
        if key == Configuration(device=self._main.device, roberta=self._main.roberta, hubert=self._main.hubert):
            return self._pool
        with self._lock:
            if key not in self._others:
                while len(self._others) >= _OTHER_POOLS:
                    self._others.popitem(last=False)
                project = Project(self._pool.project.root)
                self._others[key] = Pool(one.project(project), one.device, self._pool.size, self._pool.fast)
            self._others.move_to_end(key)
            return self._others[key]
