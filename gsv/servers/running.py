"""A server from its start to its end: the address, and restarting."""

import os
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from gsv.errors import GsvError
from gsv.servers.access import BOTH_STACKS, Access

# How long answers that are being sent have when the server ends.
_GRACE_SECONDS = 3
_QUEUE = 512


class Running:
    """A server that can be told to end or to restart."""

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._restart = False

    def control(self, command: str) -> None:
        """`exit` or `restart`, once the answers that are being sent are sent, or a few seconds have passed."""
        self._restart = command == "restart"
        if self._server is not None:
            self._server.should_exit = True

    def serve(self, app: ASGIApp, access: Access, tell: Callable[[str], None] = lambda address: None) -> None:
        """Serves until it is told to end; then, perhaps, the program begins anew with the same arguments.

        Raises GsvError if the address cannot be had. `tell` is given it when callers can come.
        """
        with listening(access) as listener:
            config = uvicorn.Config(
                app,
                log_level="warning",
                # Who is local is found out without what a proxy, or anybody, says.
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
            self._server = uvicorn.Server(config)
            tell(address(listener))
            self._server.run(sockets=[listener])
        if self._restart:
            # orig_argv has what Python itself was told too, such as -m.
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def listening(access: Access) -> socket.socket:
    """A socket at the address; one for both stacks where the address is empty."""
    host, port = access.host, access.port
    try:
        if host == BOTH_STACKS and socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, backlog=_QUEUE, dualstack_ipv6=True)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_QUEUE)
    except OSError as error:
        raise GsvError(f"Port {port} of {host or 'this machine'} cannot be used: {error.strerror or error}.") from None


def address(listener: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
