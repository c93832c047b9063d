"""AP-BWE (arXiv 2401.06387): finds the upper half of the frequencies of a voice that has the lower half only.

Two streams of ConvNeXt blocks, one for the logarithm of amplitudes and one for phases, see each other at every block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import take_over

_EPSILON = 1e-6


@dataclass(frozen=True)
class BandwidthConfig:
    """Widths, named as in the official `config.json`; the defaults are those of 24 to 48 kHz. Lengths in samples."""

    ConvNeXt_channels: int = 512
    ConvNeXt_layers: int = 8
    n_fft: int = 1024
    hop_size: int = 80
    win_size: int = 320
    hr_sampling_rate: int = 48000

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "BandwidthConfig":
        """From a `config.json`; entries that gsv does not use are ignored."""
        return cls(**{field.name: config[field.name] for field in fields(cls) if field.name in config})


class ScaledBlock(nn.Module):
    """A block of ConvNeXt (arXiv 2201.03545) along time, its outcome scaled for each channel."""

    def __init__(self, channels: int, scale: float):
        super().__init__()
        self.dwconv = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=_EPSILON)
        self.pwconv1 = nn.Linear(channels, 3 * channels)
        self.pwconv2 = nn.Linear(3 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), scale))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> the same shape."""
        inner = F.gelu(self.pwconv1(self.norm(self.dwconv(x).transpose(1, 2))))
        return x + (self.gamma * self.pwconv2(inner)).transpose(1, 2)


class BandwidthExtension(nn.Module):
    """A wave whose upper half of frequencies is empty -> one where it is not."""

    def __init__(self, config: BandwidthConfig):
        super().__init__()
        self.config = config
        bins, channels, layers = config.n_fft // 2 + 1, config.ConvNeXt_channels, config.ConvNeXt_layers

        def blocks() -> nn.ModuleList:
            return nn.ModuleList(ScaledBlock(channels, 1 / layers) for _ in range(layers))

        self.conv_pre_mag = nn.Conv1d(bins, channels, 7, padding=3)
        self.norm_pre_mag = nn.LayerNorm(channels, eps=_EPSILON)
        self.conv_pre_pha = nn.Conv1d(bins, channels, 7, padding=3)
        self.norm_pre_pha = nn.LayerNorm(channels, eps=_EPSILON)
        self.convnext_mag = blocks()
        self.convnext_pha = blocks()
        self.norm_post_mag = nn.LayerNorm(channels, eps=_EPSILON)
        self.norm_post_pha = nn.LayerNorm(channels, eps=_EPSILON)
        self.linear_post_mag = nn.Linear(channels, bins)
        self.linear_post_pha_r = nn.Linear(channels, bins)
        self.linear_post_pha_i = nn.Linear(channels, bins)

    @classmethod
    def from_weights(cls, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "BandwidthExtension":
        """From a `config.json` and the tensors of its file. Raises CheckpointError if they disagree."""
        model = cls(BandwidthConfig.from_dict(config))
        take_over(model, weights)
        return model.requires_grad_(False).eval()

    def forward(self, wave: Tensor) -> Tensor:
        """[B, T] at the higher rate -> [B, T]."""
        config = self.config
        window = torch.hann_window(config.win_size, device=wave.device)
        sizes = config.n_fft, config.hop_size, config.win_size, window
        spectrum = torch.stft(wave, *sizes, return_complex=True)
        given = (spectrum.abs() + 1e-4).log()
        loud = self.norm_pre_mag(self.conv_pre_mag(given).transpose(1, 2)).transpose(1, 2)
        phase = self.norm_pre_pha(self.conv_pre_pha(spectrum.angle()).transpose(1, 2)).transpose(1, 2)
        for of_loud, of_phase in zip(self.convnext_mag, self.convnext_pha, strict=True):
            loud = loud + phase
            phase = phase + loud
            loud, phase = of_loud(loud), of_phase(phase)
        loud, phase = self.norm_post_mag(loud.transpose(1, 2)), self.norm_post_pha(phase.transpose(1, 2))
        amplitude = (given + self.linear_post_mag(loud).transpose(1, 2)).exp()
        angle = torch.atan2(self.linear_post_pha_i(phase), self.linear_post_pha_r(phase)).transpose(1, 2)
        return torch.istft(torch.polar(amplitude, angle), *sizes, length=wave.shape[-1])
