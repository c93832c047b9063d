"""Several interfaces on one port, and what tells how the process is doing."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import anyio
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsv.servers.interface import Json, Service, interface
from gsv.servers.limits import Limits
from gsv.servers.metrics import METRICS_TYPE


@dataclass(frozen=True)
class Part:
    """An interface. Where another one has the same path, requests whose JSON has one of the `marks` are its own."""

    name: str
    app: FastAPI
    marks: frozenset[str] = frozenset()


def build_status(service: Service, names: Sequence[str]) -> FastAPI:
    """/health and /metrics."""
    app = interface("gsv", service, lambda status, message: {"status": status, "message": message})

    @app.get("/health")
    async def health() -> Response:
        """That the process answers, which interfaces it has, and how many requests it has taken on."""
        line = service.line
        return Json({"status": "ok", "interfaces": list(names), "running": line.running, "waiting": line.waiting})

    @app.get("/metrics")
    async def metrics() -> Response:
        """What Prometheus reads."""
        return Response(service.meters.text(), headers={"Content-Type": METRICS_TYPE})

    return app


def together(service: Service, parts: Sequence[Part]) -> ASGIApp:
    """All parts on one port, each also under its name: /api2/docs is the page of api2."""
    every = [*parts, Part("status", build_status(service, [part.name for part in parts]))]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in every:
                await stack.enter_async_context(part.app.router.lifespan_context(part.app))
            yield

    app = Starlette(routes=[Mount(f"/{part.name}", part.app) for part in every], lifespan=lifespan)
    # Not a route, for there are paths that no route matches: those with the end of a line in them.
    app.router.default = _Chooser(every, service.limits)
    return app


class _Chooser:
    """Gives a request to the interface that has its path."""

    def __init__(self, parts: Sequence[Part], limits: Limits):
        self._parts = parts
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fitting = [part for part in self._parts if _match(part.app, scope) == Match.FULL]
        if len(fitting) > 1 and scope["type"] == "http" and any(part.marks for part in fitting):
            messages, fields = await self._read(receive)
            marked = [part for part in fitting if not part.marks.isdisjoint(fields)]
            fitting = marked or [part for part in fitting if not part.marks]
            receive = _again(messages, receive)
        partly = [part for part in self._parts if _match(part.app, scope) == Match.PARTIAL]
        chosen = next(iter([*fitting, *partly, *self._parts]))
        await chosen.app(scope, receive, send)

    async def _read(self, receive: Receive) -> tuple[list[Message], Mapping[str, object]]:
        """The messages of the body, and its JSON; of a body that is too long, or too slow, as far as it shows that."""
        messages: list[Message] = []
        body = bytearray()
        with anyio.move_on_after(self._limits.asking):
            while len(body) <= self._limits.body:
                message = await receive()
                messages.append(message)
                body += message.get("body", b"")
                if message["type"] != "http.request" or not message.get("more_body", False):
                    break
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):  # The interface will say so.
            fields = {}
        return messages, fields if isinstance(fields, dict) else {}


def _match(app: FastAPI, scope: Scope) -> Match:
    return max((route.matches(scope)[0] for route in app.router.routes), key=lambda match: match.value)


def _again(messages: list[Message], receive: Receive) -> Receive:
    """The messages that were read already, and then the others."""
    waiting = iter(messages)

    async def replayed() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return replayed
