"""A conversation over a WebSocket: text comes in bits, and speech goes out while more is coming."""

import asyncio
import base64
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import anyio
from pydantic import BaseModel, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from gsv.audio.encoder import Encoder
from gsv.errors import InputError, SynthesisError
from gsv.servers.answers import Output, Sound
from gsv.servers.bridge import Stopped, flowing
from gsv.servers.interface import Service
from gsv.servers.sentences import Incoming

# Says a sentence; it runs in a thread of its own.
Say = Callable[[str, Stopped], Iterator[Sound]]


class Piece(BaseModel):
    """Text as it comes."""

    text: str = ""
    done: bool = False


async def message_of(socket: WebSocket, model: type[BaseModel], patience: float | None) -> Any:
    """The next message. Raises InputError for one that is not right, and WebSocketDisconnect where there is none."""
    try:
        with anyio.fail_after(patience):
            message = await socket.receive()
    except TimeoutError:
        raise InputError(f"Nothing has come for {patience:g} s.") from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None:
        raise InputError("A message is JSON in a text frame, not binary.")
    try:
        return model.model_validate_json(text.encode("utf-8", "replace"))
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise InputError("A message is not right JSON.") from None
        name = ".".join(str(part) for part in first["loc"]) or "the message"
        raise InputError(f"{name}: {first['msg']}.") from None


class Conversation:
    """Speaks what comes until the client says that it is done."""

    def __init__(self, service: Service, interface: str, socket: WebSocket, say: Say, output: Output):
        self._service, self._interface, self._socket, self._say, self._output = service, interface, socket, say, output
        self._id = str(uuid.uuid4())
        self._index = 0
        self._encoder: Encoder | None = None
        # Sentences that wait; None is the end. Their characters are bounded, so the queue need not be.
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._waiting = 0

    async def run(self) -> None:
        """Raises what goes wrong, after the work has been stopped; WebSocketDisconnect if the client leaves."""
        # The socket is always listened to, so that a client that leaves is known to have left.
        listening, speaking = asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._speak())
        try:
            done, _ = await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)

    async def _listen(self) -> None:
        limits = self._service.limits
        incoming = Incoming(limits.text)
        while True:
            piece = await message_of(self._socket, Piece, limits.patience)
            ready = incoming.add(piece.text)
            if piece.done:
                ready += incoming.end()
            self._waiting += sum(map(len, ready))
            if self._waiting > limits.text:
                raise InputError(f"More than {limits.text} characters are waiting to be spoken; send them more slowly.")
            for one in ready:
                self._sentences.put_nowait(one)
            if piece.done:
                break
        self._sentences.put_nowait(None)
        await message_of(self._socket, Piece, None)
        raise InputError("More text came after it was said to be done.")

    async def _speak(self) -> None:
        while (sentence := await self._sentences.get()) is not None:
            async with self._service.line.turn(), flowing(lambda stopped: self._say(sentence, stopped)) as sounds:
                while True:
                    try:
                        with anyio.fail_after(self._service.limits.patience):
                            sound = await anext(sounds, None)
                    except TimeoutError:
                        raise SynthesisError("Nothing came of the request for too long, so it was ended.") from None
                    if sound is None:
                        break
                    if self._encoder is None:
                        self._encoder = Encoder(self._output.format, sound.sampling_rate, self._output.rate)
                    await self._send(await asyncio.to_thread(self._encoder.add, sound.wave))
            self._waiting -= len(sentence)
        if self._encoder is None:
            raise SynthesisError("Nothing was spoken; try another text.")
        await self._send(await asyncio.to_thread(self._encoder.end))
        await self._message(data=None, is_end=True, audio_format=None, sample_rate=None)

    async def _send(self, data: bytes) -> None:
        if data:
            assert self._encoder is not None
            encoded = base64.b64encode(data).decode()
            await self._message(
                data=encoded, is_end=False, audio_format=self._output.format, sample_rate=self._encoder.rate
            )
            self._index += 1

    async def _message(self, data: str | None, is_end: bool, audio_format: str | None, sample_rate: int | None) -> None:
        message = {
            "id": self._id,
            "error": False,
            "is_end": is_end,
            "index": self._index,
            "data": data,
            "audio_format": audio_format,
            "sample_rate": sample_rate,
        }
        with anyio.fail_after(self._service.limits.patience):
            await self._socket.send_text(json.dumps(message))
