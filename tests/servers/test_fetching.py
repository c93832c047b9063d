"""Fetching: only from the open internet, whatever a name or a redirect says, and never without end."""

import http.server
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gsv.servers import fetching
from gsv.servers.fetching import Fetcher, FetchError, is_public

INSIDE = Fetcher(most_bytes=100_000, seconds=3, inside=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
        elif self.path == "/large":
            self._answer(b"x" * 200_000)
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x" * 10)
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(300):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        elif self.path == "/gone":
            self.send_error(404, "secret words")
        else:
            self._answer(b"sound")

    def _answer(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    # A client that hangs up early is no concern of the test's output.
    server.handle_error = lambda request, address: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def fetched(fetcher: Fetcher, url: str) -> bytes:
    return b"".join(fetcher.fetch(url))


def test_a_sound_comes_whole_and_through_redirects(base: str) -> None:
    assert fetched(INSIDE, f"{base}/sound") == b"sound"
    assert fetched(INSIDE, f"{base}/to?/to?/sound") == b"sound"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/large", "larger than 100000 bytes"),
        ("/short", "breaks off before its end"),
        ("/gone", "status 404"),
        ("/to?/to?/to?/to?/to?/to?/to?/sound", "more than 5 times"),
        ("/to?file:///etc/passwd", "neither http nor https"),
        ("/to?gopher://x/", "neither http nor https"),
        ("/to?http://x:99999/", "not a usable address"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_sentence(base: str, path: str, message: str) -> None:
    with pytest.raises(FetchError, match=message) as error:
        fetched(INSIDE, base + path)
    assert "secret" not in str(error.value)


def test_one_who_sends_a_byte_now_and_then_does_not_hold_the_server(base: str) -> None:
    began = time.monotonic()
    with pytest.raises(FetchError, match="takes too long"):
        fetched(Fetcher(seconds=0.5, inside=True), f"{base}/slow")
    assert time.monotonic() - began < 10


def test_one_who_never_answers_does_not_hold_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(FetchError, match="takes too long"):
        fetched(Fetcher(seconds=0.5, inside=True), f"http://127.0.0.1:{silent.getsockname()[1]}/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "10.0.0.1", "192.168.1.1", "169.254.169.254", "2130706433"]
)
def test_this_machine_and_this_network_are_out_of_bounds(host: str) -> None:
    with pytest.raises(FetchError, match="inside this network"):
        fetched(Fetcher(seconds=3), f"http://{host}/")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:4700::1111", True),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("::", False),
    ],
)
def test_addresses_are_judged_by_where_they_lead(address: str, public: bool) -> None:
    assert is_public(address) is public


def looked_up(monkeypatch: pytest.MonkeyPatch, answers: dict[str, list[str]]) -> list[tuple[str, int]]:
    """Names that stand for these addresses, a next one every time; the connections that are tried instead of made."""
    tried: list[tuple[str, int]] = []

    def look_up(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        address = answers[host].pop(0) if len(answers[host]) > 1 else answers[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    def connect(address: tuple[str, int], timeout: float) -> Any:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(fetching.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(fetching.socket, "create_connection", connect)
    return tried


def test_the_address_that_was_judged_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    # The second look-up would lead inside.
    tried = looked_up(monkeypatch, {"rebind.example": ["93.184.216.34", "127.0.0.1"]})
    with pytest.raises(FetchError, match="no usable answer"):
        fetched(Fetcher(seconds=3), "http://rebind.example:8080/a.wav")
    assert tried == [("93.184.216.34", 8080)]


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = looked_up(monkeypatch, {"inside.example": ["10.1.2.3"]})
    with pytest.raises(FetchError, match="inside this network"):
        fetched(Fetcher(seconds=3), "https://inside.example/a.wav")
    assert tried == []


def test_a_redirect_that_leads_inside_is_refused(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(base.rsplit(":", 1)[1])
    real = socket.create_connection

    def look_up(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
        address = {"outside.example": "93.184.216.34"}.get(host, host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port))]

    monkeypatch.setattr(fetching.socket, "getaddrinfo", look_up)
    # The open internet, for this test, is the server above.
    monkeypatch.setattr(fetching.socket, "create_connection", lambda address, timeout: real(("127.0.0.1", port)))
    assert fetched(Fetcher(seconds=3), "http://outside.example/sound") == b"sound"
    with pytest.raises(FetchError, match="inside this network"):
        fetched(Fetcher(seconds=3), "http://outside.example/to?http://127.0.0.1/secret")


@pytest.mark.parametrize("url", ["http://", "http://a b/", "http://x:99999/", "http://\r\nHost: y/", "ht tp://x", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(FetchError):
        fetched(INSIDE, url)
