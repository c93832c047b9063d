"""Fetches official weights into the places where gsv looks for them.

Files come from the Hugging Face hub or a mirror of it, one by one; a broken download goes on where it stopped, and the
hub's client checks each file's size. Files that are there already are left alone.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from gsv.errors import GsvError, InputError
from gsv.paths import Project
from gsv.versions import HUBERT, ROBERTA, SPEAKER_ENCODER, VERSIONS, version_named

REPOSITORY = "lj1995/GPT-SoVITS"
# Files of these folders come from a repository of their own.
_REPOSITORIES = {"uvr5_weights": "lj1995/VoiceConversionWebUI"}

# Where the hub's files are served from.
SOURCES = {"hf": "https://huggingface.co", "hf-mirror": "https://hf-mirror.com"}

# What every version needs besides its own weights.
_COMMON = (
    f"{HUBERT}/config.json",
    f"{HUBERT}/preprocessor_config.json",
    f"{HUBERT}/pytorch_model.bin",
    f"{ROBERTA}/config.json",
    f"{ROBERTA}/tokenizer.json",
    f"{ROBERTA}/pytorch_model.bin",
)


# What a stage needs that has nothing to do with versions.
_OF_STAGES = {
    "uvr5": (
        "uvr5_weights/HP2_all_vocals.pth",
        "uvr5_weights/HP3_all_vocals.pth",
        "uvr5_weights/HP5_only_main_vocal.pth",
        "uvr5_weights/VR-DeEchoAggressive.pth",
        "uvr5_weights/VR-DeEchoDeReverb.pth",
        "uvr5_weights/VR-DeEchoNormal.pth",
        "uvr5_weights/onnx_dereverb_By_FoxJoy/vocals.onnx",
    )
}


def files_of(names: Sequence[str]) -> list[str]:
    """The files that these versions or stages need, relative to `pretrained_models/`. InputError for an unknown one."""
    wanted: dict[str, None] = {}
    for name in names:
        if name in _OF_STAGES:
            wanted.update(dict.fromkeys(_OF_STAGES[name]))
            continue
        version = version_named(name)
        speaker = (SPEAKER_ENCODER,) if version.uses_speaker_vector else ()
        wanted.update(dict.fromkeys((*_COMMON, *speaker, *version.weights)))
    return list(wanted)


def download(names: Sequence[str], source: str, project: Project) -> Iterator[str]:
    """Fetches what is missing for these versions and stages; yields a line for each file, or folder of a recogniser."""
    # Here, because it loads torch, which a list of versions does not need.
    from gsv.dataset.transcription.models import DOWNLOADS

    if source not in SOURCES:
        raise InputError(f"There is no source {source!r}; choose one of {', '.join(SOURCES)}.")
    known = (*VERSIONS, *_OF_STAGES, *DOWNLOADS)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        wrong = f"There is nothing called {', '.join(unknown)} to download; " if unknown else "Name what to download; "
        raise InputError(f"{wrong}there are {', '.join(known)}.")
    for folder in dict.fromkeys(folder for name in names for folder in DOWNLOADS.get(name, ())):
        yield from folder.fetch(SOURCES[source], project)
    yield from _download_files(files_of([name for name in names if name not in DOWNLOADS]), source, project)
    shutil.rmtree(project.pretrained / ".download", ignore_errors=True)


def _download_files(names: Sequence[str], source: str, project: Project) -> Iterator[str]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    for name in names:
        target = project.pretrained / name
        if target.is_file():
            yield f"{target}: is there"
            continue
        # Beside the target, so that the finished file is renamed into place and an unfinished one is found again.
        cache = project.pretrained / ".download"
        try:
            repository = _REPOSITORIES.get(name.partition("/")[0], REPOSITORY)
            fetched = hf_hub_download(repository, name, endpoint=SOURCES[source], local_dir=cache)
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise GsvError(
                f"{name} could not be downloaded from {source} ({reason}); run the command again."
            ) from error
        # Only now: a folder of weights without any would be taken for a damaged one.
        target.parent.mkdir(parents=True, exist_ok=True)
        Path(fetched).replace(target)
        yield f"{target}: downloaded"
