"""Where things lie, and keeping two runs from working on the same files."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from gsv import paths
from gsv.errors import InputError
from gsv.paths import Project, alone_in


def test_a_tilde_with_a_name_that_nobody_has_is_a_plain_path(tmp_path: Path) -> None:
    assert Project(tmp_path).resolve("~nobody-has-this-name/x.wav") == tmp_path / "~nobody-has-this-name" / "x.wav"


def test_original_paths_mean_the_projects_own_folders(tmp_path: Path) -> None:
    resolve = Project(tmp_path).resolve
    assert resolve("GPT_SoVITS\\pretrained_models\\s1v3.ckpt") == tmp_path / "pretrained_models" / "s1v3.ckpt"
    assert resolve(' "SoVITS_weights/mine.pth" ') == tmp_path / "SoVITS_weights" / "mine.pth"
    with pytest.raises(InputError, match="empty path"):
        resolve('""')


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
    entered = False
    with alone_in(tmp_path / "run"):
        entered = True
    assert entered
