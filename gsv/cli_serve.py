"""The `gsv serve` commands: the HTTP interfaces, one by one or all on one port."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from gsv.errors import InputError

if TYPE_CHECKING:
    from gsv.paths import Project
    from gsv.servers.configurations import Configuration
    from gsv.servers.interface import Service
    from gsv.servers.running import Running
    from gsv.servers.together import Part
    from gsv.synthesis.manner import Feelings

serve_app = typer.Typer(
    help="Serves speech over HTTP, to this machine alone unless told otherwise.", no_args_is_help=True
)

FAST = "On a CPU: weights of 8 bits and sound in 16, up to twice as fast, nearly the same."
DEFAULT_CONFIGURATION = "GPT_SoVITS/configs/tts_infer.yaml"
_SPLITS = {1: "cut1", 2: "cut2", 3: "cut3", 4: "cut4", 5: "cut5"}


@dataclass(frozen=True)
class Shared:
    """Options of every server."""

    host: Annotated[
        str, typer.Option("-a", "--host", help="Address; 0.0.0.0 lets other machines in, None is both stacks.")
    ] = "127.0.0.1"
    api_key: Annotated[list[str] | None, typer.Option(help="A key that requests must bring; may be repeated.")] = None
    cors: Annotated[list[str] | None, typer.Option(help="An origin whose pages may use the server.")] = None
    allow: Annotated[
        list[Path] | None, typer.Option(help="A further folder whose files requests from other machines may name.")
    ] = None
    allow_control: Annotated[
        bool, typer.Option("--allow-control", help="Other machines may change weights, restart and end it, too.")
    ] = False
    pool: Annotated[int, typer.Option(min=1, help="How many sets of weights stay loaded.")] = 2
    fast: Annotated[bool, typer.Option("--fast", help=FAST)] = False
    max_text: Annotated[int, typer.Option(min=1, help="Characters of a text, at most.")] = 20_000
    max_body: Annotated[int, typer.Option(min=1024, help="Bytes of a request, at most.")] = 32 * 2**20
    running: Annotated[int, typer.Option(min=1, help="Requests that speak at once.")] = 32
    waiting: Annotated[int, typer.Option(min=0, help="Requests that wait; more are told to come again.")] = 64
    patience: Annotated[float, typer.Option(min=1, help="Seconds after which a request without progress ends.")] = 600
    home: Annotated[Path | None, typer.Option(help="Project folder, if not given before.")] = None

    def service(self, project: "Project", configuration: "Configuration", port: int) -> "Service":
        """What the interfaces share, with the weights loaded, so that what is missing is told now."""
        from gsv.servers.access import BOTH_STACKS, Access
        from gsv.servers.files import Files
        from gsv.servers.interface import Service
        from gsv.servers.limits import Limits
        from gsv.synthesis.pool import Pool

        host = BOTH_STACKS if self.host in {"None", ""} else self.host
        access = Access(host, port, tuple(self.api_key or ()), tuple(self.cors or ()), self.allow_control)
        allowed = tuple(folder.expanduser().resolve() for folder in self.allow or ())
        files = Files(project, access.wide, allowed)
        limits = Limits(self.max_text, self.max_body, self.running, self.waiting, patience=self.patience)
        pool = Pool(configuration.project(project), configuration.device, self.pool, self.fast)
        engine = pool.engine(configuration.gpt, configuration.sovits, configuration.version)
        if engine.notice:
            typer.echo(engine.notice, err=True)
        return Service.of(project, pool, access, files, limits)

    def project(self, context: typer.Context) -> "Project":
        from gsv.paths import Project

        return Project(self.home.expanduser().resolve()) if self.home else context.obj.project


def _shared(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the shared options beside its own; it is given them as `shared`."""
    names = [field.name for field in fields(Shared)]
    hints = get_type_hints(Shared, include_extras=True)

    @wraps(command)
    def wrapped(**values: Any) -> None:
        command(shared=Shared(**{name: values.pop(name) for name in names}), **values)

    own = [one for one in inspect.signature(command, eval_str=True).parameters.values() if one.name != "shared"]
    more = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
        for field in fields(Shared)
    ]
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own] + more
    wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapped.__annotations__ = {one.name: one.annotation for one in parameters}
    return wrapped


Port = Annotated[int, typer.Option("-p", "--port", min=0, max=65535, help="Port to listen at.")]
ConfigurationPath = Annotated[
    str, typer.Option("-c", "--config", help="YAML file with the default weights and device.")
]
Device = Annotated[str | None, typer.Option("-d", "--device", help="cpu, cuda, mps; the fastest if not given.")]

PrivateUrls = Annotated[
    bool, typer.Option("--allow-private-urls", help="Recordings may be fetched from private networks, too.")
]


@serve_app.command("api-v2")
@_shared
def api_v2(
    context: typer.Context, shared: Shared, port: Port = 9880, config: ConfigurationPath = DEFAULT_CONFIGURATION
) -> None:
    """HTTP synthesis API 3.0: /tts, /control, /set_gpt_weights, /set_sovits_weights, /set_refer_audio."""
    from gsv.servers.running import Running

    project = shared.project(context)
    configuration = _configuration(project, config)
    service, running = shared.service(project, configuration, port), Running()
    _serve(service, running, [_api_v2(service, configuration, running, config)])


@serve_app.command("api2")
@_shared
def api2(
    context: typer.Context,
    shared: Shared,
    port: Port = 9880,
    sovits: Annotated[Path | None, typer.Option("-s", help="SoVITS weights; the base's.")] = None,
    gpt: Annotated[Path | None, typer.Option("-g", help="GPT weights; the base's.")] = None,
    reference: Annotated[str, typer.Option("-dr", help="Reference audio of requests that give none.")] = "",
    transcript: Annotated[str, typer.Option("-dt", help="What is said in it.")] = "",
    language: Annotated[str, typer.Option("-dl", help="Its language: zh, ja or en.")] = "",
    device: Device = None,
    full: Annotated[bool, typer.Option("-fp", help="Full precision.")] = False,
    half: Annotated[bool, typer.Option("-hp", help="Half precision.")] = False,
    hubert: Annotated[Path | None, typer.Option("-hb", help="Folder of the content encoder.")] = None,
    bert: Annotated[Path | None, typer.Option("-b", help="Folder of the text encoder.")] = None,
    cut: Annotated[
        int,
        typer.Option(
            "-c", min=1, max=5, help="1 every 4 sentences, 2 about 50 characters, 3 at 。, 4 at ., 5 any mark."
        ),
    ] = 5,
) -> None:
    """One endpoint, GET and POST /, with a default reference."""
    from gsv.servers import api2
    from gsv.servers.configurations import base_configuration
    from gsv.servers.running import Running
    from gsv.servers.speaking import language_known
    from gsv.servers.together import Part
    from gsv.synthesis.reference import Reference

    project = shared.project(context)
    given = [bool(one) for one in (reference, transcript, language)]
    if any(given) and not all(given):
        raise InputError("A default reference needs all three: -dr (audio), -dt (its text) and -dl (its language).")
    if (sovits or gpt) and not all(given):
        raise InputError("Own weights (-s, -g) need a default reference: give -dr, -dt and -dl too.")
    base = base_configuration(project, device)

    def place(path: Path | None) -> Path | None:
        return project.resolve(path).absolute() if path else None

    configuration = replace(base, gpt=place(gpt), sovits=place(sovits), hubert=place(hubert), roberta=place(bert))
    _tell_precision(full, half, device)
    service, running = shared.service(project, configuration, port), Running()
    default = None
    if reference:
        # Given on this machine, whoever the server is for.
        audio = replace(service.files, wide=False).recording(reference, "-dr")
        default = Reference(audio, transcript, language_known(language, "-dl", api2.LANGUAGES))
    setup = api2.Setup(configuration, default, _SPLITS[cut])
    _serve(service, running, [Part(api2.NAME, api2.build(service, setup))])


@serve_app.command("voices")
@_shared
def voices(
    context: typer.Context,
    shared: Shared,
    port: Port = 12244,
    config: ConfigurationPath = DEFAULT_CONFIGURATION,
    private_urls: PrivateUrls = False,
) -> None:
    """Speakers over HTTP and WebSocket: clone, save, load, and speech while the text is still coming."""
    from gsv.servers.running import Running

    project = shared.project(context)
    configuration = _configuration(project, config)
    service, running = shared.service(project, configuration, port), Running()
    _serve(service, running, [_voices(service, configuration, _feelings(service), private_urls)])


@serve_app.command("indextts")
@_shared
def indextts(
    context: typer.Context,
    shared: Shared,
    port: Port = 8000,
    model_dir: Annotated[
        Path, typer.Option("--model_dir", "--model-dir", help="Folder with a .ckpt (GPT) and a .pth (SoVITS).")
    ] = Path("checkpoints"),
    workers: Annotated[int, typer.Option(min=1, max=64, help="Tasks that are spoken at once.")] = 1,
    fp16: Annotated[bool, typer.Option("--fp16", help="Half precision.")] = False,
    deepspeed: Annotated[bool, typer.Option("--deepspeed", help="Of no meaning here.")] = False,
    cuda_kernel: Annotated[bool, typer.Option("--cuda_kernel", "--cuda-kernel", help="Of no meaning here.")] = False,
    reload: Annotated[bool, typer.Option("--reload", help="Of no meaning here.")] = False,
    device: Device = None,
) -> None:
    """Task-based REST API with emotion control: /api/v1/tts, /api/v1/upload/audio, ..."""
    from gsv.servers.configurations import base_configuration
    from gsv.servers.running import Running

    project = shared.project(context)
    gpt, sovits = _weights_in(project.resolve(model_dir), model_dir == Path("checkpoints"))
    configuration = replace(base_configuration(project, device), gpt=gpt, sovits=sovits)
    _tell_precision(False, fp16, device)
    for name, given in (("--deepspeed", deepspeed), ("--cuda_kernel", cuda_kernel), ("--reload", reload)):
        if given:
            typer.echo(f"{name} has no meaning for this engine and is left out.", err=True)
    service, running = shared.service(project, configuration, port), Running()
    _serve(service, running, [_indextts(service, configuration, _feelings(service), workers)])


@serve_app.command("all")
@_shared
def all_of_them(
    context: typer.Context,
    shared: Shared,
    port: Port = 9880,
    config: ConfigurationPath = DEFAULT_CONFIGURATION,
    private_urls: PrivateUrls = False,
) -> None:
    """Every interface on one port, OpenAI's form (/v1/audio/speech) too; the engine is loaded once."""
    from gsv.servers import api2, openai
    from gsv.servers.running import Running
    from gsv.servers.together import Part

    project = shared.project(context)
    configuration = _configuration(project, config)
    service, running = shared.service(project, configuration, port), Running()
    feelings = _feelings(service)
    parts = [
        _api_v2(service, configuration, running, config),
        Part(api2.NAME, api2.build(service, api2.Setup(configuration))),
        Part(openai.NAME, openai.build(service, configuration, feelings)),
        _voices(service, configuration, feelings, private_urls),
        _indextts(service, configuration, feelings, 1),
    ]
    _serve(service, running, parts)


def _api_v2(service: "Service", configuration: "Configuration", running: "Running", config: str) -> "Part":
    from gsv.servers import api_v2
    from gsv.servers.together import Part

    file = service.project.resolve(config).resolve()
    return Part(api_v2.NAME, api_v2.build(service, configuration, running.control, file))


def _voices(service: "Service", configuration: "Configuration", feelings: "Feelings", private_urls: bool) -> "Part":
    from gsv.servers import voices
    from gsv.servers.fetching import Fetcher
    from gsv.servers.together import Part

    fetcher = Fetcher(most_bytes=service.limits.body, inside=private_urls)
    setup = voices.Setup(configuration, feelings, fetcher)
    return Part(voices.NAME, voices.build(service, setup), voices.MARKS)


def _indextts(service: "Service", configuration: "Configuration", feelings: "Feelings", workers: int) -> "Part":
    from gsv.servers import indextts
    from gsv.servers.together import Part

    setup = indextts.Setup(configuration, service.project.root / "tasks", feelings, workers=workers)
    return Part(indextts.NAME, indextts.build(service, setup))


def _feelings(service: "Service") -> "Feelings":
    """The labelled references and the classifier in the project's folder `emotions`, if there are any."""
    from gsv.synthesis.classifying import Classifier
    from gsv.synthesis.manner import Bank, Feelings

    folder = service.project.root / "emotions"
    return Feelings(Bank.load(folder), Classifier.load(folder))


def _weights_in(folder: Path, usual: bool) -> tuple[Path | None, Path | None]:
    """The newest GPT and SoVITS weights of a folder; the usual one may be missing, which means the base models."""
    if not folder.is_dir():
        if usual:
            return None, None
        raise InputError(f"There is no folder {folder}; --model_dir names one with a .ckpt (GPT) and a .pth (SoVITS).")
    found = []
    for suffix, kind in ((".ckpt", "GPT"), (".pth", "SoVITS")):
        files = sorted(folder.glob(f"*{suffix}"), key=lambda path: path.stat().st_mtime)
        if not files:
            raise InputError(f"{folder} has no {kind} weights (*{suffix}), which this engine speaks with.")
        found.append(files[-1])
    return found[0], found[1]


def _serve(service: "Service", running: "Running", parts: "list[Part]") -> None:
    from gsv.servers.together import together

    running.serve(
        together(service, parts), service.access, lambda address: typer.echo(f"Running on {address}", err=True)
    )


def _configuration(project: "Project", path: str) -> "Configuration":
    """The configuration of that file; the usual one may be missing, which means the base models."""
    from gsv.servers.configurations import base_configuration, read_configuration
    from gsv.servers.files import Files

    found = project.resolve(path)
    if path == DEFAULT_CONFIGURATION and not found.exists():
        return base_configuration(project)
    return read_configuration(found, Files(project))


def _tell_precision(full: bool, half: bool, device: str | None) -> None:
    """Says so where what was asked is not what the device computes best in, which is what is used."""
    from gsv.devices import best_device, working_dtype

    if full and half:
        raise InputError("-fp and -hp contradict each other; give one of them, or none.")
    used_half = str(working_dtype(best_device(device))).endswith("float16")
    if (full and used_half) or (half and not used_half):
        typer.echo(
            f"This device computes in {'half' if used_half else 'full'} precision, which it is best at.", err=True
        )
