"""Work on sound of any length in long chunks, faded into one another."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gsv.audio.io import Samples


def chunkwise(
    blocks: Iterable[Samples], length: int, overlap: int, work: Callable[[Samples], Samples]
) -> Iterator[Samples]:
    """A sound [T, channels] that comes in blocks, after `work` was done on chunks of it.

    A chunk has `length` samples or, at the end, less than twice as many; it shares `overlap` samples with the next one,
    in which their results are faded. `work` keeps the shape. Sound shorter than that is worked on in one piece.
    """
    fade = np.linspace(0, 1, overlap, dtype=np.float32)[:, None]
    # The end of the chunk before, to be faded into the next one.
    before: Samples | None = None

    def worked(chunk: Samples) -> Samples:
        result = work(chunk)
        if before is not None:
            result[:overlap] = (1 - fade) * before + fade * result[:overlap]
        return result

    waiting: Samples | None = None
    for block in blocks:
        waiting = block if waiting is None else np.concatenate((waiting, block))
        while len(waiting) >= 2 * length:
            result = worked(waiting[:length])
            yield result[:-overlap]
            before, waiting = result[-overlap:], waiting[length - overlap :]
    if waiting is not None and len(waiting):
        yield worked(waiting)
