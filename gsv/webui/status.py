"""How far a job is, in words."""

from gsv.jobs.process import Status
from gsv.webui.words import Words


def text(words: Words, status: Status) -> str:
    """A line for a status box: what is being done, how far it is, how fast, and how long it still takes."""
    name = words(f"job.{status.name}")
    if status.state != "running":
        key = {"done": "status.done", "partly done": "status.partly", "cancelled": "status.closed"}
        return words(key.get(status.state, "status.failed"), job=name, message=outcome(words, status)).strip()
    parts = [words("status.running", job=name), progress(words, status)]
    return " · ".join(part for part in parts if part)


def progress(words: Words, status: Status) -> str:
    """The present stretch: title, share, rate, time left, note; empty before the first."""
    message = words.said(status.message)
    if not status.total:
        return message
    parts = [f"{words.said(status.title)} {status.done}/{status.total} ({status.fraction:.0%})"]
    if status.rate:
        parts.append(words("status.rate", rate=f"{status.rate:.3g}", unit=words.said(status.unit)))
    if status.seconds_left is not None:
        parts.append(words("status.left", time=duration(status.seconds_left)))
    if message:
        parts.append(message)
    return " · ".join(parts)


def outcome(words: Words, status: Status) -> str:
    """What came of a job that has ended; of one that was partly done, how many failed and which log names them."""
    if status.state != "partly done":
        return words.said(status.message)
    failed = sum(problem.state == "failed" for problem in status.problems)
    logs = ", ".join(map(str, status.logs)) or str(status.log)
    return words("status.failures", message=words.said(status.message), count=failed, log=logs)


def occupied(words: Words, job: str) -> str:
    return words("status.occupied", job=words(f"job.{job}"))


def closed(words: Words, job: str) -> str:
    return words("status.closed", job=words(f"job.{job}"))


def nothing(words: Words, job: str) -> str:
    """The answer to closing what does not run."""
    return words("status.nothing", job=words(f"job.{job}"))


def duration(seconds: float) -> str:
    """As 1:02:03, or 2:03."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
