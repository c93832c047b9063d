"""What a worker process tells its parent, in between whatever else is printed: RFC 7464 with a mark of the job's own.

An event is a record separator, the job's mark, one JSON object and a line feed. Nothing but the worker knows the mark,
so no file name or text that a library prints can pass for an event.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

RECORD = b"\x1e"
# Events of progress come no closer than this, so that quick work is not slowed down by telling of it.
INTERVAL_SECONDS = 0.1
# How fast a measured rate forgets.
_SMOOTHING = 0.3
# A line of log that goes on for longer is broken.
_LONGEST_LINE = 1 << 16

Event = dict[str, Any]


@dataclass(frozen=True)
class Channel:
    """The worker's end: writes events on the standard output, each in one go."""

    mark: str

    def send(self, kind: str, **content: object) -> None:
        line = json.dumps({"event": kind, **content}, default=str)
        data = RECORD + self.mark.encode() + line.encode() + b"\n"
        # Where nobody listens any more, this process is about to be interrupted, and has its own things to clear away.
        with suppress(BrokenPipeError):
            while data:
                data = data[os.write(1, data) :]


class EventProgress:
    """A Progress that tells the parent process. It may be sent to a process of the worker's own."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.stretch: dict[str, Any] = {}
        self.done = 0
        self.total = 0
        self.note = ""
        self.rate: float | None = None
        self.sent_at = 0.0
        self.sent_done = 0

    def begin(self, title: str, total: int, unit: str, done: int = 0) -> None:
        self.stretch = {"title": title, "total": total, "unit": unit}
        self.total, self.done, self.note, self.rate = total, done, "", None
        self.sent_at, self.sent_done = time.monotonic(), done
        self._send()

    def advance(self, count: int = 1, note: str = "") -> None:
        self.done += count
        self.note = note or self.note
        if time.monotonic() - self.sent_at >= INTERVAL_SECONDS:
            self._measure()
            self._send()

    def say(self, message: str) -> None:
        self.channel.send("say", message=message)

    def end(self) -> None:
        if self.stretch:
            self._send()
            self.stretch = {}

    def _measure(self) -> None:
        now = time.monotonic()
        rate = (self.done - self.sent_done) / (now - self.sent_at)
        self.rate = rate if self.rate is None else _SMOOTHING * rate + (1 - _SMOOTHING) * self.rate
        self.sent_at, self.sent_done = now, self.done

    def _send(self) -> None:
        left = (self.total - self.done) / self.rate if self.rate else None
        self.channel.send("progress", **self.stretch, done=self.done, note=self.note, rate=self.rate, seconds_left=left)


class Reader:
    """The parent's end: separates what a process prints into events and lines of log."""

    def __init__(self, mark: str) -> None:
        self.prefix = RECORD + mark.encode()
        self.rest = b""

    def feed(self, data: bytes) -> Iterator[Event | str]:
        """Events and lines that are complete now."""
        *lines, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > _LONGEST_LINE and self.prefix not in self.rest:
            lines.append(self.rest)
            self.rest = b""
        for line in lines:
            yield from self._parts(line)

    def close(self) -> Iterator[Event | str]:
        """What the process was about to print when it ended; half an event is none."""
        yield from self._parts(self.rest)
        self.rest = b""

    def _parts(self, line: bytes) -> Iterator[Event | str]:
        before, mark, content = line.partition(self.prefix)
        if before.strip():
            # A bar that draws itself over again in one line: the last picture is enough.
            yield before.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")
        if mark:
            event = _event(content)
            if event is not None:
                yield event


def _event(content: bytes) -> Event | None:
    try:
        event = json.loads(content)
    except ValueError:  # Cut short by the end of the process.
        return None
    return event if isinstance(event, Mapping) and "event" in event else None  # type: ignore[return-value]
