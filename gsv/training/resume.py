"""The files that a stopped training goes on from: `G_*.pth` and `D_*.pth` for SoVITS, `T_*.pth` for GPT.

Each holds one network in full precision, its optimiser, and the number of finished epochs, in the layout of the
original program. The newest state has the number that the original gives to "the latest"; states that are kept besides
it have the step in their name.

A training can be killed at any moment, also between writing the files of two networks that belong together. So the
first network's file decides: the others are written beside their final names before it and take those names after it.
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn
from torch.optim import Optimizer

from gsv.checkpoints import ResumeFile, read_resume, write_resume
from gsv.errors import TrainingError
from gsv.paths import written_whole

LATEST = 233333333333
# In an optimiser's first parameter group: how many batches it has seen. The original counts epochs only.
STEPS = "batches_seen"

log = logging.getLogger(__name__)


@dataclass
class Part:
    """A network and its optimiser, which are saved together; `rate` is the learning rate that the training began at."""

    network: nn.Module
    optimizer: Optimizer
    rate: float

    def saved(self, epoch: int) -> ResumeFile:
        state = {name: tensor.detach().cpu() for name, tensor in self.network.state_dict().items()}
        return ResumeFile(state, self.optimizer.state_dict(), epoch, self.rate)

    def restore(self, file: ResumeFile, path: Path) -> None:
        """Takes over a saved state; TrainingError if it is of a network of another shape."""
        try:
            self.network.load_state_dict(file.model)
        except RuntimeError as error:
            raise TrainingError(
                f"{path} was left by a training of a network with other widths; move it away to start anew."
            ) from error
        fresh = self.optimizer.state_dict()
        try:
            self.optimizer.load_state_dict(file.optimizer)
        except ValueError:
            fits = False
        else:
            fits = self._state_fits()
        if not fits:
            # The original numbers its parameters in another order, so its optimiser's memory cannot be told apart.
            log.warning("The optimiser in %s is of another program; its weights are taken, its memory is not.", path)
            self.optimizer.load_state_dict(fresh)

    def _state_fits(self) -> bool:
        """Whether running values that should have their parameter's shape have it; ScaledAdam's are stacked."""
        moments = ((parameter, state.get("exp_avg")) for parameter, state in self.optimizer.state.items())
        return all(moment is None or moment.shape == parameter.shape for parameter, moment in moments)


class ResumePoint:
    """The resume files of one training, in `folder`, one for each of `names`."""

    def __init__(self, folder: Path, names: Sequence[str]):
        self.folder = folder
        self.names = tuple(names)

    def tidy(self) -> None:
        """Removes what a killed training left half-written. To be called by one process, while no training runs."""
        for name in self.names:
            for leftover in self.folder.glob(f".{name}_*.pth"):
                leftover.unlink()

    def load(self, parts: Mapping[str, Part]) -> int:
        """Restores the newest state and returns the number of its epochs, 0 if there is none."""
        number = self._newest()
        if number is None:
            return 0
        epoch = 0
        for name in self.names:
            path = self.folder / f"{name}_{number}.pth"
            if epoch and self._pending(name, epoch).is_file():
                path = self._pending(name, epoch)
            if not path.is_file():
                raise TrainingError(f"{path} is missing, but {self.names[0]}_{number}.pth is there; move that away.")
            file = read_resume(path)
            epoch = epoch or file.iteration
            if file.iteration != epoch:
                raise TrainingError(
                    f"{path} is of epoch {file.iteration} and {self.names[0]}_{number}.pth of epoch {epoch}; "
                    "move both away to start anew."
                )
            parts[name].restore(file, path)
        return epoch

    def save(self, parts: Mapping[str, Part], epoch: int) -> None:
        """Replaces the newest state."""
        first, *others = self.names
        # A kill after the first file was written may have left the others' files of that epoch pending.
        self._settle(epoch - 1)
        for name in others:
            write_resume(self._pending(name, epoch), parts[name].saved(epoch))
        write_resume(self._latest(first), parts[first].saved(epoch))
        self._settle(epoch)

    def keep(self, step: int) -> None:
        """Keeps the newest state under the name of its step, besides later ones."""
        for name in self.names:
            with written_whole(self.folder / f"{name}_{step}.pth") as temporary:
                shutil.copyfile(self._latest(name), temporary)

    def keep_if_missing(self, epoch: int, step: int) -> None:
        """Makes up for a kill between `save` and `keep` of that epoch. To be called by one process, after `load`."""
        self._settle(epoch)
        newest = all(self._latest(name).is_file() for name in self.names)
        if newest and not all((self.folder / f"{name}_{step}.pth").is_file() for name in self.names):
            self.keep(step)

    def _settle(self, epoch: int) -> None:
        """Gives the pending files of `epoch` their final names; removes all others."""
        for name in self.names:
            for pending in self.folder.glob(f"{name}_pending_e*.pth"):
                if pending == self._pending(name, epoch):
                    pending.replace(self._latest(name))
                else:
                    pending.unlink()

    def _newest(self) -> int | None:
        stems = (path.stem.partition("_")[2] for path in self.folder.glob(f"{self.names[0]}_*.pth"))
        return max((int(stem) for stem in stems if stem.isdigit()), default=None)

    def _latest(self, name: str) -> Path:
        return self.folder / f"{name}_{LATEST}.pth"

    def _pending(self, name: str, epoch: int) -> Path:
        return self.folder / f"{name}_pending_e{epoch}.pth"


def steps_seen(part: Part) -> int:
    """Batches that the part's optimiser has seen, 0 if a foreign program saved it."""
    return int(part.optimizer.param_groups[0].get(STEPS, 0))


def set_steps_seen(part: Part, steps: int) -> None:
    part.optimizer.param_groups[0][STEPS] = steps
