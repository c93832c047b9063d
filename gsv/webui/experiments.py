"""What a training reads of an experiment, by the stages that make it: known without loading torch."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gsv.errors import InputError
from gsv.paths import Experiment

Needs = Mapping[str, Callable[[Experiment], Path]]
SOVITS_NEEDS: Needs = {"1a": lambda experiment: experiment.phones, "1b": lambda experiment: experiment.hubert}
GPT_NEEDS: Needs = {"1a": lambda experiment: experiment.phones, "1c": lambda experiment: experiment.semantic}


def check(experiment: Experiment, needed: Needs) -> None:
    """Raises InputError, which names the argument, if the experiment or something of it is not there."""
    if not experiment.root.is_dir():
        raise InputError(
            f"exp_name: there is no experiment {experiment.name} in {experiment.root.parent}; run 1a, 1b and 1c for it "
            "first."
        )
    for stage, place in needed.items():
        if not place(experiment).exists():
            raise InputError(f"exp_name: {place(experiment)} is missing; run {stage} for this experiment first.")
