"""Engines are loaded once, kept while they are used and gone when they are not, while many speak and swap weights."""

import gc
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from gsv import Engine, SamplingOptions, SpeechOptions
from gsv.checkpoints import read_gpt, write_gpt
from gsv.devices import give_back_memory
from gsv.errors import InputError, MissingWeightsError
from gsv.paths import Project
from gsv.synthesis import engine as engine_module
from gsv.synthesis import pool as pool_module
from gsv.synthesis.pool import Pool
from gsv.synthesis.voice import Voice
from gsv.versions import version_named

pytestmark = pytest.mark.usefixtures("short_takes")

CLIPS = Path(__file__).parent.parent / "sample" / "clips"
CLIENTS = 32


class Loaded:
    """What stands for an engine where none has to speak."""


def at_once(count: int, work: Callable[[int], object]) -> None:
    failed: list[BaseException] = []

    def guarded(i: int) -> None:
        try:
            work(i)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(i,), daemon=True) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert not failed, failed[0]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was loaded, slowly and without weights."""
    done: list[object] = []

    def load(gpt: object, sovits: object, **_: object) -> Loaded:
        time.sleep(0.05)
        done.append(gpt)
        if gpt == "broken":
            raise MissingWeightsError("broken")
        return Loaded()

    monkeypatch.setattr(Engine, "load", load)
    return done


def test_an_engine_that_many_ask_for_at_once_is_loaded_once(narrow: Project, loads: list[object]) -> None:
    pool = Pool(narrow, "cpu")
    got: list[object] = []
    at_once(8, lambda _: got.append(pool.engine("a")))
    assert loads == ["a"]
    assert len(got) == 8
    assert len({id(one) for one in got}) == 1


def test_the_one_asked_for_longest_ago_makes_room(narrow: Project, loads: list[object]) -> None:
    pool = Pool(narrow, "cpu", size=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        pool.engine(name)
    assert loads == ["a", "b", "c", "b"]
    assert len(pool) == 2


def test_a_load_that_failed_is_told_to_all_and_tried_again(narrow: Project, loads: list[object]) -> None:
    pool = Pool(narrow, "cpu")

    def ask(_: int) -> None:
        with pytest.raises(MissingWeightsError):
            pool.engine("broken")

    at_once(3, ask)
    assert len(pool) == 0
    before = len(loads)
    ask(0)
    assert len(loads) == before + 1


def test_a_file_that_was_written_anew_is_loaded_anew(narrow: Project, loads: list[object], tmp_path: Path) -> None:
    pool = Pool(narrow, "cpu")
    file = tmp_path / "voice.ckpt"
    file.write_bytes(b"1")
    first = pool.engine(file)
    assert pool.engine(str(file)) is first
    file.write_bytes(b"12")
    assert pool.engine(file) is not first


def test_base_models_are_loaded_once_whether_they_are_named_or_not(narrow: Project, loads: list[object]) -> None:
    pool = Pool(narrow, "cpu")
    base = narrow.base(version_named("v2"))
    first = pool.engine()
    assert pool.engine(base.gpt) is pool.engine(None, base.generator) is pool.engine(base.gpt, base.generator) is first
    assert len(loads) == len(pool) == 1
    assert pool.engine("other.ckpt") is not first
    assert pool.engine(None, "other.pth") is not pool.engine(base.gpt, "other.pth")


def test_a_pool_of_nothing_is_refused(narrow: Project) -> None:
    with pytest.raises(InputError, match="size is 0"):
        Pool(narrow, "cpu", size=0)


@pytest.fixture(scope="module")
def other(narrow: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """GPT weights that say something else."""
    file = read_gpt(narrow.base(version_named("v2")).gpt)
    path = tmp_path_factory.mktemp("other") / "other.ckpt"
    torch.manual_seed(5)
    weight = {name: tensor + 0.3 * torch.randn_like(tensor) for name, tensor in file.weight.items()}
    write_gpt(path, replace(file, weight=weight))
    return path


def test_an_evicted_engine_lives_while_it_is_held_and_no_longer(narrow: Project, other: Path) -> None:
    pool = Pool(narrow, "cpu", size=1)
    held = pool.engine()
    gone = [weakref.ref(part) for part in (held, held.t2s, held.sovits, held.scheduler)]
    threads = threading.active_count()
    voice = held.voice(CLIPS / "01.flac")
    successor = pool.engine(other)
    assert successor.voices().content_encoder is held.voices().content_encoder
    next(held.stream("Two boats.", "en", voice, SpeechOptions(seed=1)))
    assert all(part() is not None for part in gone)
    gc.disable()
    try:
        del held
        # At once, not when the garbage collector comes by.
        assert [part() for part in gone] == [None] * 4
    finally:
        gc.enable()
    assert threading.active_count() == threads


def test_memory_of_the_dead_is_given_back_once(
    narrow: Project, loads: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(pool_module, "give_back_memory", lambda device: given.append(device.type))
    pool = Pool(narrow, "cpu", size=1)
    held = pool.engine("a")
    pool.engine("b")
    assert given == []
    del held
    for _ in range(3):
        pool.engine("b")
    assert given == ["cpu"]


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what was freed")
def test_what_is_given_back_is_no_longer_resident() -> None:
    # Many blocks with one behind them, which keeps glibc from returning them by itself.
    blocks = [torch.ones(20_000) for _ in range(1000)]
    last = blocks.pop()
    held = psutil.Process().memory_info().rss
    blocks.clear()
    give_back_memory(torch.device("cpu"))
    assert held - psutil.Process().memory_info().rss > 60e6
    assert last.all()


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second a piece, at first attempt."""
    monkeypatch.setattr(engine_module, "RETRIES", 0)
    monkeypatch.setattr(engine_module, "most_tokens", lambda phonemes: 10 + phonemes % 4)


@pytest.mark.usefixtures("brief")
def test_many_clients_with_voices_of_their_own_get_what_each_gets_alone(engine: Engine) -> None:
    voices = [
        engine.voice(CLIPS / "01.flac", "The morning train left the small station a few minutes late.", "en"),
        engine.voice(CLIPS / "02.flac", "Something else was said.", "en"),
        engine.voice(CLIPS / "03.flac"),
        engine.voice(CLIPS / "04.flac", "And something else.", "en", [CLIPS / "05.flac"]),
    ]
    texts = ("Two boats.", "One small boat. And two.", "Hello there my friend.")

    def spoken(i: int) -> np.ndarray:
        sampling = SamplingOptions(top_k=5 + i, temperature=1 + i % 3)
        options = SpeechOptions(sampling, seed=i, speed=1 + i % 2 / 4, batch_size=1 + i % 2)
        return engine.speak(texts[i % 3], "en", voices[i % 4], options).wave

    alone = [spoken(i) for i in range(CLIENTS)]
    together: dict[int, np.ndarray] = {}
    at_once(CLIENTS, lambda i: together.update({i: spoken(i)}))
    assert [np.array_equal(together[i], alone[i]) for i in range(CLIENTS)] == [True] * CLIENTS
    assert len({wave.tobytes() for wave in alone}) == CLIENTS


@pytest.mark.usefixtures("brief")
def test_weights_are_swapped_while_others_speak(narrow: Project, other: Path, voice: Voice) -> None:
    pool = Pool(narrow, "cpu", size=1)
    swaps = 4

    def spoken(gpt: Path | None, seed: int) -> np.ndarray:
        return pool.engine(gpt).speak("Two boats.", "en", voice, SpeechOptions(seed=seed)).wave

    alone = {(gpt, seed): spoken(gpt, seed) for gpt in (None, other) for seed in range(2)}
    assert not np.array_equal(alone[None, 0], alone[other, 0])

    def work(i: int) -> None:
        for n in range(swaps):
            gpt = (None, other)[(i + n) % 2]
            assert np.array_equal(spoken(gpt, i % 2), alone[gpt, i % 2])

    at_once(4, work)
    assert len(pool) == 1
