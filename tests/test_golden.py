"""gsv's networks give the reference numbers, tiny and official widths."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.fixture
def checker(tool: Callable[[str], ModuleType]) -> ModuleType:
    return tool("check_golden")


@pytest.mark.parametrize(
    "group",
    [
        "t2s_train",
        "t2s_teacher",
        "t2s_decode",
        "t2s_filter",
        "sovits_codes",
        "sovits_decode",
        "sovits_train",
        "discriminator",
        "losses",
        "spectra",
        "speaker",
        "dit",
        "cfm_sample",
        "cfm_train",
        "v3v4_condition",
        "bigvgan",
        "v4_vocoder",
    ],
)
def test_every_case_of_the_group_is_within_its_tolerance(checker: ModuleType, shared: Path, group: str) -> None:
    folder = shared / "reference" / "golden"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    fill = checker.load_fill(folder)
    entries = [entry for entry in index["cases"] if entry["group"] == group]
    assert entries
    for entry in entries:
        with np.load(folder / entry["file"]) as arrays:
            case = checker.Case({"salt": index["default_salt"], **entry}, dict(arrays), fill)
        ok, line = checker.check(case)
        assert ok, f"{entry['case']}: {line}"


def test_a_wrong_number_is_told(checker: ModuleType, shared: Path) -> None:
    folder = shared / "reference" / "golden"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in index["cases"] if entry["group"] == "losses")
    with np.load(folder / entry["file"]) as arrays:
        spoiled = {name: array * 1.01 if name == "out.kl" else array for name, array in arrays.items()}
    ok, line = checker.check(checker.Case({"salt": index["default_salt"], **entry}, spoiled, checker.load_fill(folder)))
    assert not ok
    assert line.startswith("kl:")
