"""BigVGAN v2 (arXiv 2206.04658), which turns log-Mel frames into a wave; v3 speaks through it.

Like HiFi-GAN's generator, but periodic activations take the place of leaky ReLUs. These make new frequencies, so each
runs at twice the rate between two low-pass filters, and what would fold back is gone.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.errors import CheckpointError
from gsv.models.layers import fold_weight_norm, take_over, weight_normed


@dataclass(frozen=True)
class BigVganConfig:
    """Widths, named as in the official `config.json`; the defaults are those of 24 kHz with 100 bands."""

    num_mels: int = 100
    upsample_rates: Sequence[int] = (4, 4, 2, 2, 2, 2)
    upsample_kernel_sizes: Sequence[int] = (8, 8, 4, 4, 4, 4)
    upsample_initial_channel: int = 1536
    resblock_kernel_sizes: Sequence[int] = (3, 7, 11)
    resblock_dilation_sizes: Sequence[Sequence[int]] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    # What files mean that do not say.
    use_bias_at_final: bool = True
    use_tanh_at_final: bool = True

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "BigVganConfig":
        """From a `config.json`; CheckpointError if it asks for one of the variants that no official v2 network has."""
        for name, value in {"resblock": "1", "activation": "snakebeta", "snake_logscale": True}.items():
            if config.get(name, value) != value:
                raise CheckpointError(f"The BigVGAN configuration has {name} = {config[name]!r}; it must be {value!r}.")
        return cls(**{field.name: config[field.name] for field in fields(cls) if field.name in config})

    @property
    def samples_per_frame(self) -> int:
        return math.prod(self.upsample_rates)


class Snake(nn.Module):
    """x + sin^2(a x) / b with a and b learned for each channel, and stored as logarithms (arXiv 2006.08195)."""

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + (x * self.alpha.exp()[:, None]).sin().square() / (self.beta.exp()[:, None] + 1e-9)


class SmoothSnake(nn.Module):
    """Twice the rate, the activation, and back, with a windowed sinc as the low-pass filter both times.

    Files store the filter, always the same one, with every activation; it is computed here instead.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.act = Snake(channels)
        taps = _low_pass()
        zero = torch.zeros(1)
        # What lies between the samples that are there, and their own places: a filter each, of every other tap.
        phases = torch.stack([torch.cat([taps.flip(0)[::2], zero]), torch.cat([zero, taps.flip(0)[1::2]])])
        self.register_buffer("up", 2 * phases[:, None], persistent=False)
        self.register_buffer("down", taps[None, None], persistent=False)
        self.up: Tensor
        self.down: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] -> the same shape."""
        shape = x.shape
        # All channels have the same filter, so each can be an item of the batch.
        x = F.conv1d(F.pad(x.flatten(0, 1)[:, None], (3, 3), mode="replicate"), self.up)
        x = self.act(x.transpose(1, 2).reshape(*shape[:2], -1))
        x = F.conv1d(F.pad(x.flatten(0, 1)[:, None], (5, 6), mode="replicate"), self.down, stride=2)
        return x.view(shape)


def _low_pass() -> Tensor:
    """12 taps [12] that keep the lower half of the frequencies: a sinc in Kaiser's window, of sum 1."""
    size, width = 12, 0.3
    attenuation = 2.285 * (size // 2 - 1) * math.pi * 4 * width + 7.95
    window = torch.kaiser_window(size, periodic=False, beta=0.1102 * (attenuation - 8.7))
    taps = window * torch.sinc((torch.arange(size) - size // 2 + 0.5) / 2)
    return taps / taps.sum()


class PeriodicBlock(nn.Module):
    """Pairs of a dilated and a plain convolution, an activation before each, and a shortcut around each pair."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]):
        super().__init__()
        self.convs1 = nn.ModuleList(_conv(channels, kernel, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(_conv(channels, kernel, 1) for _ in dilations)
        self.activations = nn.ModuleList(SmoothSnake(channels) for _ in range(2 * len(dilations)))

    def forward(self, x: Tensor) -> Tensor:
        pairs = zip(self.activations[::2], self.convs1, self.activations[1::2], self.convs2, strict=True)
        for before, dilated, between, plain in pairs:
            x = x + plain(between(dilated(before(x))))
        return x


def _conv(channels: int, kernel: int, dilation: int) -> nn.Module:
    padding = dilation * (kernel - 1) // 2
    return weight_normed(nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=padding))


class BigVgan(nn.Module):
    def __init__(self, config: BigVganConfig):
        super().__init__()
        self.config = config
        width = config.upsample_initial_channel
        self.conv_pre = weight_normed(nn.Conv1d(config.num_mels, width, 7, padding=3))
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            self.ups.append(nn.Sequential(weight_normed(up)))
            width //= 2
            for size, dilations in zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True):
                self.resblocks.append(PeriodicBlock(width, size, dilations))
        self.activation_post = SmoothSnake(width)
        self.conv_post = weight_normed(nn.Conv1d(width, 1, 7, padding=3, bias=config.use_bias_at_final))

    @classmethod
    def from_weights(cls, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "BigVgan":
        """From a `config.json` and the tensors of a `bigvgan_generator.pt`, its weight norm folded or not; to speak."""
        model = cls(BigVganConfig.from_dict(config))
        folded = "conv_pre.weight" in weights
        if folded:
            fold_weight_norm(model)
        take_over(model, weights)
        if not folded:
            fold_weight_norm(model)
        return model.requires_grad_(False).eval()

    @property
    def samples_per_frame(self) -> int:
        return self.config.samples_per_frame

    def forward(self, mel: Tensor) -> Tensor:
        """Log-Mel [B, num_mels, T] -> wave [B, 1, T * samples_per_frame] within [-1, 1]."""
        x = self.conv_pre(mel)
        each = len(self.config.resblock_kernel_sizes)
        for i, up in enumerate(self.ups):
            x = up(x)
            x = sum(block(x) for block in self.resblocks[i * each : (i + 1) * each]) / each
        x = self.conv_post(self.activation_post(x))
        return x.tanh() if self.config.use_tanh_at_final else x.clamp(-1, 1)
