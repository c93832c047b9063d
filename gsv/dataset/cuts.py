"""Where to cut a recording into pieces: in its pauses, so that every piece is long enough and long silence is dropped.

The algorithm and its parameters are those of openvpi's audio-slicer, as existing data sets were made with it.
"""

from dataclasses import dataclass

import numpy as np

from gsv.audio.io import Samples


@dataclass(frozen=True)
class CutRule:
    """Lengths are in frames of the volume curve.

    threshold: a frame is quiet where the curve is below this amplitude.
    min_length: a pause is cut only where the piece before it, the pause included, is at least this long.
    min_interval: a pause is cut only if it is at least this long.
    max_kept: of a longer pause, at most this much stays on either side of the cut.
    """

    threshold: float
    min_length: int
    min_interval: int
    max_kept: int


def pieces(rms: Samples, rule: CutRule) -> list[tuple[int, int]]:
    """The pieces of a sound by its volume curve [F], as frames (first, last + 1); none if all of it is quiet.

    The last piece may be shorter than `min_length`, and a piece without pauses has any length.
    """
    quiet = rms < rule.threshold
    if quiet.all():
        return []
    frames = len(rms)
    dropped: list[tuple[int, int]] = []
    piece = 0
    for start, end in _quiet_stretches(quiet):
        long_enough = end - start >= rule.min_interval and end - piece >= rule.min_length
        if end == frames:
            if end - start >= rule.min_interval:
                dropped.append((_quietest(rms, start, start + rule.max_kept + 1), frames))
        elif start == 0 and (long_enough or end > rule.max_kept):
            dropped.append((0, _quietest(rms, max(0, end - rule.max_kept), end)))
            piece = dropped[-1][1]
        elif long_enough:
            dropped.append(_gap(rms, start, end, rule.max_kept))
            piece = dropped[-1][1]
    starts = [0, *(end for _, end in dropped)]
    ends = [*(start for start, _ in dropped), frames]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start < end]


def _quiet_stretches(quiet: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], quiet.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _gap(rms: Samples, start: int, end: int, kept: int) -> tuple[int, int]:
    """What to drop of a quiet stretch: nothing (equal ends) of a short one, which is parted where it is quietest."""
    if end - start <= kept:
        place = _quietest(rms, start, end)
        return place, place
    left, right = _quietest(rms, start, start + kept + 1), _quietest(rms, end - kept, end)
    if end - start <= 2 * kept:
        # What may be kept on either side overlaps; so does what is kept, if the quietest place lies there.
        middle = _quietest(rms, end - kept, start + kept + 1)
        return min(left, middle), max(right, middle)
    return left, right


def _quietest(rms: Samples, start: int, end: int) -> int:
    """The first frame of the lowest volume from `start` to before `end`."""
    return start + int(rms[start:end].argmin())
