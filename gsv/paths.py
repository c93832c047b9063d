"""Where things lie: the project folder, its weights, an experiment's files, and paths of the original layout."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from gsv.errors import InputError
from gsv.versions import HUBERT, ROBERTA, SPEAKER_ENCODER, BaseWeights, Version

_ORIGINAL_PREFIX = "GPT_SoVITS"
BUNDLED_NOTICE = "This is the bundled demo voice, English only; better ones come with: gsv download v2"
BUNDLED_REFERENCE = "reference.json"
# A killed program's helper processes hold its locks a little longer.
_LOCK_SECONDS = 6.0
_UNFINISHED = ".unfinished-"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BaseFiles:
    """A version's base models.

    `notice` is what to tell whoever speaks with them or trains on them; mostly nothing. `reference` is the file that
    describes a recording to speak like where nobody names one; mostly there is none.
    """

    generator: Path
    discriminator: Path | None
    gpt: Path
    notice: str = ""
    reference: Path | None = None


@dataclass(frozen=True)
class Project:
    """A folder that holds `pretrained_models/`, `logs/` and the folders of finished weights."""

    root: Path

    @classmethod
    def default(cls) -> "Project":
        """The folder of the source checkout that gsv was installed from, or else the current one."""
        checkout = Path(__file__).resolve().parent.parent
        return cls(checkout if (checkout / "pretrained_models").is_dir() else Path.cwd())

    @property
    def pretrained(self) -> Path:
        return self.root / "pretrained_models"

    @property
    def hubert(self) -> Path:
        return self.pretrained / HUBERT

    def content_encoder(self, module: str | None) -> Path:
        """The folder of the content encoder that a generator's configuration names as its `content_module`.

        A generator works with the encoder it was trained with alone, and so do voices that are fine-tuned from it. The
        official files, and files that name none, mean the official encoder; a path is one in `pretrained_models/`.
        """
        if module is None or "/" not in module:
            return self.hubert
        folder = Path(module)
        if folder.is_absolute() or ".." in folder.parts:
            raise InputError(f"The model names the content encoder {module!r}, which is not in pretrained_models.")
        return self.pretrained / folder

    def base(self, version: Version) -> BaseFiles:
        """The version's official base models; where they are not there, the bundled voice, if it is of that version."""
        official = self._base_files(version.base)
        bundled = version.bundled
        if bundled is None or official.generator.exists() or not (self.pretrained / bundled.generator).exists():
            return official
        return self._bundled_files(bundled)

    def base_of(self, version: Version, module: str | None) -> BaseFiles:
        """The base models that belong to a generator whose configuration names that `content_module`."""
        bundled = version.bundled
        if bundled is not None and module is not None and Path(module).parent == Path(bundled.generator).parent:
            return self._bundled_files(bundled)
        return self._base_files(version.base)

    def _base_files(self, names: BaseWeights) -> BaseFiles:
        folder = self.pretrained
        discriminator = None if names.discriminator is None else folder / names.discriminator
        return BaseFiles(folder / names.generator, discriminator, folder / names.gpt)

    def _bundled_files(self, names: BaseWeights) -> BaseFiles:
        files = self._base_files(names)
        return replace(files, notice=BUNDLED_NOTICE, reference=files.generator.parent / BUNDLED_REFERENCE)

    @property
    def roberta(self) -> Path:
        return self.pretrained / ROBERTA

    @property
    def speaker_encoder(self) -> Path:
        return self.pretrained / SPEAKER_ENCODER

    @property
    def pronunciations(self) -> Path:
        """The user's pronunciation dictionary, which need not be there; its form stands in `gsv.text.dictionary`."""
        return self.root / "pronunciations.txt"

    @property
    def g2pw(self) -> Path | None:
        """The folder of the Mandarin polyphone model, or None where it is not installed."""
        places = (self.pretrained / "G2PWModel", self.root / _ORIGINAL_PREFIX / "text" / "G2PWModel")
        return next((place for place in places if (place / "g2pW.onnx").is_file()), None)

    def experiment(self, name: str) -> "Experiment":
        """The experiment of that name; a name is one path component."""
        if not name.strip() or Path(name).name != name or name in {".", ".."}:
            raise InputError(f"The experiment name {name!r} is not usable; give a plain name without slashes.")
        return Experiment(self.root / "logs" / name)

    def resolve(self, path: str | Path) -> Path:
        """The file that a user means by a path.

        A path that exists as given wins. Otherwise a pair of quotes and blanks around a pasted path go, and relative
        paths are taken from the project folder, and `GPT_SoVITS/pretrained_models/X` and `GPT_SoVITS/configs/X`
        (with `/` or `\\`) mean the project's own folders of those names. The result need not exist.
        """
        if str(path).strip() and Path(path).exists():
            return Path(path)
        places = self.places(path)
        return next((place for place in places if place.exists()), places[-1])

    def places(self, path: str | Path) -> list[Path]:
        """Where the file that a user means by a path can lie, the likeliest first, without looking there."""
        text = str(path).strip()
        while len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            text = text[1:-1].strip()
        if not text:
            raise InputError("An empty path was given; name a file or folder.")
        try:
            given = Path(text).expanduser()
        except RuntimeError:  # `~name` where nobody has that name: a file may be called so.
            given = Path(text)
        if given.is_absolute():
            return [given]
        parts = Path(text.replace("\\", "/")).parts
        if len(parts) > 1 and parts[0] == _ORIGINAL_PREFIX and parts[1] in {"pretrained_models", "configs"}:
            parts = parts[1:]
        return [given, self.root.joinpath(*parts)]


@dataclass(frozen=True)
class Placed(Project):
    """A project whose text encoder or content encoder lies elsewhere."""

    roberta_folder: Path | None = None
    hubert_folder: Path | None = None

    @property
    def roberta(self) -> Path:
        return self.roberta_folder or super().roberta

    @property
    def hubert(self) -> Path:
        return self.hubert_folder or super().hubert


def absolute(path: Path) -> Path:
    """The path from the root, without `..`; what follows the last `..` stays as it is, so a link keeps its name."""
    path = path.absolute()
    if ".." not in path.parts:
        return path
    last = len(path.parts) - path.parts[::-1].index("..")
    return Path(os.path.realpath(Path(*path.parts[:last])), *path.parts[last:])


@dataclass(frozen=True)
class Experiment:
    """`logs/EXP/`: what feature extraction writes and training reads, named as existing datasets have it."""

    root: Path

    @property
    def name(self) -> str:
        return self.root.name

    @property
    def phones(self) -> Path:
        return self.root / "2-name2text.txt"

    @property
    def bert(self) -> Path:
        return self.root / "3-bert"

    @property
    def hubert(self) -> Path:
        return self.root / "4-cnhubert"

    @property
    def wav32k(self) -> Path:
        return self.root / "5-wav32k"

    @property
    def semantic(self) -> Path:
        return self.root / "6-name2semantic.tsv"

    @property
    def speaker(self) -> Path:
        return self.root / "7-sv_cn"

    def sovits_logs(self, version: Version, lora_rank: int | None = None) -> Path:
        """Where a training's state and log lie; a LoRA of each rank is a training of its own."""
        return self.root / (f"logs_s2_{version.name}" + ("" if lora_rank is None else f"_lora_{lora_rank}"))

    def newest_sovits_logs(self, version: Version) -> Path:
        """Those of the training that wrote last, of a LoRA or not."""
        plain = self.sovits_logs(version)
        folders = [path for path in (plain, *self.root.glob(f"{plain.name}_lora_*")) if path.is_dir()]
        return max(folders, key=lambda path: path.stat().st_mtime, default=plain)

    def gpt_logs(self, version: Version) -> Path:
        return self.root / f"logs_s1_{version.name}"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; it takes the name `path` only when the block ends without an error.

    A reader therefore sees the old file or the whole new one, never half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem[:40]}{_UNFINISHED}{secrets.token_hex(8)}{path.suffix}")
    # With the rights that any new file gets, which those of `tempfile` do not have.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def clear_unfinished(folder: Path) -> None:
    """Deletes what was left half written in a folder by programs that were killed; nobody may be writing there."""
    for path in folder.glob(f".*{_UNFINISHED}*"):
        path.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Makes the folder and keeps other runs out of it until the block ends; a run that dies keeps nobody out.

    What such a run left half written in the folder itself is deleted. Raises InputError if another run is in it. Where
    the file system knows no locks, this one goes on with a warning.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=_LOCK_SECONDS)
    except Timeout:
        raise InputError(f"Another run is at work in {folder}; wait for its end, or stop it.") from None
    except (OSError, NotImplementedError) as error:
        log.warning("Nothing keeps a second run out of %s: %s.", folder, error)
    else:
        clear_unfinished(folder)
    try:
        yield
    finally:
        lock.release()
