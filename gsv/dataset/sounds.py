"""The sound files that a stage is pointed at: one file, or those of a folder."""

import mimetypes
from pathlib import Path

from gsv.dataset.workers import Item
from gsv.errors import InputError

# What lies beside sounds and is none: lists, notes, pictures. A file of a kind that nobody knows may be a sound.
_OTHER_KINDS = {"text", "image", "application", "font"}


def sounds_in(path: Path, argument: str) -> list[Item]:
    """The file `path`, or the files of the folder `path` (not of folders in it), in the order of their names.

    Hidden files and those whose names say that they are something else are passed over. Raises InputError, which names
    the `argument` that the path was given for, if there is nothing.
    """
    if path.is_file():
        return [Item(path.name, path, "", "")]
    if not path.is_dir():
        raise InputError(f"{argument}: there is no file or folder {path}; name a recording or a folder of recordings.")
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
    sounds = [Item(file.name, file, "", "") for file in files if _may_be_sound(file)]
    if not sounds:
        raise InputError(f"{argument}: the folder {path} holds no sound file; put recordings into it, not deeper.")
    return sounds


def _may_be_sound(path: Path) -> bool:
    kind, _ = mimetypes.guess_type(path.name)
    return kind is None or kind == "application/ogg" or kind.partition("/")[0] not in _OTHER_KINDS
