"""The table of parts: what is counted, and what cannot be less."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from gsv.errors import InputError
from gsv.models.layers import fold_weight_norm
from gsv.models.planes import multiply_in, usable
from gsv.models.vocoders import HifiGenerator


@pytest.fixture
def bench(tool: Callable[[str], ModuleType]) -> ModuleType:
    return tool("bench")


def engine(bench: ModuleType, version: str = "v2") -> Any:
    torch.manual_seed(0)
    return bench.random_engine(version, torch.device("cpu"), narrow=True, fast=False)


def test_every_part_of_a_sentence_is_timed_beside_its_limit(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = bench.bench_parts
    # The encoders of official widths take a gigabyte.
    monkeypatch.setattr(parts, "encoders", lambda *given: [])
    monkeypatch.setattr(parts, "most_products", lambda dtype: 2e9)
    monkeypatch.setattr(parts, "most_bytes", lambda: 1e9)
    found = {one.part: one for one in parts.measure_parts(engine(bench), "narrow", False, 1, "here")}
    prompt, tokens = (found[name] for name in ("prompt, 160 rows", "125 tokens"))
    assert all(one.seconds > 0 for name, one in found.items() if name != "wav")
    assert prompt.limit_s == pytest.approx(prompt.gflop / 2, rel=0.1)
    # One row at a time, weights are what takes time; and they are read for every token.
    assert tokens.limit_s == pytest.approx(tokens.weight_gb, rel=0.1)
    assert tokens.weight_gb > 100 * prompt.weight_gb
    assert found["text to phonemes"].limit_s is None
    assert found["frames to sound"].gflop > found["tokens to frames"].gflop > 0
    lines = parts.table(list(found.values())).splitlines()
    assert len(lines) == 2 + len(found)
    assert lines[2].startswith("| text to phonemes | ")
    assert lines[2].endswith(" | - | - | - | - |")


def test_products_and_bytes_are_those_of_the_layers(bench: ModuleType) -> None:
    layer, x = nn.Linear(30, 20), torch.randn(7, 30)
    assert bench.bench_parts.counted(lambda: layer(x)) == 2 * 30 * 20 * 7
    assert bench.bench_parts.size_of([layer]) == 4 * (30 * 20 + 20)


@torch.inference_mode()
@pytest.mark.skipif(not usable(torch.zeros(1)), reason="this machine's networks are left as they are")
def test_products_and_bytes_are_the_same_of_layers_that_are_laid_out(bench: ModuleType) -> None:
    network = nn.Sequential(nn.Conv1d(6, 8, 5, padding=2), nn.Conv1d(8, 4, 1))
    x = torch.randn(1, 6, 50)
    before = bench.bench_parts.counted(lambda: network(x)), bench.bench_parts.size_of([network])
    multiply_in(network, torch.float32)
    products, size = bench.bench_parts.counted(lambda: network(x)), bench.bench_parts.size_of([network])
    assert (products, size + 4 * (8 + 4)) == before


@torch.inference_mode()
def test_what_is_done_together_with_convolutions_hides_none_of_them(bench: ModuleType) -> None:
    vocoder = HifiGenerator(8, 32, (4, 2), (8, 4), (3, 7), ((1, 3), (1, 3)), 5).eval()
    fold_weight_norm(vocoder)
    frames, condition = torch.randn(1, 8, 20), torch.randn(1, 5, 1)
    before = bench.bench_parts.counted(lambda: vocoder(frames, condition))
    vocoder.for_inference(brief=False)
    assert bench.bench_parts.counted(lambda: vocoder(frames, condition)) == before > 0


def test_versions_that_speak_otherwise_are_refused(bench: ModuleType) -> None:
    with pytest.raises(InputError, match="v1, v2, v2Pro and v2ProPlus"):
        bench.bench_parts.measure_parts(engine(bench, "v3"), "narrow", False, 1, "here")
