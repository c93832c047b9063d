"""The `gsv` command. Each subcommand turns its options into one call below it and prints what came of it.

Exit status 0 means that all the work was done, 1 that it failed, 2 that the command line was not understood, and 3 that
some inputs failed and the others are done. Errors are one plain sentence on stderr; `--debug` shows the traceback.
"""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from gsv.cli_lists import lists
from gsv.cli_phones import phones
from gsv.cli_serve import FAST, serve_app
from gsv.errors import sentence
from gsv.jobs.commands import stage_commands
from gsv.jobs.stages import STAGES
from gsv.paths import Project

_TRAIN = "train-"

app = stage_commands(
    {name: stage for name, stage in STAGES.items() if not name.startswith(_TRAIN)},
    help="From a recording of somebody's voice to a model that speaks in it.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


app.add_typer(
    stage_commands(
        {name.removeprefix(_TRAIN): stage for name, stage in STAGES.items() if name.startswith(_TRAIN)},
        help="Trains a voice on a prepared experiment.",
        no_args_is_help=True,
    ),
    name="train",
)
app.add_typer(lists, name="list")
app.add_typer(serve_app, name="serve")
app.command()(phones)


class Settings:
    """Options that stand before the subcommand."""

    def __init__(self, home: Path | None) -> None:
        self.project = Project(home.expanduser().resolve()) if home else Project.default()


@app.callback()
def settings(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Project folder: pretrained_models, logs and finished weights lie in it.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    context.obj = Settings(home)


@app.command()
def tts(
    context: typer.Context,
    text: Annotated[str | None, typer.Option(help="What to say.")] = None,
    text_file: Annotated[Path | None, typer.Option(help="A UTF-8 text file to say, instead of --text.")] = None,
    text_lang: Annotated[str, typer.Option(help="Language of the text: auto, en, zh, ja, ko, yue, all_zh ...")] = "en",
    ref: Annotated[
        Path | None,
        typer.Option(help="Reference recording of the voice, 3 to 10 seconds; the bundled voice brings one along."),
    ] = None,
    prompt_text: Annotated[str, typer.Option(help="What is said in the reference; empty: reference-free mode.")] = "",
    prompt_lang: Annotated[str | None, typer.Option(help="Language of the reference; the text's if not given.")] = None,
    aux_ref: Annotated[list[Path] | None, typer.Option(help="Further recordings, averaged into the timbre.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The wav file to write.")] = Path("output.wav"),
    gpt: Annotated[Path | None, typer.Option(help="GPT weights (.ckpt); the version's base if not given.")] = None,
    sovits: Annotated[Path | None, typer.Option(help="SoVITS weights (.pth); the version's base if not given.")] = None,
    version: Annotated[
        str, typer.Option(help="Model version, for base weights: v1, v2, v2Pro, v2ProPlus, v3, v4.")
    ] = "v2",
    speed: Annotated[float, typer.Option(help="Pace; 1 is natural.")] = 1.0,
    pause: Annotated[float, typer.Option(help="Seconds of silence after each piece of text.")] = 0.3,
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest tokens; 0: all.")] = 15,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest tokens with this total; 1: all.")] = 1.0,
    temperature: Annotated[float, typer.Option(help="Lower is steadier, higher livelier.")] = 1.0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1 makes repetition less likely.")] = 1.35,
    split: Annotated[str, typer.Option(help="How long text is cut: auto, cut0 ... cut5.")] = "auto",
    batch_size: Annotated[int, typer.Option(help="Pieces of text decoded together.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Same seed, same audio; drawn if not given.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:N, mps; the fastest if not given.")] = None,
    fast: Annotated[bool, typer.Option("--fast", help=FAST)] = False,
) -> None:
    """Says a text in the voice of a reference recording."""
    from tqdm import tqdm

    from gsv.audio.io import check_wav_path, save_wav
    from gsv.errors import InputError
    from gsv.synthesis.engine import Engine, Speech, SpeechOptions
    from gsv.synthesis.reference import Reference
    from gsv.synthesis.sampling import SamplingOptions

    if (text is None) == (text_file is None):
        raise InputError("Give either --text or --text-file.")
    if text_file is not None:
        try:
            text = text_file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{text_file} cannot be read as UTF-8 text: {error}.") from error
    assert text is not None
    options = SpeechOptions(
        SamplingOptions(top_k, top_p, temperature, repetition_penalty),
        speed=speed,
        pause=pause,
        split=split,
        batch_size=batch_size,
        seed=seed,
    )
    # Long work should not end in finding that its result cannot be written.
    check_wav_path(output)
    engine = Engine.load(gpt, sovits, version=version, project=context.obj.project, device=device, fast=fast)
    if engine.notice:
        typer.echo(engine.notice, err=True)
    heard = None
    if ref is None:
        own = Reference.of(context.obj.project.base_of(engine.version, engine.content_module))
        if own is None:
            raise InputError("Name a recording of the voice with --ref, and what is said in it with --prompt-text.")
        ref, prompt_text, prompt_lang, heard = own.audio, prompt_text or own.transcript, own.language, own.heard
    voice = engine.voice(ref, prompt_text, prompt_lang or text_lang, aux_ref or [], heard)
    pieces = len(engine.reader.pieces(text, text_lang, split))
    # None: a bar is for people who look at a terminal.
    bar = tqdm(engine.stream(text, text_lang, voice, options), total=pieces, unit="piece", disable=None)
    speech = Speech.joined(bar)
    save_wav(output, speech.wave, speech.sampling_rate)
    for warning in (*voice.warnings, *speech.warnings):
        typer.echo(f"Warning: {warning}", err=True)
    retries = sum(fragment.retries for fragment in speech.fragments)
    again = f", {retries} drawn again" if retries else ""
    typer.echo(f"{output}: {speech.seconds:.2f} s in {len(speech.fragments)} pieces{again}, seed {speech.seed}")


@app.command()
def merge(
    context: typer.Context,
    lora: Annotated[Path, typer.Argument(help="A LoRA of v3 or v4; its base model must be in pretrained_models.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The weight file to write.")],
) -> None:
    """Puts a LoRA into its base model: one file that speaks without it, and that training can start from."""
    from gsv.lora import write_merged

    write_merged(lora, output, context.obj.project)
    typer.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command()
def doctor(context: typer.Context) -> None:
    """Says what this machine has: devices, libraries, weights, and how to get what is missing."""
    from gsv.doctor import report

    for line in report(context.obj.project):
        typer.echo(line)


@app.command()
def download(
    context: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(
            help="What to get the weights of: v1 v2 v2Pro v2ProPlus v3 v4, uvr5 (separation), "
            "asr asr-yue asr-sensevoice asr-nano asr-whisper-SIZE (transcription)."
        ),
    ],
    source: Annotated[str, typer.Option(help="hf or hf-mirror.")] = "hf",
) -> None:
    """Fetches official weights; a broken download goes on where it stopped."""
    from gsv.download import download as fetch

    for line in fetch(names, source, context.obj.project):
        typer.echo(line)


@app.command()
def install(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The environment to make: uvr5 (separation with models).")],
) -> None:
    """Makes an environment for a stage whose libraries gsv's own cannot stand; goes on where it stopped."""
    from gsv.environments import install as make
    from gsv.progress import TerminalProgress

    typer.echo(make(name, context.obj.project, TerminalProgress()))


@app.command()
def webui(
    context: typer.Context,
    language: Annotated[
        str, typer.Argument(help="Language of the pages: zh_CN or en_US; the system's if not given.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 9874,
    auth: Annotated[str, typer.Option(help="user:password that visitors must give.")] = "",
    share: Annotated[
        bool, typer.Option("--share", help="Also open a public address through gradio's servers.")
    ] = False,
    allow: Annotated[
        list[Path] | None, typer.Option(help="A further folder whose files may be used from other machines.")
    ] = None,
    mcp: Annotated[bool, typer.Option("--mcp", help="Also offer the endpoints to language models, by MCP.")] = False,
    home: Annotated[Path | None, typer.Option(help="Project folder, if not given before.")] = None,
) -> None:
    """Opens the pages on which all of this is done by pointing and clicking."""
    from gsv.webui.app import run
    from gsv.webui.serving import Serving

    allowed = tuple(folder.expanduser().resolve() for folder in allow or ())
    project = Settings(home).project if home else context.obj.project
    run(Serving(host, port, language, auth, allowed, share, mcp), project)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the `gsv` command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        # Where the terminal's encoding lacks a character, as on many a Windows, work that was done must not fail by it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments)
    except Exception as error:
        message = sentence(error)
        if message is None or "--debug" in arguments:
            raise
        sys.exit(f"Error: {message}")


if __name__ == "__main__":
    main()
