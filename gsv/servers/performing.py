"""Speaks a task of the task-based interface: its references heard, its emotion found, its text in segments."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import torch

from gsv.audio.io import load, wav_written
from gsv.audio.prosody import melody
from gsv.dataset.transcription.engines import ENGINES
from gsv.dataset.transcription.recogniser import RATE, Recogniser
from gsv.errors import MissingLibraryError, MissingWeightsError
from gsv.paths import Project
from gsv.servers.configurations import Configuration, Engines
from gsv.servers.interface import Service
from gsv.servers.runner import Cancelled, Outcome
from gsv.servers.speaking import References
from gsv.servers.task_request import SpeechRequest
from gsv.servers.tasks import Task, Tasks
from gsv.synthesis.engine import Engine, Fragment
from gsv.synthesis.manner import Feelings, Heard, Manner, of_reference, spoken
from gsv.synthesis.reference import Reference
from gsv.synthesis.voice import Voice
from gsv.synthesis.wording import manner_of
from gsv.versions import version_named

log = logging.getLogger(__name__)

_MELODY_RATE = 16000
# A text token, as these interfaces count: a character of a script without blanks, or about four letters.
_UNITS = re.compile(r"[A-Za-z\u00c0-\u024f0-9']{1,4}|[^\W_]")
_ENDS = re.compile(r"(?<=[。！？!?；;…\n])|(?<=[.,，、:：])(?=\s)|(?<=[，、：])")


class Ears:
    """Recognises what recordings say, where a recogniser that can tell languages apart is installed."""

    def __init__(self, project: Project):
        self._project = project
        self._lock = threading.Lock()
        self._known: dict[tuple[Path, int], str] = {}

    def transcript(self, path: Path) -> str:
        """What is said; nothing where that cannot be known."""
        key = path, path.stat().st_mtime_ns
        with self._lock:
            if key not in self._known:
                recogniser = self._recogniser
                self._known[key] = "" if recogniser is None else recogniser(load(path, RATE)).text
            return self._known[key]

    @cached_property
    def _recogniser(self) -> Recogniser | None:
        for engine in ENGINES:
            if "auto" not in engine.languages:
                continue
            choice = engine.choice("auto", None, None)
            try:
                return engine.load(engine.require(choice, self._project), choice, torch.device("cpu"))
            except (MissingLibraryError, MissingWeightsError) as error:
                log.info("%s does not recognise what references say: %s", engine.title, error)
        return None


class Performer:
    """Speaks tasks. Threads may share it."""

    def __init__(self, service: Service, configuration: Configuration, feelings: Feelings, tasks: Tasks):
        self._service, self._configuration, self._feelings, self._tasks = service, configuration, feelings, tasks
        self._engines = Engines(configuration, service.pool)
        self._references = References()
        self._ears = Ears(service.project)

    @cached_property
    def usual(self) -> Reference | None:
        """The recording that the weights bring along, if they bring one."""
        configuration = self._configuration
        if configuration.sovits is not None:
            return None
        return Reference.of(self._service.project.base(version_named(configuration.version)))

    def speak(self, task: Task, advance: Callable[[float], None], stopped: Callable[[], bool]) -> Outcome:
        """Speaks a task into its result. Raises GsvError for what cannot be spoken, Cancelled if it was stopped."""
        began = time.monotonic()
        content = json.loads(task.request)
        request = SpeechRequest.model_validate(content["request"])
        engine = self._engines.engine(self._configuration)
        manner = self._manner(engine, request)
        notes = [*manner.notes, *content["told"]]
        segments = segments_of(request.text, request.max_text_tokens_per_segment)
        samples = tokens = 0
        with wav_written(self._tasks.result(task.id), engine.sampling_rate) as write:
            for i, segment in enumerate(segments):
                for fragment in spoken(engine, segment, "auto", manner, request.options(), stopped):
                    kept = cut(fragment, request.max_mel_tokens)
                    if kept is not fragment:
                        notes.append(f"Segment {i + 1} was cut off after max_mel_tokens, {request.max_mel_tokens}.")
                    write(kept.wave)
                    samples += len(kept.wave)
                    tokens += kept.tokens
                    notes += [kept.warning] if kept.warning else []
                if stopped():
                    raise Cancelled
                advance((i + 1) / len(segments))
        seconds = samples / engine.sampling_rate
        self._service.meters.spoken(tokens, seconds, time.monotonic() - began)
        return Outcome(" ".join(["The task is done.", *notes]), round(1000 * seconds))

    def _manner(self, engine: Engine, request: SpeechRequest) -> Manner:
        path, voice, notes = self._voice(engine, request)
        method = request.emo_control_method
        if method == 1:
            audio = Path(str(request.emo_audio_path))
            if request.emo_audio_id is not None:
                audio = self._tasks.sound(request.emo_audio_id)
            words = request.emo_prompt_text or self._ears.transcript(audio)
            other = self._references.voice(engine, Reference(audio, words, "auto"))
            made = of_reference(_heard(voice, path), _heard(other, audio), request.emo_weight)
        elif method == 2:
            made = self._feelings.manner(engine, voice, tuple(request.emo_vector or ()), request.emo_weight)
        elif method == 3:
            text = request.emo_text or ""
            made = manner_of(text, self._feelings, engine, voice, request.emo_weight, "emo_text")
        else:
            made = Manner(voice)
        return replace(made, notes=(*notes, *made.notes))

    def _voice(self, engine: Engine, request: SpeechRequest) -> tuple[Path, Voice, tuple[str, ...]]:
        """The speaker, the recording, and what is to be said of it."""
        if request.prompt_audio_id is None:
            assert self.usual is not None
            return self.usual.audio, self._references.voice(engine, self.usual), ()
        path = self._tasks.sound(request.prompt_audio_id)
        words = request.prompt_text or self._ears.transcript(path)
        voice = self._references.voice(engine, Reference(path, words, "auto"))
        if words.strip():
            return path, voice, ()
        note = (
            "It is not known what the voice's recording says, so its timbre is used and its manner is not; give "
            "prompt_text, or install a recogniser."
        )
        return path, voice, (note,)


def _heard(voice: Voice, path: Path) -> Heard:
    return Heard(voice, melody(load(path, _MELODY_RATE), _MELODY_RATE))


def cut(fragment: Fragment, most: int) -> Fragment:
    """The fragment without what lies beyond so many tokens."""
    if fragment.tokens <= most:
        return fragment
    # Its pace may have been changed, so that a token is longer or shorter than it was.
    length = int(len(fragment.wave) * most / fragment.tokens)
    return replace(fragment, wave=fragment.wave[:length], tokens=most)


def segments_of(text: str, most: int) -> list[str]:
    """The text in segments of at most so many text tokens, cut where a reader pauses if that can be."""
    segments: list[str] = []
    current, size = "", 0
    for part in _parts(text, most):
        units = len(_UNITS.findall(part))
        if size and size + units > most:
            segments.append(current)
            current, size = "", 0
        current += part
        size += units
    if size or not segments:
        return [*segments, current]
    segments[-1] += current
    return segments


def _parts(text: str, most: int) -> list[str]:
    """The text between pauses, and what has none for too long, cut at a blank or, if need be, anywhere."""
    parts: list[str] = []
    for part in _ENDS.split(text):
        while len(units := list(_UNITS.finditer(part))) > most:
            end = units[most - 1].end()
            blank = part.rfind(" ", 1, end)
            end = blank + 1 if blank > 0 else end
            parts.append(part[:end])
            part = part[end:]
        parts.append(part)
    return [part for part in parts if part]
