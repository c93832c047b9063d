"""Commands of the `gsv` program, made from the stages: a flag for each parameter, with its meaning and its limits."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from gsv.errors import GsvError
from gsv.jobs.parameters import Parameter, plain
from gsv.jobs.results import Result
from gsv.jobs.stages import Stage
from gsv.paths import Project, absolute
from gsv.progress import TerminalProgress

# Some inputs gave nothing; 1 is that all did, 2 that the command line was not understood.
PARTLY_DONE = 3


def stage_commands(stages: Mapping[str, Stage], **settings: Any) -> typer.Typer:
    """A group with a command for each stage. What a stage needs is imported only when its command is given."""

    class Group(TyperGroup):
        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            name, command, rest = super().resolve_command(ctx, args)
            return name, _command(stages[name]) if name is not None and name in stages else command, rest

    app = typer.Typer(cls=Group, **settings)
    for name, stage in stages.items():
        app.command(name, help=stage.help)(_nothing)
    return app


def run_in_terminal(stage: Stage, values: Mapping[str, object], labels: Mapping[str, str], project: Project) -> None:
    """Does the work in this process, with a bar, above which problems are said as they come up.

    Exits with PARTLY_DONE if that is what it is; raises a GsvError if all failed, which calls a parameter by its label.
    """
    try:
        options = stage.read(values, project, labels)
        result = Result.of(stage.run(options, TerminalProgress()))
    except GsvError as error:
        name, colon, rest = str(error).partition(": ")
        if not colon or name not in labels:
            raise
        raise type(error)(f"{labels[name]}: {rest}") from error
    if result.missing:
        raise GsvError(f"{result.missing[0]} was to be made and is not there.")
    typer.echo(result.summary)
    if result.failed:
        logs = " and ".join(map(str, result.logs))
        typer.echo(f"Partly done: {_count(len(result.failed))} failed; see {logs}", err=True)
        raise typer.Exit(PARTLY_DONE)


def _count(number: int) -> str:
    return "1 input" if number == 1 else f"{number} inputs"


def _nothing() -> None:
    """Stands for a command in lists of commands; when it is called, the true one is put in its place."""


def _command(stage: Stage) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(stage.name, help=stage.help)(_function(stage))
    return typer.main.get_command(app)


def _function(stage: Stage) -> Callable[..., None]:
    """What typer makes a command of: its signature has all parameters, as texts that the stage itself will read."""
    known = {parameter.name: parameter for parameter in stage.parameters()}
    labels = {name: _flag(stage, name).split("/")[0] for name in known}

    def function(context: typer.Context, **given: Any) -> None:
        values = {name: value for name, value in given.items() if value is not None}
        for name in stage.outputs:
            if name in values:
                # Where the user is, as programs do it, even if the project's folder is elsewhere.
                values[name] = absolute(Path(str(values[name])).expanduser())
        run_in_terminal(stage, values, labels, context.obj.project)

    keyword = inspect.Parameter.KEYWORD_ONLY
    arguments = [inspect.Parameter("context", keyword, annotation=typer.Context)]
    first = [known[name] for name in stage.arguments]
    for parameter in (*first, *(one for one in known.values() if one not in first)):
        default = inspect.Parameter.empty if parameter.required else None
        arguments.append(
            inspect.Parameter(parameter.name, keyword, default=default, annotation=_annotation(stage, parameter))
        )
    function.__signature__ = inspect.Signature(arguments)  # type: ignore[attr-defined]
    function.__annotations__ = {argument.name: argument.annotation for argument in arguments}
    return function


def _annotation(stage: Stage, parameter: Parameter) -> Any:
    if parameter.name in stage.arguments:
        return Annotated[str, typer.Argument(metavar=parameter.name.upper(), help=parameter.description)]
    flag = _flag(stage, parameter.name)
    kind: Any = bool if parameter.schema.get("type") == "boolean" else str
    option = typer.Option(
        *([flag] if "/" in flag or kind is str else [f"{flag}/--no-{flag.removeprefix('--')}"]),
        *(["-o"] if parameter.name in stage.outputs[:1] else []),
        help=parameter.description + _default(parameter),
        metavar=None if kind is bool else _metavar(parameter),
        show_default=False,
    )
    return Annotated[kind if parameter.required else kind | None, option]


def _flag(stage: Stage, name: str) -> str:
    if name in stage.arguments:
        return name.upper()
    return stage.flags.get(name, f"--{name.replace('_', '-')}")


def _metavar(parameter: Parameter) -> str:
    schema = parameter.schema
    if "enum" in schema:
        return "|".join(map(str, schema["enum"]))
    if parameter.is_path:
        return "PATH"
    if parameter.is_number:
        low, high = schema.get("minimum"), schema.get("maximum")
        return f"{plain(low)}..{plain(high)}" if low is not None and high is not None else "NUMBER"
    return "TEXT"


def _default(parameter: Parameter) -> str:
    """What to add to the parameter's help. Typer does not know the default: values that are not given stay so."""
    default = parameter.default
    if default is None or default == "":
        return ""
    if isinstance(default, bool):
        return "  [default: yes]" if default else ""
    return f"  [default: {','.join(map(str, default)) if isinstance(default, tuple) else default}]"
