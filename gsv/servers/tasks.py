"""Tasks that outlive the server, and the uploads they use: an SQLite database beside a folder of sounds.

Every change is one transaction of a database in WAL mode, and a sound takes its name only when it is whole. So a server
that is killed loses nothing: a task that was being spoken is queued again, and speaks the same, for its seed was drawn
when it was queued; its sound has the task's name, so that there is one of it.
"""

import hashlib
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from filelock import FileLock, Timeout

from gsv.errors import InputError

Status = Literal["pending", "processing", "completed", "failed"]
STATUSES: tuple[str, ...] = get_args(Status)
FILE_ID = re.compile("[0-9a-f]{64}")
TASK_ID = re.compile("[0-9a-f]{32}")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    progress REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    request TEXT NOT NULL,
    duration INTEGER,
    created_at REAL NOT NULL,
    completed_at REAL
);
CREATE INDEX IF NOT EXISTS tasks_by_status ON tasks (status, number);
CREATE TABLE IF NOT EXISTS uses (
    task TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    file TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS uses_by_file ON uses (file);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    uploaded_at REAL NOT NULL,
    used_at REAL NOT NULL
);
"""
# A killed program's helper processes hold its locks a little longer.
_LOCK_SECONDS = 6.0
_TASK = "id, status, progress, message, request, duration, created_at, completed_at"
_UPLOAD = "id, name, size, uploaded_at, used_at"


class FullError(InputError):
    """There is no room for more; later there will be."""


@dataclass(frozen=True)
class Keeping:
    """How long things are kept, in seconds, and how much room they may take, in bytes. Uploads in use are kept."""

    uploads: float = 3600.0
    results: float = 24 * 3600.0
    upload_bytes: int = 2 * 2**30
    result_bytes: int = 8 * 2**30


@dataclass(frozen=True)
class Task:
    """`progress` is 0 to 1, `duration` of the speech in milliseconds, times in seconds since 1970."""

    id: str
    status: Status
    progress: float
    message: str
    request: str
    duration: int | None
    created_at: float
    completed_at: float | None


@dataclass(frozen=True)
class Upload:
    """A sound that a client has sent; `id` is the SHA-256 of its content, `name` is what it was called first."""

    id: str
    name: str
    size: int
    uploaded_at: float
    used_at: float


class Tasks:
    """The database and its two folders of sounds, `uploads` and `results`. Threads may share it; one
    process at a time has it."""

    def __init__(self, folder: Path, keeping: Keeping = Keeping(), now: Callable[[], float] = time.time):
        self.folder = folder
        self.keeping = keeping
        self._now = now
        self._lock = threading.Lock()
        for one in (folder / "uploads", folder / "results"):
            one.mkdir(parents=True, exist_ok=True)
        # A second server would queue again what this one is speaking. The lock of one that was killed is free.
        self._alone = FileLock(folder / ".lock", thread_local=False)
        try:
            self._alone.acquire(timeout=_LOCK_SECONDS)
        except Timeout:
            raise InputError(f"Another server keeps its tasks in {folder}; end it, or give another folder.") from None
        self._connection = sqlite3.connect(folder / "tasks.db", check_same_thread=False, isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON;" + _SCHEMA)
        self._sweep_strays()

    def close(self) -> None:
        with self._lock:
            self._connection.close()
        self._alone.release()

    # Tasks.

    def add(self, request: str, files: tuple[str, ...] = ()) -> Task:
        """Queues a task that uses these uploads; FullError when the results take up all the room they may."""
        if self._size("results") >= self.keeping.result_bytes:
            self.clean()
            if self._size("results") >= self.keeping.result_bytes:
                raise FullError("The results of earlier tasks take up all the room they may; delete some tasks.")
        now = self._now()
        with self._changing() as database:
            id = secrets.token_hex(16)
            database.execute(
                "INSERT INTO tasks (id, status, request, created_at, message) VALUES (?, 'pending', ?, ?, ?)",
                (id, request, now, "The task is waiting for its turn."),
            )
            database.executemany("INSERT INTO uses VALUES (?, ?)", [(id, file) for file in files])
            database.executemany("UPDATE uploads SET used_at = ? WHERE id = ?", [(now, file) for file in files])
        task = self.task(id)
        assert task is not None
        return task

    def requeue(self) -> int:
        """Puts back in line what another server was speaking when it ended, and says how many tasks that were."""
        with self._changing() as database:
            return database.execute(
                "UPDATE tasks SET status = 'pending', progress = 0, message = 'The task was queued again after a "
                "restart of the server.' WHERE status = 'processing'"
            ).rowcount

    def claim(self) -> Task | None:
        """The oldest waiting task, which is then being spoken; nobody else gets it."""
        with self._changing() as database:
            row = database.execute(
                f"UPDATE tasks SET status = 'processing', message = 'The task is being spoken.' WHERE number = (SELECT "  # noqa: S608
                f"number FROM tasks WHERE status = 'pending' ORDER BY number LIMIT 1) RETURNING {_TASK}"
            ).fetchone()
        return Task(*row) if row else None

    def advance(self, id: str, progress: float) -> None:
        with self._changing() as database:
            database.execute("UPDATE tasks SET progress = ? WHERE id = ? AND status = 'processing'", (progress, id))

    def finish(self, id: str, status: Status, message: str, duration: int | None = None) -> bool:
        """Ends a task that is being spoken; False if it is no longer there."""
        with self._changing() as database:
            changed = database.execute(
                "UPDATE tasks SET status = ?, message = ?, duration = ?, completed_at = ?, progress = CASE ? WHEN "
                "'completed' THEN 1 ELSE progress END WHERE id = ? AND status = 'processing'",
                (status, message, duration, self._now(), status, id),
            ).rowcount
        return changed > 0

    def task(self, id: str) -> Task | None:
        with self._lock:
            row = self._connection.execute(f"SELECT {_TASK} FROM tasks WHERE id = ?", (id,)).fetchone()  # noqa: S608
        return Task(*row) if row else None

    def tasks(self, limit: int, status: str | None = None) -> list[Task]:
        """The newest first."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_TASK} FROM tasks WHERE ?1 IS NULL OR status = ?1 ORDER BY number DESC LIMIT ?2",  # noqa: S608
                (status, limit),
            ).fetchall()
        return [Task(*row) for row in rows]

    def waiting(self) -> int:
        """How many tasks are in line."""
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM tasks WHERE status = 'pending'").fetchone()[0])

    def remove(self, id: str) -> bool:
        """Forgets a task and its sound; False if there is none."""
        with self._changing() as database:
            there = database.execute("DELETE FROM tasks WHERE id = ?", (id,)).rowcount > 0
            self.result(id).unlink(missing_ok=True)
        return there

    def result(self, id: str) -> Path:
        """Where a task's sound lies when it is done. The id must be one of `TASK_ID`."""
        assert TASK_ID.fullmatch(id)
        return self.folder / "results" / f"{id}.wav"

    # Uploads.

    def keep(self, name: str, content: Iterator[bytes], check: Callable[[Path], None]) -> tuple[Upload, bool]:
        """Stores a sound once, whoever sends it, and tells whether it was there before.

        `check` raises for a file that is no sound, and then nothing stays of it. FullError when there is no room.
        """
        uploads = self.folder / "uploads"
        incoming = uploads / f".{secrets.token_hex(16)}"
        try:
            digest, size = hashlib.sha256(), 0
            with incoming.open("wb") as file:
                for piece in content:
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
            id = digest.hexdigest()
            known = self._touched(id)
            if known is not None:
                return known, True
            # What has just come in is among them already.
            if self._size("uploads") > self.keeping.upload_bytes:
                self.clean()
                if self._size("uploads") > self.keeping.upload_bytes:
                    raise FullError("The uploads take up all the room they may; try again when older ones are gone.")
            check(incoming)
            now = self._now()
            upload = Upload(id, name, size, now, now)
            with self._changing() as database:
                incoming.replace(uploads / id)
                database.execute("INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?)", (id, name, size, now, now))
            return upload, False
        finally:
            incoming.unlink(missing_ok=True)

    def _touched(self, id: str) -> Upload | None:
        """An upload that is there, kept from now on as if it had come now."""
        with self._changing() as database:
            row = database.execute(
                f"UPDATE uploads SET used_at = ? WHERE id = ? RETURNING {_UPLOAD}",  # noqa: S608
                (self._now(), id),
            ).fetchone()
        return Upload(*row) if row and self.sound(id).is_file() else None

    def upload(self, id: str) -> Upload | None:
        with self._lock:
            row = self._connection.execute(f"SELECT {_UPLOAD} FROM uploads WHERE id = ?", (id,)).fetchone()  # noqa: S608
        return Upload(*row) if row else None

    def sound(self, id: str) -> Path:
        """Where an upload lies. The id must be one of `FILE_ID`."""
        assert FILE_ID.fullmatch(id)
        return self.folder / "uploads" / id

    def clean(self) -> None:
        """Removes uploads and ended tasks that are older than they are kept; uploads in use stay."""
        now = self._now()
        with self._changing() as database:
            old = database.execute(
                "DELETE FROM uploads WHERE used_at < ? AND id NOT IN (SELECT file FROM uses JOIN tasks ON tasks.id = "
                "uses.task WHERE tasks.status IN ('pending', 'processing')) RETURNING id",
                (now - self.keeping.uploads,),
            ).fetchall()
            for (id,) in old:
                self.sound(id).unlink(missing_ok=True)
            ended = database.execute(
                "DELETE FROM tasks WHERE completed_at < ? RETURNING id", (now - self.keeping.results,)
            ).fetchall()
            for (id,) in ended:
                self.result(id).unlink(missing_ok=True)

    def _size(self, folder: str) -> int:
        total = 0
        for path in (self.folder / folder).iterdir():
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # Removed by another thread since.
                continue
        return total

    def _sweep_strays(self) -> None:
        """Removes what a killed server left half written, or had no time to enter or to delete."""
        with self._lock:
            known = {row[0] for row in self._connection.execute("SELECT id FROM uploads")}
            done = {
                f"{row[0]}.wav" for row in self._connection.execute("SELECT id FROM tasks WHERE status = 'completed'")
            }
        for folder, names in (("uploads", known), ("results", done)):
            for path in (self.folder / folder).iterdir():
                if path.name not in names:
                    path.unlink(missing_ok=True)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; all of it or nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
