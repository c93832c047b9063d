"""What turns log-Mel frames into waves: v3's BigVGAN, and v4's, which is HiFi-GAN's generator without a condition."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from gsv.models.bigvgan import BigVgan
from gsv.models.layers import fold_weight_norm, take_over
from gsv.models.vocoders import HifiGenerator
from gsv.versions import VocoderKind

MelVocoder = BigVgan | HifiGenerator

# The strides and kernels of v4's vocoder; its file holds tensors alone, whose shapes tell the widths.
HIFI_RATES = (10, 6, 2, 2, 2)
HIFI_KERNELS = (20, 12, 4, 4, 4)
HIFI_BLOCKS = (3, 7, 11)
HIFI_DILATIONS = ((1, 3, 5),) * 3


def hifi(bands: int, width: int) -> HifiGenerator:
    """v4's vocoder, 48 kHz from 100 frames a second; weight norm folded, as its files have it."""
    made = HifiGenerator(bands, width, HIFI_RATES, HIFI_KERNELS, HIFI_BLOCKS, HIFI_DILATIONS, None, bias=True)
    fold_weight_norm(made)
    return made.requires_grad_(False).eval()


def vocoder_of(kind: VocoderKind, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> MelVocoder:
    """The network of a vocoder's file, to speak. Raises CheckpointError if its tensors are not those of one."""
    if kind == "bigvgan":
        return BigVgan.from_weights(config, weights)
    first = weights.get("conv_pre.weight")
    made = hifi(100, 512) if first is None else hifi(first.shape[1], first.shape[0])
    take_over(made, weights)
    return made
