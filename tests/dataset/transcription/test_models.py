"""Which recognisers there are, where their models are found, and how they are fetched."""

from pathlib import Path
from typing import Any

import huggingface_hub
import modelscope
import pytest

from gsv.dataset.transcription import ENGINES, engine_named, engines
from gsv.dataset.transcription.models import DOWNLOADS, MANDARIN, WHISPER_SIZES, ModelFolder, whisper_folder
from gsv.download import download
from gsv.errors import GsvError, InputError
from gsv.paths import Project

MIRROR = "https://hf-mirror.com"


def fill(folder: Path, model: ModelFolder) -> None:
    folder.mkdir(parents=True)
    for name in model.files:
        (folder / name.replace("*", "txt").replace("[bt]", "t")).write_bytes(b"weights")


def test_the_tables_are_those_that_callers_know() -> None:
    damo, whisper = engine_named("达摩 ASR (中文)"), engine_named("Faster Whisper (多语种)")
    assert (damo.languages, damo.sizes, damo.precisions) == (("zh", "yue"), ("large",), ("float32",))
    assert whisper.languages == ("auto", "zh", "en", "ja", "ko", "yue")
    assert whisper.precisions == ("float32", "float16", "int8")
    assert {"tiny", "medium.en", "large", "large-v3", "large-v3-turbo", "distil-large-v3"} <= set(whisper.sizes)
    assert all(engine_named(engine.title) is engine_named(engine.name) for engine in ENGINES)


@pytest.mark.parametrize(
    ("size", "name", "repository"),
    [
        ("tiny", "faster-whisper-tiny", "Systran/faster-whisper-tiny"),
        ("medium.en", "faster-whisper-medium.en", "Systran/faster-whisper-medium.en"),
        ("large", "faster-whisper-large-v3", "Systran/faster-whisper-large-v3"),
        ("large-v3-turbo", "faster-whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("distil-small.en", "faster-distil-whisper-small.en", "Systran/faster-distil-whisper-small.en"),
        ("distil-large-v3.5", "faster-distil-whisper-large-v3.5", "distil-whisper/distil-large-v3.5-ct2"),
    ],
)
def test_a_size_lies_where_the_original_puts_it(size: str, name: str, repository: str) -> None:
    model = whisper_folder(size)
    assert (model.name, model.repository) == (name, repository)


def test_every_size_comes_from_where_faster_whisper_would_get_it() -> None:
    from faster_whisper.utils import _MODELS

    assert {size: whisper_folder(size).repository for size in WHISPER_SIZES} == {
        size: repository for size, repository in _MODELS.items() if size != "turbo"
    }


def test_sizes_on_disk_are_marked_in_both_places(tmp_path: Path) -> None:
    project = Project(tmp_path)
    fill(project.pretrained / "asr" / "faster-whisper-tiny", whisper_folder("tiny"))
    fill(tmp_path / "tools" / "asr" / "models" / "faster-whisper-large-v3", whisper_folder("large-v3"))
    sizes = engine_named("whisper").sizes_marked(project)
    assert [size for size in sizes if size.endswith("-local")] == ["tiny-local", "large-local", "large-v3-local"]
    assert [size.removesuffix("-local") for size in sizes] == list(WHISPER_SIZES)
    assert engine_named("whisper").choice(None, "tiny-local", None).size == "tiny"
    assert engine_named("damo").sizes_marked(project) == ["large"]


def test_an_engine_says_what_it_is_usable_for_and_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    damo, whisper = engine_named("damo"), engine_named("whisper")
    assert engine_named("pocketsphinx").state(project) == "usable for en"
    assert damo.state(project).startswith("not usable, its model is not there; zh: gsv download asr; yue: gsv down")
    for model in MANDARIN:
        fill(project.pretrained / "asr" / model.name, model)
    assert damo.state(project) == "usable for zh; yue: gsv download asr-yue"
    assert whisper.state(project).endswith("not there; any size: gsv download asr-whisper-SIZE")
    fill(project.pretrained / "asr" / "faster-whisper-base", whisper_folder("base"))
    assert whisper.state(project) == "usable for base; other sizes: gsv download asr-whisper-SIZE"
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    assert damo.state(project).startswith("not usable: funasr and kaldi_native_fbank not installed; pip install")


def test_a_download_brings_whole_folders_and_leaves_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def fetch(repository: str, *, local_dir: str | Path, ignore_patterns: list[str], endpoint: str = "ms") -> None:
        assert "*.py" in ignore_patterns
        asked.append((repository, endpoint))
        model = next(model for models in DOWNLOADS.values() for model in models if model.repository == repository)
        fill(Path(local_dir), model)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    monkeypatch.setattr(modelscope, "snapshot_download", fetch)
    project = Project(tmp_path)
    recogniser, pauses, punctuation = MANDARIN
    fill(tmp_path / "tools" / "asr" / "models" / pauses.name, pauses)
    said = list(download(["asr", "asr-whisper-tiny"], "hf-mirror", project))
    assert asked == [
        (recogniser.repository, "ms"),
        (punctuation.repository, "ms"),
        (whisper_folder("tiny").repository, MIRROR),
    ]
    assert all(model.find(project) for model in (*MANDARIN, whisper_folder("tiny")))
    assert said[0].endswith(f"downloading {recogniser.repository} from ModelScope") and said[2].endswith("is there")
    assert not (project.pretrained / ".download").exists()


def test_a_failed_download_leaves_no_folder_that_looks_like_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: Any, local_dir: str, **__: Any) -> None:
        Path(local_dir).mkdir(parents=True)
        (Path(local_dir) / "config.yaml").write_text("half")
        raise OSError("no route to host\nand much more")

    monkeypatch.setattr(modelscope, "snapshot_download", fetch)
    with pytest.raises(GsvError, match=r"could not be downloaded \(no route to host\); run the command again"):
        list(download(["asr"], "hf", Project(tmp_path)))
    assert MANDARIN[0].find(Project(tmp_path)) is None


def test_a_name_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"nothing called asr-whisper-huge to download; there are v1, .*asr-whisper-tiny"
    ):
        list(download(["asr-whisper-huge"], "hf", Project(tmp_path)))
