"""Sounds from the network: http and https only, limited in size and time, and never from inside this network.

A name may stand for another address every time it is looked up, and a server may send a client on to a forbidden one.
So the address is judged that the connection really goes to, at every step of the way: it is looked up once, judged, and
connected to as such.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from gsv.errors import InputError

_REDIRECTS = {301, 302, 303, 307, 308}
_PIECE = 1 << 16


class FetchError(InputError):
    """A sound cannot be had from where the request says."""


@dataclass(frozen=True)
class Fetcher:
    """How sounds are fetched.

    Args:
        most_bytes: of the sound.
        seconds: from the first look-up to the last byte.
        redirects: how often a server may send on to another address.
        inside: also take sounds from this machine and from private networks.
    """

    most_bytes: int = 32 * 2**20
    seconds: float = 30.0
    redirects: int = 5
    inside: bool = False

    def fetch(self, url: str) -> Iterator[bytes]:
        """The content at the address, piece by piece. Blocks; raises FetchError with one sentence."""
        deadline = time.monotonic() + self.seconds
        try:
            yield from self._followed(url, deadline)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = "it takes too long" if isinstance(error, TimeoutError) else "there is no usable answer"
            raise FetchError(f"{_shown(url)} cannot be fetched: {reason}.") from error

    def _followed(self, url: str, deadline: float) -> Iterator[bytes]:
        for _ in range(1 + self.redirects):
            parts = _parts(url)
            with self._connected(parts, deadline) as connection:
                target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                connection.request("GET", target, headers={"Accept": "audio/*, */*;q=0.5", "Connection": "close"})
                answer = connection.getresponse()
                location = answer.getheader("Location")
                if answer.status in _REDIRECTS and location:
                    url = urljoin(url, location)
                    continue
                if answer.status != 200:
                    raise FetchError(f"{_shown(url)} answers with status {answer.status}, not with a sound.")
                yield from self._body(answer, url, deadline)
                return
        raise FetchError(f"{_shown(url)} sends on more than {self.redirects} times.")

    def _body(self, answer: http.client.HTTPResponse, url: str, deadline: float) -> Iterator[bytes]:
        taken = 0
        while piece := answer.read1(_PIECE):
            taken += len(piece)
            if taken > self.most_bytes:
                raise FetchError(f"{_shown(url)} is larger than {self.most_bytes} bytes.")
            yield piece
        _left(deadline)
        if answer.length:
            raise FetchError(f"{_shown(url)} breaks off before its end.")

    @contextmanager
    def _connected(self, parts: SplitResult, deadline: float) -> Iterator[http.client.HTTPConnection]:
        host = parts.hostname or ""
        encrypted = parts.scheme == "https"
        port = parts.port or (443 if encrypted else 80)
        wire = socket.create_connection(self._address(host, port), timeout=_left(deadline))
        if encrypted:
            context = ssl.create_default_context()
            wire = context.wrap_socket(wire, server_hostname=host, do_handshake_on_connect=False)
        connection = http.client.HTTPConnection(host, port)
        connection.sock = wire
        # A time limit of the socket's own begins anew with every byte; this one ends whatever goes on.
        alarm = threading.Timer(_left(deadline), _hang_up, [wire])
        alarm.daemon = True
        alarm.start()
        try:
            if isinstance(wire, ssl.SSLSocket):
                wire.do_handshake()
            yield connection
        except (OSError, http.client.HTTPException):
            _left(deadline)
            raise
        finally:
            alarm.cancel()
            connection.close()
            wire.close()

    def _address(self, host: str, port: int) -> tuple[str, int]:
        """The address to connect to, looked up once."""
        found = [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for one in found:
            if not self.inside and not is_public(str(one)):
                raise FetchError(
                    f"{host} is an address inside this network or machine, which this server does not fetch from; "
                    "start it with --allow-private-urls to let it."
                )
        return str(found[0]), port


def _hang_up(wire: socket.socket) -> None:
    # It may have ended by itself in the meantime.
    with suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet: not loopback, link-local, private, multicast or reserved."""
    one = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(one, ipaddress.IPv6Address):
        # Addresses of IPv4 in the clothes of IPv6 lead to where those lead.
        inner = one.ipv4_mapped or one.sixtofour or (one.teredo[1] if one.teredo else None)
        if inner is None and one in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(one) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return one.is_global and not (one.is_multicast or one.is_reserved)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.port is None or parts.port > 0
    except ValueError:
        raise FetchError(f"{_shown(url)} is not a usable address.") from None
    if parts.scheme not in {"http", "https"}:
        raise FetchError(f"{_shown(url)} is neither http nor https.")
    if not parts.hostname or not usable or any(not 32 < ord(mark) < 127 for mark in url):
        raise FetchError(f"{_shown(url)} is not a usable address.")
    return parts


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _shown(url: str) -> str:
    """The address for a message, without a password that it may hold."""
    return repr(url.split("@")[-1][:200])
