"""SoVITS v3 and v4: tokens, phonemes and a reference become a condition, and flow matching a Mel spectrogram.

The way to the hidden frames is that of v2 (`gsv.models.sovits`), and frozen; what comes after is new. A vocoder of its
own, which is not part of these weights, turns the spectrogram into a wave.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.errors import CheckpointError
from gsv.models.dit import DiTConfig
from gsv.models.flow_matching import FlowMatching
from gsv.models.layers import GatedStack, fold_weight_norm, length_mask, take_over
from gsv.models.sovits import FRAMES_PER_TOKEN as HIDDEN_PER_TOKEN
from gsv.models.sovits import Hearing, PriorEncoder, Quantizer, SovitsConfig, StyleEncoder
from gsv.versions import FlowFacts, Version

_ESTIMATOR = "cfm.estimator."
# The trained models' prompts are up to two thirds of an item.
PROMPT_SHARE = 2 / 3


@dataclass(frozen=True)
class FlowSovitsConfig:
    """Widths; `facts` is what v3 and v4 differ in.

    Official files name those of `base` only; the others' defaults are the official ones, and shapes tell them.
    """

    base: SovitsConfig
    facts: FlowFacts
    dit: DiTConfig = field(default_factory=DiTConfig)
    condition_layers: int = 8

    @classmethod
    def from_weights(
        cls, version: Version, config: Mapping[str, Any], weights: Mapping[str, Tensor]
    ) -> "FlowSovitsConfig":
        """From a checkpoint's `config.model` and its tensors' shapes, which are always right.

        Raises CheckpointError if there are none of a flow matcher.
        """
        layers = sum(name.startswith("wns1.enc.in_layers.") and name.endswith(".bias") for name in weights)
        base = SovitsConfig.from_weights(config, weights)
        try:
            dit = DiTConfig.from_weights(weights, _ESTIMATOR)
        except (KeyError, ValueError) as error:
            raise CheckpointError(
                f"The weight file lacks {error.args[0]}, or it has another shape; it is damaged or of another kind."
            ) from error
        return cls(base, _facts(version), dit, layers)

    @classmethod
    def for_version(cls, version: Version, config: Mapping[str, Any]) -> "FlowSovitsConfig":
        """From a configuration and what the version decides; for models that are made rather than loaded.

        Entries beyond the official ones: `dit` with the names of `DiTConfig`, and `condition_layers`.
        """
        base = SovitsConfig.for_version(version, config)
        layers = config.get("condition_layers", cls.condition_layers)
        return cls(base, _facts(version), DiTConfig.from_dict(config.get("dit", {})), layers)


def _facts(version: Version) -> FlowFacts:
    assert version.flow is not None, "a version that speaks by flow matching"
    return version.flow


class ConditionStack(nn.Module):
    """Gated convolutions on the condition, with the voice's vector."""

    KERNEL = 5

    def __init__(self, channels: int, layers: int, voice: int):
        super().__init__()
        self.pre = nn.Conv1d(channels, channels, 1)
        self.enc = GatedStack(channels, self.KERNEL, layers, voice)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor, mask: Tensor, voice: Tensor) -> Tensor:
        """x [B, C, T], mask [B, 1, T], voice [B, G, 1] -> [B, C, T]."""
        # The style encoder learns nothing from here, as it never did.
        return self.proj(self.enc(self.pre(x) * mask, mask, voice.detach())) * mask


class FlowSovits(Hearing):
    """The generator of v3 and v4. What finds the tokens and the hidden frames is frozen."""

    def __init__(self, config: FlowSovitsConfig):
        super().__init__()
        self.settings = config
        self.config = base = config.base
        width, mel = config.dit.text_dim, config.dit.mel_dim
        self.enc_p = PriorEncoder(base)
        self.ref_enc = StyleEncoder(base.reference_bins, base.style_channels, base.gin_channels)
        self.ssl_proj = nn.Conv1d(base.ssl_dim, base.ssl_dim, HIDDEN_PER_TOKEN, HIDDEN_PER_TOKEN)
        self.quantizer = Quantizer(base.codebook_size, base.ssl_dim)
        self.bridge = nn.Sequential(nn.Conv1d(base.hidden_channels, width, 1), nn.LeakyReLU())
        self.wns1 = ConditionStack(width, config.condition_layers, base.gin_channels)
        # Part of the official files, and used by nothing.
        self.linear_mel = nn.Conv1d(width, mel, 1)
        self.cfm = FlowMatching(config.dit)
        self.enc_p.requires_grad_(False)
        self.ssl_proj.requires_grad_(False)

    @classmethod
    def from_weights(cls, version: Version, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "FlowSovits":
        """The network of a full generator file: its configuration's `model` group and its tensors, in float32."""
        model = cls(FlowSovitsConfig.from_weights(version, config, weights))
        take_over(model, weights)
        return model

    def for_inference(self, brief: bool = False) -> "FlowSovits":
        """The same network without what nothing uses, and with weight norm folded. `brief` changes nothing here."""
        del self.linear_mel
        fold_weight_norm(self)
        return self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "FlowSovits":
        """As for any network; but what is frozen never drops anything out."""
        super().train(mode)
        for frozen in (self.enc_p, self.ssl_proj, self.quantizer):
            frozen.eval()
        return self

    def voice(self, spec: Tensor, speaker: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """One reference's spectrogram [B, 1025, T] -> [B, gin_channels, 1]; these versions take no speaker vector."""
        return self.style(spec, mask)

    def condition(self, codes: Tensor, text: Tensor, voice: Tensor, speed: float = 1.0) -> Tensor:
        """Semantic tokens [B, N], phonemes [B, L] and voice [B, gin_channels, 1] -> condition [B, width, frames].

        A token makes 3.75 frames (v3) or 4 (v4); at another pace, some more or fewer.
        """
        facts = self.settings.facts
        content = self._content(codes)
        mask = content.new_ones(content.shape[0], 1, content.shape[-1])
        x = self.enc_p.frames(content, mask, text, content.new_ones(text.shape[0], 1, text.shape[1]), voice)
        frames = codes.shape[1] * facts.frames_at_most
        if speed != 1.0:
            x = F.interpolate(x, size=int(x.shape[-1] / speed) + 1, mode="linear")
            frames = int(frames / speed) + 1
        x = self._resized(self.bridge(x))
        # As in the official programs a frame past this count is blank; only at another pace is there one.
        inside = torch.arange(x.shape[-1], device=x.device) < int(frames)
        return self.wns1(x, inside.to(x.dtype).expand(len(x), 1, -1), voice)

    def forward(
        self,
        ssl: Tensor,
        spec: Tensor,
        mel: Tensor,
        spec_lengths: Tensor,
        mel_lengths: Tensor,
        text: Tensor,
        text_lengths: Tensor,
        prompt_lengths: Tensor | None = None,
    ) -> Tensor:
        """The loss of a training step.

        Args:
            ssl: [B, ssl_dim, T], as long as `spec`.
            spec: [B, 1025, T], T even, the spectrogram of the style encoder.
            mel: [B, mel_dim, M], the log-Mel of the same sound that the version speaks in, as `flow_scaled`.
            prompt_lengths: [B], how many frames of `mel` are given rather than predicted; drawn if not given.
        """
        spec_mask = length_mask(spec_lengths, spec.shape[-1])[:, None].to(spec.dtype)
        # In full precision even where training runs in less.
        with torch.no_grad(), torch.autocast(spec.device.type, enabled=False):
            voice = self.style(spec, spec_mask)
            text_mask = length_mask(text_lengths, text.shape[1])[:, None].to(spec.dtype)
            hidden = self.enc_p.frames(self._content(self.quantize(ssl)), spec_mask, text, text_mask, voice)
        condition = self._resized(self.bridge(hidden))
        mel_mask = length_mask(mel_lengths, condition.shape[-1])[:, None].to(spec.dtype)
        condition = self.wns1(condition, mel_mask, voice)
        frames = min(mel.shape[-1], condition.shape[-1])
        lengths = mel_lengths.clamp(max=frames)
        if prompt_lengths is None:
            prompt_lengths = (torch.rand(len(mel), device=mel.device) * lengths * PROMPT_SHARE).long()
        return self.cfm(mel[..., :frames], condition[..., :frames], lengths, prompt_lengths)

    def _resized(self, x: Tensor) -> Tensor:
        """Hidden frames, 50 a second, at the rate of the version's spectrogram."""
        return F.interpolate(x, scale_factor=self.settings.facts.frames_per_hidden, mode="nearest")
