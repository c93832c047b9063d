"""What `/metrics` tells: requests, the line, how fast speech is made, memory. In Prometheus' text format."""

import psutil
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gsv.servers.limits import Line

METRICS_TYPE = CONTENT_TYPE_LATEST
_FIRST_SECONDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_FACTORS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0, 10.0)


class Meters:
    """The numbers of one process, in a registry of their own."""

    def __init__(self, line: Line):
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "gsv_requests", "Requests that were answered.", ["interface", "status"], registry=self._registry
        )
        self._left = Counter("gsv_clients_left", "Clients that left before the end.", registry=self._registry)
        self._broken = Counter("gsv_streams_broken", "Answers that failed after they began.", registry=self._registry)
        self._tokens = Counter("gsv_tokens", "Semantic tokens that became sound.", registry=self._registry)
        self._audio = Counter("gsv_audio_seconds", "Seconds of sound made.", registry=self._registry)
        self._busy = Counter("gsv_speaking_seconds", "Seconds that requests were speaking.", registry=self._registry)
        self._speed = Histogram(
            "gsv_tokens_per_second", "Tokens a second of a request.", registry=self._registry,
            buckets=(1, 5, 10, 25, 50, 75, 100, 150, 200, 400, 800, 1600),
        )  # fmt: skip
        self._factor = Histogram(
            "gsv_real_time_factor", "Seconds of work for a second of sound, of a request.", registry=self._registry,
            buckets=_FACTORS,
        )  # fmt: skip
        self._first = Histogram(
            "gsv_first_chunk_seconds", "From a request's coming to its first sound.", ["interface"],
            registry=self._registry, buckets=_FIRST_SECONDS,
        )  # fmt: skip
        for name, about, value in (
            ("gsv_requests_running", "Requests that speak.", lambda: line.running),
            ("gsv_requests_waiting", "Requests that stand in line.", lambda: line.waiting),
            ("gsv_memory_bytes", "Resident memory of the process.", lambda: psutil.Process().memory_info().rss),
        ):
            Gauge(name, about, registry=self._registry).set_function(value)

    def answered(self, interface: str, status: int) -> None:
        self._requests.labels(interface, str(status)).inc()

    def left(self) -> None:
        """A client has left before the end."""
        self._left.inc()

    def broken(self) -> None:
        """An answer failed after it began."""
        self._broken.inc()

    def first_sound(self, interface: str, seconds: float) -> None:
        self._first.labels(interface).observe(seconds)

    def spoken(self, tokens: int, audio: float, seconds: float) -> None:
        """A request was spoken to its end: its tokens (0 if not known), seconds of sound, and seconds it took."""
        self._tokens.inc(tokens)
        self._audio.inc(audio)
        self._busy.inc(seconds)
        if tokens and seconds > 0:
            self._speed.observe(tokens / seconds)
        if audio > 0:
            self._factor.observe(seconds / audio)

    def text(self) -> bytes:
        return generate_latest(self._registry)
