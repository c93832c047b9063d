"""SoVITS, the half of GPT-SoVITS that speaks: semantic tokens, phonemes and a reference in, a waveform out.

A conditional variational autoencoder with a normalising flow (VITS, arXiv 2106.06103) whose prior is computed from
vector-quantised HuBERT features and phonemes that attend to each other. One class serves v1, v2, v2Pro and v2ProPlus:
they differ in widths and in the speaker vector, and all of that is in `SovitsConfig`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from gsv.models.layers import Attention, Encoder, GatedStack, fold_weight_norm, length_mask, take_over
from gsv.models.planes import multiply_in
from gsv.models.vocoders import HifiGenerator, SourceFilter
from gsv.versions import Version

VocoderName = Literal["hifi", "source_filter"]

# A token stands for two spectrogram frames: 25 Hz against 50 Hz.
FRAMES_PER_TOKEN = 2
FRAMES_PER_SECOND = 50


@dataclass(frozen=True)
class SovitsConfig:
    """Widths; the defaults are the official v2 ones. The first group has the names of the official `config.model`."""

    inter_channels: int = 192
    hidden_channels: int = 192
    filter_channels: int = 768
    n_heads: int = 2
    n_layers: int = 6
    kernel_size: int = 3
    p_dropout: float = 0.1
    resblock_kernel_sizes: tuple[int, ...] = (3, 7, 11)
    resblock_dilation_sizes: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    upsample_rates: tuple[int, ...] = (10, 8, 2, 2, 2)
    upsample_initial_channel: int = 512
    upsample_kernel_sizes: tuple[int, ...] = (16, 16, 8, 2, 2)
    gin_channels: int = 512
    # Not official: another network that makes the wave, and its width and depth.
    vocoder: VocoderName = "hifi"
    vocoder_channels: int = 256
    vocoder_blocks: int = 5
    # Not official: how far the latent spreads around its mean unless somebody says otherwise.
    noise_scale: float = 0.5

    # Constants of the official networks, which their files do not name and tensors' shapes tell.
    n_symbols: int = 732
    ssl_dim: int = 768
    codebook_size: int = 1024
    spec_channels: int = 1025
    reference_bins: int = 704
    style_channels: int = 128
    mrte_channels: int = 512
    posterior_layers: int = 16
    flow_layers: int = 4
    speaker_dim: int | None = None

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "SovitsConfig":
        """From the `model` group of a configuration; entries that gsv does not use are ignored."""
        known = {field.name: config[field.name] for field in fields(cls) if field.name in config}
        return cls(**{name: _as_tuple(value) for name, value in known.items()})

    @classmethod
    def from_weights(cls, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "SovitsConfig":
        """From a checkpoint's configuration and, where they tell, its tensors' shapes, which are always right."""
        shapes = {
            "n_symbols": ("enc_p.text_embedding.weight", 0),
            "ssl_dim": ("ssl_proj.weight", 1),
            "codebook_size": ("quantizer.vq.layers.0._codebook.embed", 0),
            "spec_channels": ("enc_q.pre.weight", 1),
            "reference_bins": ("ref_enc.spectral.0.fc.weight", 1),
            "style_channels": ("ref_enc.spectral.0.fc.weight", 0),
            "mrte_channels": ("enc_p.mrte.c_pre.weight", 0),
            "speaker_dim": ("sv_emb.weight", 1),
            "gin_channels": ("dec.cond.weight", 1),
        }
        told = {field: weights[name].shape[axis] for field, (name, axis) in shapes.items() if name in weights}
        for field, prefix in (("posterior_layers", "enc_q.enc."), ("flow_layers", "flow.flows.0.enc.")):
            count = sum(name.startswith(prefix + "in_layers.") and name.endswith(".bias") for name in weights)
            if count:
                told[field] = count
        return cls.from_dict({**config, **told})

    @classmethod
    def for_version(cls, version: Version, config: Mapping[str, Any]) -> "SovitsConfig":
        """From a configuration and what the version decides; for models that are made rather than loaded."""
        decided = {
            "n_symbols": version.sovits_symbols,
            "reference_bins": version.reference_bins,
            "speaker_dim": version.speaker_dim,
        }
        return cls.from_dict({**config, **decided})

    @property
    def samples_per_frame(self) -> int:
        return math.prod(self.upsample_rates)


@dataclass(frozen=True)
class TrainingPass:
    """What a training step needs of the generator: audio [B, 1, S], the frame each slice starts at, and the latents.

    `log_pitch` is that of `vocoders.SourceFilter`; None for other vocoders.
    """

    audio: Tensor
    log_pitch: Tensor | None
    starts: Tensor
    mask: Tensor
    z: Tensor
    z_p: Tensor
    m_p: Tensor
    logs_p: Tensor
    m_q: Tensor
    logs_q: Tensor


@dataclass(frozen=True)
class Prior:
    """Distribution of the latent given content and text, [B, inter_channels, T], and its mask [B, 1, T]."""

    mean: Tensor
    log_scale: Tensor
    mask: Tensor


class CrossModal(nn.Module):
    """Content frames attend to the phonemes; the voice's vector is added (MRTE, arXiv 2307.07218)."""

    HEADS = 4

    def __init__(self, channels: int, hidden: int):
        super().__init__()
        self.cross_attention = Attention(hidden, self.HEADS)
        self.c_pre = nn.Conv1d(channels, hidden, 1)
        self.text_pre = nn.Conv1d(channels, hidden, 1)
        self.c_post = nn.Conv1d(hidden, channels, 1)

    def forward(self, content: Tensor, mask: Tensor, text: Tensor, text_mask: Tensor, voice: Tensor) -> Tensor:
        content = self.c_pre(content * mask)
        text = self.text_pre(text * text_mask)
        pairs = text_mask.unsqueeze(2) * mask.unsqueeze(-1)
        attended = self.cross_attention(content * mask, text * text_mask, pairs)
        return self.c_post((attended + content + voice) * mask)


class PriorEncoder(nn.Module):
    """Quantised content and phonemes -> prior."""

    def __init__(self, config: SovitsConfig):
        super().__init__()
        hidden = config.hidden_channels

        def encoder(layers: int) -> Encoder:
            shape = (config.filter_channels, config.n_heads, layers, config.kernel_size, config.p_dropout)
            return Encoder(hidden, *shape)

        self.ssl_proj = nn.Conv1d(config.ssl_dim, hidden, 1)
        self.encoder_ssl = encoder(config.n_layers // 2)
        self.encoder_text = encoder(config.n_layers)
        self.text_embedding = nn.Embedding(config.n_symbols, hidden)
        self.mrte = CrossModal(hidden, config.mrte_channels)
        self.encoder2 = encoder(config.n_layers // 2)
        self.proj = nn.Conv1d(hidden, 2 * config.inter_channels, 1)

    def forward(
        self,
        content: Tensor,
        mask: Tensor,
        text: Tensor,
        text_mask: Tensor,
        voice: Tensor,
        speed: float = 1.0,
        first: int | None = None,
    ) -> Prior:
        """content [B, ssl_dim, T], text [B, L] of ids, voice [B, mrte_channels, 1]; for `first` see `Sovits.prior`."""
        x = self.frames(content, mask, text, text_mask, voice)
        if speed != 1.0:
            if first is None:
                x = F.interpolate(x, size=int(x.shape[-1] / speed) + 1, mode="linear")
            else:
                x = _at_pace(x, speed, first)
            mask = F.interpolate(mask, size=x.shape[-1], mode="nearest")
        mean, log_scale = (self.proj(x) * mask).chunk(2, dim=1)
        return Prior(mean, log_scale, mask)

    def frames(self, content: Tensor, mask: Tensor, text: Tensor, text_mask: Tensor, voice: Tensor) -> Tensor:
        """What the prior is projected from, at natural pace: [B, hidden_channels, T]; arguments as for the whole."""
        x = self.encoder_ssl(self.ssl_proj(content * mask) * mask, mask)
        phonemes = self.encoder_text(self.text_embedding(text).transpose(1, 2), text_mask)
        return self.encoder2(self.mrte(x, mask, phonemes, text_mask, voice), mask)


class PosteriorEncoder(nn.Module):
    """Spectrogram -> posterior; exists for training only, and exported voices leave it out."""

    KERNEL = 5

    def __init__(self, config: SovitsConfig):
        super().__init__()
        hidden = config.hidden_channels
        self.pre = nn.Conv1d(config.spec_channels, hidden, 1)
        self.enc = GatedStack(hidden, self.KERNEL, config.posterior_layers, config.gin_channels)
        self.proj = nn.Conv1d(hidden, 2 * config.inter_channels, 1)

    def forward(self, spec: Tensor, mask: Tensor, voice: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.enc(self.pre(spec) * mask, mask, voice)
        mean, log_scale = (self.proj(hidden) * mask).chunk(2, dim=1)
        return mean, log_scale


class Coupling(nn.Module):
    """Shifts one half of the channels by an amount that the other half decides."""

    KERNEL = 5

    def __init__(self, config: SovitsConfig):
        super().__init__()
        half, hidden = config.inter_channels // 2, config.hidden_channels
        self.pre = nn.Conv1d(half, hidden, 1)
        self.enc = GatedStack(hidden, self.KERNEL, config.flow_layers, config.gin_channels)
        self.post = nn.Conv1d(hidden, half, 1)
        # A flow starts as the identity.
        nn.init.zeros_(self.post.weight)
        assert self.post.bias is not None
        nn.init.zeros_(self.post.bias)

    def forward(self, x: Tensor, mask: Tensor, voice: Tensor, reverse: bool) -> Tensor:
        fixed, moved = x.chunk(2, dim=1)
        shift = self.post(self.enc(self.pre(fixed) * mask, mask, voice)) * mask
        moved = (moved - shift) * mask if reverse else shift + moved * mask
        return torch.cat([fixed, moved], dim=1)


class Flow(nn.Module):
    """Couplings with the channel order flipped after each; the flips keep the odd indices of the official names."""

    COUPLINGS = 4

    def __init__(self, config: SovitsConfig):
        super().__init__()
        self.flows = nn.ModuleList(
            module for _ in range(self.COUPLINGS) for module in (Coupling(config), nn.Identity())
        )

    def forward(self, x: Tensor, mask: Tensor, voice: Tensor, reverse: bool = False) -> Tensor:
        couplings = [module for module in self.flows if isinstance(module, Coupling)]
        for coupling in reversed(couplings) if reverse else couplings:
            if reverse:
                x = coupling(x.flip(1), mask, voice, reverse=True)
            else:
                x = coupling(x, mask, voice, reverse=False).flip(1)
        return x


class Projection(nn.Module):
    """A linear layer under the name that the official style encoder gives it."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x)


class GatedConv(nn.Module):
    """Gated convolution with a shortcut."""

    def __init__(self, channels: int, kernel: int, dropout: float):
        super().__init__()
        self.conv1 = nn.ModuleDict({"conv": nn.Conv1d(channels, 2 * channels, kernel, padding=kernel // 2)})
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.drop(F.glu(self.conv1["conv"](x), dim=1))


class StyleAttention(nn.Module):
    HEADS = 2

    def __init__(self, channels: int, dropout: float):
        super().__init__()
        self.w_qs = nn.Linear(channels, channels)
        self.w_ks = nn.Linear(channels, channels)
        self.w_vs = nn.Linear(channels, channels)
        self.fc = nn.Linear(channels, channels)
        self.dropout = dropout
        # Of the whole width, not of a head's: the trained models expect it.
        self.scale = channels**-0.5

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x [B, T, C], mask [B, T] of bool."""
        query, key, value = (
            linear(x).unflatten(-1, (self.HEADS, -1)).transpose(1, 2) for linear in (self.w_qs, self.w_ks, self.w_vs)
        )
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(query, key, value, mask[:, None, None], dropout, scale=self.scale)
        return x + F.dropout(self.fc(out.transpose(1, 2).flatten(2)), self.dropout, self.training)


class StyleEncoder(nn.Module):
    """Spectrogram of a reference -> one vector (the style encoder of Meta-StyleSpeech, arXiv 2106.03153)."""

    KERNEL = 5
    DROPOUT = 0.1

    def __init__(self, bins: int, channels: int, outputs: int):
        super().__init__()
        self.spectral = nn.Sequential(
            Projection(bins, channels),
            nn.Mish(),
            nn.Dropout(self.DROPOUT),
            Projection(channels, channels),
            nn.Mish(),
            nn.Dropout(self.DROPOUT),
        )
        self.temporal = nn.Sequential(*(GatedConv(channels, self.KERNEL, self.DROPOUT) for _ in range(2)))
        self.slf_attn = StyleAttention(channels, self.DROPOUT)
        self.fc = Projection(channels, outputs)

    def forward(self, spec: Tensor, mask: Tensor) -> Tensor:
        """spec [B, bins, T], mask [B, 1, T] -> [B, outputs, 1]."""
        inside = mask.transpose(1, 2)
        x = self.temporal(self.spectral(spec.transpose(1, 2)).transpose(1, 2)).transpose(1, 2)
        x = self.fc(self.slf_attn(x * inside, mask[:, 0] > 0))
        return ((x * inside).sum(1) / inside.sum(1)).unsqueeze(-1)


class Codebook(nn.Module):
    """Nearest-neighbour vector quantiser. Only `embed` is used; the other buffers are part of the official layout."""

    def __init__(self, size: int, width: int):
        super().__init__()
        self.register_buffer("inited", torch.ones(1))
        self.register_buffer("cluster_size", torch.ones(size))
        self.register_buffer("embed", torch.randn(size, width))
        self.register_buffer("embed_avg", torch.randn(size, width))
        self.embed: Tensor

    def encode(self, x: Tensor) -> Tensor:
        """x [B, T, width] -> [B, T] of int64."""
        # |x - e|^2 without the term that is the same for every entry.
        return (self.embed.pow(2).sum(1) - 2 * x @ self.embed.T).argmin(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """codes [B, T] -> [B, T, width]."""
        return F.embedding(codes, self.embed)


class Quantizer(nn.Module):
    """Holds the one codebook under the name that residual quantisers give it."""

    def __init__(self, size: int, width: int):
        super().__init__()
        layer = nn.Module()
        layer._codebook = Codebook(size, width)
        self.vq = nn.ModuleDict({"layers": nn.ModuleList([layer])})

    @property
    def codebook(self) -> Codebook:
        return self.get_submodule("vq.layers.0._codebook")  # type: ignore[return-value]


class Hearing(nn.Module):
    """What the networks of all versions do with sounds: find their tokens, and a vector of how they sound."""

    config: SovitsConfig
    ssl_proj: nn.Conv1d
    quantizer: Quantizer
    ref_enc: StyleEncoder

    @torch.no_grad()
    def quantize(self, ssl: Tensor) -> Tensor:
        """HuBERT features [B, ssl_dim, T at 50 Hz] -> semantic tokens [B, T // 2] of int64."""
        # In full precision even where training runs in less: a rounded distance picks another token.
        with torch.autocast(ssl.device.type, enabled=False):
            return self.quantizer.codebook.encode(self.ssl_proj(ssl.to(self.ssl_proj.weight.dtype)).transpose(1, 2))

    def style(self, spec: Tensor, mask: Tensor | None = None) -> Tensor:
        """One reference's spectrogram [B, 1025, T] -> [B, gin_channels, 1]."""
        if mask is None:
            mask = spec.new_ones(spec.shape[0], 1, spec.shape[-1])
        return self.ref_enc(spec[:, : self.config.reference_bins] * mask, mask)

    def _content(self, codes: Tensor) -> Tensor:
        content = self.quantizer.codebook.decode(codes).transpose(1, 2)
        return content.repeat_interleave(FRAMES_PER_TOKEN, dim=-1)


class Sovits(Hearing):
    """The generator. The quantiser is frozen: the tokens that a T2S model was trained on must keep their meaning."""

    def __init__(self, config: SovitsConfig):
        super().__init__()
        self.config = config
        self.gradient_checkpointing = False
        self.enc_p = PriorEncoder(config)
        self.dec = _vocoder(config)
        self.enc_q = PosteriorEncoder(config)
        self.flow = Flow(config)
        self.ref_enc = StyleEncoder(config.reference_bins, config.style_channels, config.gin_channels)
        self.ssl_proj = nn.Conv1d(config.ssl_dim, config.ssl_dim, FRAMES_PER_TOKEN, FRAMES_PER_TOKEN)
        self.quantizer = Quantizer(config.codebook_size, config.ssl_dim)
        self.ssl_proj.requires_grad_(False)
        if config.speaker_dim is not None:
            self.sv_emb = nn.Linear(config.speaker_dim, config.gin_channels)
            self.ge_to512 = nn.Linear(config.gin_channels, config.mrte_channels)
            self.prelu = nn.PReLU(config.gin_channels)

    @classmethod
    def from_weights(cls, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> "Sovits":
        """The network of a generator file: its configuration's `model` group and its tensors, taken over in float32.

        An exported voice has no posterior encoder; the one made here is then untrained, and only training would use it.
        """
        model = cls(SovitsConfig.from_weights(config, weights))
        take_over(model, weights, optional=("enc_q.",))
        return model

    def for_inference(self, brief: bool = False) -> "Sovits":
        """The same network where it is now, without what only training uses, laid out for speed; it stays there.

        `brief` lets the vocoder compute in 16 bits on processors that are faster so, and the rest multiply in them.
        """
        del self.enc_q
        fold_weight_norm(self)
        if dtype := self.dec.for_inference(brief):
            for network in (self.enc_p, self.flow):
                multiply_in(network, dtype)
        return self.requires_grad_(False).eval()

    def voice(self, spec: Tensor, speaker: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """One reference's spectrogram [B, 1025, T] (and speaker vector [B, speaker_dim]) -> [B, gin_channels, 1].

        Several references are combined by averaging their vectors.
        """
        vector = self.style(spec, mask)
        if self.config.speaker_dim is None:
            return vector
        assert speaker is not None, "this model takes a speaker vector"
        return self.prelu(vector + self.sv_emb(speaker).unsqueeze(-1))

    def prior(self, codes: Tensor, text: Tensor, voice: Tensor, speed: float = 1.0, first: int | None = None) -> Prior:
        """codes [B, N] of int64, text [B, L] of ids, voice [B, gin_channels, 1] -> 2 N frames, fewer if fast.

        As in the official programs the frames are then one more than the pace asks for, and spread to fill that length.
        With `first`, how many codes were before these, they are not: a frame's place depends on the pace alone, and not
        on how many codes there are. The frames are then those from `frames_before(first, speed)` on.
        """
        content = self._content(codes)
        mask = content.new_ones(content.shape[0], 1, content.shape[-1])
        text_mask = content.new_ones(text.shape[0], 1, text.shape[1])
        frame = None if first is None else first * FRAMES_PER_TOKEN
        return self.enc_p(content, mask, text, text_mask, self._text_voice(voice), speed, frame)

    def sample(self, prior: Prior, voice: Tensor, noise: Tensor | None, noise_scale: float) -> Tensor:
        """Latent frames [B, inter_channels, T] drawn from the prior; `noise` is standard normal, None for the mean."""
        latent = prior.mean
        if noise is not None:
            latent = latent + noise * prior.log_scale.exp() * noise_scale
        return self.flow(latent, prior.mask, voice, reverse=True) * prior.mask

    def latent(
        self,
        codes: Tensor,
        text: Tensor,
        voice: Tensor,
        noise: Callable[[int], Tensor],
        speed: float = 1.0,
        noise_scale: float | None = None,
        first: int | None = None,
    ) -> Tensor:
        """Semantic tokens [B, N] and phonemes [B, L] -> latent frames [B, inter_channels, T], which `dec` speaks.

        `noise` gives standard normal numbers for so many frames; `noise_scale` of None is the model's own. For
        `first` see `prior`.
        """
        prior = self.prior(codes, text, voice, speed, first)
        spread = self.config.noise_scale if noise_scale is None else noise_scale
        return self.sample(prior, voice, noise(prior.mean.shape[-1]).to(prior.mean), spread)

    def decode(
        self,
        codes: Tensor,
        text: Tensor,
        voice: Tensor,
        speed: float = 1.0,
        noise_scale: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Semantic tokens [B, N] and phonemes [B, L] -> wave [B, 1, samples], at `speed` times the natural pace."""
        # Drawn on the generator's device, so that a seed means the same on every machine.
        device = generator.device if generator is not None else codes.device

        def noise(frames: int) -> Tensor:
            shape = len(codes), self.config.inter_channels, frames
            return torch.randn(shape, generator=generator, device=device)

        return self.dec(self.latent(codes, text, voice, noise, speed, noise_scale), voice)

    def forward(
        self,
        ssl: Tensor,
        spec: Tensor,
        spec_lengths: Tensor,
        text: Tensor,
        text_lengths: Tensor,
        speaker: Tensor | None = None,
        *,
        segment_frames: int,
        from_prior: int = 0,
        posterior_noise: Tensor | None = None,
        slice_uniform: Tensor | None = None,
    ) -> TrainingPass:
        """The training graph.

        Args:
            ssl: [B, ssl_dim, T], as long as `spec`.
            spec: [B, 1025, T], T even.
            segment_frames: length of the slice that is turned into audio.
            from_prior: how many clips, the first of the batch, are spoken from the prior, as in synthesis, rather than
                from the posterior.
            posterior_noise: [B, inter_channels, T] standard normal, drawn if not given.
            slice_uniform: [B] in [0, 1), decides where the slices start; drawn if not given.
        """
        frames = spec.shape[-1]
        mask = length_mask(spec_lengths, frames)[:, None].to(spec.dtype)
        text_mask = length_mask(text_lengths, text.shape[1])[:, None].to(spec.dtype)
        voice = self.voice(spec, speaker, mask)
        content = self._content(self.quantize(ssl))

        prior = self._maybe_checkpointed(self.enc_p, content, mask, text, text_mask, self._text_voice(voice))
        # The posterior must not teach the style encoder: it would leak the target's content into the voice.
        mean, log_scale = self._maybe_checkpointed(self.enc_q, spec, mask, voice.detach())
        if posterior_noise is None:
            posterior_noise = torch.randn_like(mean)
        z = (mean + posterior_noise * log_scale.exp()) * mask
        z_p = self._maybe_checkpointed(self.flow, z, mask, voice)

        if slice_uniform is None:
            slice_uniform = torch.rand(len(spec), device=spec.device)
        starts = (slice_uniform * (spec_lengths - segment_frames + 1).clamp(min=1)).long()
        spoken = z
        if from_prior:
            first = Prior(prior.mean[:from_prior], prior.log_scale[:from_prior], prior.mask[:from_prior])
            noise = torch.randn_like(first.mean)
            drawn = self.sample(first, voice[:from_prior], noise, self.config.noise_scale)
            spoken = torch.cat([drawn.to(z.dtype), z[from_prior:]])
        sliced = slice_segments(spoken, starts, segment_frames)
        audio, log_pitch = self._maybe_checkpointed(self.dec.with_pitch, sliced, voice)
        return TrainingPass(audio, log_pitch, starts, mask, z, z_p, prior.mean, prior.log_scale, mean, log_scale)

    def _text_voice(self, voice: Tensor) -> Tensor:
        """The voice's vector at the width of the cross-modal block."""
        if self.config.speaker_dim is None:
            return voice
        return self.ge_to512(voice.transpose(1, 2)).transpose(1, 2)

    def _maybe_checkpointed(self, module: Callable[..., Any], *inputs: Tensor) -> Any:
        if self.gradient_checkpointing and self.training:
            return checkpoint(module, *inputs, use_reentrant=False)
        return module(*inputs)


def _vocoder(config: SovitsConfig) -> HifiGenerator | SourceFilter:
    """The network that makes the wave; ValueError for a name that is not known."""
    if config.vocoder == "hifi":
        return HifiGenerator(
            config.inter_channels,
            config.upsample_initial_channel,
            config.upsample_rates,
            config.upsample_kernel_sizes,
            config.resblock_kernel_sizes,
            config.resblock_dilation_sizes,
            config.gin_channels,
        )
    if config.vocoder == "source_filter":
        shape = (config.vocoder_channels, config.vocoder_blocks, config.gin_channels)
        return SourceFilter(config.inter_channels, *shape, FRAMES_PER_SECOND * config.samples_per_frame)
    raise ValueError(f"model.vocoder is {config.vocoder!r}; it must be one of {', '.join(get_args(VocoderName))}")


def slice_segments(x: Tensor, starts: Tensor, size: int) -> Tensor:
    """[B, C, T] -> [B, C, size], each item from its own start; what lies past the end is zero."""
    x = F.pad(x, (0, max(0, int(starts.max()) + size - x.shape[-1])))
    columns = starts[:, None] + torch.arange(size, device=x.device)
    return x.gather(2, columns[:, None].expand(-1, x.shape[1], -1))


def frames_before(tokens: int, speed: float) -> int:
    """How many frames end before so many tokens do, at a pace."""
    return math.ceil(tokens * FRAMES_PER_TOKEN / speed)


def _at_pace(x: Tensor, speed: float, first: int) -> Tensor:
    """[B, C, T], frames of natural pace from number `first` on -> those of another pace, linearly between."""
    start = math.ceil(first / speed)
    places = torch.arange(start, int((first + x.shape[-1]) / speed), device=x.device)
    places = ((places + 0.5) * speed - 0.5 - first).clamp(0, x.shape[-1] - 1)
    before = places.long()
    after = (before + 1).clamp(max=x.shape[-1] - 1)
    return torch.lerp(x[..., before], x[..., after], (places - before).to(x.dtype))


def average_voices(voices: Sequence[Tensor]) -> Tensor:
    """The mean of several references' vectors, each [B, gin_channels, 1]."""
    return torch.stack(list(voices)).mean(0)


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
