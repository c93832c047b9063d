"""`gsv phones`: what a text is read as."""

import json
from pathlib import Path
from typing import Annotated

import typer


def phones(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="The text; - reads it from standard input.")],
    lang: Annotated[str, typer.Option(help="Language of the text: en, zh, all_zh, auto ...")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="All that is known, for programs.")] = False,
    split: Annotated[
        str | None, typer.Option(help="Cut the text as for speech: cut0 ... cut5, auto; one piece if not given.")
    ] = None,
    version: Annotated[str, typer.Option(help="Model version, which decides the symbols.")] = "v2",
    dictionary: Annotated[
        Path | None, typer.Option(help="Pronunciation dictionary; the project's pronunciations.txt if not given.")
    ] = None,
) -> None:
    """Shows how a text is read: its stretches of a language, as written and as spoken, and their phones."""
    from gsv.errors import InputError
    from gsv.text.frontend import Frontend
    from gsv.text.preview import preview
    from gsv.versions import version_named

    if dictionary is not None and not dictionary.is_file():
        raise InputError(f"{dictionary} is not there; name a pronunciation dictionary.")
    frontend = Frontend.of(context.obj.project, version_named(version).symbols, dictionary)
    pieces = preview(frontend, typer.get_text_stream("stdin").read() if text == "-" else text, lang, split)
    if as_json:
        typer.echo(json.dumps({"language": lang, "pieces": [piece.as_json() for piece in pieces]}, ensure_ascii=False))
        return
    for number, piece in enumerate(pieces, start=1):
        if split is not None:
            typer.echo(f"{number}. {piece.text}")
        for reading in piece.readings:
            typer.echo(f"{reading.language:<4}{reading.norm_text}\n    {' '.join(reading.phones)}")
