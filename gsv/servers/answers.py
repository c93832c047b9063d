"""Answers of sound: whole, or as it is spoken, until the client leaves."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gsv.audio.encoder import HIGHEST_RATE, MEDIA_TYPES, Encoder, rate_of
from gsv.audio.io import Samples
from gsv.errors import GsvError, SynthesisError
from gsv.servers.bridge import Make, Stopped, flowing
from gsv.servers.interface import Service

log = logging.getLogger(__name__)
Result = TypeVar("Result")

# What other interfaces tell in a field `message`, percent-encoded as in an address.
MESSAGE_HEADER = "X-GSV-Message"


class Sound(Protocol):
    """What is spoken at once; the engine's fragments are such. `tokens` is 0 where it is not known."""

    @property
    def wave(self) -> Samples: ...

    @property
    def sampling_rate(self) -> int: ...

    @property
    def tokens(self) -> int: ...


@dataclass(frozen=True)
class Chunk:
    """Sound that is not a whole fragment."""

    wave: Samples
    sampling_rate: int
    tokens: int = 0


Speak = Callable[[Stopped], Iterator[Sound]]


@dataclass(frozen=True)
class Output:
    """What the sound is to be sent as; without a rate, in the voice's own. `media_type` if not the format's."""

    format: str = "wav"
    rate: int | None = None
    live: bool = False
    media_type: str = ""

    def __post_init__(self) -> None:
        # A wrong one should be refused before anything is spoken.
        rate_of(self.format, self.rate or HIGHEST_RATE)


class ClientLeft(Exception):
    """Whoever asked is not there any more."""


class SpokenAnswer(Response):
    """The answer to a request to speak: a sound, sent as it comes where the output is live.

    What fails before the first sound is the interface's error answer. What fails later ends the connection, so that the
    client knows, and nothing is put into the sound. A client that leaves stops the work within one decoding step.
    What `speak` has put into `notes` before its first sound, a header tells.
    """

    def __init__(self, service: Service, interface: str, speak: Speak, output: Output, notes: Sequence[str] = ()):
        super().__init__(media_type=output.media_type or MEDIA_TYPES[output.format])
        self._service, self._interface, self._speak, self._output = service, interface, speak, output
        self._notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await while_there(receive, self._answer(send))
        except ClientLeft:
            self._service.meters.left()

    async def _answer(self, send: Send) -> None:
        begun = False
        try:
            async with aclosing(spoken(self._service, self._interface, self._speak, self._output)) as parts:
                async for data in parts:
                    if not begun:
                        await send({"type": "http.response.start", "status": 200, "headers": self._start(data)})
                        begun = True
                    message = {"type": "http.response.body", "body": data, "more_body": True}
                    with anyio.fail_after(self._service.limits.patience):
                        await send(message)
        except Exception as error:
            if not begun:
                raise
            self._service.meters.broken()
            told = isinstance(error, (GsvError, TimeoutError))
            log.error("An answer ended early: %s", error, exc_info=None if told else error)
            # Without a last message the server ends the connection.
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _start(self, data: bytes) -> list[tuple[bytes, bytes]]:
        # The response knows its type; its length is that of a body it does not have.
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        if not self._output.live:
            headers.append((b"content-length", str(len(data)).encode()))
        if self._notes:
            told = quote(" ".join(self._notes), safe=" ,.:;'()", errors="replace")
            headers.append((MESSAGE_HEADER.lower().encode(), told.encode()))
        return headers


async def while_there(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """The work's result, unless the client leaves before: then the work is cancelled, and ClientLeft raised.

    `receive` is that of a request whose body was read.
    """
    job = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({job, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not job.done():
            raise ClientLeft
        return job.result()
    finally:
        job.cancel()
        watch.cancel()
        await asyncio.gather(job, watch, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def whole(service: Service, interface: str, speak: Speak, output: Output) -> bytes:
    """All bytes of what `speak` says; see `spoken`."""
    async with aclosing(spoken(service, interface, speak, output)) as parts:
        return b"".join([data async for data in parts])


async def spoken(service: Service, interface: str, speak: Speak, output: Output) -> AsyncGenerator[bytes, None]:
    """The bytes of what `speak` says when it is this request's turn; of a live output as they come, else at the end.

    `speak` runs in a thread of its own, so it may load weights and read references; it is told to stop when the
    iterator is closed. Raises Busy where too many wait, and what `speak` raises.
    """
    came = time.monotonic()
    tokens, seconds = 0, 0.0
    async with service.line.turn():
        began = time.monotonic()
        async with flowing(_encoded(speak, output)) as parts:
            while (part := await _next(parts, service.limits.patience)) is not None:
                if not seconds:
                    service.meters.first_sound(interface, time.monotonic() - came)
                tokens += part.tokens
                seconds += part.seconds
                if part.data:
                    yield part.data
        service.meters.spoken(tokens, seconds, time.monotonic() - began)


@dataclass(frozen=True)
class _Part:
    data: bytes
    tokens: int
    seconds: float


def _encoded(speak: Speak, output: Output) -> Make[_Part]:
    def make(stopped: Stopped) -> Iterator[_Part]:
        encoder: Encoder | None = None
        for sound in speak(stopped):
            if encoder is None:
                encoder = Encoder(output.format, sound.sampling_rate, output.rate, output.live)
            yield _Part(encoder.add(sound.wave), sound.tokens, len(sound.wave) / sound.sampling_rate)
        if encoder is None:
            raise SynthesisError("Nothing was spoken; try another text.")
        yield _Part(encoder.end(), 0, 0.0)

    return make


async def _next(parts: AsyncIterator[_Part], patience: float) -> _Part | None:
    try:
        with anyio.fail_after(patience):
            return await anext(parts, None)
    except TimeoutError:
        raise SynthesisError(f"Nothing came of the request for {patience:g} s, so it was ended.") from None
