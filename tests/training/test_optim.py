"""ScaledAdam against numbers of the original program, and the learning rates."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from gsv.training.optim import ScaledAdam, WarmupCosine

# Norms of the parameters of `moved_parameters` after 40 steps of the original program, in double precision.
ORIGINAL_NORMS = (
    0.2411129248204622,
    3.3604229342587577,
    15.423622227441786,
    0.11884428895404581,
    0.2141810983349847,
    3.5527445081257003,
    0.3910909479880117,
    9.855948544598219,
    2.208385566891972e-06,
)


def moved_parameters() -> list[nn.Parameter]:
    """Parameters of many shapes and sizes after 40 steps on gradients whose size changes by factors of thousands."""
    random = np.random.default_rng(0)
    shapes = [(4, 3), (4, 3), (5,), (5,), (1,), (1,), (2, 3, 2)]
    parameters = [
        nn.Parameter(torch.from_numpy(random.standard_normal(shape) * 10.0 ** (number % 3 - 1)))
        for number, shape in enumerate(shapes)
    ]
    parameters.append(nn.Parameter(torch.full((2, 2), 5.0, dtype=torch.float64)))  # above the largest learned size
    parameters.append(nn.Parameter(torch.full((3, 2), 1e-6, dtype=torch.float64)))  # below the smallest
    optimizer = ScaledAdam(parameters, rate=0.01)
    for step in range(40):
        optimizer.param_groups[0]["lr"] = 0.01 if step == 0 else 0.002
        scale = 10.0 ** random.uniform(-2, 2)
        for number, parameter in enumerate(parameters):
            noise = torch.from_numpy(random.standard_normal(parameter.shape) * scale)
            parameter.grad = noise + 0.3 * scale * parameter.detach().sign()
            if number == 2 and step % 5 == 0:
                parameter.grad = None
        optimizer.step()
    return parameters


def test_steps_equal_those_of_the_original_program() -> None:
    norms = [parameter.detach().norm().item() for parameter in moved_parameters()]
    assert norms == pytest.approx(ORIGINAL_NORMS, rel=1e-9)


def descend(parameters: list[nn.Parameter], optimizer: ScaledAdam, steps: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()


def test_a_saved_and_restored_optimizer_goes_on_exactly() -> None:
    torch.manual_seed(0)
    first = [nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(1))]
    optimizer = ScaledAdam(first, rate=0.01, clipping_period=4)
    descend(first, optimizer, 10, seed=1)
    second = [nn.Parameter(parameter.detach().clone()) for parameter in first]
    restored = ScaledAdam(second, rate=0.5)
    restored.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    descend(first, optimizer, 10, seed=2)
    descend(second, restored, 10, seed=2)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)


def test_a_step_is_in_proportion_to_the_parameter() -> None:
    small, large = nn.Parameter(torch.full((8,), 0.01)), nn.Parameter(torch.full((9,), 1.0))
    optimizer = ScaledAdam([small, large], rate=0.02)
    for parameter in (small, large):
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert (0.01 - small[0].item()) / 0.01 == pytest.approx(1.0 - large[0].item(), rel=1e-3)


def test_an_outlier_is_clipped_to_twice_the_median() -> None:
    def change(spike: float) -> float:
        parameter = nn.Parameter(torch.ones(16))
        optimizer = ScaledAdam([parameter], rate=0.01, clipping_period=4)
        for step in range(12):
            parameter.grad = torch.ones(16) * (spike if step == 10 else 1.0)
            optimizer.step()
        return parameter.detach().mean().item()

    assert change(1e6) == pytest.approx(change(2.0), abs=1e-4)
    assert abs(change(1.0) - change(2.0)) > 1e-4


def test_warmup_rises_and_the_cosine_falls_to_the_last_rate() -> None:
    rate = WarmupCosine(first=0.0, peak=1.0, last=0.1, warmup_steps=10, total_steps=110)
    assert rate(0) == 0.0
    assert rate(5) == 0.5
    assert rate(10) == 1.0
    assert math.isclose(rate(60), 0.55)
    assert rate(110) == rate(10_000) == 0.1
