"""From a request with a reference recording to speech; the references that were used last are kept ready."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from gsv.errors import InputError
from gsv.servers.answers import Chunk, Sound
from gsv.servers.bridge import Stopped
from gsv.synthesis.engine import Engine, SpeechOptions
from gsv.synthesis.reference import Reference
from gsv.synthesis.streaming import Streaming
from gsv.synthesis.voice import Voice
from gsv.versions import VERSIONS

# Voices of an engine that are kept; each takes some hundred kilobytes.
_KEPT = 32


@dataclass(frozen=True)
class Words:
    """What to say, and how; without `streaming`, whole fragments come."""

    text: str
    language: str
    options: SpeechOptions = field(default_factory=SpeechOptions)
    streaming: Streaming | None = None


class References:
    """Voices made of references, so that a recording is heard once by each engine and not at every request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._voices: WeakKeyDictionary[Engine, OrderedDict[object, Voice]] = WeakKeyDictionary()

    def voice(self, engine: Engine, reference: Reference) -> Voice:
        """Raises AudioError and TextError as `Engine.voice`."""
        paths = (reference.audio, *reference.auxiliary)
        # A file that was written anew is another one.
        states = [(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
        key = (*states, reference.transcript, reference.language)
        with self._lock:
            known = self._voices.setdefault(engine, OrderedDict())
            if key in known:
                known.move_to_end(key)
                return known[key]
        voice = engine.voice(
            reference.audio, reference.transcript, reference.language, reference.auxiliary, reference.heard
        )
        with self._lock:
            known[key] = voice
            while len(known) > _KEPT:
                known.popitem(last=False)
        return voice


def speak(engine: Engine, voice: Voice, words: Words, stopped: Stopped) -> Iterator[Sound]:
    """What the engine says, fragment by fragment or, with a streaming, chunk by chunk."""
    if words.streaming is None:
        yield from engine.stream(words.text, words.language, voice, words.options, stopped)
        return
    chunks = engine.stream_audio(words.text, words.language, voice, words.options, words.streaming, stopped)
    for wave in chunks:
        yield Chunk(wave, engine.rate_with(words.options))


def language_known(code: str, field_name: str, known: Sequence[str] | None = None) -> str:
    """The code in small letters. Raises InputError if no version, or not the one whose codes are given, has it."""
    plain = code.strip().lower()
    codes = known if known is not None else sorted({one for version in VERSIONS.values() for one in version.languages})
    if plain not in codes:
        raise InputError(f"{field_name}: {code[:40]} is not supported; choose one of {', '.join(codes)}.")
    return plain
