"""Building blocks that several networks share. Knows nothing of text, audio or files.

Sequences are channel-first, [B, C, T], and their masks are [B, 1, T] with 1 at valid positions.
Parameter names are those of the official checkpoints, which is why some of them look odd.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.errors import CheckpointError


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """[B] lengths -> [B, size] of bool, True at positions inside each length."""
    return torch.arange(size, device=lengths.device)[None] < lengths[:, None]


def split_heads(joint: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """[B, T, 3 C] -> query, key and value, each [B, heads, T, C / heads]."""
    query, key, value = joint.unflatten(-1, (3, heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
    return query, key, value


def merged_heads(heads: Tensor) -> Tensor:
    """What the heads found, [B, heads, T, C / heads] -> [B, T, C]."""
    return heads.transpose(1, 2).flatten(2)


def take_over(model: nn.Module, weights: Mapping[str, Tensor], optional: tuple[str, ...] = ()) -> None:
    """Copies tensors of a file into a network, in the network's own precision.

    Raises CheckpointError if one is missing (but for names that start with one of `optional`) or has another shape.
    Names that the network does not have are ignored: other programs store extra ones.
    """
    for name, own in model.state_dict().items():
        if name not in weights:
            if name.startswith(optional):
                continue
            raise CheckpointError(f"The weight file lacks the tensor {name}; it is damaged or of another kind.")
        given = weights[name]
        if given.shape != own.shape:
            raise CheckpointError(
                f"The weight file's tensor {name} has the shape {tuple(given.shape)} where its configuration asks for "
                f"{tuple(own.shape)}; the file is inconsistent."
            )
        own.copy_(given)


def weight_normed(module: Any) -> Any:
    """Weight normalisation (arXiv 1602.07868) with the official files' parameter names, `weight_g` and `weight_v`.

    The norm runs over all axes but the first. torch's own parametrisation would store other names.
    """
    weight = module.weight
    del module.weight
    norm = weight.detach().flatten(1).norm(dim=1).view(-1, *[1] * (weight.dim() - 1))
    module.weight_g = nn.Parameter(norm)
    module.weight_v = nn.Parameter(weight.detach())

    def compose(layer: Any, _inputs: object) -> None:
        layer.weight = _composed_weight(layer)

    module.weight = _composed_weight(module).detach()
    module.weight_hook = module.register_forward_pre_hook(compose)
    return module


def _composed_weight(module: Any) -> Tensor:
    # torch's fused kernel; the sum over all axes but the first is what the Python form would spend its time on.
    return torch._weight_norm(module.weight_v, module.weight_g, 0)


def fold_weight_norm(model: nn.Module) -> None:
    """Replaces every `weight_g`, `weight_v` pair by the plain weight they stand for; for inference only."""
    module: Any
    for module in model.modules():
        if hasattr(module, "weight_g"):
            weight = _composed_weight(module).detach()
            module.weight_hook.remove()
            del module.weight_g, module.weight_v, module.weight_hook, module.weight
            module.weight = nn.Parameter(weight, requires_grad=False)


def replace_layers(network: nn.Module, stand_in: Callable[[nn.Module], nn.Module | None]) -> None:
    """Puts in the place of every layer what stands in for it, one after the other, so that few are there twice.

    `stand_in` gives None for what stays; its own layers are looked at then.
    """
    for name, child in network.named_children():
        replacement = stand_in(child)
        if replacement is None:
            replace_layers(child, stand_in)
        else:
            setattr(network, name, replacement)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of [B, C, T]."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x.transpose(1, -1), self.gamma.shape, self.gamma, self.beta, 1e-5).transpose(1, -1)


class Attention(nn.Module):
    """Multi-head attention over [B, C, T], with a window of learned relative positions (arXiv 1803.02155) if asked.

    The relative keys and values are shared by the heads, as in VITS (arXiv 2106.06103).
    """

    # Finite, so that a row with nothing to attend to gives a mean rather than NaN. The trained models expect it.
    MASKED = -1e4

    def __init__(self, channels: int, heads: int, window: int | None = None, dropout: float = 0.0):
        super().__init__()
        self.heads = heads
        self.window = window
        self.head_width = channels // heads
        self.conv_q = nn.Conv1d(channels, channels, 1)
        self.conv_k = nn.Conv1d(channels, channels, 1)
        self.conv_v = nn.Conv1d(channels, channels, 1)
        self.conv_o = nn.Conv1d(channels, channels, 1)
        self.drop = nn.Dropout(dropout)
        if window is not None:
            shape = (1, 2 * window + 1, self.head_width)
            self.emb_rel_k = nn.Parameter(torch.randn(shape) * self.head_width**-0.5)
            self.emb_rel_v = nn.Parameter(torch.randn(shape) * self.head_width**-0.5)
        for conv in (self.conv_q, self.conv_k, self.conv_v):
            nn.init.xavier_uniform_(conv.weight)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor) -> Tensor:
        """x [B, C, T], context [B, C, S], mask [B, 1, T, S] -> [B, C, T]."""
        query = self._split(self.conv_q(x)) / math.sqrt(self.head_width)
        key, value = self._split(self.conv_k(context)), self._split(self.conv_v(context))
        scores = query @ key.transpose(-2, -1)
        if self.window is not None:
            columns, inside = self._band(scores.shape[-1], scores.device)
            near = (query @ self.emb_rel_k[0].T) * inside
            scores = scores.scatter_add(-1, columns.expand(near.shape), near)
        weights = self.drop(scores.masked_fill(mask == 0, self.MASKED).softmax(-1))
        out = weights @ value
        if self.window is not None:
            out = out + (weights.gather(-1, columns.expand(near.shape)) * inside) @ self.emb_rel_v[0]
        return self.conv_o(out.transpose(2, 3).flatten(1, 2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(1, (self.heads, self.head_width)).transpose(2, 3)

    def _band(self, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """For each row of a [size, size] matrix the columns within the window, and which of them exist."""
        assert self.window is not None
        offsets = torch.arange(-self.window, self.window + 1, device=device)
        columns = torch.arange(size, device=device)[:, None] + offsets
        return columns.clamp(0, size - 1), (columns >= 0) & (columns < size)


class FeedForward(nn.Module):
    """Two convolutions with a ReLU between them."""

    def __init__(self, channels: int, hidden: int, kernel: int, dropout: float):
        super().__init__()
        # Same length for even kernels too.
        self.padding = ((kernel - 1) // 2, kernel // 2)
        self.conv_1 = nn.Conv1d(channels, hidden, kernel)
        self.conv_2 = nn.Conv1d(hidden, channels, kernel)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.conv_1(F.pad(x * mask, self.padding)).relu()
        return self.conv_2(F.pad(self.drop(x) * mask, self.padding)) * mask


class Encoder(nn.Module):
    """Post-norm transformer encoder of VITS: relative attention and convolutional feed-forward layers."""

    WINDOW = 4

    def __init__(self, channels: int, hidden: int, heads: int, layers: int, kernel: int, dropout: float):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.attn_layers = nn.ModuleList(Attention(channels, heads, self.WINDOW, dropout) for _ in range(layers))
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))
        self.ffn_layers = nn.ModuleList(FeedForward(channels, hidden, kernel, dropout) for _ in range(layers))
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(channels) for _ in range(layers))

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        pairs = mask.unsqueeze(2) * mask.unsqueeze(-1)
        x = x * mask
        layers = zip(self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True)
        for attention, norm_1, feed_forward, norm_2 in layers:
            x = norm_1(x + self.drop(attention(x, x, pairs)))
            x = norm_2(x + self.drop(feed_forward(x, mask)))
        return x * mask


class GatedStack(nn.Module):
    """WaveNet-like stack of gated convolutions with residual and skip paths, conditioned on a vector."""

    def __init__(self, channels: int, kernel: int, layers: int, condition: int, dropout: float = 0.0):
        super().__init__()
        self.channels = channels
        self.drop = nn.Dropout(dropout)
        self.cond_layer = weight_normed(nn.Conv1d(condition, 2 * channels * layers, 1))
        self.in_layers = nn.ModuleList(
            weight_normed(nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2)) for _ in range(layers)
        )
        # The last layer has no residual path.
        self.res_skip_layers = nn.ModuleList(
            weight_normed(nn.Conv1d(channels, 2 * channels if i < layers - 1 else channels, 1)) for i in range(layers)
        )

    def forward(self, x: Tensor, mask: Tensor, condition: Tensor) -> Tensor:
        """x [B, C, T], condition [B, G, 1] -> [B, C, T]."""
        skips = torch.zeros_like(x)
        conditions = self.cond_layer(condition).split(2 * self.channels, dim=1)
        for conv, mix, added in zip(self.in_layers, self.res_skip_layers, conditions, strict=True):
            signal, gate = (conv(x) + added).chunk(2, dim=1)
            mixed = mix(self.drop(signal.tanh() * gate.sigmoid()))
            if mixed.shape[1] == self.channels:
                skips = skips + mixed
            else:
                residual, skip = mixed.chunk(2, dim=1)
                x = (x + residual) * mask
                skips = skips + skip
        return skips * mask


class SinusoidalPosition(nn.Module):
    """Adds a table of sines (even columns) and cosines (odd columns), times a learned scalar."""

    def __init__(self, width: int, scale: float = 1.0):
        super().__init__()
        self.alpha = nn.Parameter(torch.full((1,), scale))
        frequencies = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.frequencies: Tensor

    def forward(self, x: Tensor, start: int = 0) -> Tensor:
        """x [B, T, C] whose first row has the position `start`."""
        positions = torch.arange(start, start + x.shape[1], device=x.device, dtype=torch.float32)
        return x + self.table(positions).to(x.dtype)

    def table(self, positions: Tensor) -> Tensor:
        """Positions of any shape -> that shape with [C] added: what is added to an embedding there."""
        angles = positions.float()[..., None] * self.frequencies.float()
        return self.alpha * torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
