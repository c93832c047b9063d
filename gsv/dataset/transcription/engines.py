"""The table of recognition engines: what each can do, what it needs, and what loads it."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from gsv.dataset.transcription import funasr, sphinx, whisper
from gsv.dataset.transcription.models import (
    CANTONESE,
    FUN_ASR_NANO,
    INSTALL,
    MANDARIN,
    SENSE_VOICE,
    WHISPER_SIZES,
    ModelFolder,
    whisper_folder,
)
from gsv.dataset.transcription.recogniser import Choice, Recogniser
from gsv.errors import InputError, MissingLibraryError
from gsv.paths import Project

# What the user interface adds to sizes that are on disk.
LOCAL = "-local"

# Callers leave the size out, so an engine with one size calls it by the default's name.
_ONE_SIZE = ("large",)


@dataclass(frozen=True)
class Engine:
    """A way to recognise speech. `name` is for commands, `title` for people; the first of each choice is the default.

    `folders` are the model folders that a choice needs. `many_cores` says whether one process keeps more than one busy.
    `notice` is what to tell whoever uses it.
    """

    name: str
    title: str
    languages: tuple[str, ...]
    load: Callable[[tuple[Path, ...], Choice, torch.device], Recogniser]
    folders: Callable[[Choice], tuple[ModelFolder, ...]]
    libraries: tuple[str, ...]
    sizes: tuple[str, ...] = _ONE_SIZE
    precisions: tuple[str, ...] = ("float32",)
    install: str = INSTALL
    many_cores: bool = True
    notice: str = ""

    def choice(self, language: str | None, size: str | None, precision: str | None) -> Choice:
        """The choice that these names make, where None is the default; InputError names one that there is not."""
        size = size.removesuffix(LOCAL) if size else size
        picked = {}
        for argument, value, possible in (
            ("asr_lang", language, self.languages),
            ("asr_model_size", size, self.sizes),
            ("asr_precision", precision, self.precisions),
        ):
            if value is not None and value not in possible:
                raise InputError(f"{argument}: {self.title} has no {value!r}; choose one of {', '.join(possible)}.")
            picked[argument] = possible[0] if value is None else value
        return Choice(picked["asr_lang"], picked["asr_model_size"], picked["asr_precision"])

    def sizes_marked(self, project: Project) -> list[str]:
        """The sizes with `-local` behind those that are on disk; an engine of one size has nothing to mark."""
        if len(self.sizes) == 1:
            return list(self.sizes)
        return [size + LOCAL if self._is_there(size, project) else size for size in self.sizes]

    def missing_libraries(self) -> list[str]:
        return [library for library in self.libraries if find_spec(library) is None]

    def require(self, choice: Choice, project: Project) -> tuple[Path, ...]:
        """The model folders of a choice; MissingLibraryError or MissingWeightsError says what is not there."""
        missing = self.missing_libraries()
        if missing:
            raise MissingLibraryError(f"{self.title} needs {' and '.join(missing)}: {self.install}")
        return tuple(folder.require(project) for folder in self.folders(choice))

    def state(self, project: Project) -> str:
        """Whether the engine is usable, for what, and what is missing for the rest, in a line for a person."""
        missing = self.missing_libraries()
        if missing:
            return f"not usable: {' and '.join(missing)} not installed; {self.install}"
        several = len(self.sizes) > 1
        there: list[str] = []
        sources: dict[str, list[str]] = {}
        for label, choice in self._kinds():
            folders = self.folders(choice)
            if all(folder.find(project) for folder in folders):
                there.append(label)
            else:
                source = folders[0].download
                sources.setdefault(source.replace(label, "SIZE") if several else source, []).append(label)
        state = f"usable for {', '.join(there)}" if there else "not usable, its model is not there"
        for source, labels in sources.items():
            what = ("other sizes" if there else "any size") if several else ", ".join(labels)
            state += f"; {what}: gsv download {source}"
        return state

    def _kinds(self) -> list[tuple[str, Choice]]:
        """What may be usable by itself: sizes where there are several, else languages."""
        if len(self.sizes) > 1:
            return [(size, self.choice(None, size, None)) for size in self.sizes]
        return [(language, self.choice(language, None, None)) for language in self.languages]

    def _is_there(self, size: str, project: Project) -> bool:
        return all(folder.find(project) for folder in self.folders(self.choice(None, size, None)))


_FUNASR_LIBRARIES = ("funasr", "kaldi_native_fbank")

ENGINES = (
    Engine(
        name="damo",
        title="达摩 ASR (中文)",
        languages=("zh", "yue"),
        load=funasr.load_damo,
        folders=lambda choice: CANTONESE if choice.language == "yue" else MANDARIN,
        libraries=_FUNASR_LIBRARIES,
    ),
    Engine(
        name="whisper",
        title="Faster Whisper (多语种)",
        languages=("auto", "zh", "en", "ja", "ko", "yue"),
        load=whisper.load,
        folders=lambda choice: (whisper_folder(choice.size),),
        libraries=("faster_whisper",),
        sizes=WHISPER_SIZES,
        precisions=("float32", "float16", "int8"),
    ),
    Engine(
        name="sensevoice",
        title="SenseVoice (多语种)",
        languages=("auto", "zh", "en", "ja", "ko", "yue"),
        load=funasr.load_sense_voice,
        folders=lambda choice: SENSE_VOICE,
        libraries=_FUNASR_LIBRARIES,
    ),
    Engine(
        name="nano",
        title="Fun-ASR-Nano (中英日)",
        languages=("zh", "en", "ja"),
        load=funasr.load_nano,
        folders=lambda choice: FUN_ASR_NANO,
        libraries=_FUNASR_LIBRARIES,
    ),
    Engine(
        name="pocketsphinx",
        title="PocketSphinx (English, rough, no download)",
        languages=("en",),
        load=sphinx.load,
        folders=lambda choice: (),
        libraries=("pocketsphinx",),
        install="pip install pocketsphinx",
        many_cores=False,
        notice="PocketSphinx mishears about every fourth word and writes no punctuation: correct the list by hand.",
    ),
)


def engine_named(name: str) -> Engine:
    """The engine of that name or title; InputError lists them all."""
    for engine in ENGINES:
        if name in (engine.name, engine.title):
            return engine
    known = "; ".join(f"{engine.name} or {engine.title}" for engine in ENGINES)
    raise InputError(f"asr_model: there is no recogniser {name!r}; choose {known}.")
