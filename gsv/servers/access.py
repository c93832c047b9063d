"""Who may talk to a server: where it listens, which callers and browser pages it answers, and keys."""

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import Scope

# No address at all means every address of both stacks.
BOTH_STACKS = ""


class Denied(HTTPException):
    """A caller is not let in; the status is 401 or 403, and `detail` one sentence."""


@dataclass(frozen=True)
class Access:
    """Where a server listens and whom it answers.

    Args:
        host: the address; an empty one is every address, of IPv4 and IPv6.
        keys: one of these must come with each request, as `Authorization: Bearer KEY` or `X-API-Key: KEY`.
        origins: pages of these origins (https://example.org) may use the server from a browser.
        allow_control: also callers from other machines may end and restart the server.
    """

    host: str = "127.0.0.1"
    port: int = 9880
    keys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    allow_control: bool = False

    @property
    def wide(self) -> bool:
        """Whether other machines can reach the server."""
        return not is_loopback(self.host)

    def check(self, scope: Scope) -> None:
        """Raises Denied for a request, or WebSocket, of a browser page from elsewhere, or without a right key."""
        headers = headers_of(scope)
        host = headers.get("host", "")
        if not self.wide and not is_loopback(_name(host)):
            raise Denied(403, f"This server answers on this machine alone, not by the name {host[:100]!r}.")
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins and urlsplit(origin).netloc.lower() != host.lower():
            raise Denied(403, f"Pages of {origin[:100]!r} may not use this server; allow them with --cors.")
        # Images and links of a page carry no origin; browsers tell of them like this.
        if origin is None and headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            raise Denied(403, "Pages from elsewhere may not use this server.")
        if self.keys and not self._has_key(headers):
            raise Denied(401, "A right key is missing; send it as Authorization: Bearer KEY, or as X-API-Key: KEY.")

    def check_control(self, scope: Scope) -> None:
        """Raises Denied unless the caller may end, restart or change the server for everybody."""
        if not self.allow_control and not is_local(scope):
            raise Denied(403, "Only callers on this machine may do this; start the server with --allow-control.")

    def _has_key(self, headers: Mapping[str, str]) -> bool:
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        given = bearer.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "")
        return any(hmac.compare_digest(given.encode(), key.encode()) for key in self.keys)


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine, and not through a proxy on it."""
    client = scope.get("client")
    headers = headers_of(scope)
    forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    return client is not None and is_loopback(client[0]) and not forwarded


def is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers of a request, by their names in small letters."""
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
