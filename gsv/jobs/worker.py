"""A job's own process: `python -m gsv.jobs.worker`. Started by `gsv.jobs.process`, never by hand.

What to do comes as one line of JSON on the standard input, which then stays open for as long as the job is wanted: when
the parent closes it, or dies however it may, this process ends itself and all that it has started.
"""

import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from gsv.errors import sentence
from gsv.jobs.events import Channel, EventProgress
from gsv.jobs.results import Result
from gsv.jobs.stages import Stage
from gsv.jobs.trees import all_gone, ask_to_end, family, kill_family
from gsv.paths import Project

# From being told to end until everything is ended without asking.
POLITE_SECONDS = 2.0
# For what this process started to clear away its own things, after it has cleared away its.
_LAST_WORDS_SECONDS = 0.3
# What a process that a SIGINT ended is expected to return.
INTERRUPTED = 130


def main() -> None:
    control = _control()
    order = json.loads(_line(control))
    mark = order["mark"]
    threading.Thread(target=_watch, args=(control, mark), daemon=True).start()
    # Whoever ends this process politely wants what it has begun to be cleared away. SIGINT too: a program
    # that a script put into the background ignores it, and what that starts would as well.
    for polite in (signal.SIGINT, signal.SIGTERM):
        signal.signal(polite, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    channel = Channel(mark)
    try:
        sys.exit(_work(order, channel))
    except KeyboardInterrupt:
        all_gone(family(mark, os.getpid()), _LAST_WORDS_SECONDS)
        kill_family(mark, os.getpid(), POLITE_SECONDS)
        # All is cleared away; taking the interpreter down in order would take seconds on a busy machine.
        os._exit(INTERRUPTED)


def _work(order: Mapping[str, Any], channel: Channel) -> int:
    try:
        stage = Stage(**order["stage"])
        options = stage.read(order["values"], Project(Path(order["project"])))
        result = Result.of(stage.run(options, EventProgress(channel)))
    except Exception as error:
        known = sentence(error)
        traceback.print_exc()
        sys.stderr.flush()
        channel.send("error", message=known or f"{type(error).__name__}: {' '.join(str(error).split())}")
        return 1
    channel.send("result", **result.as_event())
    return 0


def _control() -> int:
    """The standard input, moved to where nothing else reads from it."""
    control = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return control


def _line(control: int) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(control, 1 << 16)
        if not data:
            sys.exit(INTERRUPTED)  # The parent was gone before it had said what to do.
        line += data
    return bytes(line)


def _watch(control: int, mark: str) -> None:
    while os.read(control, 1):
        pass
    _end(mark)


def _end(mark: str) -> NoReturn:
    """Ends this process and its family: politely at first, so that half-written files are removed."""
    _interrupt()
    ask_to_end(family(mark, os.getpid()))
    # The main thread may end all before this is over.
    threading.Event().wait(POLITE_SECONDS)
    kill_family(mark, os.getpid(), POLITE_SECONDS)
    os._exit(INTERRUPTED)


def _interrupt() -> None:
    """A KeyboardInterrupt in the main thread, even if that waits for something."""
    if hasattr(signal, "pthread_kill"):
        main_thread = threading.main_thread().ident
        assert main_thread is not None
        signal.pthread_kill(main_thread, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


if __name__ == "__main__":
    main()
