"""The files that a training goes on from, killed at every point of writing them."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from gsv.checkpoints import ResumeFile, read_resume, write_resume
from gsv.errors import TrainingError
from gsv.training.resume import LATEST, Part, ResumePoint


def fresh_parts() -> dict[str, Part]:
    networks = {"G": nn.Linear(3, 2), "D": nn.Linear(2, 1)}
    return {name: Part(network, torch.optim.AdamW(network.parameters(), 0.1), 0.1) for name, network in networks.items()}


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


def test_killed_at_any_point_of_saving_leaves_a_state_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saving is stopped before each of its file operations in turn; what is left must be epoch 1 or epoch 2, whole."""

    class KilledError(BaseException):
        pass

    outcomes = []
    for survived in range(6):
        folder = tmp_path / str(survived)
        point = ResumePoint(folder, ["G", "D"])
        parts = fresh_parts()
        states = {}
        for epoch in (1, 2):
            train(parts)
            states[epoch] = values(parts)
            if epoch == 1:
                point.save(parts, 1)
        left = survived

        def count(operation: str, left_over: list[int]) -> None:
            if left_over[0] == 0:
                raise KilledError(operation)
            left_over[0] -= 1

        budget = [left]
        with monkeypatch.context() as patch:
            replace = Path.replace
            patch.setattr(Path, "replace", lambda self, target, b=budget: (count("replace", b), replace(self, target))[1])
            save = torch.save
            patch.setattr(torch, "save", lambda *given, b=budget: (count("save", b), save(*given))[1])
            try:
                point.save(parts, 2)
                finished = True
            except KilledError:
                finished = False
        restored = fresh_parts()
        epoch = point.load(restored)
        assert values(restored) == states[epoch]
        outcomes.append((finished, epoch))
        # And what is left can be trained on and saved.
        train(restored)
        point.save(restored, epoch + 1)
        again = fresh_parts()
        assert point.load(again) == epoch + 1
        assert values(again) == values(restored)
        assert not list(folder.glob("*pending*"))
    assert [epoch for _, epoch in outcomes] == [1, 1, 1, 1, 2, 2]
    assert outcomes[-2:] == [(False, 2), (True, 2)]


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
    with pytest.raises(Exception, match=path.name):
        point.load(fresh_parts())
    shutil.rmtree(tmp_path)
