"""Weights that change while many listen: everybody hears those that were in force. Long forms: tools/listeners.py."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from http_server import House

from gsv.versions import version_named

Tool = Callable[[str], ModuleType]


def test_while_weights_are_swapped_nobody_hears_others_than_were_in_force(
    house: House, tool: Tool, tmp_path: Path
) -> None:
    listeners = tool("listeners")
    base = house.project.base(version_named("v2"))
    files = {
        "gpt": [base.gpt, listeners.altered(base.gpt, tmp_path / "other.ckpt", 0.5)],
        "sovits": [base.generator, listeners.altered(base.generator, tmp_path / "other.pth", 0.5)],
    }
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    expected = listeners.alone(house.url, files, pairs, kinds=3)
    for answers in zip(*expected.values(), strict=True):
        assert len(set(answers)) == len(pairs), "other weights cannot be heard"
    report = listeners.listen(house.url, 4, expected, swaps=listeners.swapping(house.url, files, 8, answers=1))
    assert report.wrong == []
    assert report.swaps == 8
    assert len(report.seconds) >= 8


def test_listeners_know_which_weights_they_may_hear(tool: Tool) -> None:
    listeners = tool("listeners")
    history = [
        listeners.Swap((0, 0), 0.0, 0.0),
        listeners.Swap((1, 0), 10.0, 11.0),
        listeners.Swap((1, 1), 20.0, float("inf")),
    ]
    assert listeners.in_force(history, 1, 9) == {(0, 0)}
    assert listeners.in_force(history, 9, 30) == {(0, 0), (1, 0), (1, 1)}
    assert listeners.in_force(history, 10.5, 19) == {(0, 0), (1, 0)}
    assert listeners.in_force(history, 12, 19) == {(1, 0)}
    assert listeners.in_force(history, 25, 26) == {(1, 0), (1, 1)}


def test_a_wrong_voice_and_a_refusal_are_noticed(house: House, tool: Tool, tmp_path: Path) -> None:
    listeners = tool("listeners")
    base = house.project.base(version_named("v2"))
    files = {"gpt": [base.gpt], "sovits": [base.generator]}
    right = listeners.alone(house.url, files, [(0, 0)], kinds=1)
    assert listeners.listen(house.url, 2, right, count=3).wrong == []
    wrong = {(0, 0): [b"another voice"], (1, 1): right[0, 0]}
    report = listeners.listen(house.url, 1, wrong, count=1)
    assert len(report.wrong) == 1 and "heard the weights (1, 1)" in report.wrong[0]
