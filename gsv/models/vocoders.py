"""Networks that turn frames into a waveform."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import weight_normed

_SLOPE = 0.1


class ResidualBlock(nn.Module):
    """Pairs of a dilated and a plain convolution, each pair with a shortcut around it."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]):
        super().__init__()
        self.convs1 = nn.ModuleList(
            weight_normed(nn.Conv1d(channels, channels, kernel, dilation=d, padding=d * (kernel - 1) // 2))
            for d in dilations
        )
        self.convs2 = nn.ModuleList(
            weight_normed(nn.Conv1d(channels, channels, kernel, padding=(kernel - 1) // 2)) for _ in dilations
        )

    def forward(self, x: Tensor) -> Tensor:
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, _SLOPE)), _SLOPE))
        return x


class HifiGenerator(nn.Module):
    """HiFi-GAN's generator (arXiv 2010.05646): transposed convolutions, each followed by parallel residual blocks.

    Args:
        channels: width of the input frames.
        start: width after the first convolution; halved by every upsampling.
        rates, kernels: factor and kernel of every upsampling; samples a frame = the product of the rates.
        block_kernels, block_dilations: the residual blocks that are averaged after every upsampling.
        condition: width of the conditioning vector.
    """

    def __init__(
        self,
        channels: int,
        start: int,
        rates: Sequence[int],
        kernels: Sequence[int],
        block_kernels: Sequence[int],
        block_dilations: Sequence[Sequence[int]],
        condition: int,
    ):
        super().__init__()
        self.conv_pre = nn.Conv1d(channels, start, 7, padding=3)
        self.cond = nn.Conv1d(condition, start, 1)
        self.ups = nn.ModuleList()
        self.resblocks = nn.ModuleList()
        width = start
        for rate, kernel in zip(rates, kernels, strict=True):
            self.ups.append(
                weight_normed(nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2))
            )
            width //= 2
            for block_kernel, dilations in zip(block_kernels, block_dilations, strict=True):
                self.resblocks.append(ResidualBlock(width, block_kernel, dilations))
        self.blocks_each = len(block_kernels)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)
        self._start_small()

    def _start_small(self) -> None:
        """The initial weights that HiFi-GAN trains from."""
        for name, parameter in self.named_parameters():
            if name.endswith("weight_v") or name == "conv_post.weight":
                nn.init.normal_(parameter, 0.0, 0.01)
            if name.endswith("weight_v"):
                owner = self.get_submodule(name.rpartition(".")[0])
                norm = parameter.detach().flatten(1).norm(dim=1)
                owner.weight_g = nn.Parameter(norm.view_as(owner.weight_g))

    def forward(self, frames: Tensor, condition: Tensor) -> Tensor:
        """frames [B, C, T], condition [B, G, 1] -> wave [B, 1, T * samples a frame], within [-1, 1]."""
        x = self.conv_pre(frames) + self.cond(condition)
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, _SLOPE))
            blocks = self.resblocks[i * self.blocks_each : (i + 1) * self.blocks_each]
            x = sum(block(x) for block in blocks) / len(blocks)
        # The default slope here, not the one above: the trained models expect it.
        return self.conv_post(F.leaky_relu(x)).tanh()
