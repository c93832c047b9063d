"""Networks that turn frames into a waveform.

Which one a SoVITS model has is named in its configuration, `model.vocoder`; without that it is HiFi-GAN's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsv.models.layers import weight_normed
from gsv.models.planes import added, brief_dtype, lay_out, leaky

_SLOPE = 0.1


@dataclass(frozen=True)
class Onset:
    """Where a part begins of a sound that is made in parts.

    Args:
        first: the number of the part's first frame in the whole.
        held, phase: at the beginning of this frame of the part its pulses, if the network makes any, are at this phase
            of their cycle, [B] of 0 to 1 or one number for all.
    """

    first: int = 0
    held: int = 0
    phase: Tensor | float = 0.0


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
            # Together with the convolutions where that can be: memory is what all but the convolutions wait for.
            x = added(plain, leaky(dilated, F.leaky_relu(x, _SLOPE), _SLOPE), x)
        return x


class HifiGenerator(nn.Module):
    """HiFi-GAN's generator (arXiv 2010.05646): transposed convolutions, each followed by parallel residual blocks.

    Args:
        channels: width of the input frames.
        start: width after the first convolution; halved by every upsampling.
        rates, kernels: factor and kernel of every upsampling; samples a frame = the product of the rates.
        block_kernels, block_dilations: the residual blocks that are averaged after every upsampling.
        condition: width of the conditioning vector; None where there is none.
        bias: whether the last convolution has one.

    `context` is the number of frames on either side that a sample depends on.
    """

    def __init__(
        self,
        channels: int,
        start: int,
        rates: Sequence[int],
        kernels: Sequence[int],
        block_kernels: Sequence[int],
        block_dilations: Sequence[Sequence[int]],
        condition: int | None,
        bias: bool = False,
    ):
        super().__init__()
        self.conv_pre = nn.Conv1d(channels, start, 7, padding=3)
        if condition is not None:
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
        self.rates = tuple(rates)
        self.blocks_each = len(block_kernels)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=bias)
        self.context, self._reaches = _reaches(rates, kernels, block_kernels, block_dilations)
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

    def forward(self, frames: Tensor, condition: Tensor | None = None) -> Tensor:
        """frames [B, C, T], condition [B, G, 1] -> wave [B, 1, T * samples a frame], within [-1, 1]."""
        return self._between(frames, condition, 0, frames.shape[-1])

    def _between(self, frames: Tensor, condition: Tensor | None, begin: int, end: int) -> Tensor:
        """The wave of the frames from `begin` to `end`; of what is around them, no more is made than they depend on."""
        x = self.conv_pre(frames)
        if condition is not None:
            x = x + self.cond(condition)
        # The place of the first column of x, in its own rate.
        place = 0
        for i, up in enumerate(self.ups):
            x = up(F.leaky_relu(x, _SLOPE, inplace=True))
            place, begin, end = (number * self.rates[i] for number in (place, begin, end))
            left = max(place, begin - self._reaches[i])
            x = x[..., left - place : end + self._reaches[i] - place]
            place = left
            first, *others = self.resblocks[i * self.blocks_each : (i + 1) * self.blocks_each]
            total = first(x)
            for block in others:
                total.add_(block(x))
            x = total.div_(self.blocks_each)
        # The default slope here, not the one above: the trained models expect it.
        wave: Tensor = self.conv_post(F.leaky_relu(x)).tanh().to(frames.dtype)
        return wave[..., begin - place : end - place]

    def for_inference(self, brief: bool) -> torch.dtype | None:
        """Lays the weights out for speed where they are; `brief`: in 16 bits if the processor is faster so.

        Returns the precision that these are, if they are.
        """
        dtype = brief_dtype(self.conv_pre.weight.device) if brief else None
        lay_out(self, dtype)
        return dtype

    def part(self, frames: Tensor, condition: Tensor, onset: Onset, begin: int, end: int) -> tuple[Tensor, Tensor]:
        """The wave of a part's frames from `begin` to `end`, and zeros [B, T].

        This network makes no pulses whose phases would go on in the next part.
        """
        return self._between(frames, condition, begin, end), frames.new_zeros(len(frames), frames.shape[2])

    def with_pitch(self, frames: Tensor, condition: Tensor) -> tuple[Tensor, None]:
        """The wave, and None: this network makes no pitch of its own."""
        return self(frames, condition), None


def _reaches(
    rates: Sequence[int],
    kernels: Sequence[int],
    block_kernels: Sequence[int],
    block_dilations: Sequence[Sequence[int]],
) -> tuple[int, tuple[int, ...]]:
    """How much on either side of it a sample of HiFi-GAN's generator depends on.

    Input frames, and columns of what each upsampling gives.
    """
    # Each pair of a block is a dilated convolution and a plain one.
    blocks = max(
        sum((dilation + 1) * (kernel - 1) // 2 for dilation in dilations)
        for kernel, dilations in zip(block_kernels, block_dilations, strict=True)
    )
    ends = 7 // 2
    reach, columns = ends, []
    for rate, kernel in zip(reversed(rates), reversed(kernels), strict=True):
        columns.append(reach + blocks)
        reach = -(-(reach + blocks + kernel // 2) // rate)
    return reach + ends, tuple(reversed(columns))


class SpectralBlock(nn.Module):
    """A convolution along time for each channel, then a small network for each frame (ConvNeXt, arXiv 2201.03545)."""

    def __init__(self, channels: int):
        super().__init__()
        self.along = nn.Conv1d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 3 * channels)
        self.narrow = nn.Linear(3 * channels, channels)
        self.gain = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm(self.along(x).transpose(1, 2))
        return x + (self.gain * self.narrow(F.gelu(self.wide(inner)))).transpose(1, 2)


class SourceFilter(nn.Module):
    """A pulse train and noise, each shaped by a spectrum that the network draws 100 times a second.

    The pitch of the pulses is the network's own guess; it is trained against a measured one, since no gradient of the
    sound can correct it. With pitch and phases out of its hands, so small a network learns to speak on a CPU: all the
    rest is one inverse short-time Fourier transform (cf. arXiv 1904.12088 for the model of speech, 2306.00814 for the
    transform as last layer).

    Args:
        channels: width of the input frames.
        width, blocks: of the network.
        condition: width of the conditioning vector.
        sampling_rate: of the wave; a frame is a fiftieth of a second.

    `context` is the number of frames on either side that a sample depends on, if the pulses' phase is known there: it
    comes of the pitch of all frames before.
    """

    N_FFT = 1024
    STEPS = 2
    BANDS = 80
    MIDDLE_HERTZ = 150.0
    # Pitch is held within two octaves of the middle.
    RANGE = 2 * math.log(2)
    QUIET = -4.0
    LOUDEST = 4.0
    NOISE_SEED = 1

    def __init__(self, channels: int, width: int, blocks: int, condition: int, sampling_rate: int):
        super().__init__()
        self.sampling_rate = sampling_rate
        self.hop = sampling_rate // 50 // self.STEPS
        # What a step's drawing depends on, and, twice half a window, what of the steps around it gets into a sample.
        steps = 3 * (1 + blocks) + self.N_FFT // self.hop + 1
        self.context = steps // self.STEPS + 1
        self.conv_pre = nn.Conv1d(channels, width, 7, padding=3)
        self.cond = nn.Conv1d(condition, width, 1)
        self.blocks = nn.ModuleList(SpectralBlock(width) for _ in range(blocks))
        self.norm = nn.LayerNorm(width)
        self.conv_post = nn.Linear(width, 1 + 2 * self.BANDS)
        nn.init.normal_(self.conv_post.weight, 0.0, 0.01)
        nn.init.zeros_(self.conv_post.bias)
        self.register_buffer("spread", _spread(self.BANDS, self.N_FFT // 2 + 1, sampling_rate), persistent=False)
        self.register_buffer("window", torch.hann_window(self.N_FFT), persistent=False)
        self.spread: Tensor
        self.window: Tensor

    def forward(self, frames: Tensor, condition: Tensor) -> Tensor:
        """frames [B, C, T], condition [B, G, 1] -> wave [B, 1, T * samples a frame], within [-1, 1].

        The noise is drawn anew in training, and always the same otherwise.
        """
        return self.with_pitch(frames, condition)[0]

    def for_inference(self, brief: bool) -> None:
        """Lays the weights out for speed where they are; there is nothing to gain in 16 bits for so small a network."""
        lay_out(self)

    def with_pitch(self, frames: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """The wave, and the natural logarithm of its pitch in Hz, [B, 2 T]."""
        wave, log_pitch, _ = self._drawn(frames, condition, Onset())
        return wave, log_pitch

    def part(self, frames: Tensor, condition: Tensor, onset: Onset, begin: int, end: int) -> tuple[Tensor, Tensor]:
        """The wave of a part's frames from `begin` to `end`, and the phases [B, T] of the pulses at those of all."""
        wave, _, phases = self._drawn(frames, condition, onset)
        size = self.STEPS * self.hop
        return wave[..., begin * size : end * size], phases[:, :: self.STEPS]

    def _drawn(self, frames: Tensor, condition: Tensor, onset: Onset) -> tuple[Tensor, Tensor, Tensor]:
        """The wave, and for each step the logarithm of the pitch and the phase at its beginning."""
        # Twice as many frames before the blocks, so that they can be told apart.
        x = self.conv_pre(frames.repeat_interleave(self.STEPS, dim=-1)) + self.cond(condition)
        for block in self.blocks:
            x = block(x)
        drawn = self.conv_post(self.norm(x.transpose(1, 2)))
        with torch.autocast(drawn.device.type, enabled=False):
            drawn = drawn.float()
            log_pitch = math.log(self.MIDDLE_HERTZ) + self.RANGE * torch.tanh(drawn[..., 0])
            bands = (drawn[..., 1:].unflatten(-1, (2, self.BANDS)) + self.QUIET).clamp(max=self.LOUDEST)
            voiced, breathy = (bands @ self.spread.float()).exp().unbind(-2)
            hertz = log_pitch.detach().exp()
            begun = self._begun(hertz, onset)
            pulses = self._spectrum(self._pulses(hertz, begun))
            noise = self._spectrum(self._noise(pulses, onset.first * self.STEPS * self.hop))
            wave = self._wave(pulses * voiced + noise * breathy)
        return wave.clamp(-1, 1).to(frames.dtype)[:, None], log_pitch, begun.frac()

    def _begun(self, hertz: Tensor, onset: Onset) -> Tensor:
        """How many cycles of a pitch of hertz [B, T] were before each step, [B, T]."""
        cycles = self._cycles(hertz).sum(-1)
        begun = F.pad(cycles.cumsum(-1)[:, :-1], (1, 0))
        held = begun[:, self.STEPS * onset.held] - onset.phase
        return begun - held[:, None]

    def _cycles(self, hertz: Tensor) -> Tensor:
        """Those of each sample, [B, T, hop]."""
        return (hertz / self.sampling_rate)[..., None].expand(*hertz.shape, self.hop)

    def _pulses(self, hertz: Tensor, begun: Tensor) -> Tensor:
        """A pulse train of unit power [B, T * hop] whose pitch is hertz [B, T]: all harmonics below half the rate."""
        cycles = self._cycles(hertz)
        angle = 2 * math.pi * (begun[..., None] + cycles.cumsum(-1)).frac()
        count = (self.sampling_rate / 2 / hertz).floor()[..., None]
        half = (angle / 2).sin()
        # The closed form of the sum of cosines of 1 to `count` times the angle.
        safe = torch.where(half.abs() < 1e-4, 1.0, half)
        pulses = torch.where(half.abs() < 1e-4, count, ((count + 0.5) * angle).sin() / (2 * safe) - 0.5)
        return (pulses * (2 / count).sqrt()).flatten(1)

    def _noise(self, like: Tensor, first: int) -> Tensor:
        """White noise [B, T * hop], what the whole sound has from the sample `first` on."""
        size = like.shape[1] * self.hop
        if self.training:
            return torch.randn(len(like), size, device=like.device)
        generator = torch.Generator().manual_seed(self.NOISE_SEED)
        # The beginning is the same however much is drawn, since torch draws these sixteen at a time.
        noise = torch.randn(1, first + size, generator=generator)[:, first:]
        return noise.to(like.device).expand(len(like), -1)

    def _spectrum(self, wave: Tensor) -> Tensor:
        """[B, T * hop] -> complex [B, T, bins], frames centred on their stretch of the wave."""
        margin = (self.N_FFT - self.hop) // 2
        frames = F.pad(wave, (margin, margin)).unfold(-1, self.N_FFT, self.hop)
        return torch.fft.rfft(frames * self.window.float())

    def _wave(self, spectrum: Tensor) -> Tensor:
        """The inverse of `_spectrum`."""
        window = self.window.float()
        frames = torch.fft.irfft(spectrum, self.N_FFT) * window
        added = _overlapped(frames, self.hop)
        weight = _overlapped(window.square().expand(1, frames.shape[1], -1), self.hop)
        margin = (self.N_FFT - self.hop) // 2
        return (added / weight.clamp(min=1e-6))[:, margin:-margin]


def _overlapped(frames: Tensor, hop: int) -> Tensor:
    """[B, T, N] -> [B, (T - 1) * hop + N], each frame added at its place."""
    size = (frames.shape[1] - 1) * hop + frames.shape[2]
    return F.fold(frames.transpose(1, 2), (1, size), (1, frames.shape[2]), stride=(1, hop))[:, 0, 0]


def _spread(bands: int, bins: int, sampling_rate: int) -> Tensor:
    """[bands, bins]: linear interpolation over a spectrum of values given at equal steps of the Mel scale."""
    # Not linspace: `transformers`, once it has loaded a network, leaves one that heeds no device that is set around it.
    hertz = torch.arange(bins) * (sampling_rate / 2 / (bins - 1))
    mel = 1127 * torch.log1p(hertz / 700)
    place = mel / mel[-1] * (bands - 1)
    return (1 - (place - torch.arange(bands)[:, None]).abs()).clamp(min=0)
