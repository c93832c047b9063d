"""Flow matching: noise becomes a Mel spectrogram along straight paths (arXiv 2210.02747).

The network is also told the step size and is trained so that one step of twice the size does what two steps do
(shortcut models, arXiv 2410.12557), which lets few steps suffice.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gsv.models.dit import DiT, DiTConfig
from gsv.models.layers import length_mask

# The share of training batches that compare steps, and the exponents of the smaller step: 2^-2 to 2^-7.
CONSISTENCY_SHARE = 0.3
EXPONENTS = (2, 8)
# Smaller steps are told to the network as infinitely small ones.
LEAST_STEP = 1e-2
# Guidance below this is none.
_LEAST_GUIDANCE = 1e-5


class FlowMatching(nn.Module):
    def __init__(self, config: DiTConfig):
        super().__init__()
        self.estimator = DiT(config)

    @torch.no_grad()
    def sampling(
        self, mu: Tensor, prompt: Tensor, noise: Tensor, steps: int, guidance: float = 0.0
    ) -> Iterator[Tensor]:
        """The state [B, mel_dim, T] after each of the steps; the last one is the spectrogram.

        Args:
            mu: [B, text_dim, T], the condition, the prompt's included.
            prompt: [B, mel_dim, P], the spectrogram of the first P frames, which the state does not repeat.
            noise: [B, mel_dim, T], standard normal.
            steps: of equal size, by Euler's method.
            guidance: how far to go beyond what the condition asks for, away from what no condition would give
                (arXiv 2207.12598); 0 is not at all.
        """
        size, told = len(mu), prompt.shape[-1]
        given = mu.new_zeros(noise.shape)
        given[..., :told] = prompt
        guided = guidance > _LEAST_GUIDANCE
        if guided:
            # With the condition and without, side by side.
            given, mu = (torch.cat([one, torch.zeros_like(one)]) for one in (given, mu))
        conditions = self.estimator.conditions(given, mu)
        times = torch.arange(steps, device=mu.device, dtype=torch.float32) / steps
        paces = self.estimator.pace(times, torch.full_like(times, 1 / steps))
        # Summed up in the noise's precision, even where the network computes in less.
        x = noise.clone()
        x[..., :told] = 0
        for pace in paces:
            state = (torch.cat([x, x]) if guided else x).to(mu.dtype)
            velocity = self.estimator.velocity(state, pace[None].expand(len(state), -1), conditions).transpose(1, 2)
            if guided:
                wanted, free = velocity.split(size)
                velocity = wanted + (wanted - free) * guidance
            x = x + velocity / steps
            x[..., :told] = 0
            yield x

    def sample(self, mu: Tensor, prompt: Tensor, noise: Tensor, steps: int, guidance: float = 0.0) -> Tensor:
        """The spectrogram [B, mel_dim, T] whose first P frames are zero; see `sampling`."""
        *_, last = self.sampling(mu, prompt, noise, steps, guidance)
        return last

    def loss(
        self,
        mel: Tensor,
        mu: Tensor,
        lengths: Tensor,
        prompt_lengths: Tensor,
        time: Tensor,
        noise: Tensor,
        exponents: Tensor | None = None,
    ) -> Tensor:
        """The training loss: squared error of the velocity after the prompt, averaged over each item, then over items.

        Args:
            mel: [B, mel_dim, T], in the units of `gsv.audio.spectral.flow_scaled`.
            mu: [B, text_dim, T].
            lengths, prompt_lengths: [B], in frames.
            time: [B] of 0 to 1, how far on the way the network is asked.
            noise: [B, mel_dim, T], standard normal.
            exponents: [B]; None trains infinitely small steps, and otherwise steps of 2^(1 - exponent) are trained to
                go where two of half the size go.
        """
        prompt_mask = length_mask(prompt_lengths, mel.shape[-1])[:, None]
        prompt = mel * prompt_mask
        state = (noise + time[:, None, None] * (mel - noise)).masked_fill(prompt_mask, 0)
        target, step = mel - noise, torch.zeros_like(time)
        if exponents is not None:
            half = 2.0 ** -exponents.to(time)
            told = half.masked_fill(half < LEAST_STEP, 0)
            with torch.no_grad():
                first = self._velocity(state, prompt, mu, lengths, time, told)
                between = state + half[:, None, None] * first
                second = self._velocity(between, prompt, mu, lengths, time + half, told)
            target, step = (first + second) / 2, 2 * half
        error = (self._velocity(state, prompt, mu, lengths, time, step) - target).square().mean(1)
        counted = length_mask(lengths, mel.shape[-1]) & ~prompt_mask[:, 0]
        return ((error * counted).sum(1) / counted.sum(1)).mean()

    def forward(self, mel: Tensor, mu: Tensor, lengths: Tensor, prompt_lengths: Tensor) -> Tensor:
        """The loss of a training step, with times, noise and steps drawn."""
        time = torch.rand(len(mel), device=mel.device)
        exponents = None
        if torch.rand(()) < CONSISTENCY_SHARE:
            exponents = torch.randint(*EXPONENTS, (len(mel),), device=mel.device)
        return self.loss(mel, mu, lengths, prompt_lengths, time, torch.randn_like(mel), exponents)

    def _velocity(self, x: Tensor, prompt: Tensor, mu: Tensor, lengths: Tensor, time: Tensor, step: Tensor) -> Tensor:
        return self.estimator(x, prompt, mu, lengths, time, step).transpose(1, 2)
