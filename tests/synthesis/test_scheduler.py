"""Rows of many threads are continued together, and each gets what it would get alone."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from gsv.models.t2s import T2S, T2SConfig
from gsv.synthesis.decoder import Row, generate
from gsv.synthesis.sampling import SamplingOptions
from gsv.synthesis.scheduler import Scheduler
from gsv.synthesis.turns import Kind, StoppedError, Turns, never

CONFIG = T2SConfig(
    vocab_size=257, phoneme_vocab_size=40, hidden_dim=320, embedding_dim=320, head=4, n_layer=2, EOS=256, bert_dim=64
)
CLIENTS = 32


@pytest.fixture(scope="module")
def model() -> T2S:
    torch.manual_seed(3)
    return T2S(CONFIG).for_decoding()


@pytest.fixture
def scheduler(model: T2S) -> Scheduler:
    return Scheduler(model, Turns())


def row(seed: int, limit: int = 24) -> Row:
    """Of its own length, options and draws."""
    generator = torch.Generator().manual_seed(seed)
    phonemes, prompt = 5 + seed % 7, seed % 4 * 9
    return Row(
        torch.randint(40, (phonemes,), generator=generator),
        torch.randn(64, phonemes, generator=generator),
        torch.randint(256, (prompt,), generator=generator),
        generator,
        SamplingOptions(top_k=5 + seed % 3 * 40, top_p=1 - seed % 5 / 10, temperature=1 + seed % 2),
        limit - seed % 6,
    )


def at_once(count: int, work: Callable[[int], object]) -> None:
    """Calls `work` with 0, 1, ... in a thread each, and waits for all of them."""
    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)


def test_many_at_once_get_the_tokens_that_each_gets_alone(model: T2S, scheduler: Scheduler) -> None:
    alone = [list(generate(model, [row(i)]))[-1][0].tokens for i in range(CLIENTS)]
    together: dict[int, list[int]] = {}
    sizes: set[int] = set()
    step = scheduler._decoder.step

    def counting(strands: list) -> None:
        sizes.add(len(strands))
        step(strands)

    scheduler._decoder.step = counting  # type: ignore[method-assign,assignment]

    def speak(i: int) -> None:
        with scheduler.party([row(i)]) as party:
            together[i] = party.wait()[0].tokens

    at_once(CLIENTS, speak)
    assert [together[i] for i in range(CLIENTS)] == alone
    assert len({tuple(tokens) for tokens in alone}) == CLIENTS
    assert max(sizes) > CLIENTS // 4
    assert not scheduler._parties


def test_a_row_that_comes_later_joins_those_on_their_way(model: T2S, scheduler: Scheduler) -> None:
    with scheduler.party([row(1, 60)]) as early:
        early.wait(5)
        with scheduler.party([row(2)]) as late:
            late.wait(4)
            assert len(early.continuations[0].tokens) == 9
            assert late.wait()[0].tokens == list(generate(model, [row(2)]))[-1][0].tokens
        assert early.wait()[0].tokens == list(generate(model, [row(1, 60)]))[-1][0].tokens


def test_whoever_leaves_is_gone_by_the_next_step(scheduler: Scheduler) -> None:
    with scheduler.party([row(1, 60)]) as stays:
        with scheduler.party([row(2, 60)]) as leaves:
            leaves.wait(3)
            strand = leaves.strands[0]
        stays.wait(10)
    assert len(strand.continuation.tokens) == 3


def test_who_is_stopped_ends_within_a_step_and_the_others_go_on(scheduler: Scheduler, model: T2S) -> None:
    stop = False
    with (
        scheduler.party([row(1, 60)]) as stays,
        scheduler.party([row(2, 60)], lambda: stop) as first,
        scheduler.party([row(3, 60)], lambda: stop) as second,
    ):
        stays.wait(5)
        stop = True
        # One that leads is told by its own step, one that does not by another's.
        with pytest.raises(StoppedError):
            first.wait()
        stays.wait(8)
        assert [len(one.strands[0].continuation.tokens) for one in (stays, first, second)] == [8, 5, 5]
        with pytest.raises(StoppedError):
            second.wait()
        assert stays.wait()[0].tokens == list(generate(model, [row(1, 60)]))[-1][0].tokens


def test_a_stop_that_raises_hurts_its_own_request_only(scheduler: Scheduler, model: T2S) -> None:
    def raises() -> bool:
        raise ZeroDivisionError

    with scheduler.party([row(1)]) as sound, scheduler.party([row(2)], raises) as broken:
        assert sound.wait()[0].tokens == list(generate(model, [row(1)]))[-1][0].tokens
        with pytest.raises(ZeroDivisionError):
            broken.wait()


def test_a_row_that_cannot_be_read_hurts_its_own_request_only(scheduler: Scheduler, model: T2S) -> None:
    with scheduler.party([row(1)]) as sound:
        sound.wait(3)
        with pytest.raises(IndexError), scheduler.party([replace(row(2), prompt=torch.tensor([9999]))]):
            pass
        assert sound.wait()[0].tokens == list(generate(model, [row(1)]))[-1][0].tokens


def test_a_step_that_fails_is_told_to_all_and_the_next_request_is_served(scheduler: Scheduler) -> None:
    step = scheduler._decoder.step

    def fails(strands: list) -> None:
        raise MemoryError

    with scheduler.party([row(1)]) as one, scheduler.party([row(2)]) as other:
        scheduler._decoder.step = fails  # type: ignore[method-assign,assignment]
        for party in (one, other):
            with pytest.raises(MemoryError):
                party.wait()
        scheduler._decoder.step = step  # type: ignore[method-assign]
    with scheduler.party([row(3)]) as next_one:
        assert next_one.wait()[0].ended


def test_no_thread_is_left_and_none_is_needed(scheduler: Scheduler) -> None:
    before = threading.active_count()
    with scheduler.party([row(1)]) as party:
        party.wait(5)
        assert threading.active_count() == before
    with pytest.raises(StoppedError):
        party.wait()

    def leaves_early(i: int) -> None:
        with scheduler.party([row(i)]) as mine:
            mine.wait(3)

    at_once(4, leaves_early)
    assert threading.active_count() == before
    assert not scheduler._parties


def test_only_one_at_a_time_has_the_turn() -> None:
    turns = Turns()
    inside = 0
    most = 0

    def work(i: int) -> None:
        nonlocal inside, most
        for _ in range(20):
            with turns.turn("step" if i % 2 else "pass"), turns.turn("pass"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    at_once(6, work)
    assert most == 1


def test_steps_and_passes_share_the_time_when_both_wait() -> None:
    turns = Turns()
    order: list[str] = []
    ready = threading.Barrier(6)
    begin = threading.Event()

    def work(i: int) -> None:
        kind = "step" if i < 2 else "pass"
        ready.wait()
        begin.wait()
        with turns.turn(kind):  # type: ignore[arg-type]
            order.append(kind)
            time.sleep(0.02)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(5)]
    for thread in threads:
        thread.start()
    ready.wait()
    with turns.turn("pass"):
        begin.set()
        # Until all of them wait.
        while sum(len(queue) for queue in turns._waiting.values()) < 5:
            time.sleep(0.001)
    for thread in threads:
        thread.join(10)
    # The two steps do not wait for all the passes, nor the passes for all the steps.
    assert sorted(order) == ["pass"] * 3 + ["step"] * 2
    assert order[0] == "step"
    assert order[-1] == "pass"


def test_a_step_and_a_pass_may_go_at_once_where_that_is_wanted_but_never_two_of_a_kind() -> None:
    turns = Turns(both=True)
    meeting = threading.Barrier(2)
    inside = {"step": 0, "pass": 0}

    def work(i: int) -> None:
        kind: Kind = "step" if i % 2 else "pass"
        for _ in range(10):
            with turns.turn(kind), turns.turn("pass"):
                inside[kind] += 1
                assert inside[kind] == 1
                meeting.wait(10)
                inside[kind] -= 1

    at_once(4, work)
    with turns.turn("step"), turns.turn("pass"):
        assert len(turns._owners) == 1


def test_who_is_stopped_while_waiting_for_the_turn_holds_nobody_up() -> None:
    turns = Turns()
    stop = threading.Event()
    got: list[str] = []

    def gives_up() -> None:
        with pytest.raises(StoppedError), turns.turn("pass", stop.is_set):
            pass
        got.append("gave up")

    def waits() -> None:
        with turns.turn("pass", never):
            got.append("had it")

    with turns.turn("pass"):
        first = threading.Thread(target=gives_up)
        first.start()
        while not turns._waiting["pass"]:
            time.sleep(0.001)
        second = threading.Thread(target=waits)
        second.start()
        stop.set()
        first.join(10)
        assert got == ["gave up"]
    second.join(10)
    assert got == ["gave up", "had it"]
