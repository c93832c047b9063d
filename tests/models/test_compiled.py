"""The layers that are laid out for compiled code: what they say, alone and in company, and how they end."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gsv.errors import GsvError
from gsv.models import compiled, machine_code
from gsv.models.compiled import CompiledPassages
from gsv.models.passages import OwnPassages, Passages
from gsv.models.t2s import T2S, T2SConfig

# Of widths that are no multiples of what processors take at once, and of an odd number of outputs.
CONFIG = T2SConfig(
    vocab_size=65, phoneme_vocab_size=40, hidden_dim=72, embedding_dim=72, head=4, n_layer=3, EOS=64, bert_dim=64
)
COLUMNS = 40
EARLIER = 20


def network(half: bool, config: T2SConfig = CONFIG) -> T2S:
    torch.manual_seed(3)
    model = T2S(config).requires_grad_(False).eval()
    for parameter in model.parameters():
        parameter += 0.1 * torch.randn(parameter.shape)
        parameter.copy_(parameter.half() if half else parameter)
    return model


def laid_out(model: T2S, brief: bool = False) -> CompiledPassages:
    return CompiledPassages(copy.deepcopy(model), brief)


def caches(count: int, passages: Passages) -> list[Tensor]:
    """Keys and values of so many sequences, with noise where they are in use."""
    chance = torch.Generator().manual_seed(5)
    config = passages.config
    shape = (count, config.n_layer, 2, config.head, COLUMNS, config.hidden_dim // config.head)
    return list(torch.randn(shape, generator=chance).to(passages.cache_dtype))


@pytest.fixture(params=["half", "float", "brief"])
def passages(request: pytest.FixtureRequest) -> CompiledPassages:
    return laid_out(network(half=request.param != "float"), brief=request.param == "brief")


@torch.inference_mode()
@pytest.mark.parametrize(
    ("half", "brief", "kept_in"), [(True, False, "float16"), (False, False, "float32"), (True, True, "int8")]
)
def test_steps_and_whole_texts_are_those_of_the_networks_own_layers(half: bool, brief: bool, kept_in: str) -> None:
    model = network(half)
    own, mine = OwnPassages(model), laid_out(model, brief)
    assert str(mine._stacks[0].weight.dtype) == f"torch.{kept_in}"
    nearness = 0.05 if brief else 1e-5
    x = torch.randn(5, CONFIG.hidden_dim)
    theirs, ours = caches(5, own), caches(5, mine)
    used = [EARLIER, 0, 1, COLUMNS - 1, 7]
    expected, found = own.step(x, theirs, used), mine.step(x, ours, used)
    assert (found - expected).norm() < nearness * expected.norm()
    for before, after, place in zip(theirs, ours, used, strict=True):
        assert (before[..., place, :] - after[..., place, :]).norm() < nearness * before[..., place, :].norm()

    whole, attended = torch.randn(1, 9, CONFIG.hidden_dim), torch.randn(1, 9, CONFIG.hidden_dim)
    joint = own.enter(whole)
    assert (mine.enter(whole) - joint).norm() < (0.02 if brief else 1e-5) * joint.norm()
    for layer in range(CONFIG.n_layer):
        for first, second in zip(mine.leave(layer, whole, attended), own.leave(layer, whole, attended), strict=True):
            assert first.shape == second.shape
            assert 0 < (first - second).norm() < (0.03 if brief else 1e-5) * second.norm()


@torch.inference_mode()
@pytest.mark.parametrize("count", [2, 4, 5, 11])
def test_a_row_of_a_step_does_not_know_of_the_others(passages: CompiledPassages, count: int) -> None:
    x, used = torch.randn(count, CONFIG.hidden_dim), [(7 * row) % COLUMNS for row in range(count)]
    together, alone = caches(count, passages), caches(count, passages)
    logits = passages.step(x, together, used)
    for row in range(count):
        single = passages.step(x[row : row + 1], alone[row : row + 1], used[row : row + 1])
        assert torch.equal(single[0], logits[row])
        assert torch.equal(alone[row], together[row])


@torch.inference_mode()
@pytest.mark.parametrize("threads", [2, 3, 4])
def test_threads_share_a_step_without_changing_it(
    passages: CompiledPassages, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, used = torch.randn(3, CONFIG.hidden_dim), [EARLIER, 3, 0]
    alone, shared = caches(3, passages), caches(3, passages)
    expected = passages.step(x, alone, used)
    monkeypatch.setattr(passages, "_threads", threads)
    monkeypatch.setattr(passages, "_helpers", ThreadPoolExecutor(threads))
    for _ in range(20):
        assert torch.equal(passages.step(x, shared, used), expected)


@torch.inference_mode()
def test_steps_of_several_callers_at_once_take_turns(passages: CompiledPassages) -> None:
    passages._threads = 2
    x = torch.randn(4, CONFIG.hidden_dim)
    expected = [passages.step(x[i : i + 1], caches(1, passages), [EARLIER]) for i in range(4)]
    found: dict[int, list[Tensor]] = {i: [] for i in range(4)}

    @torch.inference_mode()
    def work(i: int) -> None:
        mine = caches(1, passages)
        found[i] += [passages.step(x[i : i + 1], mine, [EARLIER]) for _ in range(25)]

    callers = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert all(torch.equal(logits, expected[i]) for i in range(4) for logits in found[i])
    assert [len(found[i]) for i in range(4)] == [25] * 4


@torch.inference_mode()
def test_nobody_waits_for_ever_when_a_step_is_interrupted(
    passages: CompiledPassages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl+C, just when the others have begun."""
    passages._threads = 2
    x, real = torch.randn(1, CONFIG.hidden_dim), passages._step

    def interrupted(thread: int, *given: Any) -> None:
        if thread == 0:
            raise KeyboardInterrupt
        real(thread, *given)

    monkeypatch.setattr(passages, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        passages.step(x, caches(1, passages), [EARLIER])
    passages._helpers.submit(int).result(60)
    monkeypatch.undo()
    assert passages.step(x, caches(1, passages), [EARLIER]).isfinite().all()


@torch.inference_mode()
def test_attention_of_large_scores_is_that_of_a_softmax() -> None:
    """Scores hundreds apart, whose exponentials vanish."""
    model = network(half=True, config=replace(CONFIG, n_layer=1))
    model.h.layers[0].self_attn.in_proj_weight *= 40
    own, mine = OwnPassages(model), laid_out(model)
    x = torch.randn(2, CONFIG.hidden_dim)
    theirs, ours = ([cache * 30 for cache in caches(2, one)] for one in (own, mine))
    expected, found = own.step(x, theirs, [EARLIER, 33]), mine.step(x, ours, [EARLIER, 33])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("brief", [False, True])
def test_a_processor_without_numbers_of_16_bits_is_not_given_any(brief: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(half=True)
    monkeypatch.setattr(compiled, "has_halves", lambda: False)
    own, mine = OwnPassages(model), laid_out(model, brief)
    assert mine.cache_dtype == torch.float32
    assert mine._stacks[0].weight.dtype == (torch.int8 if brief else torch.float32)
    x = torch.randn(1, CONFIG.hidden_dim)
    expected, found = own.step(x, caches(1, own), [EARLIER]), mine.step(x, caches(1, mine), [EARLIER])
    assert (found - expected).norm() < (0.05 if brief else 1e-5) * expected.norm()


def test_code_is_made_once_and_kept_where_there_is_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed, open_ = tmp_path / "closed", tmp_path / "open"
    # A file where a folder would have to be.
    closed.touch()
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([closed, open_]))
    first = machine_code._code("int8", "int16")
    (kept,) = open_.iterdir()
    monkeypatch.setattr(machine_code, "_compiled", lambda *given: pytest.fail("made again"))
    assert machine_code._code("int8", "int16") == first == kept.read_bytes()


def test_code_that_can_be_kept_nowhere_is_made_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").touch()
    monkeypatch.setattr(machine_code, "_folders", lambda: iter([tmp_path / "closed"]))
    monkeypatch.setattr(machine_code, "_compiled", lambda *given: b"code")
    assert machine_code._code("int8", "int16") == b"code"
    assert list(tmp_path.iterdir()) == [tmp_path / "closed"]


def test_a_compiler_that_fails_is_named_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('numba is broken')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(GsvError, match=r"numba could not compile .* numba is broken"):
        machine_code._compiled("int16", "float32")
