"""What a stage takes, and what it refuses before any process starts: every parameter of every stage."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from gsv.errors import InputError
from gsv.jobs.parameters import Parameter, parameters, read_options, values_of
from gsv.jobs.stages import STAGES, Stage
from gsv.paths import Project

NAMES = [
    "with space.wav",
    'it\'s "quoted".wav',
    "'; rm -rf",
    "声音 文件.wav",
    "-leading.wav",
    "--help",
    "$(touch x).wav",
    "`touch x`; touch y && touch z | cat",
    "%PATH%.wav",
    "new\nline.wav",
]


@dataclass(frozen=True)
class Inner:
    """A group."""

    speed: Annotated[float, Field(gt=0, lt=9, allow_inf_nan=False, description="How fast.")] = 1.0


@dataclass(frozen=True)
class Outer:
    """Options."""

    inp: Annotated[Path, Field(description="What to read.")]
    threshold: Annotated[float, Field(ge=-100, le=0, allow_inf_nan=False, description="dB.")] = -34
    count: Annotated[int, Field(ge=1, le=10, description="How many.")] = 4
    rate: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False, description="May be left out.")] = None
    colour: Annotated[Literal["red", "green"], Field(description="One of two.")] = "red"
    loud: Annotated[bool, Field(description="Or not.")] = False
    out: Annotated[Path, Field(description="Where to.")] = Path("output/x")
    inner: Inner = field(default_factory=Inner)
    project: Project = field(default_factory=Project.default)


def read(project: Project, **values: object) -> Outer:
    return read_options(Outer, {"inp": "a.wav", **values}, project)


def all_parameters() -> Iterator[tuple[Stage, Parameter]]:
    for stage in STAGES.values():
        for parameter in stage.parameters():
            yield stage, parameter


def label(case: object) -> str:
    return case.name if isinstance(case, (Stage, Parameter)) else repr(case)


def test_texts_are_read_as_what_they_stand_for(project: Project) -> None:
    options = read(project, threshold="-34", count=" 7 ", rate="0.5", loud="true", speed="2", colour="green")
    assert (options.threshold, options.count, options.rate, options.loud) == (-34, 7, 0.5, True)
    assert (options.inner.speed, options.colour, options.project) == (2, "green", project)


def test_paths_are_the_projects_and_so_are_defaults(project: Project) -> None:
    options = read(project)
    assert options.inp == project.root / "a.wav"
    assert options.out == project.root / "output" / "x"


def test_values_that_are_left_out_are_the_defaults(project: Project) -> None:
    assert read(project) == Outer(project.root / "a.wav", out=project.root / "output" / "x", project=project)


def test_options_survive_the_way_to_another_process(project: Project) -> None:
    options = read(project, speed=3, rate=0.25, loud=True)
    values = json.loads(json.dumps(values_of(options), default=str))
    assert read_options(Outer, values, project) == options


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"count": "4000; touch x"}, "count is '4000; touch x'; it must be a whole number from 1 to 10."),
        ({"threshold": "NaN"}, "threshold is 'NaN'; it must be a number from -100 to 0."),
        ({"speed": 0}, "speed is 0; it must be a number above 0 and below 9."),
        ({"colour": "blue"}, "colour is 'blue'; it must be red or green."),
        ({"loud": "perhaps"}, "loud is 'perhaps'; it must be true or false."),
        ({"inp": ""}, "inp: An empty path was given; name a file or folder."),
        ({"inp": "a\0b"}, "inp is 'a\\x00b'; it must be a file or folder."),
        ({"inp": 5}, "inp is 5; it must be a file or folder."),
        ({"rate": "x"}, "rate is 'x'; it must be a number from 0 to 1."),
    ],
)
def test_a_refusal_names_the_parameter_the_value_and_what_is_right(
    project: Project, values: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError) as refused:
        read(project, **values)
    assert str(refused.value) == sentence


def test_an_unknown_parameter_and_a_missing_one_are_named(project: Project) -> None:
    with pytest.raises(InputError, match="no parameter 'tempo'"):
        read(project, tempo=3)
    with pytest.raises(InputError, match="inp is missing; it must be a file or folder"):
        read_options(Outer, {}, project)


def test_a_refusal_uses_the_name_that_the_user_knows(project: Project) -> None:
    with pytest.raises(InputError, match=r"^--count is 'x'"):
        read_options(Outer, {"inp": "a", "count": "x"}, project, {"count": "--count"})


def test_a_long_value_is_not_shown_whole(project: Project) -> None:
    with pytest.raises(InputError) as refused:
        read(project, count="9" * 10_000)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(("stage", "parameter"), all_parameters(), ids=label)
def test_every_parameter_of_every_stage_is_described(stage: Stage, parameter: Parameter) -> None:
    assert len(parameter.description) > 3


def test_no_name_stands_for_two_parameters() -> None:
    for stage in STAGES.values():
        names = [parameter.name for parameter in stage.parameters()]
        assert len(set(names)) == len(names)


def test_the_table_names_only_parameters_that_there_are() -> None:
    for stage in STAGES.values():
        names = {parameter.name for parameter in stage.parameters()}
        assert {*stage.arguments, *stage.flags, *stage.outputs} <= names


@pytest.mark.parametrize("value", ["4000; touch x", "$(x)", "--help", "NaN", "inf", "-inf", "1e99", 1e99, "-1e99", ""])
@pytest.mark.parametrize(("stage", "parameter"), [(s, p) for s, p in all_parameters() if p.is_number], ids=label)
def test_every_number_of_every_stage_refuses_what_is_none(
    stage: Stage, parameter: Parameter, value: object, project: Project
) -> None:
    with pytest.raises(InputError) as refused:
        parameter.read(value, project)
    assert parameter.name in str(refused.value)
    assert parameter.right in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(("stage", "parameter"), [(s, p) for s, p in all_parameters() if p.is_number], ids=label)
def test_every_number_of_every_stage_has_limits_on_both_sides(stage: Stage, parameter: Parameter) -> None:
    """So that negatives are refused wherever they mean nothing."""
    assert {"minimum", "exclusiveMinimum"} & set(parameter.schema)
    assert {"maximum", "exclusiveMaximum"} & set(parameter.schema)


@pytest.mark.parametrize(("stage", "parameter"), [(s, p) for s, p in all_parameters() if "gpus" in p.name], ids=label)
@pytest.mark.parametrize("value", ["0; touch x", "$(x)", "--help", "-1", "0,1", "", "0-", "1e3", "٣", "9" * 30])
def test_gpu_numbers_are_numbers(stage: Stage, parameter: Parameter, value: str, project: Project) -> None:
    with pytest.raises(InputError, match="gpus"):
        parameter.read(value, project)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("stage", "parameter"), [(s, p) for s, p in all_parameters() if p.is_path], ids=label)
def test_every_path_of_every_stage_is_taken_as_it_is(
    stage: Stage, parameter: Parameter, name: str, project: Project
) -> None:
    path = project.root / name
    path.write_text("")
    assert parameter.read(str(path), project) == path
    sent = json.loads(json.dumps({"path": parameter.read(path, project)}, default=str))["path"]
    assert parameter.read(sent, project) == path


def test_options_of_every_stage_survive_the_way_to_another_process(project: Project) -> None:
    given: dict[str, Any] = {"exp": "mine", "experiment": "mine"}
    for stage in STAGES.values():
        values = {
            parameter.name: given.get(parameter.name, "x.wav") for parameter in stage.parameters() if parameter.required
        }
        options = stage.read(values, project)
        sent = json.loads(json.dumps(values_of(options), default=str))
        assert stage.read(sent, project) == options


def test_parameters_of_a_group_stand_beside_the_others() -> None:
    assert [parameter.name for parameter in parameters(Outer)] == [
        "inp",
        "threshold",
        "count",
        "rate",
        "colour",
        "loud",
        "out",
        "speed",
    ]
