"""What a line of a list file stands for: a sound file, by the name that all its features will have, and its words."""

from pathlib import Path, PurePosixPath

from gsv.dataset.listing import parse_line
from gsv.dataset.workers import Item
from gsv.errors import InputError, TextError
from gsv.paths import Project
from gsv.text.languages import language_of_tag
from gsv.versions import Version

_QUOTES_AND_BLANKS = " '\"\n\u202a"


def utterance(
    text: str, number: int, list_path: Path, audio_folder: Path | None, version: Version, project: Project
) -> Item:
    """The utterance of a line, whether its sound file is there or not.

    The file lies in `audio_folder`, whatever folders the list names; without it, where the list says. Raises
    InputError, which names the line, if a field is missing or the version does not know the language.
    """
    line = parse_line(text, number, list_path)
    audio = line.audio.strip(_QUOTES_AND_BLANKS)
    name = PurePosixPath(audio.replace("\\", "/")).name
    if name in {"", ".", ".."} or "\t" in name:
        raise InputError(f"Line {number} names {line.audio!r}, which is not a file name.")
    try:
        known = language_of_tag(line.language) in version.languages
    except TextError as error:
        raise InputError(f"Line {number}: {error}") from error
    if not known:
        raise InputError(f"Line {number} is in the language {line.language}, which {version.name} does not know.")
    path = project.resolve(audio) if audio_folder is None else audio_folder / name
    return Item(name, path, line.language, line.text)
