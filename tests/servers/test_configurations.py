"""Configuration files of the original's form, and the engines that are kept for them."""

import gc
import shutil
import weakref
from pathlib import Path

import pytest

from gsv.errors import InputError
from gsv.paths import Project
from gsv.servers.configurations import Configuration, Engines, base_configuration, read_configuration
from gsv.servers.files import Files
from gsv.synthesis.pool import Pool


def written(folder: Path, text: str) -> Path:
    path = folder / "tts_infer.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_base_models_that_are_named_are_the_usual_ones(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "custom: {version: v2, device: cpu, is_half: false,"
        " bert_base_path: GPT_SoVITS/pretrained_models/chinese-roberta-wwm-ext-large,"
        " vits_weights_path: GPT_SoVITS/pretrained_models/gsv-v2final-pretrained/s2G2333k.pth}\nv3: {version: v3}",
    )
    assert read_configuration(path, Files(Project(tmp_path))) == Configuration("v2", device="cpu")


def test_weights_of_ones_own_are_looked_for_in_the_project(tmp_path: Path) -> None:
    path = written(tmp_path, "custom: {version: v2, t2s_weights_path: GPT_weights/mine.ckpt, device: cuda}")
    found = read_configuration(path, Files(Project(tmp_path)))
    assert found.gpt == tmp_path / "GPT_weights" / "mine.ckpt" and found.sovits is None


@pytest.mark.parametrize(
    "text",
    ["", "[", "custom: 1", "v2: {}", "custom: {version: [v2]}", "!!python/object/apply:os.getcwd []", "x" * 70_000],
)
def test_what_is_no_configuration_is_refused_and_nothing_of_it_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"tts_infer\.yaml") as error:
        read_configuration(written(tmp_path, text), Files(Project(tmp_path)))
    assert "python" not in str(error.value) and "xxx" not in str(error.value)


def test_a_configuration_that_no_version_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="v9"):
        read_configuration(written(tmp_path, "custom: {version: v9}"), Files(Project(tmp_path)))


def test_engines_of_other_networks_are_few_and_the_oldest_makes_room(home: Project, tmp_path: Path) -> None:
    main = base_configuration(home, "cpu")
    engines = Engines(main, Pool(home, "cpu", 1))
    assert engines.engine(main) is engines.engine(main)
    others = []
    for name in ("one", "two", "three"):
        shutil.copytree(home.roberta, tmp_path / name)
        engine = engines.engine(Configuration(main.version, device="cpu", roberta=tmp_path / name))
        assert engine is not engines.engine(main) and engine.project.roberta == tmp_path / name
        others.append(weakref.ref(engine))
    del engine
    gc.collect()
    assert [one() is not None for one in others] == [False, True, True]
