"""What every interface is built from: one app with its own form of errors, behind the same checks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gsv.errors import GsvError, sentence
from gsv.paths import Project
from gsv.servers.access import Access, Denied
from gsv.servers.files import Files
from gsv.servers.limits import BodyLimit, Limits, Line
from gsv.servers.metrics import Meters
from gsv.synthesis.pool import Pool
from gsv.synthesis.speakers import Speakers


@dataclass(frozen=True)
class Service:
    """What all interfaces of one process share."""

    project: Project
    pool: Pool
    access: Access
    files: Files
    limits: Limits
    line: Line
    meters: Meters
    speakers: Speakers

    @classmethod
    def of(
        cls,
        project: Project,
        pool: Pool,
        access: Access | None = None,
        files: Files | None = None,
        limits: Limits | None = None,
    ) -> "Service":
        """With what is usual where nothing else is given."""
        access, limits = access or Access(), limits or Limits()
        line = Line(limits)
        speakers = Speakers(project.root / "speakers")
        return cls(project, pool, access, files or Files(project, access.wide), limits, line, Meters(line), speakers)


# From a status and a sentence to the body of an error answer.
Form = Callable[[int, str], Mapping[str, Any]]
Given = TypeVar("Given", bound=BaseModel)


# From a status and a sentence to an answer.
Answer = Callable[[int, str], Response]


class Json(Response):
    """JSON that people can read, of texts that need not be right Unicode, with numbers that all programs know."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        # What is no character is written as JSON writes it.
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace")


def interface(title: str, service: Service, form: Form) -> FastAPI:
    """An app whose errors all have this form.

    What cannot be done as asked is 400: values that are not right, and every GsvError. An `HTTPException` brings
    a status of its own. Anything else is a bug: 500, and a traceback in the log.
    """
    # Scripts send JSON without saying so. Browsers do too, for pages from elsewhere, which are told by their origin.
    app = FastAPI(
        title=title,
        docs_url="/docs",
        redoc_url=None,
        strict_content_type=False,
        # Without this the document would promise answers of 422.
        responses={"4XX": {"description": "What cannot be done as asked.", "content": {"application/json": {}}}},
    )

    def answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
        return Json(dict(form(status, message)), status, dict(headers or {}))

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return answer(400, in_words(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        return answer(error.status_code, str(error.detail), error.headers)

    @app.exception_handler(GsvError)
    async def known(request: Request, error: GsvError) -> Response:
        return answer(400, str(error))

    @app.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> Response:
        return answer(500, sentence(error) or "Something went wrong here; the server's log tells what.")

    app.add_middleware(BodyLimit, limits=service.limits)
    app.add_middleware(_Front, title=title, service=service, answer=answer)
    if service.access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(service.access.origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
        )
    return app


def either_way(app: FastAPI, path: str, form: type[Given], answer: Callable[[Given, Request], Response]) -> None:
    """The same request as GET with a query and as POST with JSON; `answer`, whose docstring is the API's, is quick."""

    async def get(given: Given, request: Request) -> Response:
        return answer(given, request)

    async def post(given: Given, request: Request) -> Response:
        return answer(given, request)

    # FastAPI reads from the annotation alone where a model comes from.
    get.__annotations__["given"] = Annotated[form, Query()]
    post.__annotations__["given"] = form
    for method, endpoint in (("GET", get), ("POST", post)):
        app.add_api_route(
            path, endpoint, methods=[method], summary=path, description=answer.__doc__, response_class=Response
        )


class _Front:
    """Lets nobody in who may not be, and counts what is answered."""

    def __init__(self, app: ASGIApp, title: str, service: Service, answer: Answer):
        self._app, self._title, self._service, self._answer = app, title, service, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._service.meters.answered(self._title, message["status"])
            await send(message)

        try:
            self._service.access.check(scope)
        except Denied as denied:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": denied.detail})
            else:
                await self._answer(denied.status_code, denied.detail)(scope, receive, counted)
            return
        await self._app(scope, receive, counted)


def in_words(error: RequestValidationError) -> str:
    """One sentence about the first value that is not right. It does not repeat the value, which can be anything."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return "The body is not right JSON."
    # The first part says where a value stands: in the body, the query or the path.
    name = ".".join(str(part) for part in first["loc"][1:]) or "the body"
    if first["type"] == "missing":
        return f"{name} is required."
    if first["type"] in {"model_attributes_type", "model_type"} and name == "the body":
        return "The body must be a JSON object, sent with Content-Type: application/json."
    return f"{name}: {first['msg']}."
