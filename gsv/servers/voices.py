"""Speakers over HTTP and WebSocket: clone, save, load, remove, and speech while the text is still coming."""

import base64
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Request, WebSocket
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.websockets import WebSocketDisconnect

from gsv.audio.encoder import HIGHEST_RATE, LOWEST_RATE
from gsv.errors import GsvError, InputError, sentence
from gsv.servers.answers import ClientLeft, Output, Sound, while_there, whole
from gsv.servers.bridge import Stopped
from gsv.servers.configurations import Configuration, Engines
from gsv.servers.fetching import Fetcher
from gsv.servers.interface import Json, Service, interface
from gsv.servers.limits import Busy
from gsv.servers.speaking import Words, speak
from gsv.servers.taking import Taker
from gsv.servers.talking import Conversation, message_of
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.manner import NATURAL, Bank, Feelings, Manner, spoken
from gsv.synthesis.speakers import UnknownSpeakerError
from gsv.synthesis.wording import manner_of

log = logging.getLogger(__name__)
Result = TypeVar("Result")

NAME = "voices"
# Requests of this interface on a path that another one has too.
MARKS = frozenset({"prompt_id"})
FORMATS = ("wav", "pcm", "opus", "mp3", "flac", "aac", "m4a")

_LONGEST_INSTRUCTION = 2000

Ids = Annotated[list[str], Field(max_length=1000)]


class Clone(BaseModel):
    """A reference recording and what to call its speaker."""

    prompt_audio: str = Field(min_length=1, description="The recording: base64, an http(s) address or a path.")
    prompt_text: str = Field("", max_length=2000, description="What is said in it; empty: only its timbre is used.")
    prompt_id: str | None = Field(None, description="The speaker's name; one is made if not given.")
    prompt_lang: str = Field("auto", description="Language of the recording. Not of the original interface.")


class Remove(BaseModel):
    prompt_id: str | None = Field(None, description="A speaker.")
    prompt_ids: Ids | None = Field(None, description="Several.")


class Save(BaseModel):
    cache_dir: str = Field(min_length=1, description="Folder to save speakers to.")
    prompt_ids: Ids | None = Field(None, description="Which; all if not given.")


class Load(BaseModel):
    cache_path: str = Field(min_length=1, description="Folder that speakers were saved to.")
    prompt_ids: Ids | None = Field(None, description="Which; all if not given.")


class Params(BaseModel):
    """Who speaks, how, and what the sound is sent as."""

    prompt_id: str = Field(description="A speaker.")
    audio_format: str = Field("wav", description=", ".join(FORMATS))
    sample_rate: int = Field(24000, ge=LOWEST_RATE, le=HIGHEST_RATE, description="Of the sound, Hz.")
    instruct_text: str | None = Field(
        None, max_length=_LONGEST_INSTRUCTION, description="The manner of speaking, in words."
    )

    def output(self, live: bool) -> Output:
        if self.audio_format not in FORMATS:
            raise InputError(f"audio_format: {self.audio_format[:40]} is not one of {', '.join(FORMATS)}.")
        return Output(self.audio_format, self.sample_rate, live)


class Say(Params):
    text: str = Field(description="What to say.")


class First(BaseModel):
    """The first message of a WebSocket."""

    req_params: Params


@dataclass(frozen=True)
class Setup:
    """The weights that speak, the emotions that they can borrow, and how recordings are fetched."""

    configuration: Configuration
    feelings: Feelings = field(default_factory=lambda: Feelings(Bank()))
    fetcher: Fetcher = field(default_factory=Fetcher)


def build(service: Service, setup: Setup) -> FastAPI:
    app = interface("Speakers over HTTP and WebSocket", service, lambda status, message: _error(message))
    engines = Engines(setup.configuration, service.pool)
    taker = Taker(service.files, setup.fetcher)
    speakers = service.speakers

    def manner(engine: Engine, given: Params) -> Manner:
        voice = speakers.voice(given.prompt_id, engine)
        instruction = given.instruct_text or ""
        if not instruction.strip():
            return Manner(voice)
        return manner_of(instruction, setup.feelings, engine, voice)

    def known(name: str) -> None:
        if name not in speakers:
            raise HTTPException(404, f"prompt_id: there is no speaker {name[:100]!r}; clone or load it first.")

    @app.get("/speakers")
    async def names() -> Response:
        """The names of all speakers."""
        return Json(await run_in_threadpool(speakers.names))

    @app.post("/clone")
    async def clone(given: Clone) -> Response:
        """Keeps a speaker; one that is there already stays as it was."""

        def work() -> dict[str, Any]:
            name = given.prompt_id
            if name is not None and name in speakers:
                return {"existed": True, "prompt_id": name}
            engine = engines.engine(setup.configuration)
            with taker.taken(given.prompt_audio, "prompt_audio") as path:
                made = speakers.clone(engine, name, path, given.prompt_text, given.prompt_lang)
            return {"existed": made.existed, "prompt_id": made.name}

        async with service.line.turn():
            return Json(await _found(work))

    @app.post("/remove")
    async def remove(given: Remove) -> Response:
        """Forgets speakers: all that are named, or none if one is not there."""
        names = [*([given.prompt_id] if given.prompt_id is not None else []), *(given.prompt_ids or [])]
        if not names:
            raise InputError("prompt_id is required: the speaker to remove; or prompt_ids, several.")
        await _found(lambda: speakers.remove(list(dict.fromkeys(names))))
        return Json({"status": "ok"})

    @app.post("/cache/save")
    async def save(given: Save) -> Response:
        """Copies speakers to a folder."""

        def work() -> str:
            folder = service.files.path(given.cache_dir, "cache_dir")
            speakers.save(folder, given.prompt_ids)
            return str(folder)

        return Json({"cache_path": await _found(work)})

    @app.post("/cache/load")
    async def load(given: Load) -> Response:
        """Takes over speakers that were saved to a folder."""

        def work() -> list[str]:
            return speakers.load(service.files.path(given.cache_path, "cache_path"), given.prompt_ids)

        return Json({"loaded_speakers": await _found(work)})

    @app.post("/tts")
    async def tts(request: Request, given: Say) -> Response:
        """Says a text; `message` tells what of instruct_text was understood."""
        text = service.limits.check_text(given.text)
        output = given.output(live=False)
        known(given.prompt_id)
        notes: list[str] = []

        def work(stopped: Stopped) -> Iterator[Sound]:
            engine = engines.engine(setup.configuration)
            how = manner(engine, given)
            notes.extend(how.notes)
            yield from spoken(engine, text, "auto", how, SpeechOptions(), stopped)

        try:
            data = await while_there(request.receive, whole(service, NAME, work, output))
        except ClientLeft:
            service.meters.left()
            return Json({})
        answer = {"audio": base64.b64encode(data).decode()}
        return Json({**answer, "message": " ".join(notes)} if notes else answer)

    @app.websocket("/tts")
    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        try:
            with service.line.conversation():
                await converse(socket)
            await socket.close()
        except (WebSocketDisconnect, ClientLeft):
            service.meters.left()
        except HTTPException as error:
            await _end(socket, str(error.detail), 1013 if isinstance(error, Busy) else 1008)
        except GsvError as error:
            await _end(socket, str(error), 1008)
        except Exception as error:
            log.exception("A conversation failed.")
            await _end(socket, sentence(error) or "Something went wrong here; the server's log tells what.", 1011)

    async def converse(socket: WebSocket) -> None:
        params = (await message_of(socket, First, service.limits.asking)).req_params
        output = params.output(live=True)
        known(params.prompt_id)
        chosen: list[tuple[Engine, Manner]] = []

        def say(text: str, stopped: Stopped) -> Iterator[Sound]:
            # Once: all of a conversation is said by the same voice, whatever is changed in the meantime.
            if not chosen:
                engine = engines.engine(setup.configuration)
                chosen.append((engine, manner(engine, params)))
            engine, how = chosen[0]
            if how.prosody == NATURAL:
                # What is not changed afterwards need not wait until it is whole.
                words = Words(text, "auto", SpeechOptions(), engine.soonest)
                yield from speak(engine, how.voice, words, stopped)
            else:
                yield from spoken(engine, text, "auto", how, SpeechOptions(), stopped)

        await Conversation(service, NAME, socket, say, output).run()

    return app


async def _found(work: Callable[[], Result]) -> Result:
    """What the work, done in a thread, gives; a speaker that is not there is 404."""
    try:
        return await run_in_threadpool(work)
    except UnknownSpeakerError as error:
        raise HTTPException(404, str(error)) from None


def _error(message: str) -> dict[str, Any]:
    return {"error": True, "message": message}


async def _end(socket: WebSocket, message: str, code: int) -> None:
    # It may have gone by itself.
    with suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_text(json.dumps(_error(message)))
        await socket.close(code)
