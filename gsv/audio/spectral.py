"""Spectrograms: magnitude and log-Mel as the SoVITS networks take them, and Kaldi's bank for the speaker encoder.

Mel scale and filters of the former: Slaney's, as librosa has them, from `transformers.audio_utils`.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.errors import AudioError

KALDI_RATE = 16000
KALDI_FRAME = 400
KALDI_HOP = 160
KALDI_BINS = 80


@dataclass(frozen=True)
class Stft:
    """How a spectrogram is made. Lengths in samples, frequencies in Hz; `fmax` None is half the sampling rate."""

    sampling_rate: int = 32000
    n_fft: int = 2048
    hop: int = 640
    window: int = 2048
    n_mels: int = 128
    fmin: float = 0.0
    fmax: float | None = None

    @property
    def bins(self) -> int:
        return self.n_fft // 2 + 1


# What all SoVITS versions see of a sound: in training, in style references, and in the loss.
SOVITS_STFT = Stft()


def spectrogram(wave: Tensor, stft: Stft) -> Tensor:
    """Magnitudes [B, bins, T // hop] of a wave [B, T]: sqrt(|X|^2 + 1e-8), periodic Hann window.

    The wave is padded by reflection with (n_fft - hop) / 2 samples on both sides, and frames are not centred further.
    Raises AudioError for a wave shorter than that padding.
    """
    margin = (stft.n_fft - stft.hop) // 2
    if wave.shape[-1] <= margin:
        raise AudioError(f"The sound has {wave.shape[-1]} samples; at least {margin + 1} are needed.")
    spec = torch.stft(
        F.pad(wave.unsqueeze(1), (margin, margin), mode="reflect").squeeze(1),
        stft.n_fft,
        stft.hop,
        stft.window,
        torch.hann_window(stft.window, dtype=wave.dtype, device=wave.device),
        center=False,
        return_complex=True,
    )
    return (torch.view_as_real(spec).square().sum(-1) + 1e-8).sqrt()


@cache
def mel_basis(stft: Stft, device: torch.device | str = "cpu") -> Tensor:
    """Slaney's Mel filters [n_mels, bins], each of unit area."""
    # Here, since it takes longer to import than all else in this file.
    from transformers.audio_utils import mel_filter_bank

    highest = stft.fmax or stft.sampling_rate / 2
    bank = mel_filter_bank(
        stft.bins, stft.n_mels, stft.fmin, highest, stft.sampling_rate, norm="slaney", mel_scale="slaney"
    )
    return torch.from_numpy(bank.T).float().to(device)


def mel_from_spectrogram(spec: Tensor, stft: Stft) -> Tensor:
    """Log-Mel [B, n_mels, frames] of magnitudes [B, bins, frames]: the natural logarithm of max(mel, 1e-5)."""
    return torch.log(torch.clamp(mel_basis(stft, spec.device) @ spec, min=1e-5))


def log_mel(wave: Tensor, stft: Stft) -> Tensor:
    """Log-Mel [B, n_mels, T // hop] of a wave [B, T]; raises as `spectrogram`."""
    return mel_from_spectrogram(spectrogram(wave, stft), stft)


# The range of log-Mel values that the flow-matching models call -1 to 1.
_FLOW_RANGE = (-12.0, 2.0)


def flow_scaled(mel: Tensor) -> Tensor:
    """Log-Mel in the units of the flow-matching models."""
    low, high = _FLOW_RANGE
    return (mel - low) / (high - low) * 2 - 1


def flow_unscaled(scaled: Tensor) -> Tensor:
    """The inverse of `flow_scaled`."""
    low, high = _FLOW_RANGE
    return (scaled + 1) / 2 * (high - low) + low


@cache
def _kaldi_basis(n_fft: int, device: torch.device) -> Tensor:
    """Filters [n_fft / 2 + 1, 80] that are triangles on the Mel scale, from 20 Hz to half the sampling rate."""
    hertz = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * KALDI_RATE / n_fft
    mel = 1127 * torch.log1p(hertz / 700)
    low, high = (1127 * math.log1p(edge / 700) for edge in (20, KALDI_RATE / 2))
    edges = torch.linspace(low, high, KALDI_BINS + 2, dtype=torch.float64)
    rising = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp(min=0).float().to(device)


def kaldi_fbank(wave: Tensor) -> Tensor:
    """Kaldi's log filter bank [frames, 80] of a 16 kHz wave [T] in [-1, 1].

    Frames of 25 ms every 10 ms, those that do not fit are dropped; mean removed, pre-emphasis 0.97, Povey window, power
    spectrum, no dither. Raises AudioError for less than one frame.
    """
    if len(wave) < KALDI_FRAME:
        raise AudioError(f"The sound has {len(wave)} samples at 16 kHz; at least {KALDI_FRAME} are needed.")
    frames = wave.float().unfold(0, KALDI_FRAME, KALDI_HOP)
    frames = frames - frames.mean(dim=1, keepdim=True)
    frames = frames - 0.97 * F.pad(frames.unsqueeze(0), (1, 0), mode="replicate").squeeze(0)[:, :-1]
    povey = torch.hann_window(KALDI_FRAME, periodic=False, device=wave.device) ** 0.85
    n_fft = 1 << (KALDI_FRAME - 1).bit_length()
    power = torch.fft.rfft(frames * povey, n_fft).abs().square()
    return torch.log(torch.clamp(power @ _kaldi_basis(n_fft, wave.device), min=torch.finfo(torch.float32).eps))
