"""The losses against the reference's numbers, and what they mean."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from gsv.training import losses


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, torch.Tensor]:
    with np.load(shared / "reference" / "golden" / "losses.npz") as arrays:
        return {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}


def test_gan_and_kl_losses_equal_the_reference(golden: dict[str, torch.Tensor]) -> None:
    inputs = {name[3:]: value for name, value in golden.items() if name.startswith("in.")}
    real, fake = ([list(disc) for disc in inputs[name]] for name in ("fmap_real", "fmap_fake"))
    computed = {
        "kl": losses.kl_loss(*(inputs[name] for name in ("z_p", "logs_q", "m_p", "logs_p", "z_mask"))),
        "feature": losses.feature_loss(real, fake),
        "generator": losses.generator_loss(list(inputs["scores_fake"])),
        "discriminator": losses.discriminator_loss(list(inputs["scores_real"]), list(inputs["scores_fake"])),
    }
    for name, value in computed.items():
        assert value.item() == pytest.approx(golden[f"out.{name}"].item(), rel=1e-5), name


def test_feature_loss_gives_no_gradient_to_the_real_maps() -> None:
    real, fake = torch.ones(2, 3, requires_grad=True), torch.zeros(2, 3, requires_grad=True)
    losses.feature_loss([[real]], [[fake]]).backward()
    assert real.grad is None
    assert fake.grad is not None


def test_targets_are_the_tokens_then_end_marks() -> None:
    semantics = torch.tensor([[5, 6, 7], [8, 9, 9]])
    targets = losses.semantic_targets(semantics, torch.tensor([3, 1]), end=64)
    assert targets.tolist() == [[5, 6, 7, 64], [8, 64, 64, 64]]


@pytest.mark.parametrize("case", ["tiny_equal", "tiny_ragged", "tiny_preference", "mid"])
def test_token_losses_equal_the_reference_given_its_logits(shared: Path, case: str) -> None:
    with np.load(shared / "reference" / "golden" / f"t2s_train_{case}.npz") as arrays:
        data = {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}
    logits = data["out.logits"]
    end = logits.shape[-1] - 1
    targets = losses.semantic_targets(data["in.semantic_ids"], data["in.semantic_lens"], end)
    loss = losses.token_loss(logits, targets)
    if "out.rejected_logits" in data:
        assert loss.item() == pytest.approx(data["out.loss_cross_entropy_part"].item(), rel=1e-4)
        rejected = losses.semantic_targets(data["in.rejected_semantic_ids"], data["in.rejected_semantic_lens"], end)
        preference = losses.preference_loss(logits, targets, data["out.rejected_logits"], rejected)
        assert preference.item() == pytest.approx(data["out.loss_preference_part"].item(), rel=1e-4)
        loss = loss + preference
    assert loss.item() == pytest.approx(data["out.loss"].item(), rel=1e-4)
    accuracy = losses.top_accuracy(logits, targets, end)
    assert accuracy.item() == pytest.approx(data["out.accuracy_top3"].item(), abs=1e-6)


def test_rejected_sequences_say_a_stretch_twice_or_leave_it_out() -> None:
    row = torch.arange(20)
    generator = torch.Generator().manual_seed(3)
    rejected, lengths = losses.rejected_sequences(row.repeat(200, 1), generator)
    longer = shorter = 0
    for spoiled, length in zip(rejected, lengths.tolist(), strict=True):
        tokens = spoiled[:length].tolist()
        assert spoiled[length:].eq(0).all()
        steps = [b - a for a, b in pairwise(tokens)]
        jumps = [step for step in steps if step != 1]
        assert len(jumps) <= 1
        assert length >= 1
        if length > 20:
            longer += 1
            assert jumps[0] == 20 - length + 1
        elif length < 20:
            shorter += 1
    assert 70 <= longer <= 130
    assert 70 <= shorter <= 130


def test_rejected_sequences_follow_the_generator() -> None:
    row = torch.arange(30).repeat(4, 1)
    first, again = (losses.rejected_sequences(row, torch.Generator().manual_seed(9))[0] for _ in range(2))
    assert torch.equal(first, again)


def test_spectra_count_only_what_is_louder_than_the_floor() -> None:
    noise = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    sizes = (256, 512)
    assert losses.stft_loss(noise, noise, sizes, 0.02).item() == 0
    assert losses.stft_loss(noise * 1e-5, noise * 1e-6, sizes, 0.02).item() == 0
    assert losses.stft_loss(noise, 2 * noise, sizes, 1e-6).item() == pytest.approx(np.log(2), rel=0.01)


def test_pitch_counts_where_there_is_one() -> None:
    hertz = torch.tensor([[100.0, 0.0, 200.0]])
    guess = torch.tensor([[100.0, 77.0, 100.0]]).log()
    assert losses.pitch_loss(hertz, guess).item() == pytest.approx(np.log(2) / 2)
    assert losses.pitch_loss(torch.zeros(1, 3), guess).item() == 0
