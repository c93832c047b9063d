"""Turns in which threads compute: few at a time, since few computations fill the machine."""

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

    Args:
        both: a step and a pass may go at the same time. On a CPU a step waits for memory and a pass for arithmetic, so
            that neither alone keeps all cores busy.
    """

    def __init__(self, both: bool = False) -> None:
        self._lock = threading.Lock()
        self._most = 2 if both else 1
        # Which thread has the turn.
        self._owners: dict[Kind, int] = {}
        self._waiting: dict[Kind, deque[tuple[int, threading.Event]]] = {"step": deque(), "pass": deque()}
        # Seconds by which passes have had more of the time than steps.
        self._ahead = 0.0

    @contextmanager
    def turn(self, kind: Kind, stopped: Callable[[], bool] = never) -> Iterator[None]:
        """Waits for the turn and has it for the block; StoppedError if `stopped` says yes before it comes."""
        me = threading.get_ident()
        if me in self._owners.values():
            yield
            return
        self._enter(kind, me, stopped)
        begun = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                seconds = time.perf_counter() - begun
                ahead = self._ahead + (seconds if kind == "pass" else -seconds)
                self._ahead = min(max(ahead, -_MOST_AHEAD_SECONDS), _MOST_AHEAD_SECONDS)
                self._leave(kind)

    def _enter(self, kind: Kind, me: int, stopped: Callable[[], bool]) -> None:
        with self._lock:
            if kind not in self._owners and len(self._owners) < self._most:
                self._owners[kind] = me
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
                    self._leave(kind)
            raise

    def _leave(self, kind: Kind) -> None:
        """Hands the turn on, with the lock held."""
        del self._owners[kind]
        order: tuple[Kind, Kind] = ("pass", "step") if self._ahead <= 0 else ("step", "pass")
        for one in order:
            if self._waiting[one] and one not in self._owners and len(self._owners) < self._most:
                self._owners[one], called = self._waiting[one].popleft()
                called.set()
