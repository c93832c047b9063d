"""What a voice's content encoder makes of SoVITS' sound, as a loss: it should hear what it hears in the real one.

Spectra alone count a blurred consonant for little, since it is short and quiet; what tells phones apart counts for much
in the encoder's features (cf. arXiv 1603.08155 for such losses).
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gsv.models.encoders import ContentEncoder


@dataclass(frozen=True)
class Listener:
    """Compares the features of all layers, each of which counts alike.

    Args:
        encoder: is frozen from here on.
    """

    encoder: ContentEncoder

    def __post_init__(self) -> None:
        self.encoder.requires_grad_(False)

    @classmethod
    def load(cls, folder: Path) -> "Listener":
        """Raises MissingWeightsError, UnsafeCheckpointError or CheckpointError."""
        return cls(ContentEncoder.load(folder))

    def to(self, device: torch.device) -> "Listener":
        return Listener(self.encoder.to(device))

    def __call__(self, real: Tensor, made: Tensor) -> Tensor:
        """Waves [B, T] at SoVITS' rate -> the features' mean absolute difference, relative to their size."""
        with torch.no_grad():
            wanted = self._heard(real)
        differences = [
            (found - target).abs().mean() / target.abs().mean()
            for found, target in zip(self._heard(made), wanted, strict=True)
        ]
        return torch.stack(differences).mean()

    def _heard(self, wave: Tensor) -> list[Tensor]:
        return [layer.float() for layer in self.encoder.layers(at_half_rate(wave))]


def at_half_rate(wave: Tensor) -> Tensor:
    """[B, T] -> the same at half the rate, which is the encoder's, without what does not go into it.

    Unlike soxr's way (`gsv.audio.io.resample`) it hands gradients back.
    """
    size = wave.shape[-1] // 2
    return torch.fft.irfft(torch.fft.rfft(wave.float())[:, : size // 2 + 1], size) * (size / wave.shape[-1])
