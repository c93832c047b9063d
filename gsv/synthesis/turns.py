"""Turns in which threads compute: one at a time, since one computation fills the machine."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

Kind = Literal["step", "pass"]

# How long one waits before asking again whether it is still wanted.
_POLL_SECONDS = 0.05
# What one kind may be ahead of the other, so that a long time alone is not paid for later.
_MOST_AHEAD_SECONDS = 1.0


class StoppedError(Exception):
    """Whoever asked for this does not want it any more. Never leaves `gsv.synthesis`."""


def never() -> bool:
    """Of work that nobody stops."""
    return False


class Turns:
    """Lets one thread at a time compute. What is in turn is of two kinds: short steps and long passes.

    Each kind goes in order of arrival. When both wait, the one goes that has had less of the time: neither can a queue
    of long passes stop all that is being spoken, nor can what is being spoken keep others from beginning. A thread that
    has the turn may take it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._waiting: dict[Kind, deque[tuple[int, threading.Event]]] = {"step": deque(), "pass": deque()}
        # Seconds by which passes have had more of the time than steps.
        self._ahead = 0.0

    @contextmanager
    def turn(self, kind: Kind, stopped: Callable[[], bool] = never) -> Iterator[None]:
        """Waits for the turn and has it for the block; StoppedError if `stopped` says yes before it comes."""
        me = threading.get_ident()
        if self._owner == me:
            yield
            return
        self._enter(kind, me, stopped)
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._leave(kind, time.perf_counter() - begun)

    def _enter(self, kind: Kind, me: int, stopped: Callable[[], bool]) -> None:
        with self._lock:
            if self._owner is None:
                self._owner = me
                return
            called = threading.Event()
            place = (me, called)
            self._waiting[kind].append(place)
        try:
            while not called.wait(_POLL_SECONDS):
                if stopped():
                    raise StoppedError
        except BaseException:
            with self._lock:
                if place in self._waiting[kind]:
                    self._waiting[kind].remove(place)
                else:  # Called at the last moment: it is the next one's turn.
                    self._hand_on()
            raise

    def _leave(self, kind: Kind, seconds: float) -> None:
        with self._lock:
            ahead = self._ahead + (seconds if kind == "pass" else -seconds)
            self._ahead = min(max(ahead, -_MOST_AHEAD_SECONDS), _MOST_AHEAD_SECONDS)
            self._hand_on()

    def _hand_on(self) -> None:
        steps, passes = self._waiting["step"], self._waiting["pass"]
        queue = passes if passes and (not steps or self._ahead <= 0) else steps
        if not queue:
            self._owner = None
            return
        self._owner, called = queue.popleft()
        called.set()
