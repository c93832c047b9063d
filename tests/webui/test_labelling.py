"""The labelling page as scripts use it, and as its own buttons do."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from gradio_client import Client
from gradio_client.exceptions import AppError
from webui_app import client_of

from gsv.dataset.listing import read_list
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui import labelling
from gsv.webui.home import Home
from gsv.webui.words import words_of

RATE = 16000


def write_voice(folder: Path) -> Path:
    """A list of two clips and a line whose file is no sound."""
    for number in (1, 2):
        soundfile.write(folder / f"clip{number}.wav", np.full(RATE * number, number / 10), RATE)
    (folder / "secret.txt").write_text("not for the page", encoding="utf-8")
    path = folder / "voice.list"
    rows = ("clip1.wav|ann|en|One.", "clip2.wav|ann|en|Two, and more.", "secret.txt|ann|en|Three.")
    path.write_text("".join(f"{folder}/{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@pytest.fixture
def path(folder: Path) -> Path:
    for old in folder.glob("*.*"):
        old.unlink()
    return write_voice(folder)


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    with client_of(lambda home: labelling.build(home, True), Project(folder)) as running:
        yield running


def test_a_list_is_opened_corrected_and_saved_by_script(client: Client, path: Path) -> None:
    before = path.read_bytes()
    assert "3 rows" in client.predict(str(path), api_name="/label_open")
    page = client.predict(path_list=str(path), rows=2, api_name="/label_page")
    assert (page["pages"], page["total"], [row["place"] for row in page["rows"]]) == (2, 3, [1, 2])
    first, second = (row["id"] for row in page["rows"])
    client.predict(path_list=str(path), row=first, text="One again.", api_name="/label_edit")
    client.predict(path_list=str(path), row=second, seconds=1.0, api_name="/label_split")
    rest = client.predict(path_list=str(path), page=2, rows=3, api_name="/label_page")["rows"]
    client.predict(path_list=str(path), row=rest[-1]["id"], api_name="/label_delete")
    client.predict(path_list=str(path), row=first, pause=0.1, api_name="/label_merge")
    assert client.predict(path_list=str(path), api_name="/label_page")["changed"]
    saved = client.predict(path_list=str(path), api_name="/label_save")
    assert [line.text for line in read_list(path)] == ["One again. Two,", "and more."]
    backup = path.parent / saved.rpartition(" ")[2].rstrip(".").removesuffix(".bak")
    assert Path(f"{backup}.bak").read_bytes() == before


def test_what_is_no_sound_is_told_and_never_given_out(client: Client, path: Path) -> None:
    client.predict(str(path), api_name="/label_open")
    good, _, bad = client.predict(path_list=str(path), api_name="/label_page")["rows"]
    assert good["problem"] == "" and good["seconds"] == 1.0 and max(good["peaks"]) in (10, 11)
    with urllib.request.urlopen(f"{client.src}gradio_api/file={good['file']}") as answer:
        assert answer.read(4) == b"RIFF"
    assert "cannot be decoded" in bad["problem"] and bad["file"] == "" and bad["peaks"] == []


def test_errors_name_what_is_wrong(client: Client, path: Path) -> None:
    client.predict(str(path), api_name="/label_open")
    with pytest.raises(AppError, match=r"path_list: there is no file or folder .*gone\.list"):
        client.predict("gone.list", api_name="/label_open")
    with pytest.raises(AppError, match=r"path_list: .* is a folder"):
        client.predict(str(path.parent), api_name="/label_open")
    with pytest.raises(AppError, match="not in the list any more"):
        client.predict(path_list=str(path), row=999, api_name="/label_delete")


def test_the_page_gets_the_rows_after_each_change_and_a_sentence_for_each_error(path: Path) -> None:
    project = Project(path.parent)
    desk = labelling.Desk(Home(project, words_of("en_US"), Jobs(project)))
    view = {"path_list": str(path), "page": 1, "rows": 10, "find": ""}
    looked = desk.answer({"do": "look", "with": {}, "view": view})
    row = looked["rows"][0]["id"]
    changed = desk.answer({"do": "label_edit", "with": {"row": row, "text": "New."}, "view": view})
    assert changed["rows"][0]["text"] == "New." and changed["message"] and changed["changed"]
    refused = desk.answer({"do": "label_split", "with": {"row": row, "seconds": 5}, "view": view})
    assert "cannot be split" in refused["error"] and len(refused["rows"]) == 3


def test_a_browser_is_sent_the_rows_only_if_somebody_has_changed_them(path: Path) -> None:
    project = Project(path.parent)
    desk = labelling.Desk(Home(project, words_of("en_US"), Jobs(project)))
    view = {"path_list": str(path), "page": 1, "rows": 10, "find": ""}
    seen = desk.answer({"do": "look", "with": {}, "view": view})
    ask = {"do": "look", "with": {"revision": seen["revision"]}, "view": view}
    assert desk.answer(ask) == {"same": True}
    desk.label_edit(str(path), seen["rows"][1]["id"], speaker="bob")
    assert desk.answer(ask)["rows"][1]["speaker"] == "bob"


def test_a_public_page_reads_no_clips_outside_its_folders(path: Path, tmp_path: Path) -> None:
    project = Project(tmp_path)
    home = Home(project, words_of("en_US"), Jobs(project), public=True)
    outside = Path("/usr/share/sound.wav")
    path.write_text(f"{outside}|ann|en|One.\n", encoding="utf-8")
    page = labelling.Desk(home).label_page(str(path))
    assert "outside the folders" in page["rows"][0]["problem"]
