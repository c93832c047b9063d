"""What a microphone, a room and a mood do to speech; content encoder and style encoder are to hear through it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gsv.models.sovits import Sovits

RATE = 16000
# How many of the references that SoVITS learns a voice from are recorded badly.
BADLY_RECORDED = 0.6


def spoilt(wave: Tensor) -> Tensor:
    """A batch [B, T] at 16 kHz, each row with an equaliser, sometimes an echo, noise and a loudness of its own."""
    spectrum = torch.fft.rfft(wave, 2 * wave.shape[-1])
    spectrum = spectrum * _equaliser(len(wave), spectrum.shape[-1]) * _room(wave)
    heard = torch.fft.irfft(spectrum)[:, : wave.shape[-1]]
    level = heard.square().mean(-1, keepdim=True).sqrt()
    decibels = torch.empty(len(wave), 1).uniform_(8, 50)
    heard = heard + _noise(heard) * level * 10 ** (-decibels / 20)
    return heard * torch.empty(len(wave), 1).uniform_(-1.5, 1.5).exp()


def _equaliser(rows: int, bins: int) -> Tensor:
    """A smooth gain of up to 12 dB either way at some points along the frequencies."""
    points = torch.empty(rows, 1, 12).uniform_(-12, 12)
    curve = F.interpolate(points, bins, mode="linear", align_corners=True)[:, 0]
    return 10 ** (curve / 20)


def _room(wave: Tensor) -> Tensor:
    """The spectrum of an exponentially dying echo, in a third of the rows."""
    rows, size = wave.shape
    seconds = torch.arange(size) / RATE
    dying = torch.exp(-seconds / torch.empty(rows, 1).uniform_(0.01, 0.06))
    echo = torch.randn(rows, size) * dying
    echo = echo / echo.square().sum(-1, keepdim=True).sqrt() * torch.empty(rows, 1).uniform_(0.1, 0.6)
    echo = echo * (torch.rand(rows, 1) < 0.33)
    echo[:, 0] = 1.0
    return torch.fft.rfft(echo, 2 * size)


def _noise(wave: Tensor) -> Tensor:
    """Noise of unit power, from white to one that falls with frequency."""
    spectrum = torch.fft.rfft(torch.randn_like(wave))
    slope = torch.empty(len(wave), 1).uniform_(0, 1)
    frequencies = torch.arange(1, spectrum.shape[-1] + 1)
    noise = torch.fft.irfft(spectrum / frequencies**slope, wave.shape[-1])
    return noise / noise.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-9)


def record_badly(network: Sovits) -> None:
    """From here on, the spectrograms that a network takes voices from are often spoilt in training, see `recorded`.

    The voice that it must speak in stays clean, so it learns to take the speaker's part of what it hears and no more.
    """

    def spoil(module: torch.nn.Module, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor] | None:
        if not module.training:
            return None
        spec, mask = inputs
        chosen = torch.rand(len(spec), 1, 1, device=spec.device) < BADLY_RECORDED
        return torch.where(chosen, recorded(spec, mask), spec), mask

    network.ref_enc.register_forward_pre_hook(spoil)


def recorded(spec: Tensor, mask: Tensor) -> Tensor:
    """Magnitudes [B, bins, T], and the mask [B, 1, T] of what is inside -> the same in a room, through a microphone.

    Each row has an echo, an equaliser of up to 6 dB, noise 5 to 40 dB below it and an upper end of its own.
    """
    rows, bins, _ = spec.shape
    frames = torch.arange(15.0, 0, -1)
    dying = torch.empty(rows, 1).uniform_(0.3, 2.0)
    echo = torch.exp(-frames / dying) * torch.empty(rows, 1).uniform_(0, 0.5)
    echo = torch.cat([echo, torch.ones(rows, 1)], dim=1).to(spec)
    power = F.pad(spec.square(), (len(frames), 0)).unfold(-1, echo.shape[1], 1)
    power = torch.einsum("bctk,bk->bct", power, echo.square())
    curve = F.interpolate(torch.empty(rows, 1, 8).uniform_(-6, 6), bins, mode="linear", align_corners=True)[:, 0]
    ends = torch.empty(rows, 1).uniform_(0.3, 2.0) * bins
    curve = curve - (torch.arange(bins) - ends).clamp(min=0) * (60 / bins)
    power = power * 10 ** (curve / 10).to(spec)[..., None]
    loudness = power.sum(1).amax(-1) / bins
    below = 10 ** (-torch.empty(rows).uniform_(5, 40) / 10).to(spec)
    slope = (torch.arange(1, bins + 1)[None] ** -torch.empty(rows, 1).uniform_(0, 1)).to(spec)
    noise = (slope / slope.mean(1, keepdim=True) * (loudness * below)[:, None])[..., None]
    # The power of noise in one bin of one frame is spread exponentially.
    return (power + noise * torch.empty_like(spec).exponential_()).sqrt() * mask
