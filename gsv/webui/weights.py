"""The weights that can be chosen: base models that are there, and what was trained."""

import re
from collections.abc import Iterator
from pathlib import Path

from gsv.paths import Project
from gsv.versions import VERSIONS


def sovits_weights(project: Project) -> list[str]:
    """Paths relative to the project folder: base models first, then trained ones of every version."""
    bases = (project.base(version).generator for version in VERSIONS.values())
    folders = (project.root / version.sovits_folder for version in VERSIONS.values())
    return _listed(project, [*bases, *(path for folder in folders for path in _files(folder, ".pth"))])


def gpt_weights(project: Project) -> list[str]:
    """Like `sovits_weights`."""
    bases = (project.base(version).gpt for version in VERSIONS.values())
    folders = (project.root / version.gpt_folder for version in VERSIONS.values())
    return _listed(project, [*bases, *(path for folder in folders for path in _files(folder, ".ckpt"))])


def relative(project: Project, path: Path) -> str:
    """A file as users choose it; one outside the project folder keeps its whole path."""
    return path.relative_to(project.root).as_posix() if path.is_relative_to(project.root) else str(path)


def _listed(project: Project, paths: list[Path]) -> list[str]:
    return [relative(project, path) for path in dict.fromkeys(paths) if path.is_file()]


def _files(folder: Path, suffix: str) -> Iterator[Path]:
    """In the order of their names, numbers in them counted as numbers."""
    if folder.is_dir():
        yield from sorted(folder.glob(f"[!.]*{suffix}"), key=lambda path: _natural(path.name))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
