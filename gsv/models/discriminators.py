"""The critics of GAN training: one that looks at the waveform as it is, and one for each period it is folded by.

HiFi-GAN (arXiv 2010.05646), with a single scale, as in VITS.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import weight_normed

_SLOPE = 0.1


class PeriodDiscriminator(nn.Module):
    """Folds the waveform into rows of `period` samples and looks down the columns."""

    def __init__(self, period: int, channels: Sequence[int]):
        super().__init__()
        self.period = period
        widths = [1, *channels]
        last = len(channels) - 1
        self.convs = nn.ModuleList(
            weight_normed(nn.Conv2d(widths[i], widths[i + 1], (5, 1), (3 if i < last else 1, 1), padding=(2, 0)))
            for i in range(len(channels))
        )
        self.conv_post = weight_normed(nn.Conv2d(widths[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        wave = F.pad(wave, (0, -wave.shape[-1] % self.period), "reflect")
        return _judge(self.convs, self.conv_post, wave.unflatten(-1, (-1, self.period)))


class ScaleDiscriminator(nn.Module):
    """Looks at the waveform as it is, with ever coarser strides."""

    def __init__(self, channels: Sequence[int]):
        super().__init__()
        first, *middle, last = channels
        convs: list[nn.Module] = [nn.Conv1d(1, first, 15, padding=7)]
        width = first
        for step, wider in enumerate(middle, start=1):
            convs.append(nn.Conv1d(width, wider, 41, 4, groups=4**step, padding=20))
            width = wider
        convs.append(nn.Conv1d(width, last, 5, padding=2))
        self.convs = nn.ModuleList(weight_normed(conv) for conv in convs)
        self.conv_post = weight_normed(nn.Conv1d(last, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        return _judge(self.convs, self.conv_post, wave)


class Discriminators(nn.Module):
    """One scale discriminator and one period discriminator for each of `periods`.

    `scale_channels` and `period_channels` are the layers' widths; the defaults are the official ones.
    """

    def __init__(
        self,
        periods: Sequence[int],
        scale_channels: Sequence[int] = (16, 64, 256, 1024, 1024, 1024),
        period_channels: Sequence[int] = (32, 128, 512, 1024, 1024),
    ):
        super().__init__()
        self.discriminators = nn.ModuleList(
            [ScaleDiscriminator(scale_channels), *(PeriodDiscriminator(period, period_channels) for period in periods)]
        )

    def forward(self, wave: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """wave [B, 1, T] -> scores [B, N] and feature maps, in the order of the discriminators."""
        judged = [discriminator(wave) for discriminator in self.discriminators]
        return [score for score, _ in judged], [features for _, features in judged]


def _judge(convs: nn.ModuleList, last: nn.Module, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    features = []
    for conv in convs:
        x = F.leaky_relu(conv(x), _SLOPE)
        features.append(x)
    x = last(x)
    return x.flatten(1), [*features, x]
