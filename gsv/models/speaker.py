"""ERes2NetV2 speaker encoder (arXiv 2406.02167): a Kaldi filter bank in, one vector that tells the voice out.

Only the part up to the fused feature map is used: the Pro models take its average over time, not the final embedding.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class SpeakerConfig:
    """Widths of the network. The speaker vector has 8 * m_channels * expansion * feature_bins / 8 values."""

    m_channels: int = 64
    base_width: int = 24
    scale: int = 4
    expansion: int = 4
    feature_bins: int = 80
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    seg_width: int = 192

    @property
    def vector_width(self) -> int:
        return self.m_channels * self.expansion * self.feature_bins

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor]) -> "SpeakerConfig":
        """The widths of an official file's tensors."""
        stem = weights["conv1.weight"].shape[0]
        first, inner = weights["layer1.0.conv3.weight"].shape[:2]
        scale = sum(name.startswith("layer1.0.convs.") for name in weights)
        counts = [len({name.split(".")[1] for name in weights if name.startswith(f"layer{i}.")}) for i in range(1, 5)]
        return cls(
            m_channels=stem,
            base_width=inner // scale * 64 // stem,
            scale=scale,
            expansion=first // stem,
            blocks=(counts[0], counts[1], counts[2], counts[3]),
            seg_width=weights["seg_1.weight"].shape[0],
        )


class Fusion(nn.Module):
    """Attentional fusion of two feature maps: each position weighs one against the other."""

    def __init__(self, channels: int, reduction: int = 4):
        super().__init__()
        inner = channels // reduction
        self.local_att = nn.Sequential(
            nn.Conv2d(2 * channels, inner, 1),
            nn.BatchNorm2d(inner),
            nn.SiLU(),
            nn.Conv2d(inner, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        lean = self.local_att(torch.cat([x, y], dim=1)).tanh()
        return x * (1 + lean) + y * (1 - lean)


class Block(nn.Module):
    """Residual block whose middle is split into `scale` parts, each also seeing the one before it."""

    def __init__(self, inputs: int, planes: int, stride: int, config: SpeakerConfig, fused: bool):
        super().__init__()
        self.width = planes * config.base_width // 64
        inner, outputs = self.width * config.scale, planes * config.expansion
        self.conv1 = nn.Conv2d(inputs, inner, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.convs = nn.ModuleList(
            nn.Conv2d(self.width, self.width, 3, padding=1, bias=False) for _ in range(config.scale)
        )
        self.bns = nn.ModuleList(nn.BatchNorm2d(self.width) for _ in range(config.scale))
        if fused:
            self.fuse_models = nn.ModuleList(Fusion(self.width) for _ in range(config.scale - 1))
        self.fused = fused
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        parts = _clipped(self.bn1(self.conv1(x))).split(self.width, dim=1)
        done: list[Tensor] = []
        for i, (conv, norm) in enumerate(zip(self.convs, self.bns, strict=True)):
            part = parts[i]
            if done:
                part = self.fuse_models[i - 1](done[-1], part) if self.fused else done[-1] + part
            done.append(_clipped(norm(conv(part))))
        return _clipped(self.bn3(self.conv3(torch.cat(done, dim=1))) + self.shortcut(x))


class SpeakerEncoder(nn.Module):
    """Filter bank -> speaker vector."""

    def __init__(self, config: SpeakerConfig):
        super().__init__()
        self.config = config
        stem = config.m_channels
        self.conv1 = nn.Conv2d(1, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        width = stem
        for i, count in enumerate(config.blocks):
            planes = stem * 2**i
            blocks = []
            for j in range(count):
                blocks.append(Block(width, planes, 2 if i > 0 and j == 0 else 1, config, fused=i >= 2))
                width = planes * config.expansion
            self.add_module(f"layer{i + 1}", nn.Sequential(*blocks))
        self.layer3_ds = nn.Conv2d(width // 2, width, 3, 2, padding=1, bias=False)
        self.fuse34 = Fusion(width)
        # In the official file, and unused: the models were conditioned on what lies before it.
        self.seg_1 = nn.Linear(2 * config.vector_width, config.seg_width)

    def forward(self, filter_bank: Tensor) -> Tensor:
        """filter_bank [B, T, 80] (log power, 10 ms a frame) -> [B, 20480 at official widths]."""
        x = self.bn1(self.conv1(filter_bank.transpose(1, 2).unsqueeze(1))).relu()
        first, second, third, fourth = (self.get_submodule(f"layer{i}") for i in range(1, 5))
        middle = third(second(first(x)))
        fused = self.fuse34(fourth(middle), self.layer3_ds(middle))
        return fused.flatten(1, 2).mean(-1)


def _clipped(x: Tensor) -> Tensor:
    return x.clamp(0, 20)
