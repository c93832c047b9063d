"""HTTP synthesis API 3.0: /tts, /control, and what changes the weights and the reference of everybody."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from gsv.checkpoints import missing_weights, read_generator, read_gpt
from gsv.errors import InputError
from gsv.servers.answers import Output, Sound, SpokenAnswer
from gsv.servers.bridge import Stopped
from gsv.servers.configurations import Configuration, Engines, read_configuration
from gsv.servers.interface import Json, Service, either_way, interface
from gsv.servers.speaking import References, Words, language_known, speak
from gsv.synthesis.engine import SpeechOptions
from gsv.synthesis.reference import Reference
from gsv.synthesis.sampling import SamplingOptions
from gsv.synthesis.streaming import Mode, Streaming
from gsv.text.split import METHODS

NAME = "api_v2"
MEDIA = ("wav", "raw", "ogg", "aac")
_MODES: dict[int, Mode | None] = {0: None, 1: None, 2: "growing", 3: "fixed"}
_SUCCESS = {"message": "success"}


def _streaming_mode(value: object) -> object:
    """true, "true", "2" and the like as a number."""
    if isinstance(value, str):
        word = value.strip().lower()
        return {"true": 1, "false": 0, "": 0}.get(word, int(word) if word.isdecimal() else value)
    return int(value) if isinstance(value, bool) else value


Real = Annotated[float, Field(allow_inf_nan=False)]


class TtsRequest(BaseModel):
    """A text and how to say it."""

    text: str | None = Field(None, description="What to say.")
    text_lang: str | None = Field(None, description="Its language.")
    ref_audio_path: str | None = Field(None, description="Recording of the voice, 3 to 10 seconds.")
    aux_ref_audio_paths: list[str] | None = Field(None, description="Further recordings, averaged into the timbre.")
    prompt_text: str | None = Field("", description="What is said in the recording; empty: only its timbre is used.")
    prompt_lang: str | None = Field(None, description="Language of the recording.")
    top_k: int = Field(5, ge=0, description="Draw from so many tokens; 0: from all.")
    top_p: Real = Field(1.0, gt=0, description="Draw from the likeliest with this total.")
    temperature: Real = Field(1.0, ge=0, le=100)
    repetition_penalty: Real = Field(1.35, gt=0, le=100)
    text_split_method: str = Field("cut5", description="cut0 to cut5.")
    batch_size: int = Field(1, ge=1, le=1000, description="Pieces of text that are spoken at once.")
    batch_threshold: Real = Field(0.75, ge=0, le=1, description="How alike the lengths of pieces in a batch are.")
    split_bucket: bool = Field(True, description="Only pieces of like length share a batch.")
    parallel_infer: bool = Field(True, description="Speak several pieces at once; otherwise one by one.")
    speed_factor: Real = Field(1.0, ge=0.1, le=10, description="Pace.")
    fragment_interval: Real = Field(0.3, ge=0, le=60, description="Seconds of silence after each piece.")
    seed: int = Field(-1, ge=-1, lt=2**32, description="Of all random draws; -1 draws one.")
    media_type: str = Field("wav", description="wav, raw, ogg or aac.")
    streaming_mode: Annotated[
        Literal[0, 1, 2, 3],
        BeforeValidator(_streaming_mode, json_schema_input_type=bool | Literal[0, 1, 2, 3]),
        Field(description="0: whole; 1: a chunk for each piece; 2, 3: chunks of tokens, 3 of one length."),
    ] = 0
    overlap_length: int = Field(2, ge=0, le=50, description="Tokens that chunks overlap by, in modes 2 and 3.")
    min_chunk_length: int = Field(16, ge=1, le=500, description="Tokens of the least chunk, in modes 2 and 3.")
    sample_steps: int = Field(32, ge=4, le=128, description="For versions that sample in steps (v3, v4) alone.")
    super_sampling: bool = Field(False, description="For version v3 alone.")
    tts_infer_yaml_path: str | None = Field(None, description="The configuration that speaks; the server's own.")


class Command(BaseModel):
    """`restart` begins anew with the same arguments, `exit` ends the server."""

    command: str | None = None


@dataclass(frozen=True)
class Defaults:
    """What speaks for requests that do not say: never changed, only replaced by another."""

    configuration: Configuration
    reference: Path | None = None


class _State:
    def __init__(self, defaults: Defaults):
        self._lock = threading.Lock()
        self.defaults = defaults

    def change(self, **values: Any) -> None:
        """New defaults, with the configuration's own fields changed too."""
        with self._lock:
            old = self.defaults
            reference = values.pop("reference", old.reference)
            self.defaults = Defaults(replace(old.configuration, **values), reference)


def build(
    service: Service, configuration: Configuration, control: Callable[[str], None], file: Path | None = None
) -> FastAPI:
    """The app. `control` is given `restart` or `exit` once that was answered.

    `file` is where the configuration was read from, or would have been: requests that name it mean the server's own,
    with the weights that were set since.
    """
    app = interface("GPT-SoVITS API 3.0", service, lambda status, message: {"message": message, "Exception": message})
    state = _State(Defaults(configuration))
    engines = Engines(configuration, service.pool)
    references = References()
    files, limits = service.files, service.limits

    def answer(given: TtsRequest, request: Request) -> Response:
        """Says a text."""
        defaults = state.defaults
        audio = _required("ref_audio_path", given.ref_audio_path, defaults.reference)
        text = limits.check_text(_required("text", given.text), "text")
        language = language_known(_required("text_lang", given.text_lang), "text_lang")
        prompt_language = language_known(_required("prompt_lang", given.prompt_lang), "prompt_lang")
        transcript = given.prompt_text or ""
        if transcript.strip():
            limits.check_text(transcript, "prompt_text")
        if given.media_type not in MEDIA:
            raise InputError(f"media_type: {given.media_type[:40]} is not supported; choose wav, raw, ogg or aac.")
        if given.text_split_method not in METHODS:
            raise InputError(f"text_split_method: {given.text_split_method[:40]} is not supported.")
        words = Words(text, language, _options(given), _streaming(given))
        live = given.streaming_mode > 0

        def spoken(stopped: Stopped) -> Iterator[Sound]:
            chosen = defaults.configuration
            if given.tts_infer_yaml_path:
                path = files.path(given.tts_infer_yaml_path, "tts_infer_yaml_path")
                chosen = chosen if path == file else read_configuration(path, files)
            reference = Reference(
                files.recording(str(audio), "ref_audio_path"),
                transcript,
                prompt_language,
                tuple(files.recording(one, "aux_ref_audio_paths") for one in given.aux_ref_audio_paths or () if one),
            )
            engine = engines.engine(chosen)
            for code, name in ((language, "text_lang"), (prompt_language, "prompt_lang")):
                if code not in engine.version.languages:
                    raise InputError(f"{name}: {code} is not supported in version {engine.version.name}.")
            yield from speak(engine, references.voice(engine, reference), words, stopped)

        output = Output(given.media_type, live=live, media_type=f"audio/{given.media_type}")
        return SpokenAnswer(service, NAME, spoken, output)

    def command(given: Command, request: Request) -> Response:
        """Restarts or ends the server."""
        service.access.check_control(request.scope)
        if given.command not in {"restart", "exit"}:
            raise InputError("command is required; it is restart or exit.")
        control(given.command)
        return Json(_SUCCESS)

    either_way(app, "/tts", TtsRequest, answer)
    either_way(app, "/control", Command, command)

    def weights(text: str | None, read: Callable[[Path], object]) -> Path:
        path = files.path(_required("weights_path", text), "weights_path")
        if not path.is_file():
            raise missing_weights(path)
        read(path)
        return path

    @app.get("/set_gpt_weights")
    async def set_gpt_weights(request: Request, weights_path: str | None = None) -> Response:
        """Speaks with these GPT weights from the next request on."""
        service.access.check_control(request.scope)
        state.change(gpt=await run_in_threadpool(weights, weights_path, read_gpt))
        return Json(_SUCCESS)

    @app.get("/set_sovits_weights")
    async def set_sovits_weights(request: Request, weights_path: str | None = None) -> Response:
        """Speaks with these SoVITS weights from the next request on."""
        service.access.check_control(request.scope)
        state.change(sovits=await run_in_threadpool(weights, weights_path, read_generator))
        return Json(_SUCCESS)

    @app.get("/set_refer_audio")
    async def set_refer_audio(request: Request, refer_audio_path: str | None = None) -> Response:
        """The reference of requests that give none."""
        service.access.check_control(request.scope)
        given = _required("refer_audio_path", refer_audio_path)
        state.change(reference=await run_in_threadpool(files.recording, given, "refer_audio_path"))
        return Json(_SUCCESS)

    return app


def _required(name: str, value: str | None, default: Path | None = None) -> str:
    chosen = value or (str(default) if default else "")
    if not chosen.strip():
        raise InputError(f"{name} is required")
    return chosen


def _options(given: TtsRequest) -> SpeechOptions:
    return SpeechOptions(
        SamplingOptions(given.top_k, given.top_p, given.temperature, given.repetition_penalty),
        speed=given.speed_factor,
        pause=given.fragment_interval,
        split=given.text_split_method,
        batch_size=given.batch_size if given.parallel_infer else 1,
        # With a threshold of 0 pieces of any lengths share a batch.
        bucket_threshold=given.batch_threshold if given.split_bucket else 0.0,
        seed=given.seed,
        sample_steps=given.sample_steps,
        super_sampling=given.super_sampling,
    )


def _streaming(given: TtsRequest) -> Streaming | None:
    mode = _MODES[given.streaming_mode]
    return Streaming(mode, given.overlap_length, given.min_chunk_length) if mode else None
