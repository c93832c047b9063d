"""The form of OpenAI's speech API; voices are the saved speakers."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from gsv.errors import InputError
from gsv.servers.answers import Output, Sound, SpokenAnswer
from gsv.servers.bridge import Stopped
from gsv.servers.configurations import Configuration, Engines
from gsv.servers.interface import Json, Service, interface
from gsv.servers.speaking import Words, speak
from gsv.synthesis.engine import SpeechOptions
from gsv.synthesis.manner import Feelings
from gsv.synthesis.manner import spoken as spoken_in
from gsv.synthesis.speakers import UnknownSpeakerError
from gsv.synthesis.wording import manner_of

NAME = "openai"
# Programs ask for these; the same weights answer to all of them.
MODELS = ("gsv", "tts-1", "tts-1-hd", "gpt-4o-mini-tts")
# What programs expect where nothing tells the rate.
_PCM_RATE = 24000


class VoiceById(BaseModel):
    id: str


class SpeechRequest(BaseModel):
    """A text and the saved speaker who says it."""

    model: str = Field("gsv", description="gsv; the names of OpenAI's models mean the same.")
    input: str = Field(description="What to say.")
    voice: str | VoiceById = Field(description="The name of a saved speaker.")
    response_format: Literal["mp3", "opus", "aac", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.25, le=4, allow_inf_nan=False, description="Pace.")] = 1.0
    stream: bool = Field(False, description="Send the sound while it is spoken.")
    stream_format: Literal["audio"] = "audio"
    instructions: str | None = Field(None, max_length=2000, description="The manner of speaking, in words.")
    seed: int = Field(-1, ge=-1, lt=2**32, description="Of all random draws; -1 draws one. Not OpenAI's.")


def build(service: Service, configuration: Configuration, feelings: Feelings) -> FastAPI:
    app = interface("Speech in OpenAI's form", service, _form)
    engines = Engines(configuration, service.pool)

    @app.post("/v1/audio/speech", response_class=Response)
    async def speech(given: SpeechRequest) -> Response:
        """Says a text; the header X-GSV-Message, percent-encoded, tells what of `instructions` was understood."""
        if given.model not in MODELS:
            raise HTTPException(404, f"There is no such model; choose one of {', '.join(MODELS)}.")
        name = given.voice if isinstance(given.voice, str) else given.voice.id
        text = service.limits.check_text(given.input, "input")
        options = SpeechOptions(speed=given.speed, seed=given.seed)
        notes: list[str] = []

        def spoken(stopped: Stopped) -> Iterator[Sound]:
            engine = engines.engine(configuration)
            try:
                voice = service.speakers.voice(name, engine)
            except UnknownSpeakerError as error:
                raise InputError(f"voice: {error}") from None
            if given.instructions and given.instructions.strip():
                manner = manner_of(given.instructions, feelings, engine, voice, called="instructions")
                notes.extend(manner.notes)
                yield from spoken_in(engine, text, "auto", manner, options, stopped)
            else:
                words = Words(text, "auto", options, engine.soonest if given.stream else None)
                yield from speak(engine, voice, words, stopped)

        rate = _PCM_RATE if given.response_format == "pcm" else None
        return SpokenAnswer(service, NAME, spoken, Output(given.response_format, rate, given.stream), notes)

    @app.get("/v1/models")
    async def models() -> Response:
        """The models that can be asked for."""
        return Json(_list([{"id": name, "object": "model", "created": 0, "owned_by": "gsv"} for name in MODELS]))

    @app.get("/v1/voices")
    async def voices() -> Response:
        """The saved speakers."""
        cards = await run_in_threadpool(service.speakers.cards)
        return Json(
            _list(
                [
                    {"id": card.name, "name": card.name, "object": "voice", "created": int(card.created)}
                    for card in sorted(cards, key=lambda card: (card.created, card.name))
                ]
            )
        )

    return app


def _list(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"object": "list", "data": items}


def _form(status: int, message: str) -> dict[str, Any]:
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
