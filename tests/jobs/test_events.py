"""Events in a stream that anything may write to."""

import json
from collections.abc import Iterator

import pytest

from gsv.jobs.events import Channel, Event, EventProgress, Reader

MARK = "gsv-mark"


def line(**content: object) -> bytes:
    return b"\x1e" + MARK.encode() + json.dumps(content).encode() + b"\n"


def read(*pieces: bytes) -> list[Event | str]:
    reader = Reader(MARK)
    return [part for piece in pieces for part in reader.feed(piece)] + list(reader.close())


def test_events_and_log_are_told_apart() -> None:
    assert read(b"hello\n", line(event="say", message="x"), b"bye") == [
        "hello",
        {"event": "say", "message": "x"},
        "bye",
    ]


def test_pieces_may_end_anywhere() -> None:
    data = b"hello\n" + line(event="say", message="声音") + b"more\n" + line(event="result")
    for size in (1, 2, 3, 7):
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        assert read(*pieces) == ["hello", {"event": "say", "message": "声音"}, "more", {"event": "result"}]


def test_an_event_in_the_middle_of_a_line_of_others_is_found() -> None:
    assert read(b" 50%|###", line(event="x"), b"\n") == [" 50%|###", {"event": "x"}]


def test_half_an_event_and_one_with_another_mark_are_none() -> None:
    assert read(line(event="result")[:-5]) == []
    assert read(b'\x1egsv-other{"event": "result"}\n') == ['\x1egsv-other{"event": "result"}']
    assert read(b"\x1e" + MARK.encode() + b"[1]\n") == []


def test_a_bar_that_draws_itself_anew_leaves_its_last_picture() -> None:
    assert read(b"\r 1%\r 2%\r 100%\n") == [" 100%"]


def test_output_without_an_end_does_not_fill_the_memory() -> None:
    reader = Reader(MARK)
    for _ in range(100):
        list(reader.feed(b"x" * 10_000))
        assert len(reader.rest) < 100_000


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Event]]:
    told: list[Event] = []
    monkeypatch.setattr(Channel, "send", lambda self, kind, **content: told.append({"event": kind, **content}))
    yield told


def test_quick_work_does_not_tell_of_every_unit_but_of_the_last(sent: list[Event]) -> None:
    progress = EventProgress(Channel(MARK))
    progress.begin("work", 10_000, "line", 5)
    for _ in range(9_995):
        progress.advance()
    progress.end()
    assert (sent[0]["done"], sent[-1]["done"], sent[-1]["total"]) == (5, 10_000, 10_000)
    assert len(sent) < 1000


def test_what_is_left_follows_from_the_rate(sent: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = EventProgress(Channel(MARK))
    progress.begin("work", 10, "line")
    for _ in range(4):
        now[0] += 2
        progress.advance(note="loss=1")
    assert sent[-1]["rate"] == pytest.approx(0.5)
    assert sent[-1]["seconds_left"] == pytest.approx(12)
    assert sent[-1]["note"] == "loss=1"
