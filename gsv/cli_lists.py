"""`gsv list`: looking after list files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gsv.errors import ListError
from gsv.paths import absolute

lists = typer.Typer(help="Checks, splits and merges list files.", no_args_is_help=True)

_List = Annotated[Path, typer.Argument(metavar="LIST", help="Lines of: audio path|speaker|language|text")]


@lists.command()
def check(
    context: typer.Context,
    list_file: _List,
    audio: Annotated[Path | None, typer.Option(help="Folder of the listed files, whatever the list says.")] = None,
    version: Annotated[str, typer.Option(help="Model version, which decides the languages.")] = "v2",
) -> None:
    """Names every line that training could not use, and why; fails if there is one."""
    from gsv.dataset.list_tools import check_list
    from gsv.versions import version_named

    project = context.obj.project
    path = project.resolve(list_file)
    result = check_list(path, project.resolve(audio) if audio else None, version_named(version), project)
    for problem in result.problems:
        typer.echo(problem)
    typer.echo(str(result))
    if result.problems:
        raise ListError(f"{path} has {len(result.problems)} unusable lines; correct or remove them.")


@lists.command()
def split(
    context: typer.Context,
    list_file: _List,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the lists.")],
    by: Annotated[Literal["speaker", "language", "parts"], typer.Option(help="What a list is made for.")] = "speaker",
    parts: Annotated[int, typer.Option(help="With --by parts: how many lists.")] = 2,
) -> None:
    """Writes the lines to several lists: one for each speaker or language, or a number of equal parts."""
    from gsv.dataset.list_tools import split_list

    project = context.obj.project
    for path in split_list(project.resolve(list_file), absolute(output.expanduser()), by, parts):
        typer.echo(str(path))


@lists.command()
def merge(
    context: typer.Context,
    list_files: Annotated[list[Path], typer.Argument(metavar="LIST...", help="The lists to join.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The list to write.")],
) -> None:
    """Writes the lines of several lists to one; lines that are the same are taken once."""
    from gsv.dataset.list_tools import merge_lists

    project = context.obj.project
    # Where the user is, as the stages do it.
    place = absolute(output.expanduser())
    count = merge_lists([project.resolve(path) for path in list_files], place)
    typer.echo(f"{place}: {count} lines")
