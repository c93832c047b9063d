"""Spectrograms hold to reference numbers, and say so when a sound is too short."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gsv.audio.spectral import SOVITS_STFT as SOVITS
from gsv.audio.spectral import Stft, kaldi_fbank, log_mel, mel_basis, mel_from_spectrogram, spectrogram
from gsv.errors import AudioError

BIGVGAN = Stft(24000, 1024, 256, 1024, 100)
V4 = Stft(32000, 1280, 320, 1280, 100)


def close(found: torch.Tensor, expected: Any, rtol: float, atol: float) -> None:
    assert tuple(found.shape) == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize(
    ("stft", "spec", "mel"),
    [
        (SOVITS, "spec_2048_640_2048", "logmel_2048_128_32000_640"),
        (BIGVGAN, "spec_1024_256_1024", "logmel_1024_100_24000_256"),
        (V4, "spec_1280_320_1280", "logmel_1280_100_32000_320"),
    ],
    ids=["sovits", "v3", "v4"],
)
def test_spectrograms_match_the_reference(shared: Path, stft: Stft, spec: str, mel: str) -> None:
    golden = np.load(shared / "reference/golden/spectra.npz")
    wave = torch.from_numpy(golden["in.wave"])[None]
    close(spectrogram(wave, stft), golden[f"out.{spec}"], 1e-4, 1e-4)
    close(log_mel(wave, stft), golden[f"out.{mel}"], 1e-4, 1e-3)


def test_mel_of_a_given_spectrogram_matches_the_reference(shared: Path) -> None:
    golden = np.load(shared / "reference/golden/spectra.npz")
    spec = torch.from_numpy(golden["out.spec_2048_640_2048"])
    close(mel_from_spectrogram(spec, SOVITS), golden["out.logmel_from_spec_2048_128_32000"], 1e-4, 1e-3)


@pytest.mark.parametrize("case", ["speaker_official", "speaker_tiny"])
def test_the_kaldi_filter_bank_matches_the_reference(shared: Path, case: str) -> None:
    golden = np.load(shared / f"reference/golden/{case}.npz")
    close(kaldi_fbank(torch.from_numpy(golden["in.wave16k"])), golden["out.fbank"], 1e-3, 2e-3)


def test_one_frame_comes_out_for_each_whole_hop() -> None:
    for samples in (705, 1279, 1280, 1281, 6400):
        assert spectrogram(torch.zeros(2, samples), SOVITS).shape == (2, 1025, samples // 640)
    assert kaldi_fbank(torch.zeros(400)).shape == (1, 80)
    assert kaldi_fbank(torch.zeros(719)).shape == (2, 80)


def test_a_batch_is_the_same_as_its_rows() -> None:
    wave = torch.randn(3, 5000, generator=torch.Generator().manual_seed(1))
    rows = torch.cat([log_mel(row[None], SOVITS) for row in wave])
    torch.testing.assert_close(log_mel(wave, SOVITS), rows)


def test_gradients_reach_the_wave_even_through_silence() -> None:
    wave = torch.zeros(1, 4000, requires_grad=True)
    spectrogram(wave, SOVITS).sum().backward()
    assert wave.grad is not None and torch.isfinite(wave.grad).all()


def test_a_top_frequency_limits_the_filters() -> None:
    basis = mel_basis(Stft(fmax=8000.0))
    assert basis[:, 513:].abs().sum() == 0 and basis[:, :512].abs().sum() > 0


def test_a_sound_that_is_too_short_is_named() -> None:
    with pytest.raises(AudioError, match="704 samples; at least 705"):
        spectrogram(torch.zeros(1, 704), SOVITS)
    with pytest.raises(AudioError, match="at least 400"):
        kaldi_fbank(torch.zeros(399))
