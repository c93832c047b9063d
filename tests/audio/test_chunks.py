"""Sound in chunks: nothing is lost or doubled, joins are smooth, and the blocks it comes in do not matter."""

import numpy as np
import pytest

from gsv.audio.chunks import chunkwise

SOUND = np.random.default_rng(0).standard_normal((1000, 2)).astype(np.float32)


def in_blocks(sound: np.ndarray, size: int) -> list[np.ndarray]:
    return [sound[start : start + size] for start in range(0, len(sound), size)]


@pytest.mark.parametrize("samples", [1, 50, 199, 200, 201, 399, 400, 1000])
@pytest.mark.parametrize("size", [7, 100, 5000])
def test_work_that_changes_nothing_changes_nothing(samples: int, size: int) -> None:
    sound = SOUND[:samples]
    out = np.concatenate(list(chunkwise(in_blocks(sound, size), 200, 50, np.copy)))
    np.testing.assert_allclose(out, sound, atol=1e-6)


def test_chunks_are_faded_into_one_another() -> None:
    count = iter(range(10))

    def work(chunk: np.ndarray) -> np.ndarray:
        return np.full_like(chunk, next(count))

    out = np.concatenate(list(chunkwise(in_blocks(SOUND, 100), 400, 101, work)))
    assert len(out) == 1000
    assert (np.diff(out[:, 0]) <= 0.011).all() and (np.diff(out[:, 0]) >= 0).all()
    assert out[0, 0] == 0 and out[-1, 0] >= 1


def test_chunks_are_neither_short_nor_endless() -> None:
    lengths = []

    def work(chunk: np.ndarray) -> np.ndarray:
        lengths.append(len(chunk))
        return chunk.copy()

    list(chunkwise(in_blocks(SOUND, 9), 200, 50, work))
    assert set(lengths[:-1]) == {200} and 200 <= lengths[-1] < 400


def test_no_sound_is_no_chunk() -> None:
    assert list(chunkwise([], 200, 50, np.copy)) == []
    assert list(chunkwise([np.zeros((0, 1), np.float32)], 200, 50, np.copy)) == []
