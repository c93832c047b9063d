"""Tasks and uploads that outlive the server, a server that is killed in the middle included."""

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gsv.errors import AudioError, InputError
from gsv.servers.runner import Cancelled, Outcome, Runner
from gsv.servers.tasks import FullError, Keeping, Task, Tasks

HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tasks(tmp_path: Path, clock: Clock) -> Iterator[Tasks]:
    opened = Tasks(tmp_path / "tasks", now=clock)
    yield opened
    opened.close()


def keep(tasks: Tasks, data: bytes, name: str = "a.wav") -> str:
    return tasks.keep(name, iter([data[:2], data[2:]]), lambda path: None)[0].id


def speak(task: Task, tasks: Tasks) -> None:
    tasks.result(task.id).write_bytes(b"sound")
    assert tasks.finish(task.id, "completed", "done", 10)


def test_tasks_are_spoken_in_the_order_of_their_coming_each_by_one(tasks: Tasks) -> None:
    ids = [tasks.add(str(i)).id for i in range(50)]
    taken: list[str] = []

    def take() -> None:
        while (task := tasks.claim()) is not None:
            taken.append(task.id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(ids)
    assert [task.id for task in tasks.tasks(50)] == ids[::-1]


def test_a_task_tells_how_far_it_is(tasks: Tasks, clock: Clock) -> None:
    id = tasks.add("{}").id
    assert (tasks.task(id) or pytest.fail()).status == "pending"
    tasks.claim()
    tasks.advance(id, 0.5)
    clock.now += 5
    task = tasks.task(id)
    assert task and (task.status, task.progress, task.completed_at) == ("processing", 0.5, None)
    assert tasks.finish(id, "completed", "done", 1234)
    task = tasks.task(id)
    assert task and (task.status, task.progress, task.duration) == ("completed", 1, 1234)
    assert task.completed_at == task.created_at + 5
    assert [one.id for one in tasks.tasks(10, "completed")] == [id] and tasks.tasks(10, "pending") == []


def test_a_task_that_was_removed_stays_so(tasks: Tasks) -> None:
    id = tasks.add("{}").id
    tasks.claim()
    assert tasks.remove(id) and not tasks.remove(id)
    assert not tasks.finish(id, "completed", "done")
    assert tasks.task(id) is None


def test_the_same_content_is_kept_once_under_its_digest(tasks: Tasks) -> None:
    data = bytes(range(256)) * 100
    first, known = tasks.keep("a.wav", iter([data]), lambda path: None)
    again, known_again = tasks.keep("b.wav", iter([data]), lambda path: pytest.fail("checked twice"))
    assert (known, known_again) == (False, True)
    assert first.id == again.id == hashlib.sha256(data).hexdigest() and again.name == "a.wav"
    assert [path.read_bytes() for path in (tasks.folder / "uploads").iterdir()] == [data]


def test_what_is_refused_or_breaks_off_is_not_kept(tasks: Tasks) -> None:
    def refuse(path: Path) -> None:
        raise AudioError("no sound")

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    with pytest.raises(AudioError):
        tasks.keep("a.wav", iter([b"text"]), refuse)
    with pytest.raises(ConnectionError):
        tasks.keep("a.wav", broken(), refuse)
    assert list((tasks.folder / "uploads").iterdir()) == []


def test_uploads_go_after_an_hour_unless_they_are_in_use(tasks: Tasks, clock: Clock) -> None:
    old, used, fresh = (keep(tasks, data) for data in (b"old", b"used", b"fresh"))
    task = tasks.add("{}", (used,))
    clock.now += HOUR + 1
    keep(tasks, b"fresh")
    tasks.clean()
    assert [tasks.upload(id) is not None for id in (old, used, fresh)] == [False, True, True]
    assert not tasks.sound(old).exists() and tasks.sound(used).exists()
    tasks.claim()
    tasks.clean()
    assert tasks.upload(used)
    speak(task, tasks)
    tasks.clean()
    assert tasks.upload(used) is None


def test_results_go_after_a_day_and_waiting_tasks_never(tasks: Tasks, clock: Clock) -> None:
    done = tasks.add("{}")
    tasks.claim()
    speak(done, tasks)
    waiting = tasks.add("{}")
    clock.now += 23 * HOUR
    tasks.clean()
    assert tasks.task(done.id) and tasks.result(done.id).exists()
    clock.now += 2 * HOUR
    tasks.clean()
    assert tasks.task(done.id) is None and not tasks.result(done.id).exists()
    assert tasks.task(waiting.id)


def test_the_disk_is_not_filled(tmp_path: Path, clock: Clock) -> None:
    tasks = Tasks(tmp_path, Keeping(upload_bytes=1000, result_bytes=100), clock)
    keep(tasks, b"a" * 600)
    with pytest.raises(FullError, match="try again"):
        keep(tasks, b"b" * 600)
    assert len(list((tmp_path / "uploads").iterdir())) == 1
    clock.now += HOUR + 1
    keep(tasks, b"b" * 600)
    task = tasks.add("{}")
    tasks.claim()
    tasks.result(task.id).write_bytes(bytes(100))
    tasks.finish(task.id, "completed", "")
    with pytest.raises(FullError, match="delete some tasks"):
        tasks.add("{}")
    tasks.remove(task.id)
    tasks.add("{}")
    tasks.close()


def test_a_second_server_is_kept_out(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsv.servers.tasks._LOCK_SECONDS", 0.1)
    with pytest.raises(InputError, match="Another server keeps its tasks"):
        Tasks(tasks.folder)


def test_the_database_writes_ahead(tasks: Tasks) -> None:
    connection = sqlite3.connect(tasks.folder / "tasks.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_runner_that_ends_in_the_middle_leaves_its_task_to_the_next(tmp_path: Path) -> None:
    tasks = Tasks(tmp_path)
    begun = threading.Event()

    def forever(task: Task, advance: object, stopped: object) -> Outcome:
        begun.set()
        while not stopped():  # type: ignore[operator]
            time.sleep(0.01)
        raise Cancelled

    id = tasks.add("{}").id
    runner = Runner(tasks, forever)
    runner.start()
    assert begun.wait(10)
    runner.stop()
    tasks.close()
    again = Tasks(tmp_path)
    assert again.requeue() == 1
    task = again.claim()
    assert task is not None and task.id == id
    again.close()


def test_an_error_fails_the_task_alone_and_one_that_is_a_bug_keeps_its_secrets(tmp_path: Path) -> None:
    tasks = Tasks(tmp_path)
    errors = {"a": InputError("Give another text."), "b": KeyError("secret")}

    def failing(task: Task, advance: object, stopped: object) -> Outcome:
        if task.request in errors:
            raise errors[task.request]
        tasks.result(task.id).write_bytes(b"sound")
        return Outcome("done", 1)

    ids = [tasks.add(request).id for request in "abc"]
    runner = Runner(tasks, failing)
    runner.start()
    deadline = time.monotonic() + 10
    while tasks.waiting() or tasks.tasks(1, "processing"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runner.stop()
    a, b, c = (tasks.task(id) or pytest.fail() for id in ids)
    assert (a.status, a.message) == ("failed", "Give another text.")
    assert b.status == "failed" and "secret" not in b.message
    assert c.status == "completed"
    tasks.close()


# Speaks for a while: half a file, a wait, the rest; every task that is spoken to its end writes a line.
SERVER = """
import sys, time
from pathlib import Path
from gsv.paths import written_whole
from gsv.servers.runner import Outcome, Runner
from gsv.servers.tasks import Tasks

tasks = Tasks(Path(sys.argv[1]))

def speak(task, advance, stopped):
    with written_whole(tasks.result(task.id)) as path:
        path.write_text("half of " + task.request)
        advance(0.5)
        time.sleep(0.02)
        path.write_text("all of " + task.request)
    return Outcome("done", 1)

runner = Runner(tasks, speak, workers=3)
runner.start()
print("up", flush=True)
for line in sys.stdin:
    if line == "end\\n":
        break
    print(tasks.add(line.strip()).id, flush=True)
    runner.wake()
while tasks.waiting() or tasks.tasks(1, "processing"):
    time.sleep(0.01)
runner.stop()
"""


def test_a_server_that_is_killed_loses_and_doubles_nothing(tmp_path: Path) -> None:
    ids: dict[str, str] = {}

    def server() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "up\n"
        return process

    def queue(process: subprocess.Popen[str], text: str) -> None:
        assert process.stdin and process.stdout
        process.stdin.write(text + "\n")
        process.stdin.flush()
        ids[process.stdout.readline().strip()] = text

    for turn in range(3):
        process = server()
        for i in range(12):
            queue(process, f"{turn}-{i}")
        time.sleep(0.03 * turn)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    process = server()
    process.communicate("end\n", timeout=60)
    assert process.returncode == 0
    tasks = Tasks(tmp_path)
    found = tasks.tasks(1000)
    assert Counter(task.id for task in found) == Counter(list(ids))
    assert {task.status for task in found} == {"completed"}
    results = {path.name: path.read_text() for path in (tmp_path / "results").iterdir()}
    assert results == {f"{id}.wav": f"all of {text}" for id, text in ids.items()}
    tasks.close()
