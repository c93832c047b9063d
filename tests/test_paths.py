"""Where things lie, and keeping two runs from working on the same files."""

import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gsv import paths
from gsv.errors import InputError
from gsv.paths import Project, absolute, alone_in, written_whole


def test_a_tilde_with_a_name_that_nobody_has_is_a_plain_path(tmp_path: Path) -> None:
    assert Project(tmp_path).resolve("~nobody-has-this-name/x.wav") == tmp_path / "~nobody-has-this-name" / "x.wav"


def test_original_paths_mean_the_projects_own_folders(tmp_path: Path) -> None:
    resolve = Project(tmp_path).resolve
    assert resolve("GPT_SoVITS\\pretrained_models\\s1v3.ckpt") == tmp_path / "pretrained_models" / "s1v3.ckpt"
    assert resolve(' "SoVITS_weights/mine.pth" ') == tmp_path / "SoVITS_weights" / "mine.pth"
    with pytest.raises(InputError, match="empty path"):
        resolve('""')


def test_a_quote_that_is_no_pair_belongs_to_the_name(tmp_path: Path) -> None:
    resolve = Project(tmp_path).resolve
    assert resolve("rock 'n'") == tmp_path / "rock 'n'"
    assert resolve("'tis") == tmp_path / "'tis"
    assert resolve("\"rock 'n'\"") == tmp_path / "rock 'n'"


def test_a_path_is_shown_without_detours_and_a_link_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "true" / "deep").mkdir(parents=True)
    (tmp_path / "true" / "name").symlink_to("deep")
    (tmp_path / "link").symlink_to(tmp_path / "true" / "deep")
    monkeypatch.chdir(tmp_path / "true")
    assert absolute(Path("name/new")) == tmp_path / "true" / "name" / "new"
    assert absolute(Path("../true/name")) == tmp_path / "true" / "name"
    # What `..` means behind a link is known to the system alone.
    assert absolute(tmp_path / "link" / ".." / "name") == tmp_path / "true" / "name"


def _hold(folder: Path, inside: Connection) -> None:
    with alone_in(folder):
        inside.send(True)
        inside.recv()


def test_a_second_run_is_kept_out_until_the_first_ends_or_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    holder = context.Process(target=_hold, args=(tmp_path / "run", theirs))
    holder.start()
    try:
        assert ours.recv()
        monkeypatch.setattr(paths, "_LOCK_SECONDS", 0)
        with pytest.raises(InputError, match=r"Another run is at work in .*run; wait"), alone_in(tmp_path / "run"):
            pass
    finally:
        holder.kill()
        holder.join()
    # As a run that is killed leaves it.
    half = written_whole(tmp_path / "run" / "a.wav")
    half.__enter__()
    mine = tmp_path / "run" / ".a.mine"
    mine.write_text("the user's")
    assert len(list((tmp_path / "run").iterdir())) == 3
    with alone_in(tmp_path / "run"):
        assert {path.name for path in (tmp_path / "run").iterdir()} == {".lock", mine.name}


@pytest.mark.skipif(os.name == "nt", reason="rights are of another kind there")
@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_a_file_has_the_rights_that_its_user_gives_to_new_files(tmp_path: Path, umask: int, mode: int) -> None:
    path = tmp_path / "speaker.safetensors"
    before = os.umask(umask)
    try:
        with written_whole(path) as temporary:
            temporary.write_bytes(b"x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def test_a_path_that_is_there_as_given_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path / "home")
    places = [Path("GPT_SoVITS/configs/a.yaml"), tmp_path / "home" / "configs" / "a.yaml"]
    for place in places:
        place.parent.mkdir(parents=True)
        place.write_text("x")
    assert project.resolve("GPT_SoVITS/configs/a.yaml") == places[0]
    places[0].unlink()
    assert project.resolve("GPT_SoVITS/configs/a.yaml") == places[1]
    assert project.resolve(' "GPT_SoVITS\\configs\\a.yaml" ') == places[1]
