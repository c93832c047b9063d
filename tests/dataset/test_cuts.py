"""Cuts lie in pauses, keep pieces long enough, and drop silence beyond what is kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gsv.dataset.cuts import CutRule, pieces

RULE = CutRule(threshold=0.1, min_length=40, min_interval=10, max_kept=20)


def curve(*stretches: int) -> np.ndarray:
    """Loud and quiet stretches in turn; every quiet one is quietest in its middle."""
    parts = []
    for index, length in enumerate(stretches):
        dip = np.abs(np.linspace(-1, 1, length)) if length > 1 else np.zeros(length)
        parts.append(0.01 + 0.04 * dip if index % 2 else np.ones(length))
    return np.concatenate(parts).astype(np.float32)


def test_a_pause_is_cut_where_it_is_quietest() -> None:
    assert pieces(curve(50, 11, 50), RULE) == [(0, 55), (55, 111)]


def test_a_short_pause_is_not_cut() -> None:
    assert pieces(curve(50, 9, 50), RULE) == [(0, 109)]


def test_pieces_are_joined_until_they_are_long_enough() -> None:
    assert pieces(curve(15, 11, 50), RULE) == [(0, 76)]
    assert pieces(curve(15, 11, 15, 11, 50), RULE) == [(0, 46), (46, 102)]


def test_of_a_long_pause_little_is_kept() -> None:
    (_, end), (start, last) = pieces(curve(50, 100, 50), RULE)
    assert 50 < end <= 50 + 20 and 150 - 20 <= start < 150 and last == 200


def test_silence_at_both_ends_is_dropped() -> None:
    assert pieces(curve(0, 100, 50, 100), RULE) == [(80, 170)]
    # What may be kept anyway stays.
    assert pieces(curve(0, 15, 50, 9), RULE) == [(0, 74)]


def test_sound_without_pauses_is_one_piece_and_silence_is_none() -> None:
    assert pieces(np.ones(500, np.float32), RULE) == [(0, 500)]
    assert pieces(np.full(500, 0.01, np.float32), RULE) == []


@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=12),
    st.booleans(),
    st.integers(1, 60),
    st.integers(1, 30),
    st.integers(1, 30),
)
def test_every_cut_lies_in_a_pause_and_no_sound_is_lost(
    stretches: list[int], starts_quiet: bool, length: int, interval: int, kept: int
) -> None:
    rms = curve(*([0] * starts_quiet), *stretches)
    found = pieces(rms, CutRule(0.1, length, interval, kept))
    quiet = rms < 0.1
    if quiet.all():
        assert not found
        return
    covered = np.zeros(len(rms), bool)
    for start, end in found:
        assert start < end and not covered[start:end].any()
        assert start == 0 or quiet[start]
        assert end == len(rms) or quiet[end]
        covered[start:end] = True
    assert covered[~quiet].all()
    for start, end in found[:-1]:
        sound_again = end + int(np.argmin(quiet[end:]))
        assert sound_again - start >= length
