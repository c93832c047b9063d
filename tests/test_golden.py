"""gsv's networks give the reference numbers, tiny and official widths."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

PROJECT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_golden", PROJECT / "tools" / "check_golden.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while it is being executed.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
    ],
)
def test_every_case_of_the_group_is_within_its_tolerance(tool: ModuleType, shared: Path, group: str) -> None:
    folder = shared / "reference" / "golden"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    fill = tool.load_fill(folder)
    entries = [entry for entry in index["cases"] if entry["group"] == group]
    assert entries
    for entry in entries:
        with np.load(folder / entry["file"]) as arrays:
            case = tool.Case({"salt": index["default_salt"], **entry}, dict(arrays), fill)
        ok, line = tool.check(case)
        assert ok, f"{entry['case']}: {line}"


def test_a_wrong_number_is_told(tool: ModuleType, shared: Path) -> None:
    folder = shared / "reference" / "golden"
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    entry = next(entry for entry in index["cases"] if entry["group"] == "losses")
    with np.load(folder / entry["file"]) as arrays:
        spoiled = {name: array * 1.01 if name == "out.kl" else array for name, array in arrays.items()}
    ok, line = tool.check(tool.Case({"salt": index["default_salt"], **entry}, spoiled, tool.load_fill(folder)))
    assert not ok
    assert line.startswith("kl:")
