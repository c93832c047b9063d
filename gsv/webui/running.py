"""Jobs that a page or script starts: how far they are, in lines of text, until they have ended."""

from collections.abc import Generator, Mapping

from gsv.errors import GsvError
from gsv.jobs.registry import Occupied
from gsv.jobs.stages import Stage
from gsv.webui import status
from gsv.webui.home import Home


def run(
    home: Home, name: str, stage: Stage, values: Mapping[str, object], labels: Mapping[str, str] | None = None
) -> Generator[str, None, bool]:
    """Starts a job and tells how far it is until it has ended; values of None are left out.

    Returns whether it came to its end: it was neither stopped, nor refused because one of its name is at work.
    Raises InputError for a value that is not right, whose parameter is called by its label, and GsvError if it failed.
    """
    given = {key: value for key, value in values.items() if value is not None}
    try:
        job = home.jobs.open(stage, given, name, labels)
    except Occupied:
        yield status.occupied(home.words, name)
        return False
    for now in job.statuses():
        line = status.text(home.words, now)
        if now.state == "failed":
            raise GsvError(line)
        yield line
    return job.status.state != "cancelled"


def close(home: Home, name: str) -> str:
    """Ends a job, if it is at work."""
    if not at_work(home, name):
        return status.nothing(home.words, name)
    home.jobs.close(name)
    return status.closed(home.words, name)


def at_work(home: Home, name: str) -> bool:
    """Whether a job of that name is at work, whichever program has started it."""
    job = home.jobs.job(name)
    return (job is not None and not job.status.ended) or any(one.name == name for one in home.jobs.running())
