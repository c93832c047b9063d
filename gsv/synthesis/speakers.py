"""Saved speakers: all that synthesis needs of a reference, in one file, so that its audio is never processed twice.

A speaker is a safetensors file. Its tensors are the voice as some weights made it, ready to speak, and what was taken
from the recording, from which any other weights make their own; its JSON, in the header, holds the name, the
transcript, and the id of those weights. Nothing in it runs when it is loaded, and what does not fit is refused.
"""

import hashlib
import json
import logging
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gsv.errors import InputError
from gsv.paths import written_whole
from gsv.synthesis.engine import Engine
from gsv.synthesis.flow import mel_rates
from gsv.synthesis.reading import Phonemes
from gsv.synthesis.voice import Recording, Voice

log = logging.getLogger(__name__)

SUFFIX = ".safetensors"
LONGEST_NAME = 100
# Voices kept in memory, so that a request need not read the file again.
_KEPT = 64
# What the file's header calls its JSON.
_HEADER = "speaker"
_MEL = "recording.mel."


class UnknownSpeakerError(InputError):
    """There is no saved speaker of that name."""


@dataclass(frozen=True)
class Card:
    """What is said of a speaker: its name, what the recording says and in which language, and what it belongs to.

    `weights` is the id of the weights that made the voice, `version` theirs, and `content_encoder` the name of the
    network that listened to the recording. `created` is in seconds since 1970.
    """

    name: str
    transcript: str
    language: str
    version: str
    weights: str
    content_encoder: str
    created: float
    norm_text: str = ""
    warnings: tuple[str, ...] = ()


_CARD = TypeAdapter(Card)


@dataclass(frozen=True)
class Speaker:
    """A reference as some weights see it (`voice`, on their device), and what it was made from (`recording`, CPU)."""

    card: Card
    recording: Recording
    voice: Voice

    def on(self, engine: Engine, weights: str) -> Voice:
        """The voice for an engine whose weights have this id; made anew from the recording where they are others.

        Raises InputError where these weights listen with another content encoder than the recording was taken with.
        """
        if weights == self.card.weights:
            return self.voice.moved(engine.device, engine.dtype)
        if self.recording.content is not None and engine.content_encoder != self.card.content_encoder:
            raise InputError(
                f"The speaker {self.card.name!r} was heard by the content encoder {self.card.content_encoder}, and "
                f"these weights need {engine.content_encoder}; clone it again from its recording."
            )
        voices = engine.voices(listens=False)
        with engine.common.turns.turn("pass"):
            return voices.voice(self.recording, self.card.transcript, self.card.language)


@dataclass(frozen=True)
class Cloned:
    """The answer to cloning: the speaker's name, whether it was there before, and sentences for the user."""

    name: str
    existed: bool
    warnings: tuple[str, ...] = ()


class Speakers:
    """A folder of saved speakers. Threads and processes may share it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._lock = threading.Lock()
        self._voices: OrderedDict[tuple[Path, int, str], Voice] = OrderedDict()

    def names(self) -> list[str]:
        """All speakers, the oldest first."""
        return [card.name for card in sorted(self.cards(), key=lambda card: (card.created, card.name))]

    def cards(self) -> list[Card]:
        """What is said of every speaker; a damaged file is logged and left out."""
        return list(_cards(self.folder).values())

    def __contains__(self, name: str) -> bool:
        return self._path(name).is_file()

    def card(self, name: str) -> Card:
        """What is said of a speaker; raises UnknownSpeakerError."""
        with self._known(name):
            return read_card(self._path(name))

    def clone(
        self,
        engine: Engine,
        name: str | None,
        audio: str | Path,
        transcript: str = "",
        language: str = "auto",
        auxiliary: Sequence[str | Path] = (),
    ) -> Cloned:
        """Saves a speaker; one that is there already is kept as it was. Without a name, one is made.

        Raises AudioError or TextError for a reference that cannot be used, as `Engine.voice` does.
        """
        name = checked_name(secrets.token_hex(8) if name is None else name)
        if name in self:
            return Cloned(name, True)
        resolve = engine.project.resolve
        speaks = bool(transcript.strip())
        voices = engine.voices(speaks)
        with engine.common.turns.turn("pass"):
            recording = voices.listen(resolve(audio), [resolve(path) for path in auxiliary], speaks)
            voice = voices.voice(recording, transcript, language)
        card = Card(
            name,
            transcript.strip(),
            language,
            engine.version.name,
            engine.weights_id,
            engine.content_encoder,
            time.time(),
            voice.transcript.norm_text if voice.transcript else "",
            voice.warnings,
        )
        with self._alone():
            if name in self:
                return Cloned(name, True)
            write_speaker(self._path(name), Speaker(card, recording, voice))
        return Cloned(name, False, voice.warnings)

    def remove(self, names: Sequence[str]) -> None:
        """Deletes speakers: all of them, or none with UnknownSpeakerError if one is not there."""
        with self._alone():
            for name in names:
                if name not in self:
                    raise unknown(name)
            for name in names:
                self._path(name).unlink(missing_ok=True)

    def voice(self, name: str, engine: Engine) -> Voice:
        """A speaker ready to speak on these weights; raises UnknownSpeakerError, and InputError as `Speaker.on`."""
        path, weights = self._path(name), engine.weights_id
        with self._known(name):
            key = (path, path.stat().st_mtime_ns, f"{weights} {engine.device} {engine.dtype}")
            with self._lock:
                if key in self._voices:
                    self._voices.move_to_end(key)
                    return self._voices[key]
            voice = read_speaker(path, engine, weights).on(engine, weights)
        with self._lock:
            self._voices[key] = voice
            while len(self._voices) > _KEPT:
                self._voices.popitem(last=False)
        return voice

    def save(self, folder: Path, names: Sequence[str] | None = None) -> list[str]:
        """Copies speakers, all or those named, into another folder, where they replace those of the same name."""
        chosen = self.names() if names is None else list(dict.fromkeys(names))
        for name in chosen:
            if name not in self:
                raise unknown(name)
        for name in chosen:
            with self._known(name):
                _copy(self._path(name), folder / file_name(name))
        return chosen

    def load(self, folder: Path, names: Sequence[str] | None = None) -> list[str]:
        """Takes over speakers that `save` wrote, all or those named; those of the same name here are replaced.

        Raises UnknownSpeakerError for one that is not there and InputError for a damaged one, before any is taken over.
        """
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder} to load speakers from.")
        there = {card.name: path for path, card in _cards(folder).items()}
        chosen = list(there) if names is None else list(dict.fromkeys(names))
        for name in chosen:
            if name not in there:
                raise UnknownSpeakerError(f"There is no speaker {name!r} in {folder}.")
        for name in chosen:
            with self._alone():
                _copy(there[name], self._path(name))
        return chosen

    def _path(self, name: str) -> Path:
        return self.folder / file_name(name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock"):
            yield

    @contextmanager
    def _known(self, name: str) -> Iterator[None]:
        # Another process may remove a speaker between any two looks at it.
        try:
            yield
        except FileNotFoundError as error:
            raise unknown(name) from error


def unknown(name: str) -> UnknownSpeakerError:
    return UnknownSpeakerError(f"There is no speaker {name!r}; clone or load it first.")


def checked_name(name: str) -> str:
    """The name, if one can be called so; InputError otherwise."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(
            f"A speaker cannot be called {name[:LONGEST_NAME]!r}; a name has 1 to {LONGEST_NAME} printable characters."
        )
    return name


def file_name(name: str) -> str:
    """What a speaker's file is called: readable, never a path, and different for every name on any file system."""
    readable = re.sub(r"[^\w-]", "_", name)[:40]
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}{SUFFIX}"


def write_speaker(path: Path, speaker: Speaker) -> None:
    """Writes a speaker's file, whole or not at all."""
    recording, voice = speaker.recording, speaker.voice
    tensors: dict[str, Tensor] = {"voice.prompt": voice.prompt, "voice.timbre": voice.timbre}
    if voice.transcript is not None:
        tensors |= {"voice.phones": voice.transcript.ids, "voice.bert": voice.transcript.bert}
    if voice.mel is not None:
        tensors["voice.mel"] = voice.mel
    if recording.content is not None:
        tensors["recording.content"] = recording.content
    tensors |= {_MEL + name: mel for name, mel in recording.mels.items()}
    for i, (spec, bank) in enumerate(zip(recording.spectrograms, recording.banks, strict=True)):
        tensors |= {f"recording.spectrogram.{i}": spec, f"recording.bank.{i}": bank}
    header = {_HEADER: json.dumps(asdict(speaker.card), ensure_ascii=False)}
    with written_whole(path) as temporary:
        save_file({name: tensor.cpu().clone().contiguous() for name, tensor in tensors.items()}, temporary, header)


def read_card(path: Path) -> Card:
    """What a speaker's file says of it, without its tensors; InputError for a damaged file."""
    with _opened(path) as file:
        return _card(file)


def read_speaker(path: Path, engine: Engine, weights: str) -> Speaker:
    """A speaker's file; InputError if it is damaged, or says to belong to these weights and cannot."""
    with _opened(path) as file:
        card = _card(file)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        count = sum(name.startswith("recording.spectrogram.") for name in tensors)
        recording = Recording(
            tensors.get("recording.content"),
            tuple(tensors[f"recording.spectrogram.{i}"] for i in range(count)),
            tuple(tensors[f"recording.bank.{i}"] for i in range(count)),
            card.warnings,
            {name.removeprefix(_MEL): tensor for name, tensor in tensors.items() if name.startswith(_MEL)},
        )
        transcript = None
        if "voice.phones" in tensors:
            transcript = Phonemes(tensors["voice.phones"], tensors["voice.bert"], card.norm_text)
        mel = tensors.get("voice.mel")
        voice = Voice(tensors["voice.prompt"], transcript, tensors["voice.timbre"], card.warnings, mel)
        speaker = Speaker(card, recording, voice)
        _check(speaker, engine, card.weights == weights)
    return speaker


def _check(speaker: Speaker, engine: Engine, same_weights: bool) -> None:
    """Raises ValueError unless every tensor is what the networks expect: they may crash the process on other ones."""
    recording, voice = speaker.recording, speaker.voice
    sovits, t2s = engine.sovits.config, engine.t2s.config
    expected: list[tuple[Tensor, bool, tuple[int | None, ...]]] = [
        *((spec, True, (1, sovits.spec_channels, None)) for spec in recording.spectrograms),
        *((bank, True, (None, 80)) for bank in recording.banks),
        *(
            (recording.mels[name], True, (1, facts.bands, None))
            for name, facts in mel_rates().items()
            if name in recording.mels
        ),
    ]
    if recording.content is not None:
        # Its width is the content encoder's, which other weights may not share; those refuse it by its name.
        expected.append((recording.content, True, (1, sovits.ssl_dim if same_weights else None, None)))
    if same_weights:
        expected += [(voice.prompt, False, (None,)), (voice.timbre, True, (1, sovits.gin_channels, 1))]
        _check_range(voice.prompt, sovits.codebook_size)
        if engine.version.flow is not None:
            if voice.mel is None or voice.transcript is None:
                raise ValueError("no spectrogram to go on from")
            expected.append((voice.mel, True, (1, engine.version.flow.bands, None)))
        if voice.transcript is not None:
            expected += [
                (voice.transcript.ids, False, (None,)),
                (voice.transcript.bert, True, (t2s.bert_dim, len(voice.transcript))),
            ]
            _check_range(voice.transcript.ids, min(sovits.n_symbols, t2s.phoneme_vocab_size))
    if not recording.spectrograms:
        raise ValueError("no spectrogram")
    for tensor, real, shape in expected:
        fits = tensor.ndim == len(shape) and all(
            wanted in {None, size} for size, wanted in zip(tensor.shape, shape, strict=True)
        )
        if not fits or tensor.is_floating_point() != real or (real and not tensor.isfinite().all()):
            raise ValueError(f"a tensor of shape {tuple(tensor.shape)}")


def _check_range(indices: Tensor, size: int) -> None:
    if indices.dtype != torch.int64 or (len(indices) and not 0 <= int(indices.min()) <= int(indices.max()) < size):
        raise ValueError("an index out of range")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, "pt") as file:
            yield file
    except (SafetensorError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is damaged or is not a saved speaker; clone the speaker again.") from error


def _card(file: Any) -> Card:
    return _CARD.validate_json((file.metadata() or {})[_HEADER])


def _cards(folder: Path) -> dict[Path, Card]:
    """The speakers' files of a folder and what they say of themselves."""
    cards: dict[Path, Card] = {}
    for path in sorted(folder.glob(f"[!.]*{SUFFIX}")):
        try:
            card = read_card(path)
        except FileNotFoundError:  # Another process has just removed it.
            continue
        except InputError as error:
            log.warning("%s", error)
            continue
        # A file under another name than its own, a copy say, would be two speakers of one name.
        if file_name(card.name) == path.name:
            cards[path] = card
    return cards


def _copy(source: Path, target: Path) -> None:
    if target.exists() and source.samefile(target):
        return
    with written_whole(target) as temporary:
        temporary.write_bytes(source.read_bytes())
