"""Fetching official weights, with the hub's client replaced: what is there afterwards, whatever goes wrong."""

from pathlib import Path

import huggingface_hub
import pytest

from gsv.download import download, files_of
from gsv.errors import GsvError, InputError
from gsv.paths import Project


def test_what_is_missing_is_fetched_into_its_place_and_the_rest_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(_repository: str, name: str, *, endpoint: str, local_dir: Path) -> str:
        path = local_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(endpoint)
        return str(path)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    project = Project(tmp_path)
    first, *others = files_of(["v2"])
    (project.pretrained / first).parent.mkdir(parents=True)
    (project.pretrained / first).write_text("mine")
    assert [line.rpartition(": ")[2] for line in download(["v2"], "hf", project)] == [
        "is there",
        *["downloaded"] * len(others),
    ]
    assert (project.pretrained / first).read_text() == "mine"
    assert all((project.pretrained / name).read_text() == "https://huggingface.co" for name in others)
    assert not (project.pretrained / ".download").exists()


def test_a_failed_download_leaves_no_folder_that_looks_like_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    project = Project(tmp_path)
    with pytest.raises(GsvError, match=r"could not be downloaded from hf \(no route to host\)"):
        list(download(["v2"], "hf", project))
    assert not project.hubert.exists()


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose one of hf, hf-mirror"):
        list(download(["v2"], "ftp", Project(tmp_path)))
