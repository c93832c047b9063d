"""The pitch of a voice, by autocorrelation (P. Boersma, "Accurate short-term analysis of the fundamental frequency",
1993): a frame's autocorrelation over that of its window, the best peak of it, and no path through the frames."""

import torch
import torch.nn.functional as F
from torch import Tensor

LOWEST = 60.0
HIGHEST = 500.0
WINDOW_SECONDS = 0.064
# Above this, a period between two samples looks less periodic than its multiples that fall on one.
HIGHEST_HARMONIC = 2000.0
# How periodic a frame must be to count as voiced; 1 is perfectly.
VOICED = 0.5
# Frames quieter than this part of the loudest are silence.
SILENT = 0.03
# What an octave lower costs: a period's double is as good a period.
OCTAVE_COST = 0.02


def pitch(wave: Tensor, sampling_rate: int, hop: int) -> Tensor:
    """Fundamental frequency in Hz of a wave [B, T], as [B, T // hop]; 0 where a frame is not voiced.

    Frame i is centred on sample (i + 1/2) * hop, as in the spectrograms. No gradient flows through it.
    """
    with torch.no_grad(), torch.autocast(wave.device.type, enabled=False):
        wave = wave.float()
        size = round(WINDOW_SECONDS * sampling_rate)
        margin = (size - hop) // 2
        frames = F.pad(wave, (margin, size - hop - margin)).unfold(-1, size, hop)
        frames = frames - frames.mean(-1, keepdim=True)
        window = torch.hann_window(size, device=wave.device)
        shortest, longest = int(sampling_rate / HIGHEST), int(sampling_rate / LOWEST) + 1
        heard = round(HIGHEST_HARMONIC * 2 * size / sampling_rate)
        likeness = _autocorrelation(frames * window, heard) / _autocorrelation(window, heard)
        lags = torch.arange(shortest, longest + 1, device=wave.device)
        choice = likeness[..., shortest : longest + 1]
        inner = choice[..., 1:-1]
        peak = (inner >= choice[..., :-2]) & (inner >= choice[..., 2:])
        score = inner - OCTAVE_COST * torch.log2(lags[1:-1] * HIGHEST / sampling_rate)
        best = score.masked_fill(~peak, -1.0).argmax(-1, keepdim=True)
        left, middle, right = (choice.gather(-1, best + shift) for shift in (0, 1, 2))
        bend = left - 2 * middle + right
        offset = torch.where(bend < -1e-6, (left - right) / (2 * bend.clamp(max=-1e-6)), 0.0).clamp(-0.5, 0.5)
        hertz = sampling_rate / (lags[1:-1][best] + offset)
        power = frames.square().mean(-1).sqrt()
        loud = power > SILENT * power.amax(-1, keepdim=True).clamp(min=1e-6)
        voiced = (middle[..., 0] > VOICED) & loud & peak.any(-1)
        return torch.where(voiced, hertz[..., 0], 0.0)


def _autocorrelation(frames: Tensor, bins: int) -> Tensor:
    """Of the last axis, for lags up to half the length, over lag 0; only the lowest `bins` frequencies count."""
    size = frames.shape[-1]
    power = torch.fft.rfft(frames, 2 * size)[..., :bins].abs().square()
    correlation = torch.fft.irfft(power, 2 * size)[..., : size // 2 + 1]
    return correlation / correlation[..., :1].clamp(min=1e-9)
