"""From work that blocks, in a thread of its own, to an asynchronous stream of what it yields."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Stopped = Callable[[], bool]
Make = Callable[[Stopped], Iterator[Item]]


@dataclass(frozen=True)
class _Yielded(Generic[Item]):
    item: Item


@dataclass(frozen=True)
class _Ended:
    error: BaseException | None = None


@asynccontextmanager
async def flowing(make: Make[Item], ahead: int = 2) -> AsyncIterator[AsyncIterator[Item]]:
    """What `make` yields, made in a thread.

    The thread is `ahead` items ahead of whoever takes them, and then it waits. When the `with` block is left, be it by
    an error or because the client has gone, `stopped`, which `make` was given, says yes from then on, and what the work
    does after it is dropped. An error of the work comes out where the next item was to come.
    """
    async with aclosing(_flow(make, ahead)) as items:
        yield items


async def _flow(make: Make[Item], ahead: int) -> AsyncGenerator[Item, None]:
    loop = asyncio.get_running_loop()
    ready: asyncio.Queue[_Yielded[Item] | _Ended] = asyncio.Queue()
    room = threading.Semaphore(ahead)
    gone = threading.Event()

    def hand_over(what: "_Yielded[Item] | _Ended") -> None:
        try:
            loop.call_soon_threadsafe(ready.put_nowait, what)
        except RuntimeError:  # The server has ended, and its loop with it.
            gone.set()

    def work() -> None:
        try:
            for item in make(gone.is_set):
                room.acquire()
                if gone.is_set():
                    break
                hand_over(_Yielded(item))
        except BaseException as error:  # Whoever waits for the next item is told; nothing is lost.
            hand_over(_Ended(error))
        else:
            hand_over(_Ended())

    threading.Thread(target=work, name="gsv-request", daemon=True).start()
    try:
        while True:
            next_one = await ready.get()
            if isinstance(next_one, _Ended):
                if next_one.error is not None:
                    raise next_one.error
                return
            yield next_one.item
            room.release()
    finally:
        gone.set()
        room.release()
