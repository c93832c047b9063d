"""How much is taken on at once: the sizes of a request, how many run and how many wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsv.errors import InputError

# Bytes a second that a body comes with at least, after its first seconds.
_LEAST_RATE = 1000.0
_DROPPED_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Limits:
    """What a request may cost.

    `text` is in characters and `body` in bytes. `running` requests speak at once and `waiting` more stand in line; the
    next is told to come again after `retry_seconds`. As many conversations as may run and wait are open at once. What
    is asked must come within `asking` seconds, and a second for each thousand bytes. A request ends when nothing comes
    of it, or its client takes nothing, for `patience` seconds.
    """

    text: int = 20_000
    body: int = 32 * 2**20
    running: int = 32
    waiting: int = 64
    retry_seconds: int = 2
    asking: float = 60.0
    patience: float = 600.0

    def check_text(self, text: str, field: str = "text") -> str:
        """Raises InputError for a text without anything in it, and for one that is too long."""
        if not text.strip():
            raise InputError(f"{field} is required: it says what to speak.")
        if len(text) > self.text:
            raise InputError(f"{field} has {len(text)} characters; {self.text} are the most.")
        return text


class Busy(HTTPException):
    """Too many requests are in line: 429, and when to come again."""

    def __init__(self, retry_seconds: int):
        super().__init__(
            429,
            f"The server is busy; try again in {retry_seconds} s.",
            {"Retry-After": str(retry_seconds)},
        )


class Line:
    """Requests that speak, and those that wait for their turn, first come first served. Of one event loop."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.running)
        self.waiting = 0
        self.running = 0
        self.conversations = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place among those that speak, as soon as there is one. Raises Busy where too many wait already."""
        if self._turns.locked() and self.waiting >= self._limits.waiting:
            raise Busy(self._limits.retry_seconds)
        self.waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._turns.release()

    @contextmanager
    def conversation(self) -> Iterator[None]:
        """A place among the open conversations, most of which listen. Raises Busy where there is none."""
        if self.conversations >= self._limits.running + self._limits.waiting:
            raise Busy(self._limits.retry_seconds)
        self.conversations += 1
        try:
            yield
        finally:
            self.conversations -= 1


class BodyLimit:
    """Refuses bodies that are longer than may be, or come too slowly."""

    def __init__(self, app: ASGIApp, limits: Limits):
        self._app = app
        self._most = limits.body
        self._seconds = limits.asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken, complete = 0, False
        began = time.monotonic()

        async def limited() -> Message:
            nonlocal taken, complete
            while True:
                try:
                    # After the body one waits, for as long as it takes, only to hear that the client has left.
                    # (Not with asyncio.wait_for, which before Python 3.12 can swallow that one is cancelled.)
                    left = began + self._seconds + taken / _LEAST_RATE - time.monotonic()
                    with anyio.fail_after(None if complete else left):
                        message = await receive()
                except TimeoutError:
                    raise HTTPException(408, "The request comes too slowly.", {"Connection": "close"}) from None
                if message["type"] != "http.request":
                    return message
                complete = not message.get("more_body", False)
                taken += len(message.get("body", b""))
                if taken <= self._most:
                    return message
                # A client that still sends would not see the answer; a little more is taken, and dropped.
                if complete or taken > self._most + _DROPPED_BYTES:
                    raise self._too_long()

        await self._app(scope, limited, send)

    def _too_long(self) -> HTTPException:
        # The rest of the body is not read, so nothing more can come over this connection.
        return HTTPException(413, f"The request is longer than {self._most} bytes.", {"Connection": "close"})
