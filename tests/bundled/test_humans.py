"""Forced alignment finds phones whose times are known."""

import pytest
import torch

from gsv.errors import InputError
from gsv.text.frontend import Frontend
from tiny.humans import aligned_labels, spelt
from tiny.synthesisers import PHONES


def scores(spoken: list[tuple[str, int]], doubt: float = 0.0) -> torch.Tensor:
    """Frames that are sure of these phones, each for so many frames, but for some noise."""
    rows = [PHONES.index(phone) for phone, frames in spoken for _ in range(frames)]
    sure = torch.nn.functional.one_hot(torch.tensor(rows), len(PHONES)) * 5.0
    return sure + doubt * torch.randn(sure.shape, generator=torch.Generator().manual_seed(0))


def test_every_phone_ends_where_it_was_heard_to_end() -> None:
    heard = scores([("pau", 5), ("s", 10), ("iy", 6), ("pau", 4), ("t", 3), ("uw", 12)], doubt=1.0)
    labels = aligned_labels(heard, [("s", "iy"), ("t", "uw")])
    assert [label.phone for label in labels] == ["pau", "s", "iy", "pau", "t", "uw"]
    # Frames are 20 ms apart, the first one around 12.5 ms.
    assert [label.end for label in labels] == pytest.approx(
        [frame * 0.02 + 0.0025 for frame in (5, 15, 21, 25, 28, 40)]
    )


def test_a_phone_that_is_not_heard_is_still_given_a_place_and_a_pause_that_is_not_there_none() -> None:
    labels = aligned_labels(scores([("s", 10), ("iy", 6), ("uw", 12)]), [("s", "iy"), ("t", "uw")])
    assert [label.phone for label in labels] == ["s", "iy", "t", "uw"]


def test_too_short_a_recording_is_refused() -> None:
    with pytest.raises(InputError, match="too short"):
        aligned_labels(scores([("s", 2)]), [("s", "iy", "t")])


def test_words_are_spelt_in_the_phones_of_the_corpus() -> None:
    found = spelt(Frontend("v2"), "Is a sea, - of 2")
    assert found == (("ih", "z"), ("ah",), ("s", "iy"), ("ah", "v"), ("t", "uw"))
