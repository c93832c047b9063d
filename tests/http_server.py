"""An HTTP interface served from a thread of this process, through a real socket, for tests."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from gsv.paths import Project
from gsv.servers.access import Access
from gsv.servers.interface import Service
from gsv.servers.running import address, listening

_PATIENCE_SECONDS = 60
CLIP = Path(__file__).parent / "sample" / "clips" / "01.flac"
WORDS = "The morning train left the small station a few minutes late."


@dataclass(frozen=True)
class House:
    """A running server of all interfaces, and what is behind it. `commands` are those that /control was given."""

    url: str
    project: Project
    service: Service
    commands: list[str]


@contextmanager
def listening_app(app: ASGIApp, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of the app, until the block ends."""
    with listening(Access(host, 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", proxy_headers=False, timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + _PATIENCE_SECONDS
            while not server.started and time.monotonic() < deadline and thread.is_alive():
                time.sleep(0.01)
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_SECONDS)
