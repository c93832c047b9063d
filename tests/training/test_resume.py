"""The files that a training goes on from, killed at every point of writing them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from gsv.checkpoints import ResumeFile, read_resume, write_resume
from gsv.errors import CheckpointError, TrainingError
from gsv.training.resume import LATEST, Part, ResumePoint


def fresh_parts() -> dict[str, Part]:
    networks = {"G": nn.Linear(3, 2), "D": nn.Linear(2, 1)}
    return {
        name: Part(network, torch.optim.AdamW(network.parameters(), 0.1), 0.1) for name, network in networks.items()
    }


def train(parts: dict[str, Part]) -> None:
    for part in parts.values():
        for parameter in part.network.parameters():
            parameter.grad = torch.ones_like(parameter)
        part.optimizer.step()


def values(parts: dict[str, Part]) -> list[float]:
    return [value for part in parts.values() for p in part.network.parameters() for value in p.flatten().tolist()]


@pytest.fixture
def point(tmp_path: Path) -> ResumePoint:
    return ResumePoint(tmp_path, ["G", "D"])


def test_nothing_there_means_no_epoch(point: ResumePoint) -> None:
    assert point.load(fresh_parts()) == 0


def test_the_newest_state_comes_back_with_its_optimizers(point: ResumePoint) -> None:
    parts = fresh_parts()
    for epoch in (1, 2):
        train(parts)
        point.save(parts, epoch)
    restored = fresh_parts()
    assert point.load(restored) == 2
    assert values(restored) == values(parts)
    train(parts)
    train(restored)
    assert values(restored) == values(parts)


def test_files_have_the_layout_of_the_original_trainer(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    train(parts)
    point.save(parts, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"D_{LATEST}.pth", f"G_{LATEST}.pth"]
    content = torch.load(tmp_path / "G_233333333333.pth", weights_only=True)
    assert set(content) == {"model", "iteration", "optimizer", "learning_rate"}
    assert content["iteration"] == 3


class KilledError(BaseException):
    """Stands for the end of the process."""


class Fuse:
    """Lets so many file operations happen, and ends the process before the next."""

    def __init__(self, operations: int):
        self.left = operations

    def before(self, operation: Callable[..., object]) -> Callable[..., object]:
        def watched(*given: object) -> object:
            if self.left == 0:
                raise KilledError
            self.left -= 1
            return operation(*given)

        return watched


# Saving writes D, names it, writes G, names it (from here on the new epoch counts), and gives D its final name.
@pytest.mark.parametrize(("operations", "epoch"), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2)])
def test_killed_at_any_point_of_saving_it_goes_on_from_a_whole_state(
    point: ResumePoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operations: int, epoch: int
) -> None:
    parts, states = fresh_parts(), {}
    train(parts)
    states[1] = values(parts)
    point.save(parts, 1)
    train(parts)
    states[2] = values(parts)
    fuse = Fuse(operations)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fuse.before(Path.replace))
        patch.setattr(torch, "save", fuse.before(torch.save))
        with pytest.raises(KilledError):
            point.save(parts, 2)

    restored = fresh_parts()
    assert point.load(restored) == epoch
    assert values(restored) == states[epoch]
    train(restored)
    point.save(restored, epoch + 1)
    again = fresh_parts()
    assert point.load(again) == epoch + 1
    assert values(again) == values(restored)
    assert not list(tmp_path.glob("*pending*"))


def test_half_written_files_are_removed_and_never_read(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    point.save(parts, 1)
    (tmp_path / f".G_{LATEST}.abc.pth").write_bytes(b"half")
    (tmp_path / ".D_pending_e2.abc.pth").write_bytes(b"half")
    point.tidy()
    assert len(list(tmp_path.iterdir())) == 2
    assert point.load(fresh_parts()) == 1


def test_kept_states_stay_beside_the_newest(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    for epoch, step in ((1, 10), (2, 20)):
        train(parts)
        point.save(parts, epoch)
        point.keep(step)
    assert read_resume(tmp_path / "G_10.pth").iteration == 1
    assert read_resume(tmp_path / "D_20.pth").iteration == 2
    assert point.load(fresh_parts()) == 2


def test_a_kill_before_keeping_a_state_is_made_up_for(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    train(parts)
    point.save(parts, 1)
    # As if the kill had come before the discriminator's file took its name.
    (tmp_path / f"D_{LATEST}.pth").rename(tmp_path / "D_pending_e1.pth")
    point.keep_if_missing(1, 10)
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"{name}_{number}.pth" for name in "GD" for number in (10, LATEST))
    }
    assert read_resume(tmp_path / "D_10.pth").iteration == 1


def test_states_of_the_original_program_are_gone_on_from(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    train(parts)
    for name, part in parts.items():
        for step in (40, 120):
            write_resume(tmp_path / f"{name}_{step}.pth", part.saved(step // 40))
    restored = fresh_parts()
    assert point.load(restored) == 3
    assert values(restored) == values(parts)


def test_an_optimizer_in_another_order_is_left_and_the_weights_taken(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    train(parts)
    part = parts["G"]
    foreign = torch.optim.AdamW(list(part.network.parameters())[::-1], 0.1)
    foreign.step()
    model = dict(part.network.state_dict())
    write_resume(tmp_path / "G_1.pth", ResumeFile(model, foreign.state_dict(), 1, 0.1))
    write_resume(tmp_path / "D_1.pth", parts["D"].saved(1))
    restored = fresh_parts()
    assert point.load(restored) == 1
    assert values(restored) == values(parts)
    assert not restored["G"].optimizer.state
    train(restored)


def test_states_that_do_not_belong_together_are_an_error(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    write_resume(tmp_path / "G_10.pth", parts["G"].saved(2))
    with pytest.raises(TrainingError, match=r"D_10.pth is missing"):
        point.load(fresh_parts())
    write_resume(tmp_path / "D_10.pth", parts["D"].saved(1))
    with pytest.raises(TrainingError, match=r"is of epoch 1 and G_10.pth of epoch 2"):
        point.load(fresh_parts())


def test_a_network_of_other_widths_is_an_error(point: ResumePoint) -> None:
    point.save(fresh_parts(), 1)
    parts = fresh_parts()
    network = nn.Linear(5, 2)
    parts["G"] = Part(network, torch.optim.AdamW(network.parameters(), 0.1), 0.1)
    with pytest.raises(TrainingError, match="other widths"):
        point.load(parts)


def test_a_damaged_state_is_named(point: ResumePoint, tmp_path: Path) -> None:
    parts = fresh_parts()
    point.save(parts, 1)
    path = tmp_path / f"G_{LATEST}.pth"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match=path.name):
        point.load(fresh_parts())
