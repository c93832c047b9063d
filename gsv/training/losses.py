"""Losses of both trainings. All are computed in float32, whatever precision the networks ran in.

SoVITS: VITS (arXiv 2106.06103) with the least-squares GAN and feature losses of HiFi-GAN (arXiv 2010.05646).
GPT: summed cross entropy, and a preference term after DPO (arXiv 2305.18290) without a reference model.
"""

from collections.abc import Sequence
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

PREFERENCE_BETA = 0.2


def kl_loss(z_p: Tensor, logs_q: Tensor, m_p: Tensor, logs_p: Tensor, mask: Tensor) -> Tensor:
    """KL divergence of the posterior from the prior, estimated at the posterior's sample moved through the flow.

    All but the mask are [B, C, T]; mask is [B, 1, T]. The sum over channels is averaged over valid frames.
    """
    z_p, logs_q, m_p, logs_p, mask = (value.float() for value in (z_p, logs_q, m_p, logs_p, mask))
    kl = logs_p - logs_q - 0.5 + 0.5 * (z_p - m_p).square() * torch.exp(-2.0 * logs_p)
    return (kl * mask).sum() / mask.sum()


def mel_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Mean absolute difference of two log-Mel spectrograms of one shape."""
    return F.l1_loss(fake.float(), real.float())


def stft_loss(real: Tensor, fake: Tensor, sizes: Sequence[int], floor: float) -> Tensor:
    """Mean absolute difference of log magnitudes of two waves [B, T], averaged over windows of several sizes.

    What is quieter than `floor` counts as that loud (Parallel WaveGAN, arXiv 1910.11480, without its linear half).
    """
    return torch.stack(
        [mel_loss(*(_log_magnitudes(wave, size, floor) for wave in (real, fake))) for size in sizes]
    ).mean()


def _log_magnitudes(wave: Tensor, size: int, floor: float) -> Tensor:
    window = torch.hann_window(size, device=wave.device)
    spec = torch.stft(wave.float(), size, size // 4, size, window, return_complex=True)
    return 0.5 * torch.log(torch.view_as_real(spec).square().sum(-1).clamp(min=floor**2))


def pitch_loss(hertz: Tensor, log_pitch: Tensor) -> Tensor:
    """Mean absolute difference of natural logarithms where the measured pitch, hertz [B, T], is not 0."""
    voiced = hertz > 0
    distance = (log_pitch.float() - hertz.clamp(min=1.0).log()).abs() * voiced
    return distance.sum() / voiced.sum().clamp(min=1)


def feature_loss(real: Sequence[Sequence[Tensor]], fake: Sequence[Sequence[Tensor]]) -> Tensor:
    """Twice the summed mean absolute differences of the discriminators' feature maps; no gradient to the real ones."""
    maps = zip(chain.from_iterable(real), chain.from_iterable(fake), strict=True)
    return 2 * torch.stack([(r.float().detach() - f.float()).abs().mean() for r, f in maps]).sum()


def generator_loss(fake_scores: Sequence[Tensor]) -> Tensor:
    """Summed squared distances of the scores of made audio from 1."""
    return torch.stack([(1 - score.float()).square().mean() for score in fake_scores]).sum()


def discriminator_loss(real_scores: Sequence[Tensor], fake_scores: Sequence[Tensor]) -> Tensor:
    """Summed squared distances of the scores of real audio from 1 and of made audio from 0."""
    return generator_loss(real_scores) + torch.stack([score.float().square().mean() for score in fake_scores]).sum()


def semantic_targets(semantics: Tensor, lengths: Tensor, end: int) -> Tensor:
    """semantics [B, Y] padded on the right -> [B, Y + 1]: what each row of the logits should say.

    Every position from an item's length on is the end mark, and all of them count in the loss: the official models
    were trained so.
    """
    extended = F.pad(semantics, (0, 1), value=end)
    positions = torch.arange(extended.shape[1], device=semantics.device)
    return extended.masked_fill(positions[None] >= lengths[:, None], end)


def token_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy of logits [B, N, V] and targets [B, N], summed over all positions, so a longer clip counts more."""
    return F.cross_entropy(logits.float().transpose(1, 2), targets, reduction="sum")


def top_accuracy(logits: Tensor, targets: Tensor, end: int, best: int = 3) -> Tensor:
    """Share of positions whose target is among the `best` largest logits; positions of the end mark do not count."""
    counted = targets != end
    hits = (logits.detach().topk(best, dim=-1).indices == targets[..., None]).any(-1)
    return (hits & counted).sum() / counted.sum().clamp(min=1)


def preference_loss(logits: Tensor, targets: Tensor, rejected_logits: Tensor, rejected_targets: Tensor) -> Tensor:
    """-log sigmoid(beta (log p(chosen) - log p(rejected))), averaged over the batch.

    Logits are [B, N, V] and targets [B, N] (N may differ between the pairs). Log-probabilities are summed over all
    positions, padding included.
    """
    margin = _sequence_log_probability(logits, targets) - _sequence_log_probability(rejected_logits, rejected_targets)
    return -F.logsigmoid(PREFERENCE_BETA * margin).mean()


def _sequence_log_probability(logits: Tensor, targets: Tensor) -> Tensor:
    return -F.cross_entropy(logits.float().transpose(1, 2), targets, reduction="none").sum(-1)


def rejected_sequences(semantics: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """Spoiled copies of a batch: in each row a random stretch is said twice or left out, with equal chance.

    semantics [B, Y] -> (rejected [B, Y'], padded with 0; their lengths [B]). These are the two faults that decoding
    shows in practice. A row's padding is treated as part of it, so its end marks take part, as in the official recipe.
    """
    rows = []
    size = semantics.shape[1]
    for row in semantics:
        # Both ends lie below the size, so at least one token always stays.
        start, stop = torch.randint(size, (2,), generator=generator).sort().values.tolist()
        repeat = torch.randint(2, (), generator=generator).item() == 0
        rows.append(torch.cat([row[:stop], row[start:]]) if repeat else torch.cat([row[:start], row[stop:]]))
    lengths = torch.tensor([len(row) for row in rows], device=semantics.device)
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths
