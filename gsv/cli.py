"""The `gsv` command. Each subcommand turns its options into one call below it and prints what came of it.

Exit status 0 means that the work was done. Errors are one plain sentence on stderr; `--debug` shows the traceback.
"""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from gsv.errors import GsvError
from gsv.paths import Project

if TYPE_CHECKING:
    from gsv.training.loop import Machine, PrecisionName

# Further ones are in the log that the report names.
_PROBLEMS_SHOWN = 5

app = typer.Typer(
    help="From a recording of somebody's voice to a model that speaks in it.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    text_lang: Annotated[str, typer.Option(help="Language of the text: en, zh, all_zh, auto ...")] = "en",
    ref: Annotated[Path, typer.Option(help="Reference recording of the voice, 3 to 10 seconds.")] = ...,  # type: ignore[assignment]
    prompt_text: Annotated[str, typer.Option(help="What is said in the reference; empty: reference-free mode.")] = "",
    prompt_lang: Annotated[str | None, typer.Option(help="Language of the reference; the text's if not given.")] = None,
    aux_ref: Annotated[list[Path] | None, typer.Option(help="Further recordings, averaged into the timbre.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The wav file to write.")] = Path("output.wav"),
    gpt: Annotated[Path | None, typer.Option(help="GPT weights (.ckpt); the version's base if not given.")] = None,
    sovits: Annotated[Path | None, typer.Option(help="SoVITS weights (.pth); the version's base if not given.")] = None,
    version: Annotated[str, typer.Option(help="Model version, for base weights: v1, v2, v2Pro, v2ProPlus.")] = "v2",
    speed: Annotated[float, typer.Option(help="Pace; 1 is natural.")] = 1.0,
    pause: Annotated[float, typer.Option(help="Seconds of silence after each piece of text.")] = 0.3,
    top_k: Annotated[int, typer.Option(help="Draw from the k likeliest tokens; 0: all.")] = 15,
    top_p: Annotated[float, typer.Option(help="Draw from the likeliest tokens with this total; 1: all.")] = 1.0,
    temperature: Annotated[float, typer.Option(help="Lower is steadier, higher livelier.")] = 1.0,
    repetition_penalty: Annotated[float, typer.Option(help="Above 1 makes repetition less likely.")] = 1.35,
    split: Annotated[str, typer.Option(help="How long text is cut: cut0 ... cut5.")] = "cut5",
    batch_size: Annotated[int, typer.Option(help="Pieces of text decoded together.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Same seed, same audio; drawn if not given.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:N, mps; the fastest if not given.")] = None,
) -> None:
    """Says a text in the voice of a reference recording."""
    from tqdm import tqdm

    from gsv.audio.io import check_wav_path, save_wav
    from gsv.errors import InputError
    from gsv.synthesis.engine import Engine, Speech, SpeechOptions
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
    engine = Engine.load(gpt, sovits, version=version, project=context.obj.project, device=device)
    if engine.notice:
        typer.echo(engine.notice, err=True)
    voice = engine.voice(ref, prompt_text, prompt_lang or text_lang, aux_ref or [])
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
def prepare(
    context: typer.Context,
    list_file: Annotated[Path, typer.Argument(metavar="LIST", help="Lines of: audio path|speaker|language|text")],
    exp: Annotated[str, typer.Option(help="Name of the experiment; its files go to logs/NAME.")],
    audio: Annotated[Path | None, typer.Option(help="Folder of the listed files, whatever the list says.")] = None,
    version: Annotated[str, typer.Option(help="Model version: v1, v2, v2Pro, v2ProPlus.")] = "v2",
    gpus: Annotated[str, typer.Option(help="A GPU for each worker: 0-0 is two on GPU 0, 0-1 one on each.")] = "0-0",
    stages: Annotated[str, typer.Option(help="Which stages to run.")] = "1a,1b,1c",
) -> None:
    """Makes the features that training reads: text (1a), audio (1b), semantic tokens (1c)."""
    from gsv.dataset.features import PrepareOptions
    from gsv.dataset.features import prepare as make_features

    project = context.obj.project
    report = make_features(
        PrepareOptions(
            project.resolve(list_file),
            exp,
            audio_folder=project.resolve(audio) if audio else None,
            version=version,
            stages=tuple(stage.strip() for stage in stages.split(",")),
            gpus=gpus,
            project=project,
        )
    )
    _say_notice(project, version)
    for outcome in report.rejected:
        typer.echo(f"Left out: {outcome.reason}", err=True)
    for step in report.steps:
        own = [outcome for outcome in step.problems if outcome not in report.rejected]
        for outcome in own[:_PROBLEMS_SHOWN]:
            typer.echo(f"{outcome.state}: {outcome.reason}", err=True)
        typer.echo(str(step))


train = typer.Typer(help="Trains a voice on a prepared experiment.", no_args_is_help=True)
app.add_typer(train, name="train")

_Exp = Annotated[str, typer.Option(help="Name of the prepared experiment in logs/.")]
_VersionName = Annotated[str, typer.Option(help="Model version: v1, v2, v2Pro, v2ProPlus.")]
_BatchSize = Annotated[int, typer.Option(help="Clips of one step, on each GPU.")]
_SaveEvery = Annotated[int, typer.Option(help="Save every so many epochs.")]
_KeepAll = Annotated[bool, typer.Option("--keep-all", help="Keep every state to resume from, not the newest alone.")]
_OnlyFinal = Annotated[bool, typer.Option("--only-final", help="Export weights at the end only.")]
_Gpus = Annotated[str, typer.Option(help="GPUs to train on, for example 0-1. Without a GPU: processes on the CPU.")]
_Nodes = Annotated[int, typer.Option(help="Machines that train together, each started with torchrun or SLURM.")]
_PrecisionName = Annotated[str, typer.Option(help="auto, bf16-mixed, 16-mixed or 32-true.")]
_Seed = Annotated[int, typer.Option(help="Of all random draws.")]


@train.command("sovits")
def train_sovits(
    context: typer.Context,
    exp: _Exp,
    version: _VersionName = "v2",
    epochs: Annotated[int, typer.Option(help="Epochs in all, those trained already included.")] = 8,
    batch_size: _BatchSize = 4,
    text_low_lr_rate: Annotated[float, typer.Option(help="Learning rate of the text parts, times the rest's.")] = 0.4,
    save_every_epoch: _SaveEvery = 4,
    keep_all: _KeepAll = False,
    only_final: _OnlyFinal = False,
    grad_checkpointing: Annotated[bool, typer.Option("--grad-checkpointing", help="Slower, in less memory.")] = False,
    pretrained_g: Annotated[Path | None, typer.Option(help="Generator to start from; the version's base.")] = None,
    pretrained_d: Annotated[Path | None, typer.Option(help="Discriminators to start from; the version's base.")] = None,
    from_scratch: Annotated[Path | None, typer.Option(help="JSON file of widths: start from random weights.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The configuration's if not given.")] = None,
    gpus: _Gpus = "0",
    nodes: _Nodes = 1,
    precision: _PrecisionName = "auto",
    seed: _Seed = 1234,
) -> None:
    """Trains the half that speaks; goes on from what an earlier run left."""
    from gsv.training.sovits import SovitsTrainOptions
    from gsv.training.sovits import train_sovits as run

    project = context.obj.project
    if pretrained_g is None and from_scratch is None:
        _say_notice(project, version)
    report = run(
        SovitsTrainOptions(
            exp=exp,
            version=version,
            epochs=epochs,
            batch_size=batch_size,
            text_low_lr_rate=text_low_lr_rate,
            save_every_epoch=save_every_epoch,
            keep_only_latest=not keep_all,
            save_every_weights=not only_final,
            grad_checkpointing=grad_checkpointing,
            pretrained_g=_resolved(project, pretrained_g),
            pretrained_d=_resolved(project, pretrained_d),
            from_scratch=_resolved(project, from_scratch),
            learning_rate=learning_rate,
            seed=seed,
            machine=_machine(gpus, nodes, precision),
            project=project,
        )
    )
    typer.echo(str(report))


@train.command("gpt")
def train_gpt(
    context: typer.Context,
    exp: _Exp,
    version: _VersionName = "v2",
    epochs: Annotated[int, typer.Option(help="Epochs in all, those trained already included.")] = 15,
    batch_size: _BatchSize = 4,
    dpo: Annotated[bool, typer.Option("--dpo", help="Add a term against repeated and swallowed words.")] = False,
    save_every_epoch: _SaveEvery = 5,
    keep_all: _KeepAll = False,
    only_final: _OnlyFinal = False,
    pretrained: Annotated[Path | None, typer.Option(help="GPT weights to start from; the version's base.")] = None,
    from_scratch: Annotated[Path | None, typer.Option(help="YAML file of widths: start from random weights.")] = None,
    gpus: _Gpus = "0",
    nodes: _Nodes = 1,
    precision: _PrecisionName = "auto",
    seed: _Seed = 1234,
) -> None:
    """Trains the half that turns text into semantic tokens; goes on from what an earlier run left."""
    from gsv.training.gpt import GptTrainOptions
    from gsv.training.gpt import train_gpt as run

    project = context.obj.project
    if pretrained is None and from_scratch is None:
        _say_notice(project, version)
    report = run(
        GptTrainOptions(
            exp=exp,
            version=version,
            epochs=epochs,
            batch_size=batch_size,
            dpo=dpo,
            save_every_epoch=save_every_epoch,
            keep_only_latest=not keep_all,
            save_every_weights=not only_final,
            pretrained=_resolved(project, pretrained),
            from_scratch=_resolved(project, from_scratch),
            seed=seed,
            machine=_machine(gpus, nodes, precision),
            project=project,
        )
    )
    typer.echo(str(report))


def _say_notice(project: Project, version: str) -> None:
    """What to tell whoever works with the version's base models."""
    from gsv.versions import version_named

    notice = project.base(version_named(version)).notice
    if notice:
        typer.echo(notice, err=True)


def _resolved(project: Project, path: Path | None) -> Path | None:
    return project.resolve(path) if path is not None else None


def _machine(gpus: str, nodes: int, precision: str) -> "Machine":
    from gsv.errors import InputError
    from gsv.training.loop import Machine, PrecisionName

    try:
        indices = tuple(int(index) for index in gpus.split("-"))
    except ValueError:
        raise InputError(f"--gpus is {gpus!r}; give GPU numbers joined by dashes, for example 0 or 0-1.") from None
    names = get_args(PrecisionName)
    if precision not in names:
        raise InputError(f"--precision is {precision!r}; choose one of {', '.join(names)}.")
    return Machine(gpus=indices, nodes=nodes, precision=cast("PrecisionName", precision))


@app.command()
def doctor(context: typer.Context) -> None:
    """Says what this machine has: devices, libraries, weights, and how to get what is missing."""
    from gsv.doctor import report

    for line in report(context.obj.project):
        typer.echo(line)


@app.command()
def download(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Versions to get the official weights of: v1 v2 v2Pro v2ProPlus.")],
    source: Annotated[str, typer.Option(help="hf or hf-mirror.")] = "hf",
) -> None:
    """Fetches official weights; a broken download goes on where it stopped."""
    from gsv.download import download as fetch

    for line in fetch(names, source, context.obj.project):
        typer.echo(line)


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
        sentence = _sentence(error)
        if sentence is None or "--debug" in arguments:
            raise
        sys.exit(f"Error: {sentence}")


def _sentence(error: Exception) -> str | None:
    """What to tell the user about an error; None for one that is a bug."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}."
    if isinstance(error, (GsvError, OSError)):
        return str(error)
    # By its name, because torch need not be loaded.
    if type(error).__name__ in {"OutOfMemoryError", "MemoryError"}:
        return "The memory is not enough for this; try smaller batches, shorter pieces of text, or --device cpu."
    return None


if __name__ == "__main__":
    main()
