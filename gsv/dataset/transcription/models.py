"""Folders of recognition models: what they hold, where they lie, and where they come from."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gsv.errors import GsvError, MissingLibraryError, MissingWeightsError
from gsv.paths import Project

INSTALL = 'pip install "gsv[asr]"'

_HUBS = {"hf": "Hugging Face", "modelscope": "ModelScope"}

# Of what a hub keeps beside a model, examples are not needed, and code is not run.
_NOT_FETCHED = ["*.py", "*.md", "*.png", "*.jpg", "*.wav", "*.mp3", "example/*", "fig/*", "images/*"]


@dataclass(frozen=True)
class ModelFolder:
    """A model as its hub keeps it. `files` (patterns) must all be there; `download` is `gsv download`'s name for it."""

    name: str
    repository: str
    hub: Literal["hf", "modelscope"]
    files: tuple[str, ...]
    download: str

    def find(self, project: Project) -> Path | None:
        """The folder of that name that has all files, or None."""
        return next((place for place in self._places(project) if not self._lacking(place)), None)

    def require(self, project: Project) -> Path:
        """The folder; MissingWeightsError says what is missing, where it belongs, and what gets it."""
        found = self.find(project)
        if found is not None:
            return found
        places = self._places(project)
        advice = f"get it with: gsv download {self.download}"
        for place in places:
            if place.is_dir():
                lacking = ", ".join(self._lacking(place))
                raise MissingWeightsError(f"The recognition model in {place} lacks {lacking}; {advice}")
        raise MissingWeightsError(
            f"The recognition model {self.name} is neither in {places[0].parent} nor in {places[1].parent}; {advice}"
        )

    def fetch(self, endpoint: str, project: Project) -> Iterator[str]:
        """Downloads the folder with the hub's own progress bars, if it is not there; yields lines that say so.

        `endpoint` is the address of a Hugging Face hub or a mirror of it. A broken download goes on where it stopped,
        and the folder appears under its name when it is whole.
        """
        if (found := self.find(project)) is not None:
            yield f"{found}: is there"
            return
        target, *_ = self._places(project)
        yield f"{target}: downloading {self.repository} from {_HUBS[self.hub]}"
        unfinished = project.pretrained / ".download" / self.name
        try:
            self._fetch_into(unfinished, endpoint)
        except ImportError as error:
            raise MissingLibraryError(f"Downloads from {_HUBS[self.hub]} need its library: {INSTALL}") from error
        except Exception as error:  # The hubs' clients raise errors of many kinds, of libraries of theirs.
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise GsvError(f"{self.name} could not be downloaded ({reason}); run the command again.") from error
        if lacking := self._lacking(unfinished):
            raise GsvError(f"{self.repository} came without {', '.join(lacking)}; the hub may have changed it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():  # What an earlier hand left there lacks files.
            shutil.rmtree(target)
        unfinished.replace(target)
        yield f"{target}: downloaded"

    def _fetch_into(self, folder: Path, endpoint: str) -> None:
        if self.hub == "hf":
            from huggingface_hub import snapshot_download

            snapshot_download(self.repository, local_dir=folder, endpoint=endpoint, ignore_patterns=_NOT_FETCHED)
        else:
            from modelscope import snapshot_download as fetch_from_modelscope

            fetch_from_modelscope(self.repository, local_dir=str(folder), ignore_patterns=_NOT_FETCHED)

    def _places(self, project: Project) -> tuple[Path, Path]:
        """Where the folder may be: gsv's place, and that of the original layout."""
        return (project.pretrained / "asr" / self.name, project.root / "tools" / "asr" / "models" / self.name)

    def _lacking(self, place: Path) -> list[str]:
        return [name for name in self.files if not any(place.glob(name))]


def funasr_folder(name: str, download: str, owner: str = "iic") -> ModelFolder:
    """A FunASR model of ModelScope."""
    return ModelFolder(name, f"{owner}/{name}", "modelscope", ("config.yaml", "model.p[bt]"), download)


_VAD = funasr_folder("speech_fsmn_vad_zh-cn-16k-common-pytorch", "asr")

MANDARIN = (
    funasr_folder("speech_paraformer-large_asr_nat-zh-cn-16k-common-vocab8404-pytorch", "asr"),
    _VAD,
    funasr_folder("punc_ct-transformer_zh-cn-common-vocab272727-pytorch", "asr"),
)
CANTONESE = (funasr_folder("speech_UniASR_asr_2pass-cantonese-CHS-16k-common-vocab1468-tensorflow1-online", "asr-yue"),)
SENSE_VOICE = (funasr_folder("SenseVoiceSmall", "asr-sensevoice"), _VAD)
FUN_ASR_NANO = (funasr_folder("Fun-ASR-Nano-2512", "asr-nano", "FunAudioLLM"), _VAD)

# Sizes whose folder is not that of the same name at Systran.
_OTHER_WHISPERS = {
    "large": ("faster-whisper-large-v3", "Systran/faster-whisper-large-v3"),
    "large-v3-turbo": ("faster-whisper-large-v3-turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
    "distil-large-v3.5": ("faster-distil-whisper-large-v3.5", "distil-whisper/distil-large-v3.5-ct2"),
}

# Without a tokenizer file faster-whisper would fetch one.
_WHISPER_FILES = ("config.json", "model.bin", "tokenizer.json", "vocabulary.*")

WHISPER_SIZES = (
    *("tiny", "tiny.en", "base", "base.en", "small", "small.en", "medium", "medium.en"),
    *("large", "large-v1", "large-v2", "large-v3", "large-v3-turbo"),
    *("distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5"),
)


def whisper_folder(size: str) -> ModelFolder:
    """The Whisper of one of WHISPER_SIZES, in the format of CTranslate2."""
    kind, _, plain = size.rpartition("distil-")
    usual = f"faster-{'distil-' if kind or size != plain else ''}whisper-{plain}"
    name, repository = _OTHER_WHISPERS.get(size, (usual, f"Systran/{usual}"))
    return ModelFolder(name, repository, "hf", _WHISPER_FILES, f"asr-whisper-{size}")


# What `gsv download` can be asked for.
DOWNLOADS = {
    "asr": MANDARIN,
    "asr-yue": CANTONESE,
    "asr-sensevoice": SENSE_VOICE,
    "asr-nano": FUN_ASR_NANO,
} | {f"asr-whisper-{size}": (whisper_folder(size),) for size in WHISPER_SIZES}
