"""What the inference pages do, apart from any page: names that users give languages and ways of cutting, requests with
checked values, and the one engine of a program. torch is imported when the first request comes, not before.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from gsv.errors import GsvError, InputError
from gsv.paths import Project
from gsv.text.languages import CODES
from gsv.text.split import METHODS
from gsv.versions import VERSIONS, Version, version_named

if TYPE_CHECKING:
    from gsv.synthesis.engine import Engine, Fragment
    from gsv.synthesis.voice import Voice

# What users of GPT-SoVITS call languages, in Chinese and in English.
LANGUAGE_NAMES = {
    "中文": "all_zh",
    "英文": "en",
    "日文": "all_ja",
    "粤语": "all_yue",
    "韩文": "all_ko",
    "中英混合": "zh",
    "日英混合": "ja",
    "粤英混合": "yue",
    "韩英混合": "ko",
    "多语种混合": "auto",
    "多语种混合(粤语)": "auto_yue",
    "chinese": "all_zh",
    "english": "en",
    "japanese": "all_ja",
    "yue": "all_yue",
    "korean": "all_ko",
    "chinese-english mixed": "zh",
    "japanese-english mixed": "ja",
    "yue-english mixed": "yue",
    "korean-english mixed": "ko",
    "multilingual mixed": "auto",
    "multilingual mixed(yue)": "auto_yue",
}
# And ways of cutting a text.
SPLIT_NAMES = {
    "自动": "auto",
    "不切": "cut0",
    "凑四句一切": "cut1",
    "凑50字一切": "cut2",
    "按中文句号。切": "cut3",
    "按英文句号.切": "cut4",
    "按标点符号切": "cut5",
    "automatic": "auto",
    "no slice": "cut0",
    "slice once every 4 sentences": "cut1",
    "slice per 50 characters": "cut2",
    "slice by chinese punct": "cut3",
    "slice by english punct": "cut4",
    "slice by every punct": "cut5",
}
_ALL_CODES = {code for version in VERSIONS.values() for code in version.languages}


def language_named(name: str, argument: str) -> str:
    """The code of a language that is given by code or by name; InputError, which names the argument, if there is none.

    `yue` is a name of all_yue for people and a code for programs; the code wins.
    """
    plain = name.strip()
    if plain in _ALL_CODES:
        return plain
    code = LANGUAGE_NAMES.get(plain.replace("（", "(").replace("）", ")").lower())
    if code is None:
        raise InputError(
            f"{argument} is {name!r}; it must be one of {', '.join(CODES)}, or a name such as 中文 or 英文."
        )
    return code


def split_named(name: str, argument: str) -> str:
    """The way of cutting that is given as auto, cut0 to cut5 or by name; InputError if there is none."""
    plain = name.strip().lower()
    method = plain if plain in METHODS else SPLIT_NAMES.get(plain)
    if method is None:
        raise InputError(f"{argument} is {name!r}; it must be one of {', '.join(METHODS)}, or a name such as 不切.")
    return method


def languages_of(version: Version | None) -> list[str]:
    """The codes that a version speaks and gsv can read; without a version, those of all."""
    known = _ALL_CODES if version is None else set(version.languages)
    return [code for code in dict.fromkeys(LANGUAGE_NAMES.values()) if code in known]


@dataclass(frozen=True)
class Request:
    """What to say, and how. Languages are codes; `seed` of -1 draws one."""

    text: Annotated[str, Field(min_length=1, max_length=100_000, description="What to say.")]
    language: Annotated[str, Field(description="Its language.")]
    reference: Annotated[Path, Field(description="Recording of the voice, 3 to 10 seconds.")]
    transcript: Annotated[
        str, Field(max_length=2000, description="What is said in the recording; empty: no prompt.")
    ] = ""
    transcript_language: Annotated[str, Field(description="Language of the recording.")] = "en"
    auxiliary: tuple[Path, ...] = ()
    split: Annotated[str, Field(description="How the text is cut.")] = "auto"
    top_k: Annotated[int, Field(ge=0, le=1025, description="Draw from so many tokens; 0: from all.")] = 15
    top_p: Annotated[float, Field(gt=0, le=1, description="Draw from the likeliest with this total.")] = 1.0
    temperature: Annotated[float, Field(ge=0, le=100, description="1 is natural.")] = 1.0
    repetition_penalty: Annotated[float, Field(gt=0, le=100, description="1 switches it off.")] = 1.35
    speed: Annotated[float, Field(ge=0.1, le=10, description="Pace; 1 is natural.")] = 1.0
    pause: Annotated[float, Field(ge=0, le=60, description="Seconds of silence after each piece.")] = 0.3
    batch_size: Annotated[int, Field(ge=1, le=1000, description="Pieces decoded together.")] = 1
    bucket: Annotated[bool, Field(description="Only pieces of like length share a batch.")] = True
    seed: Annotated[int, Field(ge=-1, lt=2**32, description="Of all random draws; -1 draws one.")] = -1
    sample_steps: Annotated[int | None, Field(ge=4, le=128, description="Of v3 and v4; the version's own.")] = None
    super_sampling: Annotated[bool, Field(description="To 48 kHz; v3 alone.")] = False
    project: Project = field(default_factory=Project.default)


class Studio:
    """The engine of a program, loaded when it is first needed. It speaks for one request at a time; others wait."""

    def __init__(self, project: Project, gpt: Path | None = None, sovits: Path | None = None) -> None:
        self.project = project
        self._gpt = gpt
        self._sovits = sovits
        self._version: Version | None = None
        self._engine: Engine | None = None
        self._voice: tuple[object, Voice] | None = None
        # Not an RLock: a stream that a browser has left may be closed by another thread than the one that began it.
        self._lock = threading.Lock()
        self._stops = 0
        self.last_seed = -1

    @property
    def base_version(self) -> Version:
        """The version whose base models speak when nothing was chosen: v2, or the first whose models are there."""
        usual = version_named("v2")
        versions = (usual, *VERSIONS.values())
        return next((one for one in versions if self.project.base(one).generator.is_file()), usual)

    @property
    def sovits(self) -> Path:
        """The SoVITS weights that speak."""
        return self._sovits or self.project.base(self.base_version).generator

    @property
    def gpt(self) -> Path:
        """The GPT weights that speak."""
        return self._gpt or self.project.base(self.version or self.base_version).gpt

    @property
    def version(self) -> Version | None:
        """The version of the weights, where that is known without reading them."""
        engine = self._engine
        if engine is not None:
            return engine.version
        return self.base_version if self._sovits is None else self._version

    @property
    def notice(self) -> str:
        """What to tell whoever uses this voice; mostly nothing."""
        engine = self._engine
        if engine is not None:
            return engine.notice
        base = self.project.base(self.base_version)
        return base.notice if self.sovits == base.generator else ""

    def choose_gpt(self, path: Path) -> None:
        """Speaks with these GPT weights from the next request on. Raises as `Engine.load` if they are none."""
        from gsv.checkpoints import read_gpt

        read_gpt(path)
        with self._lock:
            if path != self._gpt:
                self._gpt, self._engine = path, None

    def choose_sovits(self, path: Path) -> Version:
        """Speaks with these SoVITS weights from the next request on, and says of which version they are."""
        from gsv.checkpoints import read_generator

        version = version_named(read_generator(path).version)
        with self._lock:
            if path != self._sovits:
                self._sovits, self._version, self._engine = path, version, None
        return version

    def stop(self) -> None:
        """Ends whatever is being spoken, within one decoding step, and what waits for its turn."""
        self._stops += 1

    def speak(self, request: Request, tell: Callable[[str], None] = lambda sentence: None) -> "Iterator[Fragment]":
        """The pieces of the text as they are spoken, until `stop`; `tell` is given warnings about the reference.

        Raises GsvError, with the argument's own words, if it cannot be.
        """
        from gsv.synthesis.engine import SpeechOptions
        from gsv.synthesis.sampling import SamplingOptions

        ticket = self._stops
        options = SpeechOptions(
            SamplingOptions(request.top_k, request.top_p, request.temperature, request.repetition_penalty),
            speed=request.speed,
            pause=request.pause,
            split=request.split,
            batch_size=request.batch_size,
            # With a threshold of 0 pieces of any lengths share a batch.
            bucket_threshold=SpeechOptions.bucket_threshold if request.bucket else 0.0,
            seed=request.seed,
            sample_steps=request.sample_steps,
            super_sampling=request.super_sampling,
        )
        with self._lock:
            if self._stops != ticket:
                return
            engine = self._loaded()
            voice = self._voice_of(engine, request)
            for warning in voice.warnings:
                tell(warning)
            for fragment in engine.stream(
                request.text, request.language, voice, options, lambda: self._stops != ticket
            ):
                self.last_seed = fragment.seed
                yield fragment

    def _loaded(self) -> "Engine":
        from gsv.synthesis.engine import Engine

        if self._engine is None:
            self._voice = None
            self._engine = Engine.load(self._gpt, self._sovits, version=self.base_version.name, project=self.project)
        return self._engine

    def _voice_of(self, engine: "Engine", request: Request) -> "Voice":
        """The voice of a reference; the last one is kept, because people try many texts with it."""
        paths = (request.reference, *request.auxiliary)
        state = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.is_file()]
        key = (state, request.transcript, request.transcript_language)
        if self._voice is None or self._voice[0] != key:
            voice = engine.voice(request.reference, request.transcript, request.transcript_language, request.auxiliary)
            self._voice = (key, voice)
        return self._voice[1]


def naming(argument: str, error: GsvError) -> GsvError:
    """The same error, which names the argument."""
    return type(error)(f"{argument}: {error}")
