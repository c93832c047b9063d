"""Which GPUs a job sees, and what it calls them."""

import pytest

from gsv.jobs.devices import Choice, choose, gpus


@pytest.mark.parametrize(
    ("numbers", "there", "visible", "called"),
    [
        ((0, 0), ["0"], "0", (0, 0)),
        ((0, 1), ["0", "1"], "0,1", (0, 1)),
        ((2, 3), ["0", "1", "2", "3"], "2,3", (0, 1)),
        ((3, 1, 3), ["0", "1", "2", "3"], "1,3", (1, 0, 1)),
        ((7,), ["0", "1"], "0", (0,)),
        ((1, 7), ["5", "6"], "5,6", (1, 0)),
        ((0, 1, 2), [], "", (0, 1, 2)),
    ],
)
def test_the_chosen_gpus_are_numbered_from_0(
    numbers: tuple[int, ...], there: list[str], visible: str, called: tuple[int, ...]
) -> None:
    assert choose(numbers, there) == Choice(visible, called)


@pytest.mark.parametrize(
    ("listed", "count", "names"),
    [("", 2, ["0", "1"]), ("4,6", 2, ["4", "6"]), ("GPU-a, GPU-b", 2, ["GPU-a", "GPU-b"]), ("9", 0, [])],
)
def test_gpus_are_called_as_cuda_was_told_to(
    listed: str, count: int, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    monkeypatch.setattr("torch.cuda.device_count", lambda: count)
    assert gpus() == names
