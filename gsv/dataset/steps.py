"""What the stages 1a, 1b and 1c do with an utterance. Their files are those that existing data sets and programs have.

1a  `2-name2text.txt` and, for Mandarin, `3-bert/NAME.pt` [1024, phones]
1b  `5-wav32k/NAME` (16-bit WAV at 32 kHz whatever the name) and `4-cnhubert/NAME.pt` [1, 768, frames at 50 Hz]
1b  `7-sv_cn/NAME.pt` [1, 20480], for the versions that take a speaker vector
1c  `6-name2semantic.tsv`: 25 tokens a second

Tensors have the precision that the encoder ran in: half on a GPU, single on a CPU.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from gsv.audio.io import Samples, load, resample, save_wav
from gsv.audio.spectral import KALDI_RATE, SOVITS_STFT, kaldi_fbank
from gsv.checkpoints import read_generator
from gsv.dataset.rows import RowFile
from gsv.dataset.workers import Item, Skip
from gsv.devices import working_dtype
from gsv.errors import AudioError
from gsv.models.encoders import HUBERT_RATE, ContentEncoder, TextEncoder, load_speaker_encoder
from gsv.models.generators import network_of
from gsv.paths import Experiment, written_whole
from gsv.text.frontend import Frontend
from gsv.text.languages import WITH_FEATURES
from gsv.versions import Version, version_named

Made = Literal["done", "kept"]
Handle = Callable[[Item], Made]

RATE = SOVITS_STFT.sampling_rate

# A clip comes to lie half way between its own loudness and a peak of 0.95. The encoder hears the same clip in a scale
# of its own, a number that the official data sets were made with and that the models expect.
PEAK = 0.95
BLEND = 0.5
WAV_SCALE = 32768
ENCODER_SCALE = 1145.14
# Sound this far beyond full scale is broken.
LOUDEST = 2.2

_BREAKS = str.maketrans("\t\r\n", "   ")


def name_to_text(experiment: Experiment) -> RowFile:
    """Name, phones, phones per character (`None` where there are no text features), normalised text."""
    return RowFile(experiment.phones, columns=4)


def name_to_semantic(experiment: Experiment) -> RowFile:
    """Name and semantic tokens, which may be another generator's if an earlier run made them."""
    return RowFile(experiment.semantic, columns=2, header="item_name\tsemantic_audio", lasting=False)


@dataclass(frozen=True)
class TextStep:
    """Stage 1a. The text encoder is loaded when `with_features`, that is when a line needs it."""

    experiment: Experiment
    version: Version
    roberta: Path
    g2pw: Path | None
    with_features: bool
    pronunciations: Path | None = None
    title: str = "1a text"

    def start(self, device: torch.device, part: int) -> Handle:
        frontend = Frontend(self.version.symbols, self.g2pw, self.roberta, pronunciations=self.pronunciations)
        encoder = _Encoder(TextEncoder.load(self.roberta), device) if self.with_features else None
        table = name_to_text(self.experiment)
        earlier = table.rows()

        def handle(item: Item) -> Made:
            reading = frontend.read_for_training(item.text, item.language)
            counts = None if reading.word2ph is None else list(reading.word2ph)
            norm_text = reading.norm_text.translate(_BREAKS)
            row = [item.name, " ".join(reading.phones), str(counts), norm_text]
            path = self.experiment.bert / f"{item.name}.pt"
            known = earlier.get(item.name) == row
            if counts is None or encoder is None or reading.language not in WITH_FEATURES:
                # Features of an earlier text under this name would be trained with.
                path.unlink(missing_ok=True)
            elif not (known and _is_shaped(path, None, len(reading.phones))):
                _save(encoder(lambda network, _: network.features(norm_text, counts)), path)
                known = False
            if not known:
                table.append(part, row)
            return "kept" if known else "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return ()


@dataclass(frozen=True)
class AudioStep:
    """Stage 1b: the clip at 32 kHz, and its content features."""

    experiment: Experiment
    hubert: Path
    title: str = "1b audio"

    def start(self, device: torch.device, part: int) -> Handle:
        encoder = _Encoder(ContentEncoder.load(self.hubert), device)
        width = encoder.network.width

        def handle(item: Item) -> Made:
            wav = self.experiment.wav32k / item.name
            path = self.experiment.hubert / f"{item.name}.pt"
            if _is_shaped(path, 1, width, None) and _is_wav(wav) and not _is_newer(item.audio, wav):
                return "kept"
            wave = load(item.audio, RATE)
            peak = float(np.abs(wave).max())
            if peak > LOUDEST:
                raise Skip(f"{item.audio} peaks at {peak:.1f} times full scale; up to {LOUDEST} is taken.")
            if peak == 0:
                raise AudioError(f"{item.audio} is silent from end to end.")
            heard = torch.from_numpy(resample(blended(wave, peak, ENCODER_SCALE), RATE, HUBERT_RATE))[None]
            features = encoder(lambda network, dtype: network(heard.to(device, dtype)))
            limits = np.iinfo(np.int16)
            save_wav(wav, np.clip(blended(wave, peak, WAV_SCALE), limits.min, limits.max).astype(np.int16), RATE)
            _save(features, path)
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return (self.experiment.wav32k / item.name, self.experiment.hubert / f"{item.name}.pt")


@dataclass(frozen=True)
class SpeakerStep:
    """The second half of stage 1b: the speaker vector of a clip that its first half has made."""

    experiment: Experiment
    weights: Path
    title: str = "1b speaker"

    def start(self, device: torch.device, part: int) -> Handle:
        encoder = _Encoder(load_speaker_encoder(self.weights), device)
        width = encoder.network.config.vector_width

        def handle(item: Item) -> Made:
            path = self.experiment.speaker / f"{item.name}.pt"
            wav = self.experiment.wav32k / item.name
            if _is_shaped(path, 1, width) and not _is_newer(wav, path):
                return "kept"
            if not _is_wav(wav):
                raise Skip(f"Stage 1b has made no sound file {wav}.")
            bank = kaldi_fbank(torch.from_numpy(load(wav, KALDI_RATE)))[None]
            _save(encoder(lambda network, dtype: network(bank.to(device, dtype))), path)
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return (self.experiment.speaker / f"{item.name}.pt",)


@dataclass(frozen=True)
class SemanticStep:
    """Stage 1c. Tokens depend on the generator, which no file here names, so they are always made anew; it is quick."""

    experiment: Experiment
    generator: Path
    title: str = "1c semantic"

    def start(self, device: torch.device, part: int) -> Handle:
        file = read_generator(self.generator)
        # In single precision even on a GPU: rounding can change which code is the nearest.
        sovits = network_of(version_named(file.version), file.config["model"], file.weight).eval().to(device)
        table = name_to_semantic(self.experiment)

        def handle(item: Item) -> Made:
            path = self.experiment.hubert / f"{item.name}.pt"
            if not _is_shaped(path, 1, sovits.config.ssl_dim, None):
                raise Skip(f"Stage 1b has made no content features {path} of the generator's width.")
            with torch.no_grad():
                codes = sovits.quantize(_loaded(path).to(device, torch.float32))
            table.append(part, [item.name, " ".join(map(str, codes[0].tolist()))])
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return ()


def blended(wave: Samples, peak: float, scale: float) -> Samples:
    """Half the wave as it is and half the wave at a peak of 0.95, times `scale`; float32."""
    return wave / np.float32(peak) * np.float32(PEAK * BLEND * scale) + np.float32((1 - BLEND) * scale) * wave


class _Encoder:
    """A network in the device's working precision. What overflows in half precision is computed again in single."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.dtype = working_dtype(device)
        # Any: each caller knows the methods of its own network.
        self.network: Any = network.to(device, self.dtype)

    @torch.no_grad()
    def __call__(self, run: Callable[[Any, torch.dtype], Tensor]) -> Tensor:
        result = run(self.network, self.dtype)
        if not result.isfinite().all() and self.dtype != torch.float32:
            result = run(copy.deepcopy(self.network).float(), torch.float32)
        if not result.isfinite().all():
            raise AudioError("The encoder's result is not finite, even in single precision.")
        return result.cpu().contiguous()


def _save(tensor: Tensor, path: Path) -> None:
    # Through a file object, because torch writes a path's name into the file: equal tensors make equal files.
    with written_whole(path) as temporary, temporary.open("wb") as file:
        torch.save(tensor, file)


def _loaded(path: Path) -> Tensor:
    return torch.load(path, map_location="cpu", weights_only=True)


def _is_shaped(path: Path, *shape: int | None) -> bool:
    """Whether the file holds a tensor of this shape, where None is any length but zero."""
    if not path.is_file():
        return False
    try:
        found = tuple(_loaded(path).shape)
    except Exception:  # However it is damaged, it is not what is asked for.
        return False
    return len(found) == len(shape) and all(
        size == wanted if wanted is not None else size > 0 for size, wanted in zip(found, shape, strict=True)
    )


def _is_newer(source: Path, made: Path) -> bool:
    """Whether a file was changed after what was made of it; one that is gone was not."""
    return source.exists() and source.stat().st_mtime_ns > made.stat().st_mtime_ns


def _is_wav(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    return info.samplerate == RATE and info.frames > 0
