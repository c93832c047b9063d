"""Task-based REST API with emotion control: uploads, tasks that survive a restart, and four ways to give an emotion."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, Query, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from gsv.errors import InputError
from gsv.servers.answers import ClientLeft, while_there
from gsv.servers.configurations import Configuration
from gsv.servers.interface import Json, Service, interface
from gsv.servers.limits import Busy
from gsv.servers.performing import Performer
from gsv.servers.runner import BUG, Runner
from gsv.servers.task_request import SEEDS, SpeechRequest
from gsv.servers.tasks import FILE_ID, STATUSES, TASK_ID, Keeping, Task, Tasks, Upload
from gsv.synthesis.manner import EMOTIONS, Bank, Feelings

NAME = "indextts"
SUFFIXES = (".wav", ".mp3", ".m4a", ".flac")
_PIECE = 1 << 20
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Setup:
    """What speaks, where tasks are kept and how long, and how many are spoken at once."""

    configuration: Configuration
    folder: Path
    feelings: Feelings = field(default_factory=lambda: Feelings(Bank()))
    keeping: Keeping = field(default_factory=Keeping)
    workers: int = 1


def build(service: Service, setup: Setup) -> FastAPI:
    """The app; its lifespan opens the tasks and speaks them. Only one may run on a folder."""
    tasks = Tasks(setup.folder, setup.keeping)
    performer = Performer(service, setup.configuration, setup.feelings, tasks)
    runner = Runner(tasks, performer.speak, setup.workers)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runner.start()
        try:
            yield
        finally:
            await run_in_threadpool(runner.stop)
            tasks.close()

    app = interface("Task-based REST API", service, lambda status, message: {"success": False, "message": message})
    app.router.lifespan_context = lifespan
    files, limits = service.files, service.limits

    def add(given: SpeechRequest) -> tuple[Task, list[str]]:
        """Queues a task; what can be seen to be wrong with it is refused now."""
        limits.check_text(given.text)
        method = given.emo_control_method
        if given.prompt_audio_id is None and performer.usual is None:
            raise InputError("prompt_audio_id is required: upload a recording of the voice first.")
        if method == 1 and not (given.emo_audio_id or given.emo_audio_path):
            raise InputError("emo_audio_id or emo_audio_path is required with emo_control_method 1.")
        if method == 2 and given.emo_vector is None:
            raise InputError(f"emo_vector is required with emo_control_method 2: {', '.join(EMOTIONS)}.")
        if method == 3 and not (given.emo_text or "").strip():
            raise InputError("emo_text is required with emo_control_method 3.")
        for name in ("prompt_audio_id", "emo_audio_id"):
            if (id := getattr(given, name)) is not None:
                _upload(tasks, id, name)
        path = None
        if method == 1 and given.emo_audio_id is None:
            path = str(files.recording(str(given.emo_audio_path), "emo_audio_path"))
        if tasks.waiting() >= limits.waiting:
            raise Busy(limits.retry_seconds)
        # Drawn now, so that a task that is begun again after a restart says the same.
        seed = secrets.randbelow(SEEDS) if given.seed < 0 else given.seed
        told = given.effects()
        kept = given.model_copy(update={"seed": seed, "emo_audio_path": path})
        request = kept.model_dump(include=set(SpeechRequest.model_fields))
        task = tasks.add(json.dumps({"request": request, "told": told}), given.files)
        runner.wake()
        return task, told

    @app.get("/api/v1/health")
    async def health() -> Response:
        """That the server answers, and whether its weights are loaded."""
        return Json({"status": "healthy", "model_loaded": len(service.pool) > 0})

    @app.post("/api/v1/tts")
    async def tts(given: SpeechRequest) -> Response:
        """Queues a task."""
        task, told = await run_in_threadpool(add, given)
        return Json({"success": True, "message": " ".join(["The task is queued.", *told]), "task_id": task.id})

    @app.post("/api/v1/tts/sync")
    async def tts_sync(request: Request, given: SpeechRequest) -> Response:
        """Speaks now."""
        task, _ = await run_in_threadpool(add, given)
        try:
            ended = await while_there(request.receive, _ended(tasks, task.id, limits.patience))
        except (ClientLeft, TimeoutError) as error:
            await run_in_threadpool(runner.remove, task.id)
            if isinstance(error, ClientLeft):
                service.meters.left()
                return Json({})
            raise HTTPException(400, f"The task was not done within {limits.patience:g} s.") from None
        if ended is None:
            raise HTTPException(404, "The task was deleted.")
        if ended.status == "failed":
            raise HTTPException(500 if ended.message == BUG else 400, ended.message)
        return Json(
            {
                "success": True,
                "message": ended.message,
                "audio_url": _url(ended),
                "task_id": ended.id,
                "duration": ended.duration,
            }
        )

    @app.get("/api/v1/task/{task_id}")
    async def task(task_id: str) -> Response:
        """How far a task is."""
        return Json(_told(await run_in_threadpool(_task, tasks, task_id)))

    @app.get("/api/v1/tasks")
    async def all_tasks(limit: Annotated[int, Query(ge=1, le=1000)] = 50, status: str | None = None) -> Response:
        """The newest tasks first."""
        if status is not None and status not in STATUSES:
            raise InputError(f"status: {status[:40]} is not one of {', '.join(STATUSES)}.")
        found = await run_in_threadpool(tasks.tasks, limit, status)
        return Json({"tasks": [_told(one) for one in found]})

    @app.delete("/api/v1/task/{task_id}")
    async def delete(task_id: str) -> Response:
        """Removes a task and its sound; one that is being spoken is stopped."""
        await run_in_threadpool(_task, tasks, task_id)
        await run_in_threadpool(runner.remove, task_id)
        return Json({"success": True, "message": "The task and its sound are removed."})

    @app.get("/api/v1/audio/{task_id}", response_class=Response)
    async def audio(task_id: str) -> Response:
        """The sound of a task that is done."""
        found = await run_in_threadpool(_task, tasks, task_id.removesuffix(".wav"))
        if found.status != "completed":
            raise HTTPException(400, f"The task has no sound: it is {found.status}. {found.message}".strip())
        path = tasks.result(found.id)
        if not path.is_file():
            raise HTTPException(404, "The sound is gone; queue the task again.")
        return FileResponse(path, media_type="audio/wav", filename=f"{found.id}.wav")

    @app.post("/api/v1/upload/audio")
    async def upload(file: Annotated[UploadFile, File()]) -> Response:
        """Keeps a recording, once, whoever sends it."""
        name = Path((file.filename or "").replace("\\", "/")).name[:200]
        if Path(name).suffix.lower() not in SUFFIXES:
            raise InputError(f"Only {', '.join(SUFFIXES)} files are taken; convert the recording to one of them.")

        def content() -> Iterator[bytes]:
            while piece := file.file.read(_PIECE):
                yield piece

        def check(path: Path) -> None:
            try:
                files.check_recording(path)
            except InputError as error:
                raise InputError(str(error).replace(str(path), name)) from None

        kept, known = await run_in_threadpool(lambda: tasks.keep(name, content(), check))
        answer = {"success": True, "message": "The file is kept already." if known else "The file is kept."}
        return Json({**answer, **_file(kept, name), "is_duplicate": known})

    @app.get("/api/v1/file/{file_id}")
    async def info(file_id: str) -> Response:
        """Size, name and times of an upload."""
        kept = await run_in_threadpool(_upload, tasks, file_id, "file_id")
        return Json({"success": True, **_file(kept, kept.name)})

    return app


def _task(tasks: Tasks, id: str) -> Task:
    found = tasks.task(id) if TASK_ID.fullmatch(id) else None
    if found is None:
        raise HTTPException(404, "There is no such task.")
    return found


def _upload(tasks: Tasks, id: str, name: str) -> Upload:
    """Raises InputError for what is no id, before anything is looked up, and 404 for a file that is not there."""
    if not FILE_ID.fullmatch(id):
        raise InputError(f"{name} is not right: an id of a file has 64 hexadecimal digits.")
    found = tasks.upload(id)
    if found is None or not tasks.sound(id).is_file():
        raise HTTPException(404, f"{name}: there is no such file; upload it, perhaps again.")
    return found


async def _ended(tasks: Tasks, id: str, patience: float) -> Task | None:
    """The task when it is done; None if it was deleted. Raises TimeoutError when nothing moves for too long."""
    progress, since = -1.0, time.monotonic()
    while True:
        task = await run_in_threadpool(tasks.task, id)
        if task is None or task.status in {"completed", "failed"}:
            return task
        if task.progress != progress:
            progress, since = task.progress, time.monotonic()
        if time.monotonic() - since > patience:
            raise TimeoutError
        await asyncio.sleep(_POLL_SECONDS)


def _url(task: Task) -> str | None:
    return f"/api/v1/audio/{task.id}.wav" if task.status == "completed" else None


def _told(task: Task) -> dict[str, Any]:
    return {
        "task_id": task.id,
        "status": task.status,
        "progress": task.progress,
        "message": task.message,
        "audio_url": _url(task),
        "duration": task.duration,
        "created_at": _time(task.created_at),
        "completed_at": _time(task.completed_at),
    }


def _file(upload: Upload, name: str) -> dict[str, Any]:
    return {
        "file_id": upload.id,
        "original_filename": name,
        "file_size": upload.size,
        "uploaded_at": _time(upload.uploaded_at),
        "last_used_at": _time(upload.used_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc).isoformat()
