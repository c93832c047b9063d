"""What the sampler lets through, and that its draws follow their generator."""

import math

import pytest
import torch

from gsv.errors import InputError
from gsv.synthesis.sampling import Sampler, SamplingOptions, draw

CPU = torch.device("cpu")


def probabilities(logits: list[float], **options: float) -> list[float]:
    row = torch.tensor([logits])
    return Sampler([SamplingOptions(**options)], len(logits), CPU).probabilities(row)[0].tolist()  # type: ignore[arg-type]


def test_top_k_keeps_the_k_best_and_ties() -> None:
    assert [p > 0 for p in probabilities([3.0, 1.0, 2.0, 2.0], top_k=2)] == [True, False, True, True]


def test_top_k_of_zero_keeps_all() -> None:
    assert all(p > 0 for p in probabilities([3.0, 1.0, 2.0], top_k=0))


def test_the_nucleus_drops_the_token_that_crosses_it() -> None:
    # Probabilities 0.5, 0.3, 0.2: the second brings the total to 0.8.
    logits = torch.tensor([0.5, 0.3, 0.2]).log().tolist()
    assert [p > 0 for p in probabilities(logits, top_p=0.75)] == [True, False, False]
    assert [p > 0 for p in probabilities(logits, top_p=0.85)] == [True, True, False]


def test_the_nucleus_never_drops_the_best() -> None:
    assert probabilities([5.0, 0.0], top_p=0.01) == [1.0, 0.0]


def test_a_temperature_of_zero_takes_the_best() -> None:
    assert probabilities([1.0, 1.1, 0.9], temperature=0.0) == [0.0, 1.0, 0.0]


def test_repetition_penalty_pushes_both_signs_down() -> None:
    sampler = Sampler([SamplingOptions(repetition_penalty=2.0)], 3, CPU)
    seen = torch.tensor([[True, True, False]])
    assert sampler.penalise(torch.tensor([[4.0, -4.0, 4.0]]), seen).tolist() == [[2.0, -8.0, 4.0]]


def test_rows_have_their_own_options() -> None:
    sampler = Sampler([SamplingOptions(top_k=1), SamplingOptions(top_k=3)], 3, CPU)
    made = sampler.probabilities(torch.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]))
    assert (made > 0).sum(-1).tolist() == [1, 3]


def test_draws_have_the_right_frequencies() -> None:
    wanted = torch.tensor([[0.7, 0.2, 0.1]])
    generator = torch.Generator().manual_seed(5)
    counts = torch.bincount(torch.cat([draw(wanted, [generator]) for _ in range(4000)]), minlength=3)
    assert torch.allclose(counts / 4000, wanted[0], atol=0.03)


def test_a_row_draws_the_same_alone_and_in_a_batch() -> None:
    wanted = torch.full((1, 50), 0.02)
    alone = draw(wanted, [torch.Generator().manual_seed(7)])
    together = draw(wanted.expand(2, -1), [torch.Generator().manual_seed(1), torch.Generator().manual_seed(7)])
    assert together[1] == alone[0]


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": -1},
        *({"top_p": value} for value in (0.0, math.nan)),
        *({"temperature": value} for value in (-0.1, math.nan, math.inf)),
        *({"repetition_penalty": value} for value in (0.0, math.nan, math.inf)),
    ],
)
def test_impossible_options_are_refused_by_name(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        SamplingOptions(**options)  # type: ignore[arg-type]
