"""The pitch tracker finds known pitches, and none where there is none."""

import math

import pytest
import torch

from gsv.audio.pitch import pitch


def tone(hertz: float, rate: int, seconds: float = 0.6) -> torch.Tensor:
    time = torch.arange(round(rate * seconds)) / rate
    return torch.stack([torch.sin(2 * math.pi * hertz * k * time) / k for k in range(1, 8)]).sum(0)[None]


@pytest.mark.parametrize("rate", [16000, 32000])
@pytest.mark.parametrize("hertz", [70.0, 123.4, 220.0, 410.0])
def test_a_tone_has_its_pitch(rate: int, hertz: float) -> None:
    found = pitch(tone(hertz, rate), rate, rate // 50)
    assert found.shape == (1, 30)
    assert found[0, 3:-3].tolist() == pytest.approx([hertz] * 24, rel=0.003)


def test_noise_and_silence_have_none() -> None:
    noise = torch.randn(2, 16000, generator=torch.Generator().manual_seed(0))
    assert (pitch(noise, 16000, 320) > 0).float().mean() < 0.02
    assert not pitch(torch.zeros(1, 16000), 16000, 320).any()


def test_it_tells_where_in_the_sound_the_voice_is() -> None:
    wave = torch.cat([torch.zeros(1, 16000), tone(150.0, 16000)], dim=1)
    found = pitch(wave, 16000, 320)[0]
    assert not found[:48].any()
    assert (found[53:75] > 0).all()
