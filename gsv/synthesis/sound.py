"""Tokens into sound: whole, or as they come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsv.models.sovits import FRAMES_PER_SECOND, FRAMES_PER_TOKEN, Sovits, frames_before
from gsv.models.vocoders import Onset

FADE_SECONDS = 0.005
# How long one part fades into the next: long enough for no click, and too short for the two to cancel each other.
JOINT_SECONDS = 0.01
# How many tokens before the sound that is wanted are looked at: 10 s. The prior's attention sees everything, so that
# none would be enough to be exact; the latent moves by a hundredth of its spread with these, and by a tenth with the
# noise that is added to it on purpose.
PAST_TOKENS = 250
# Pulses go on from where they were so many frames before a joint: as far back as what sounds there reaches.
HELD_FRAMES = 2


class Noise:
    """Standard normal numbers for a piece's frames; the first ones are the same however many are asked for."""

    # Frames drawn at a time. How torch draws depends on how many numbers are wanted.
    BLOCK = 64

    def __init__(self, channels: int, generator: torch.Generator):
        self._shape = 1, channels, self.BLOCK
        self._generator = generator
        self._blocks: list[Tensor] = []

    def __call__(self, frames: int) -> Tensor:
        """[1, channels, frames]."""
        # Drawn on the generator's device, so that a seed means the same on every machine.
        while len(self._blocks) * self.BLOCK < frames:
            self._blocks.append(torch.randn(self._shape, generator=self._generator, device=self._generator.device))
        return torch.cat(self._blocks, dim=-1)[..., :frames]


@dataclass(frozen=True)
class Speaker:
    """What a piece's sound depends on beside its tokens: text [L] of ids, timbre [1, gin_channels, 1], options."""

    sovits: Sovits
    text: Tensor
    timbre: Tensor
    speed: float
    noise_scale: float | None
    noise: Noise

    @property
    def sampling_rate(self) -> int:
        return FRAMES_PER_SECOND * self.sovits.config.samples_per_frame

    def latent(self, tokens: Sequence[int], first: int | None = None) -> Tensor:
        """[1, inter_channels, T], see `Sovits.latent`; the noise is that of the frames' places in the piece."""
        codes = torch.tensor(tokens, device=self.text.device)[None]
        before = frames_before(first or 0, self.speed)

        def noise(frames: int) -> Tensor:
            return self.noise(before + frames)[..., before:]

        return self.sovits.latent(codes, self.text[None], self.timbre, noise, self.speed, self.noise_scale, first)

    def whole(self, tokens: Sequence[int]) -> np.ndarray:
        """All of a piece, [samples] of float32."""
        return samples(self.sovits.dec(self.latent(tokens), self.timbre))


class Growing:
    """The sound of a piece whose tokens are still coming, in parts that follow each other without a step.

    Each part is made from the last `PAST_TOKENS` tokens and the new ones. The frames that have been heard stay as they
    were, so that the new ones go on from them; what is behind them is only known for sure once more tokens are there.
    Therefore the end of a part, `overlap` tokens of it, is kept back and made again with the next part, into which it
    is faded.
    """

    def __init__(self, speaker: Speaker, overlap: int):
        self._speaker = speaker
        self._frame = speaker.sovits.config.samples_per_frame
        frames = math.ceil(overlap * FRAMES_PER_TOKEN / speaker.speed)
        self._joint = int(JOINT_SECONDS * speaker.sampling_rate)
        self._kept_back = max(frames * self._frame, self._joint)
        # Of everything so far: the latent frames, and the pulses' phases at the beginning of each.
        self._latent: Tensor | None = None
        self._phases = torch.zeros(1, 0)
        self._given = 0
        self._tail = np.zeros(0, np.float32)

    def grown(self, tokens: Sequence[int], last: bool = False) -> np.ndarray:
        """What is new with these tokens, which are all there are so far; nothing where they are too few."""
        frames = int(len(tokens) * FRAMES_PER_TOKEN / self._speaker.speed)
        if not last and frames * self._frame <= self._given + self._kept_back:
            return self._tail[:0]
        speaker, vocoder = self._speaker, self._speaker.sovits.dec
        heard = self._given // self._frame
        past = max(0, int(heard * speaker.speed / FRAMES_PER_TOKEN) - PAST_TOKENS)
        latent = speaker.latent(tokens[past:], past)[..., heard - frames_before(past, speaker.speed) :]
        if self._latent is not None:
            latent = torch.cat([self._latent[..., :heard], latent], dim=-1)
        # The vocoder's own look at what was before; its pulses go on from where they were a little before the joint.
        first = max(0, heard - vocoder.context)
        held = max(0, heard - HELD_FRAMES)
        phase = self._phases[:, held] if held else 0.0
        size = latent.shape[-1]
        until = size * self._frame - (0 if last else self._kept_back)
        # Of what is kept back, no more is made than the joint.
        end = size if last else math.ceil((until + self._joint) / self._frame)
        onset = Onset(first, held - first, phase)
        sound, phases = vocoder.part(latent[..., first:], speaker.timbre, onset, heard - first, end - first)
        self._phases = torch.cat([self._phases[:, :first].to(phases), phases], dim=-1)
        wave = samples(sound)[self._given - heard * self._frame :]
        fading = len(self._tail)
        rising = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fading) + 0.5) / max(fading, 1))).astype(wave.dtype)
        wave = np.concatenate([self._tail + rising * (wave[:fading] - self._tail), wave[fading:]])
        new = until - self._given
        self._latent, self._tail = latent, wave[new : new + self._joint]
        self._given = until
        return wave[:new]


def samples(wave: Tensor) -> np.ndarray:
    """[1, 1, samples] of a network -> [samples] of float32."""
    return wave[0, 0].float().cpu().numpy()


def faded(wave: np.ndarray, sampling_rate: int, start: bool = True, end: bool = True) -> np.ndarray:
    """The wave with a few milliseconds of fade at both ends: where pieces are joined there is no click."""
    length = min(int(FADE_SECONDS * sampling_rate), len(wave) // 2)
    if length == 0:
        return wave
    ramp = np.linspace(0, 1, length, endpoint=False, dtype=wave.dtype)
    wave = wave.copy()
    if start:
        wave[:length] *= ramp
    if end:
        wave[-length:] *= ramp[::-1]
    return wave
