"""What an experiment's folder offers for training: which clips are used, which are not and why, and in what order.

The rules are those that the official models are fine-tuned with. Everything is checked before training starts, so that
no clip is silently replaced by silence half way.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import NamedTuple

import soundfile
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from gsv.audio.spectral import Stft, spectrogram
from gsv.errors import TrainingError
from gsv.paths import Experiment
from gsv.text.symbols import SymbolTable, symbol_table
from gsv.versions import Version

STFT = Stft()
TOKENS_PER_SECOND = 25
BERT_WIDTH = 1024
# Fewer clips than this are gone through several times in an epoch.
FULL_EPOCH = 100

# Frames of 20 ms that a clip for SoVITS may have: more than the audio segment that a step makes, at most 38 s.
MIN_FRAMES = 33
MAX_FRAMES = 1900
FRAMES_PER_BUCKET = 100

# Seconds and phonemes per second that a clip for GPT may have.
MAX_SECONDS = 54
PHONEMES_PER_SECOND = (3, 25)
SECONDS_PER_BUCKET = 2

# What reading a file can end in that does not hold the sound or tensor it should.
DAMAGED = (soundfile.SoundFileError, UnpicklingError, RuntimeError, OSError, EOFError, AttributeError)


@dataclass(frozen=True)
class DataReport:
    """Which clips a training uses: how many, how often each in an epoch, and the names of the others by reason."""

    used: int
    repeats: int
    dropped: dict[str, list[str]]

    def __str__(self) -> str:
        often = f", each {self.repeats} times an epoch" if self.repeats > 1 else ""
        lines = [f"{self.used} clips{often}"]
        for reason, names in self.dropped.items():
            shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            lines.append(f"{len(names)} left out: {reason} ({shown})")
        return "; ".join(lines)


@dataclass
class _Sieve:
    """Collects reasons for leaving clips out."""

    dropped: dict[str, list[str]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def drop(self, name: str, reason: str) -> None:
        self.dropped.setdefault(reason, []).append(name)
        self.names.add(name)

    def report(self, used: int, source: Path) -> DataReport:
        if not used:
            found = DataReport(0, 1, self.dropped) if self.dropped else "there are none"
            raise TrainingError(f"No clip in {source} can be trained on: {found}.")
        repeats = max(2, FULL_EPOCH // used) if used < FULL_EPOCH else 1
        return DataReport(used, repeats, self.dropped)


def phonemes_by_name(experiment: Experiment, table: SymbolTable, sieve: _Sieve) -> dict[str, list[int]]:
    """Phoneme ids of each clip in `2-name2text.txt`; TrainingError if that is missing."""
    require(experiment.phones, "text features (stage 1a)")
    found: dict[str, list[int]] = {}
    for number, line in enumerate(experiment.phones.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) != 4:
            sieve.drop(f"line {number}", f"{experiment.phones.name} does not have 4 columns there")
            continue
        phones = columns[1].split()
        unknown = sorted({phone for phone in phones if phone not in table})
        if unknown or not phones:
            sieve.drop(
                columns[0], f"phonemes that this version does not know: {' '.join(unknown[:5]) or 'none at all'}"
            )
        else:
            found[columns[0]] = table.ids(phones)
    return found


def require(path: Path, what: str) -> None:
    """TrainingError if the experiment lacks a file or folder."""
    if not path.exists():
        raise TrainingError(f"{path} is missing; make the {what} of this experiment first.")


@dataclass(frozen=True)
class SpokenClip:
    """A clip for SoVITS; features and audio stay on disk."""

    name: str
    phonemes: list[int]
    frames: int


class SovitsBatch(NamedTuple):
    """Padded on the right; T is even and ssl, spec and wave cover the same time."""

    ssl: Tensor  # [B, ssl_dim, T]
    spec: Tensor  # [B, 1025, T]
    spec_lengths: Tensor  # [B]
    wave: Tensor  # [B, 1, 640 T]
    text: Tensor  # [B, L]
    text_lengths: Tensor  # [B]
    speaker: Tensor | None  # [B, 20480]


class SovitsData(Dataset[SpokenClip]):
    """The clips of an experiment that SoVITS can be trained on.

    Raises TrainingError if a file or folder that stages 1a and 1b make is missing, or if no clip is usable.
    """

    # In frames.
    longest = MAX_FRAMES

    def __init__(self, experiment: Experiment, version: Version):
        self.experiment = experiment
        self.with_speaker = version.uses_speaker_vector
        for folder, what in self._feature_folders():
            require(folder, what)
        sieve = _Sieve()
        phonemes = phonemes_by_name(experiment, symbol_table(version.symbols), sieve)
        for wav in sorted(experiment.wav32k.iterdir()):
            if not wav.name.startswith(".") and wav.name not in phonemes and wav.name not in sieve.names:
                sieve.drop(wav.name, f"no line in {experiment.phones.name}")
        usable = []
        for name in sorted(phonemes):
            clip = self._examined(name, phonemes[name], sieve)
            if clip is not None:
                usable.append(clip)
        self.report = sieve.report(len(usable), experiment.root)
        self.clips = usable * self.report.repeats
        self.ssl_dim = _shape(experiment.hubert / f"{usable[0].name}.pt")[-2]

    def _feature_folders(self) -> list[tuple[Path, str]]:
        folders = [
            (self.experiment.hubert, "content features (stage 1b)"),
            (self.experiment.wav32k, "audio (stage 1b)"),
        ]
        if self.with_speaker:
            folders.append((self.experiment.speaker, "speaker vectors (stage 1b, version v2Pro or v2ProPlus)"))
        return folders

    def _examined(self, name: str, phonemes: list[int], sieve: _Sieve) -> SpokenClip | None:
        audio, features = self.experiment.wav32k / name, self.experiment.hubert / f"{name}.pt"
        speaker = self.experiment.speaker / f"{name}.pt"
        for path in (audio, features, *([speaker] if self.with_speaker else [])):
            if not path.is_file():
                sieve.drop(name, f"no file in {path.parent.name}")
                return None
        try:
            info = soundfile.info(audio)
            ssl_frames = _shape(features)[-1]
            if self.with_speaker:
                _shape(speaker)
        except DAMAGED as error:
            sieve.drop(name, f"a damaged file ({type(error).__name__})")
            return None
        frames = info.frames // STFT.hop
        if info.samplerate != STFT.sampling_rate or info.channels != 1:
            sieve.drop(name, f"{self.experiment.wav32k.name} is not mono at {STFT.sampling_rate} Hz")
        elif frames < MIN_FRAMES:
            sieve.drop(name, "shorter than 0.66 s")
        elif frames > self.longest:
            sieve.drop(name, f"longer than {self.longest * STFT.hop // STFT.sampling_rate} s")
        elif abs(ssl_frames - frames) > 1:
            sieve.drop(name, "content features of another length than the audio")
        else:
            return SpokenClip(name, phonemes, frames)
        return None

    def content(self) -> Iterator[Tensor]:
        """The content features [ssl_dim, T] of every clip, once."""
        for clip in self.clips[: self.report.used]:
            ssl = _tensor(self.experiment.hubert / f"{clip.name}.pt").float()
            yield ssl.reshape(ssl.shape[-2:])

    @property
    def lengths(self) -> list[int]:
        """Frames of every item."""
        return [clip.frames for clip in self.clips]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> SpokenClip:
        return self.clips[index]

    def collate(self, clips: Sequence[SpokenClip]) -> SovitsBatch:
        """Reads the clips' files and pads them to one length."""
        size = max(clip.frames for clip in clips)
        size += size % 2
        features, specs, waves, speakers = [], [], [], []
        for clip in clips:
            samples, _ = soundfile.read(self.experiment.wav32k / clip.name, dtype="float32")
            wave = torch.from_numpy(samples)
            spec = spectrogram(wave[None], STFT)[0]
            ssl = _tensor(self.experiment.hubert / f"{clip.name}.pt").float()
            ssl = ssl.reshape(1, *ssl.shape[-2:])[..., : clip.frames]
            # HuBERT has no padding, so it yields a frame less than the audio has.
            ssl = F.pad(ssl, (0, clip.frames - ssl.shape[-1]), mode="replicate")[0]
            features.append(F.pad(ssl, (0, size - clip.frames)))
            specs.append(F.pad(spec, (0, size - clip.frames)))
            wave = wave[: clip.frames * STFT.hop]
            waves.append(F.pad(wave, (0, size * STFT.hop - len(wave)))[None])
            if self.with_speaker:
                speakers.append(_tensor(self.experiment.speaker / f"{clip.name}.pt").float().flatten())
        text, text_lengths = _padded([clip.phonemes for clip in clips], 0)
        return SovitsBatch(
            torch.stack(features),
            torch.stack(specs),
            torch.tensor([clip.frames for clip in clips]),
            torch.stack(waves),
            text,
            text_lengths,
            torch.stack(speakers) if speakers else None,
        )


@dataclass(frozen=True)
class TokenClip:
    """A clip for GPT; the text feature, where there is one, stays on disk."""

    name: str
    phonemes: list[int]
    tokens: list[int]


class GptBatch(NamedTuple):
    """Padded on the right."""

    phonemes: Tensor  # [B, X]
    phoneme_lengths: Tensor  # [B]
    tokens: Tensor  # [B, Y]
    token_lengths: Tensor  # [B]
    bert: Tensor  # [B, 1024, X]
    names: tuple[str, ...] = ()  # B of them


class GptData(Dataset[TokenClip]):
    """The clips of an experiment that a text-to-semantic model can be trained on.

    Args:
        end: the model's end mark; tokens must be below it.
        max_seconds: of the model's configuration.
        bert_width: of the text features that the model takes.

    Raises TrainingError if a file that stages 1a and 1c make is missing, or if no clip is usable.
    """

    def __init__(
        self,
        experiment: Experiment,
        version: Version,
        end: int,
        max_seconds: float = MAX_SECONDS,
        bert_width: int = BERT_WIDTH,
    ):
        self.experiment = experiment
        self.end = end
        self.bert_width = bert_width
        require(experiment.semantic, "semantic tokens (stage 1c)")
        sieve = _Sieve()
        phonemes = phonemes_by_name(experiment, symbol_table(version.symbols), sieve)
        usable = []
        for name, tokens in _semantic_lines(experiment, sieve):
            clip = self._examined(name, phonemes.get(name), tokens, max_seconds, sieve)
            if clip is not None:
                usable.append(clip)
        self.report = sieve.report(len(usable), experiment.root)
        self.clips = usable * self.report.repeats

    def _examined(
        self, name: str, phonemes: list[int] | None, tokens: list[int], max_seconds: float, sieve: _Sieve
    ) -> TokenClip | None:
        if phonemes is None:
            if name not in sieve.names:
                sieve.drop(name, f"no line in {self.experiment.phones.name}")
            return None
        slowest, fastest = PHONEMES_PER_SECOND
        pace = len(phonemes) * TOKENS_PER_SECOND / len(tokens)
        bert_shape = self._bert_shape(name, len(phonemes), sieve)
        if bert_shape is None:
            return None
        if max(tokens) >= self.end or min(tokens) < 0:
            sieve.drop(name, f"tokens outside 0..{self.end - 1}, which this model does not have")
        elif len(tokens) > max_seconds * TOKENS_PER_SECOND:
            sieve.drop(name, f"longer than {max_seconds:g} s")
        elif len(phonemes) > max_seconds * TOKENS_PER_SECOND / 2.5:
            sieve.drop(name, f"more than {max_seconds * TOKENS_PER_SECOND / 2.5:g} phonemes")
        elif not slowest <= pace <= fastest:
            sieve.drop(name, f"not between {slowest} and {fastest} phonemes a second")
        elif bert_shape != (self.bert_width, len(phonemes)):
            wanted = f"width {self.bert_width} and the phonemes' length"
            sieve.drop(name, f"a feature in {self.experiment.bert.name} that has not {wanted}")
        else:
            return TokenClip(name, phonemes, tokens)
        return None

    def _bert_shape(self, name: str, phonemes: int, sieve: _Sieve) -> tuple[int, ...] | None:
        """Shape of the clip's text feature; as it should be if it has none, as languages other than Mandarin."""
        path = self.experiment.bert / f"{name}.pt"
        if not path.is_file():
            return self.bert_width, phonemes
        try:
            return tuple(_shape(path))
        except DAMAGED as error:
            sieve.drop(name, f"a damaged file ({type(error).__name__})")
            return None

    @property
    def lengths(self) -> list[int]:
        """Tokens of every item."""
        return [len(clip.tokens) for clip in self.clips]

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> TokenClip:
        return self.clips[index]

    def collate(self, clips: Sequence[TokenClip]) -> GptBatch:
        """Reads the text features and pads everything to one length."""
        phonemes, phoneme_lengths = _padded([clip.phonemes for clip in clips], 0)
        tokens, token_lengths = _padded([clip.tokens for clip in clips], self.end)
        bert = torch.zeros(len(clips), self.bert_width, phonemes.shape[1])
        for row, clip in zip(bert, clips, strict=True):
            path = self.experiment.bert / f"{clip.name}.pt"
            if path.is_file():
                row[:, : len(clip.phonemes)] = _tensor(path).float()
        names = tuple(clip.name for clip in clips)
        return GptBatch(phonemes, phoneme_lengths, tokens, token_lengths, bert, names)


def _semantic_lines(experiment: Experiment, sieve: _Sieve) -> Iterator[tuple[str, list[int]]]:
    for number, line in enumerate(experiment.semantic.read_text(encoding="utf-8").splitlines(), start=1):
        name, _, text = line.partition("\t")
        if not line.strip() or (number == 1 and name == "item_name"):
            continue
        try:
            tokens = [int(token) for token in text.split()]
        except ValueError:
            tokens = []
        if tokens:
            yield name, tokens
        else:
            sieve.drop(name, f"no tokens in {experiment.semantic.name}")


def _padded(rows: Sequence[Sequence[int]], fill: int) -> tuple[Tensor, Tensor]:
    tensors = [torch.tensor(row) for row in rows]
    lengths = torch.tensor([len(row) for row in rows])
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=fill), lengths


def _shape(path: Path) -> torch.Size:
    """Shape of a stored tensor, without reading its values."""
    return _tensor(path, mmap=True).shape


def _tensor(path: Path, mmap: bool = False) -> Tensor:
    return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)


class BucketBatches(Sampler[list[int]]):
    """Batches of clips of similar length, in an order that follows from the seed and the epoch alone.

    Clips are shuffled inside their bucket of lengths, the buckets put in a row and cut into batches, and the batches
    shuffled. Every one of `world` processes gets the same number of batches an epoch; where clips do not divide evenly,
    the last batch is smaller, and a few clips may be given to two processes.
    """

    def __init__(self, lengths: Sequence[int], bucket: int, batch_size: int, seed: int, rank: int = 0, world: int = 1):
        self.lengths = lengths
        self.bucket = bucket
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world = world
        self.epoch = 1

    def __len__(self) -> int:
        together = self.batch_size * self.world
        return -(-len(self.lengths) // together)

    def __iter__(self) -> Iterator[list[int]]:
        chance = random.Random(f"{self.seed} {self.epoch}")  # noqa: S311 - not for secrets
        order = list(range(len(self.lengths)))
        chance.shuffle(order)
        order.sort(key=lambda index: self.lengths[index] // self.bucket)
        together = self.batch_size * self.world
        batches = [order[start : start + together] for start in range(0, len(order), together)]
        chance.shuffle(batches)
        for batch in batches:
            missing = -len(batch) % self.world
            batch = batch + (batch * self.world)[:missing]
            yield batch[self.rank :: self.world]
