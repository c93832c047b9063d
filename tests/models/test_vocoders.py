"""The source-filter vocoder: shapes, gradients, and what it is made of."""

import pytest
import torch

from gsv.audio.pitch import pitch
from gsv.models.sovits import Sovits, SovitsConfig
from gsv.models.vocoders import HifiGenerator, Onset, SourceFilter

RATE = 32000


@pytest.fixture
def vocoder() -> SourceFilter:
    torch.manual_seed(0)
    return SourceFilter(channels=4, width=8, blocks=2, condition=3, sampling_rate=RATE).eval()


def pulses_of(vocoder: SourceFilter, hertz: torch.Tensor) -> torch.Tensor:
    return vocoder._pulses(hertz, vocoder._begun(hertz, Onset()))


def test_a_frame_becomes_a_fiftieth_of_a_second(vocoder: SourceFilter) -> None:
    wave, log_pitch = vocoder.with_pitch(torch.randn(2, 4, 11), torch.randn(2, 3, 1))
    assert wave.shape == (2, 1, 11 * 640)
    assert log_pitch.shape == (2, 22)
    assert wave.abs().max() <= 1


def test_the_same_frames_make_the_same_sound_except_in_training(vocoder: SourceFilter) -> None:
    frames, condition = torch.randn(1, 4, 6), torch.randn(1, 3, 1)
    assert torch.equal(vocoder(frames, condition), vocoder(frames, condition))
    vocoder.train()
    assert not torch.equal(vocoder(frames, condition), vocoder(frames, condition))


def test_a_part_goes_on_from_where_the_pulses_were(vocoder: SourceFilter) -> None:
    frames, condition = torch.randn(1, 4, 80), torch.randn(1, 3, 1)
    whole, phases = vocoder.part(frames, condition, Onset(), 0, 80)
    assert torch.equal(whole, vocoder(frames, condition))
    context = vocoder.context
    first, held = 30, 30 + context - 2
    onset = Onset(first, held - first, phases[:, held])
    part, again = vocoder.part(frames[..., first:], condition, onset, context, 50)
    wanted = whole[..., (first + context) * 640 :]
    # Harmonics far up make much of what is lost in counting cycles.
    assert (part - wanted).abs().max() < 0.02 * whole.abs().max()
    turned = (again[:, held - first :] - phases[:, held:] + 0.5).frac() - 0.5
    assert turned.abs().max() < 1e-3
    onset = Onset(first, held - first, phases[:, held] + 0.25)
    lost, _ = vocoder.part(frames[..., first:], condition, onset, context, 50)
    assert (lost - wanted).abs().max() > 0.2 * whole.abs().max()


def test_all_that_is_trained_gets_a_gradient(vocoder: SourceFilter) -> None:
    wave, log_pitch = vocoder.with_pitch(torch.randn(2, 4, 8), torch.randn(2, 3, 1))
    (wave.square().mean() + log_pitch.mean()).backward()
    for name, parameter in vocoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_the_sound_alone_does_not_move_the_pitch(vocoder: SourceFilter) -> None:
    vocoder(torch.randn(2, 4, 8), torch.randn(2, 3, 1)).square().mean().backward()
    assert vocoder.conv_post.weight.grad is not None
    assert not vocoder.conv_post.weight.grad[0].any()


@pytest.mark.parametrize("hertz", [90.0, 210.0, 333.3])
def test_pulses_have_the_pitch_asked_for_and_unit_power(vocoder: SourceFilter, hertz: float) -> None:
    pulses = pulses_of(vocoder, torch.full((1, 60), hertz))
    assert pulses.square().mean().item() == pytest.approx(1.0, rel=0.05)
    found = pitch(pulses, RATE, 320)[0, 5:-5]
    assert found.tolist() == pytest.approx([hertz] * len(found), rel=0.005)


def test_pulses_hold_all_harmonics_alike(vocoder: SourceFilter) -> None:
    spectrum = torch.fft.rfft(pulses_of(vocoder, torch.full((1, 100), 200.0))[0]).abs()
    harmonics = spectrum[200::200][:79]
    assert harmonics.min() > 0.97 * harmonics.max()
    assert spectrum[100::200].max() < 0.01 * harmonics.max()


def test_the_transform_and_its_inverse_give_the_wave_back(vocoder: SourceFilter) -> None:
    wave = torch.randn(2, 320 * 9)
    torch.testing.assert_close(vocoder._wave(vocoder._spectrum(wave)), wave, rtol=1e-4, atol=1e-5)


def test_its_pitch_and_gains_are_float32_under_autocast(vocoder: SourceFilter) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        _, log_pitch = vocoder.with_pitch(torch.randn(1, 4, 5), torch.randn(1, 3, 1))
    assert log_pitch.dtype == torch.float32


def test_the_configuration_chooses_the_vocoder() -> None:
    small = {
        "inter_channels": 8,
        "hidden_channels": 8,
        "filter_channels": 8,
        "n_layers": 2,
        "gin_channels": 8,
        "mrte_channels": 8,
        "ssl_dim": 8,
        "upsample_initial_channel": 32,
    }
    assert isinstance(Sovits(SovitsConfig.from_dict(small)).dec, HifiGenerator)
    named = {**small, "vocoder": "source_filter", "vocoder_channels": 16, "vocoder_blocks": 2}
    network = Sovits(SovitsConfig.from_dict(named))
    assert isinstance(network.dec, SourceFilter)
    # What a file of this network tells of its widths is what it was made with.
    again = Sovits.from_weights(named, network.state_dict())
    assert again.config == network.config
    with pytest.raises(ValueError, match="source_filter"):
        Sovits(SovitsConfig.from_dict({**small, "vocoder": "tin can"}))


@torch.inference_mode()
@pytest.mark.parametrize("begin, end", [(0, 40), (0, 7), (13, 20), (30, 40), (19, 20)])
def test_of_what_is_around_a_part_no_more_is_made_than_it_depends_on(begin: int, end: int) -> None:
    torch.manual_seed(0)
    vocoder = HifiGenerator(4, 32, (10, 8, 2, 2, 2), (16, 16, 8, 2, 2), (3, 11), ((1, 3, 5), (1, 3, 5)), 3).eval()
    frames, condition = torch.randn(1, 4, 40), torch.randn(1, 3, 1)
    whole, columns = vocoder(frames, condition), []
    vocoder.conv_post.register_forward_pre_hook(lambda _, given: columns.append(given[0].shape[-1]))
    wave, _ = vocoder.part(frames, condition, Onset(), begin, end)
    torch.testing.assert_close(wave, whole[..., begin * 640 : end * 640], rtol=0, atol=1e-6 * float(whole.abs().max()))
    assert columns[0] <= (end - begin) * 640 + 2 * 63
