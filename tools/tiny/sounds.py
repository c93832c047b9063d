"""What a microphone, a room and a mood do to speech; the content encoder is to hear through it."""

import torch
from torch import Tensor

RATE = 16000


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
    curve = torch.nn.functional.interpolate(points, bins, mode="linear", align_corners=True)[:, 0]
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
