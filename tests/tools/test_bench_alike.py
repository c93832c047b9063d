"""What --fast changes, measured: nothing between a network and itself, little between it and its short form."""

from collections.abc import Callable
from types import ModuleType

import pytest
import torch


@pytest.mark.parametrize("fast", [False, True])
def test_few_tokens_and_little_of_the_sound_differ(tool: Callable[[str], ModuleType], fast: bool) -> None:
    bench = tool("bench")

    def engine(short: bool) -> object:
        torch.manual_seed(0)
        return bench.random_engine("v2", torch.device("cpu"), narrow=True, fast=short)

    found = bench.bench_alike.measure_alike(engine(False), engine(fast), "narrow")
    # Here some of the texts end early; bench.py holds end marks back.
    assert found.tokens > bench.bench_alike.TOKENS
    if fast:
        assert 0.9 * found.tokens < found.tokens_alike
        assert 0 < found.logits_error < 0.05
        assert found.sound_db > 30
    else:
        assert (found.tokens_alike, found.logits_error, found.log_spectral_distance_db) == (found.tokens, 0, 0)
    assert 0 < found.content_error < 0.05
