"""Shared by the tests of HTTP interfaces: narrow weights that come to an end, and one server of all interfaces."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import takes
import torch
from http_server import CLIP, WORDS, House, listening_app
from hypothesis import HealthCheck, settings
from transformers import BertConfig, BertForMaskedLM

from gsv.paths import Project
from gsv.servers import api2, api_v2, indextts, openai, voices
from gsv.servers.access import Access
from gsv.servers.configurations import Configuration
from gsv.servers.interface import Service
from gsv.servers.limits import Limits
from gsv.servers.together import Part, together
from gsv.synthesis.manner import Bank, Feelings
from gsv.synthesis.pool import Pool
from gsv.synthesis.reference import Reference
from gsv.versions import version_named

# For --hypothesis-profile=many.
settings.register_profile("many", max_examples=1700, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def short_takes() -> Iterator[None]:
    with takes.short():
        yield


@pytest.fixture(scope="session")
def home(narrow: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of its own with a reference recording, and the narrow weights made so loud that one hears a seed."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(narrow.pretrained, folder / "pretrained_models")
    shutil.copy(CLIP, folder / "123.flac")
    project = Project(folder)
    path = project.base(version_named("v2")).generator
    content = torch.load(path, weights_only=True)
    for name, tensor in content["weight"].items():
        if name.startswith("dec.") and name.endswith((".weight_g", "conv_pre.weight", "conv_post.weight")):
            tensor.mul_(8)
    torch.save(content, path)
    _write_text_encoder(project.roberta)
    return project


def _write_text_encoder(folder: Path) -> None:
    """A Mandarin text encoder that was never trained and knows no character."""
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    shape = BertConfig(
        vocab_size=len(marks), hidden_size=1024, num_hidden_layers=3, num_attention_heads=2, intermediate_size=16
    )
    shape.save_pretrained(folder)
    torch.save(BertForMaskedLM(shape).state_dict(), folder / "pytorch_model.bin")
    (folder / "vocab.txt").write_text("\n".join(marks), encoding="utf-8")


@pytest.fixture(scope="session")
def pool(home: Project) -> Pool:
    return Pool(home, "cpu", 2)


@pytest.fixture(scope="module")
def house(home: Project, pool: Pool, short_takes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """As `gsv serve all`, but with a default reference."""
    service = Service.of(home, pool, Access(port=0), limits=Limits(text=2000, body=100_000))
    configuration = Configuration(device="cpu")
    commands: list[str] = []
    file = home.resolve("GPT_SoVITS/configs/tts_infer.yaml").resolve()
    parts = [
        Part(api_v2.NAME, api_v2.build(service, configuration, commands.append, file)),
        Part(api2.NAME, api2.build(service, api2.Setup(configuration, Reference(CLIP, WORDS, "en")))),
        Part(openai.NAME, openai.build(service, configuration, Feelings(Bank()))),
        Part(voices.NAME, voices.build(service, voices.Setup(configuration)), voices.MARKS),
        Part(indextts.NAME, indextts.build(service, indextts.Setup(configuration, tmp_path_factory.mktemp("tasks")))),
    ]
    with listening_app(together(service, parts)) as url:
        yield House(url, home, service, commands)
