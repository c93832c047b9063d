"""What gates count."""

import pytest
import torch

from tiny.judging import Tally, distance, phones_heard
from tiny.synthesisers import PHONES


def test_errors_are_the_least_changes() -> None:
    assert distance(["the", "dog", "ran"], ["the", "dog", "ran"]) == 0
    assert distance(["the", "dog", "ran"], ["a", "dog"]) == 2
    assert distance([], ["extra"]) == 1
    tally = Tally()
    tally.add(["a", "b"], ["a"])
    tally.add(["c", "d"], ["c", "d"])
    assert tally.rate == pytest.approx(0.25)


def test_a_moment_of_doubt_is_no_phone() -> None:
    scores = torch.zeros(12, len(PHONES))
    scores[:6, PHONES.index("aa")] = 5
    scores[6:, PHONES.index("s")] = 5
    scores[3, PHONES.index("b")] = 6
    assert phones_heard(scores) == ["aa", "s"]
    pause = torch.zeros(4, len(PHONES))
    pause[:, 0] = 5
    assert phones_heard(torch.cat([scores, pause])) == ["aa", "s"]
