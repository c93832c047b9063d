"""Continues the rows of all requests together, whichever threads they come from.

There is no thread of its own that could be left behind: of the callers that wait for tokens one leads, which is to say
that it does the steps, for all rows there are. When it has what it came for, another one takes the lead. A row takes
part from the step after it was read, and is gone by the next step after its caller has left.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from gsv.models.t2s import T2S
from gsv.synthesis.decoder import TOKENS_AT_MOST, Continuation, Decoder, Row, Strand
from gsv.synthesis.turns import StoppedError, Turns, never


class Party:
    """The rows of one request on their way. Only the thread that opened it may wait for it."""

    def __init__(self, scheduler: "Scheduler", stopped: Callable[[], bool]):
        self._scheduler = scheduler
        self._stopped = stopped
        self.strands: list[Strand] = []
        self.news = threading.Condition(scheduler.lock)
        self.error: BaseException | None = None
        self._wanted = 0

    @property
    def continuations(self) -> list[Continuation]:
        """What the rows have become; they go on growing while others wait for theirs."""
        return [strand.continuation for strand in self.strands]

    @property
    def going(self) -> list[Strand]:
        """The rows that have a next token."""
        return [] if self.error else [strand for strand in self.strands if not strand.continuation.ended]

    @property
    def ready(self) -> bool:
        """Whether what was waited for is there."""
        return all(len(strand.continuation.tokens) >= self._wanted for strand in self.going)

    def wait(self, tokens: int = TOKENS_AT_MOST + 1) -> list[Continuation]:
        """Until each row has so many tokens or has ended. Raises StoppedError if that is not wanted any more."""
        self._wanted = tokens
        self._scheduler.serve(self)
        if self.error:
            raise self.error
        return self.continuations

    def ask(self) -> None:
        """Whether it is to go on; asked before every step, never again once the answer was no."""
        if self.error:
            return
        try:
            if self._stopped():
                self.error = StoppedError()
        except Exception as error:
            self.error = error


class Scheduler:
    """The steps of one network. Any number of threads may open a party at once."""

    def __init__(self, model: T2S, turns: Turns):
        # Reentrant, since a request that was forgotten half-way is closed wherever the garbage collector runs.
        self.lock = threading.RLock()
        self._decoder = Decoder(model)
        self._turns = turns
        self._parties: list[Party] = []
        self._led = False

    @contextmanager
    def party(self, rows: Iterable[Row], stopped: Callable[[], bool] = never) -> Iterator[Party]:
        """Reads the rows and continues them until the block ends; StoppedError as soon as `stopped` says yes."""
        party = Party(self, stopped)
        for row in rows:
            with self._turns.turn("pass", stopped):
                party.strands.append(self._decoder.begin(row))
        with self.lock:
            self._parties.append(party)
        try:
            yield party
        finally:
            with self.lock:
                self._parties.remove(party)
                # Nothing would ever come for whoever waits now.
                party.error = party.error or StoppedError()

    def serve(self, party: Party) -> None:
        """Waits until the party is ready, and does the steps for all if nobody else does."""
        while True:
            with self.lock:
                while self._led and not party.ready:
                    party.news.wait()
                if party.ready:
                    return
                self._led = True
            try:
                while not party.ready:
                    with self._turns.turn("step"):
                        self._step()
            finally:
                with self.lock:
                    self._led = False
                    waiting = next((one for one in list(self._parties) if not one.ready), None)
                    if waiting:
                        waiting.news.notify()

    def _step(self) -> None:
        with self.lock:
            parties = list(self._parties)
        for one in parties:
            one.ask()
        try:
            strands = [strand for one in parties for strand in one.going]
            if strands:
                self._decoder.step(strands)
        except BaseException as error:
            # Nobody can tell whose rows it was, and all of them may be half written.
            for one in parties:
                one.error = one.error or error
            raise
        finally:
            with self.lock:
                for one in parties:
                    if one.ready:
                        one.news.notify()
