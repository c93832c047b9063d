"""All processes that belong to a job, and how they are ended.

Each carries the job's mark in its environment, as everything does that a marked process starts. So they are found even
when the process between them and the job is gone, on every system.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

MARK = "GSV_JOB"
# What is killed is gone at once, except on a machine with much more to do than it can.
HARD_SECONDS = 15.0
_POLL_SECONDS = 0.02


def family(mark: str, head: int | None = None) -> set[psutil.Process]:
    """The living processes with that mark, and all that descend from the process `head`; never this process itself."""
    found = {process for process in psutil.process_iter() if _mark(process) == mark}
    if head is not None:
        with suppress(psutil.Error):  # It may have ended in the meantime.
            top = psutil.Process(head)
            found |= {top, *top.children(recursive=True)}
    return {process for process in found if process.pid != os.getpid() and alive(process)}


def alive(process: psutil.Process) -> bool:
    """Whether a process is still at work; one that has ended and waits to be collected is not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def ask_to_end(processes: Iterable[psutil.Process]) -> None:
    """SIGTERM where there are signals; elsewhere they are ended at once."""
    for process in processes:
        _send(process, "terminate")


def kill_family(mark: str, head: int | None, seconds: float = HARD_SECONDS) -> bool:
    """Ends the family without asking, with those that are born meanwhile; whether none is left after `seconds`."""
    deadline = time.monotonic() + seconds
    while members := family(mark, head):
        for process in members:
            _send(process, "kill")
        if not all_gone(members, deadline - time.monotonic()):
            return False
    return True


def all_gone(processes: Iterable[psutil.Process], seconds: float) -> bool:
    """Waits up to `seconds` for processes to end; whether all have."""
    deadline = time.monotonic() + seconds
    left = list(processes)
    while left := [process for process in left if alive(process)]:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _send(process: psutil.Process, how: str) -> None:
    # Gone already, or somebody else's now.
    with suppress(psutil.Error):
        getattr(process, how)()


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):  # Of another user, or gone already.
        return None
