"""The loss of what the content encoder hears."""

import numpy as np
import pytest
import torch

from gsv.audio.io import resample
from gsv.paths import Project
from gsv.training.data import STFT
from gsv.training.listening import Listener, at_half_rate

RATE = STFT.sampling_rate


@pytest.fixture
def listener() -> Listener:
    return Listener.load(Project.default().content_encoder("gsv-tiny/content"))


def tone(hertz: float) -> torch.Tensor:
    return torch.sin(2 * torch.pi * hertz * torch.arange(RATE // 2) / RATE)[None]


def test_half_the_rate_is_what_a_resampler_makes_of_it() -> None:
    wave = tone(440) + 0.5 * tone(3000)
    expected = resample(wave[0].numpy(), RATE, RATE // 2)
    middle = slice(500, -500)
    assert np.abs(at_half_rate(wave)[0].numpy()[middle] - expected[middle]).max() < 0.01
    assert at_half_rate(tone(12000)).abs().max() < 0.01


def test_the_same_sound_is_heard_the_same_and_another_is_not(listener: Listener) -> None:
    assert listener(tone(440), tone(440)) == 0
    noise = torch.randn(1, RATE // 2)
    assert listener(tone(440), noise) > 5 * listener(tone(440), tone(440) + 1e-3 * noise) > 0


def test_the_gradient_brings_a_sound_nearer_and_leaves_the_encoder_alone(listener: Listener) -> None:
    real, made = tone(440), (tone(440) + 0.3 * torch.randn(1, RATE // 2)).requires_grad_()
    optimizer = torch.optim.Adam([made], lr=0.003)
    losses = []
    for _ in range(20):
        loss = listener(real, made)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]
    assert all(parameter.grad is None for parameter in listener.encoder.parameters())
