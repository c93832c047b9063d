"""How pages are put on the network: on this machine alone unless told otherwise."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import gradio as gr
from pydantic import Field

from gsv.errors import GsvError, InputError, MissingLibraryError
from gsv.webui.home import Home

UPLOAD_LIMIT = "500mb"
_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
# Streams hold a thread each, and closing must always find one.
_THREADS = 120


@dataclass(frozen=True)
class Serving:
    """Where pages are served, to whom, and in which language."""

    host: Annotated[str, Field(description="Address to listen at; 0.0.0.0 is for all machines.")] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535, description="Port to listen at.")] = 9874
    language: Annotated[str, Field(description="Language of the pages, such as zh_CN or en_US.")] = ""
    auth: Annotated[str, Field(description="user:password that a visitor must know.")] = ""
    allowed: Annotated[
        tuple[Path, ...], Field(description="Further folders whose files may be used from other machines.")
    ] = ()
    share: Annotated[bool, Field(description="Also make a public address through gradio's servers.")] = False
    mcp: Annotated[bool, Field(description="Also offer the endpoints to language models, by MCP.")] = False

    @property
    def public(self) -> bool:
        """Whether other machines can reach it."""
        if self.share:
            return True
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def visitor(self) -> tuple[str, str] | None:
        """User and password; InputError if they are not written as such."""
        if not self.auth:
            return None
        user, mark, password = self.auth.partition(":")
        if not user or not mark or not password:
            raise InputError("auth must be written as user:password.")
        return user, password

    def url(self, port: int) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        return f"http://{host}:{port}/"


def serve(blocks: gr.Blocks, serving: Serving, home: Home) -> Callable[[], None]:
    """Serves the pages from threads of their own; returns what ends that. GsvError if the port is taken."""
    if serving.mcp and find_spec("mcp") is None:
        raise MissingLibraryError('--mcp needs another library: pip install "gsv[mcp]"')
    blocks.queue(default_concurrency_limit=None)
    try:
        blocks.launch(
            server_name=serving.host,
            server_port=serving.port,
            auth=serving.visitor,
            share=serving.share,
            mcp_server=serving.mcp,
            allowed_paths=[str(root) for root in home.roots],
            max_file_size=UPLOAD_LIMIT,
            max_threads=_THREADS,
            prevent_thread_lock=True,
            quiet=True,
            ssr_mode=False,
            # No look at its own page, which must answer within 3 s: on a busy machine, or behind a proxy, it does not.
            _frontend=False,
            theme=gr.themes.Default(
                primary_hue="indigo", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
            ),
            css=_STYLE,
        )
    except OSError as error:
        raise GsvError(f"Port {serving.port} of {serving.host} cannot be used: {error}") from error
    return lambda: blocks.close(verbose=False)
