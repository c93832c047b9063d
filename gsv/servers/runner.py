"""Speaks the tasks that wait, some at a time, and keeps house."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from gsv.errors import sentence
from gsv.servers.tasks import Task, Tasks

log = logging.getLogger(__name__)

BUG = "Something went wrong here; the server's log tells what."
_CLEANING_SECONDS = 60.0
_JOIN_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """What to say of a task that was spoken, and how long the speech is, in milliseconds."""

    message: str
    duration: int


class Cancelled(Exception):
    """The task was stopped before its end."""


# Speaks a task into its result; it reports how far it is, from 0 to 1, and asks whether to stop.
Speak = Callable[[Task, Callable[[float], None], Callable[[], bool]], Outcome]


class Runner:
    """Threads that take one task after another."""

    def __init__(self, tasks: Tasks, speak: Speak, workers: int = 1):
        self._tasks, self._speak, self._workers = tasks, speak, workers
        self._ending = threading.Event()
        self._coming = threading.Condition()
        self._stops: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Puts what an earlier server was speaking back in line, and begins."""
        again = self._tasks.requeue()
        if again:
            log.warning("%d tasks that an earlier server was speaking are queued again.", again)
        work = [self._work] * self._workers + [self._keep_house]
        self._threads = [threading.Thread(target=one, name="gsv-task", daemon=True) for one in work]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends within a decoding step. What was being spoken is queued again when a server starts."""
        self._ending.set()
        self.wake()
        for thread in self._threads:
            thread.join(_JOIN_SECONDS)

    def wake(self) -> None:
        """Tells that there may be a task."""
        with self._coming:
            self._coming.notify_all()

    def remove(self, id: str) -> bool:
        """Stops a task if it is being spoken, and forgets it and its sound; False if there is none."""
        there = self._tasks.remove(id)
        with self._coming:
            if id in self._stops:
                self._stops[id].set()
        return there

    def _work(self) -> None:
        while not self._ending.is_set():
            with self._coming:
                task = self._tasks.claim()
                if task is None:
                    self._coming.wait()
                    continue
                stop = self._stops[task.id] = threading.Event()
            try:
                self._run(task, stop)
            finally:
                with self._coming:
                    del self._stops[task.id]

    def _run(self, task: Task, stop: threading.Event) -> None:
        def stopped() -> bool:
            return stop.is_set() or self._ending.is_set()

        try:
            outcome = self._speak(task, lambda share: self._tasks.advance(task.id, share), stopped)
        except Cancelled:
            there = not stop.is_set()
        except Exception as error:
            message = sentence(error)
            if message is None:
                log.exception("A task failed.")
            there = self._tasks.finish(task.id, "failed", message or BUG)
        else:
            there = self._tasks.finish(task.id, "completed", outcome.message, outcome.duration)
        if not there:
            # It was removed while it was being spoken.
            self._tasks.result(task.id).unlink(missing_ok=True)

    def _keep_house(self) -> None:
        while not self._ending.wait(_CLEANING_SECONDS):
            self._tasks.clean()
