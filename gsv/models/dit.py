"""The diffusion transformer that predicts velocities for flow matching (DiT, arXiv 2212.09748, as F5-TTS, 2410.06885).

Inputs are channel-first, [B, C, T], as everywhere; inside and in what comes out frames go before channels, [B, T, C].
Parameter names are those of the official checkpoints.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gsv.models.layers import length_mask

_EPSILON = 1e-6


@dataclass(frozen=True)
class DiTConfig:
    """Widths; the defaults are the official ones, which are the same for v3 and v4."""

    dim: int = 1024
    depth: int = 22
    heads: int = 16
    dim_head: int = 64
    ff_mult: int = 2
    mel_dim: int = 100
    text_dim: int = 512
    conv_layers: int = 4
    dropout: float = 0.1

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "DiTConfig":
        """From a mapping with these names; other entries are ignored."""
        return cls(**{field.name: config[field.name] for field in fields(cls) if field.name in config})

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor], prefix: str) -> "DiTConfig":
        """From the shapes of a file's tensors whose names begin with `prefix`; files have no other word of it."""
        out, mix = weights[prefix + "proj_out.weight"], weights[prefix + "input_embed.proj.weight"]
        mel, dim = out.shape
        first = prefix + "transformer_blocks.0."
        dim_head = 2 * len(weights[prefix + "rotary_embed.inv_freq"])
        return cls(
            dim=dim,
            depth=_count(weights, prefix + "transformer_blocks."),
            heads=len(weights[first + "attn.to_q.weight"]) // dim_head,
            dim_head=dim_head,
            ff_mult=len(weights[first + "ff.ff.0.0.weight"]) // dim,
            mel_dim=mel,
            text_dim=mix.shape[1] - 2 * mel,
            conv_layers=_count(weights, prefix + "text_embed.text_blocks."),
        )


def _count(weights: Mapping[str, Tensor], prefix: str) -> int:
    return len({name[len(prefix) :].split(".")[0] for name in weights if name.startswith(prefix)})


@dataclass(frozen=True)
class Conditions:
    """What stays the same over all steps of a sampling.

    Args:
        fixed: [B, T, dim], the share of the input layer that the prompt and the condition have.
        cosine, sine: [T, dim_head], the rotary tables.
        inside: [B, T] of bool, or None where all sequences are of full length.
    """

    fixed: Tensor
    cosine: Tensor
    sine: Tensor
    inside: Tensor | None


class ScalarEmbedding(nn.Module):
    """A number of 0 to 1 for each sequence -> a vector: sines and cosines, then two layers."""

    WIDTH = 256
    SCALE = 1000

    def __init__(self, dim: int):
        super().__init__()
        self.time_mlp = nn.Sequential(nn.Linear(self.WIDTH, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, numbers: Tensor) -> Tensor:
        """[B] -> [B, dim]."""
        half = self.WIDTH // 2
        frequencies = torch.exp(torch.arange(half, device=numbers.device) * (-math.log(10000) / (half - 1)))
        angles = self.SCALE * numbers.float()[:, None] * frequencies
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1)
        return self.time_mlp(waves.to(next(self.time_mlp.parameters()).dtype))


class ResponseNorm(nn.Module):
    """Global response normalisation (ConvNeXt V2, arXiv 2301.00808).

    Its norm runs over all frames, padded ones too.
    """

    def __init__(self, width: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, width))
        self.beta = nn.Parameter(torch.zeros(1, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        # In float32: the sum of squares over a thousand frames overflows half precision.
        norm = x.float().norm(dim=1, keepdim=True)
        share = (norm / (norm.mean(dim=-1, keepdim=True) + _EPSILON)).to(x.dtype)
        return self.gamma * (x * share) + self.beta + x


class ConvBlock(nn.Module):
    """A block of ConvNeXt V2 along time."""

    def __init__(self, width: int):
        super().__init__()
        self.dwconv = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=_EPSILON)
        self.pwconv1 = nn.Linear(width, 2 * width)
        self.grn = ResponseNorm(2 * width)
        self.pwconv2 = nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.dwconv(x.transpose(1, 2)).transpose(1, 2))
        return x + self.pwconv2(self.grn(F.gelu(self.pwconv1(inner))))


class ConditionEmbedding(nn.Module):
    """Adds each frame's place to the condition and lets neighbours see each other."""

    # Frames past this one share its place.
    PLACES = 4096

    def __init__(self, width: int, layers: int):
        super().__init__()
        self.text_blocks = nn.Sequential(*(ConvBlock(width) for _ in range(layers)))

    def forward(self, mu: Tensor) -> Tensor:
        """[B, T, C] -> the same shape."""
        if not len(self.text_blocks):
            return mu
        width = mu.shape[-1]
        frequencies = 10000.0 ** (-torch.arange(0, width, 2, device=mu.device) / width)
        places = torch.arange(mu.shape[1], device=mu.device).clamp(max=self.PLACES - 1)
        angles = places[:, None] * frequencies
        return self.text_blocks(mu + torch.cat([angles.cos(), angles.sin()], dim=-1).to(mu.dtype))


class ConvPosition(nn.Module):
    """What tells a frame where it is: grouped convolutions along time."""

    KERNEL = 31
    GROUPS = 16

    def __init__(self, dim: int):
        super().__init__()
        self.conv1d = nn.Sequential(
            nn.Conv1d(dim, dim, self.KERNEL, padding=self.KERNEL // 2, groups=self.GROUPS),
            nn.Mish(),
            nn.Conv1d(dim, dim, self.KERNEL, padding=self.KERNEL // 2, groups=self.GROUPS),
            nn.Mish(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv1d(x.transpose(1, 2)).transpose(1, 2)


class InputEmbedding(nn.Module):
    """State, prompt and condition of each frame into one vector."""

    def __init__(self, config: DiTConfig):
        super().__init__()
        self.mel_dim = config.mel_dim
        self.proj = nn.Linear(2 * config.mel_dim + config.text_dim, config.dim)
        self.conv_pos_embed = ConvPosition(config.dim)

    def fixed(self, prompt: Tensor, condition: Tensor) -> Tensor:
        """The part of the projection that does not depend on the state, [B, T, dim]."""
        return F.linear(torch.cat([prompt, condition], dim=-1), self.proj.weight[:, self.mel_dim :], self.proj.bias)

    def forward(self, x: Tensor, fixed: Tensor) -> Tensor:
        x = F.linear(x, self.proj.weight[:, : self.mel_dim]) + fixed
        return x + self.conv_pos_embed(x)


class Rotary(nn.Module):
    """Rotary position embedding (arXiv 2104.09864), of neighbouring pairs.

    The frequencies are stored in checkpoints, in half precision; models were trained and are used with these.
    """

    def __init__(self, width: int):
        super().__init__()
        self.register_buffer("inv_freq", 10000.0 ** (-torch.arange(0, width, 2) / width))
        self.inv_freq: Tensor

    def tables(self, frames: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines, each [frames, width]."""
        angles = torch.arange(frames, device=self.inv_freq.device)[:, None] * self.inv_freq.float()
        angles = angles.repeat_interleave(2, dim=-1)
        return angles.cos(), angles.sin()


def _rotated(x: Tensor, conditions: Conditions) -> Tensor:
    """[B, T, heads * dim_head] with the first head's features turned; the models were trained without the others'."""
    width = conditions.cosine.shape[-1]
    head = x[..., :width].float()
    across = torch.stack([-head[..., 1::2], head[..., ::2]], dim=-1).flatten(-2)
    turned = head * conditions.cosine + across * conditions.sine
    return torch.cat([turned.to(x.dtype), x[..., width:]], dim=-1)


class SelfAttention(nn.Module):
    def __init__(self, config: DiTConfig):
        super().__init__()
        self.heads = config.heads
        inner = config.heads * config.dim_head
        self.to_q = nn.Linear(config.dim, inner)
        self.to_k = nn.Linear(config.dim, inner)
        self.to_v = nn.Linear(config.dim, inner)
        self.to_out = nn.Sequential(nn.Linear(inner, config.dim), nn.Dropout(config.dropout))

    def forward(self, x: Tensor, conditions: Conditions) -> Tensor:
        query, key = (_rotated(project(x), conditions) for project in (self.to_q, self.to_k))
        query, key, value = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in (query, key, self.to_v(x)))
        inside = conditions.inside
        mask = None if inside is None else inside[:, None, None]
        out = self.to_out(F.scaled_dot_product_attention(query, key, value, mask).transpose(1, 2).flatten(2))
        return out if inside is None else out.masked_fill(~inside[..., None], 0.0)


class Modulation(nn.Module):
    """The time's vector -> so many shifts, scales and gates, each [B, 1, dim]."""

    def __init__(self, dim: int, count: int):
        super().__init__()
        self.count = count
        self.linear = nn.Linear(dim, count * dim)

    def forward(self, time: Tensor) -> tuple[Tensor, ...]:
        return self.linear(F.silu(time))[:, None].chunk(self.count, dim=-1)


def _modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=_EPSILON) * (1 + scale) + shift


class Block(nn.Module):
    """Attention and a feed-forward layer, both scaled, shifted and gated by the time (adaLN-Zero)."""

    def __init__(self, config: DiTConfig):
        super().__init__()
        hidden = config.dim * config.ff_mult
        self.attn_norm = Modulation(config.dim, 6)
        self.attn = SelfAttention(config)
        self.ff = nn.ModuleDict(
            {
                "ff": nn.Sequential(
                    nn.Sequential(nn.Linear(config.dim, hidden), nn.GELU(approximate="tanh")),
                    nn.Dropout(config.dropout),
                    nn.Linear(hidden, config.dim),
                )
            }
        )

    def forward(self, x: Tensor, time: Tensor, conditions: Conditions) -> Tensor:
        shift, scale, gate, ff_shift, ff_scale, ff_gate = self.attn_norm(time)
        x = x + gate * self.attn(_modulated(x, scale, shift), conditions)
        return x + ff_gate * self.ff["ff"](_modulated(x, ff_scale, ff_shift))


class DiT(nn.Module):
    """The velocity of a noisy Mel spectrogram, given how far it has come, a prompt and a condition."""

    def __init__(self, config: DiTConfig):
        super().__init__()
        self.config = config
        self.gradient_checkpointing = False
        self.time_embed = ScalarEmbedding(config.dim)
        self.d_embed = ScalarEmbedding(config.dim)
        self.text_embed = ConditionEmbedding(config.text_dim, config.conv_layers)
        self.input_embed = InputEmbedding(config)
        self.rotary_embed = Rotary(config.dim_head)
        self.transformer_blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm_out = Modulation(config.dim, 2)
        self.proj_out = nn.Linear(config.dim, config.mel_dim)

    def conditions(self, prompt: Tensor, mu: Tensor, lengths: Tensor | None = None) -> Conditions:
        """prompt [B, mel_dim, T], zero after its end, mu [B, text_dim, T], lengths [B] or None if all are T."""
        condition = self.text_embed(mu.transpose(1, 2))
        inside = None if lengths is None else length_mask(lengths, mu.shape[-1])
        fixed = self.input_embed.fixed(prompt.transpose(1, 2), condition)
        return Conditions(fixed, *self.rotary_embed.tables(mu.shape[-1]), inside)

    def pace(self, time: Tensor, step: Tensor) -> Tensor:
        """Times and step sizes, both [B] of 0 to 1, as one vector each, [B, dim]; step 0 is an infinitely small one."""
        return self.time_embed(time) + self.d_embed(step)

    def velocity(self, x: Tensor, pace: Tensor, conditions: Conditions) -> Tensor:
        """x [B, mel_dim, T], pace [B, dim] -> [B, T, mel_dim]."""
        x = self.input_embed(x.transpose(1, 2), conditions.fixed)
        for block in self.transformer_blocks:
            if self.gradient_checkpointing and self.training:
                x = checkpoint(block, x, pace, conditions, use_reentrant=False)
            else:
                x = block(x, pace, conditions)
        scale, shift = self.norm_out(pace)
        return self.proj_out(_modulated(x, scale, shift))

    def forward(
        self, x: Tensor, prompt: Tensor, mu: Tensor, lengths: Tensor | None, time: Tensor, step: Tensor
    ) -> Tensor:
        """All of it at once; shapes as in the methods above."""
        return self.velocity(x, self.pace(time, step), self.conditions(prompt, mu, lengths))
