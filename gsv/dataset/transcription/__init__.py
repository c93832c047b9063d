"""From recordings to a list file: speech recognition over a folder.

The list is `OUTPUT/FOLDER.list`, named after the folder of recordings, which is also the speaker's name in it. It is
written when a run is through, whole and in the order of the files; a run that is broken off has lost no more than the
clips that were being listened to, and the next one goes on. Run again with the same settings, it keeps its lines; with
others, it makes them anew; but a line that somebody wrote or corrected by hand always stays.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field

from gsv.audio.io import load
from gsv.dataset.listing import Line, read_list, write_list
from gsv.dataset.report import StepReport, run_reported
from gsv.dataset.sounds import sounds_in
from gsv.dataset.transcription.engines import ENGINES, Engine, engine_named
from gsv.dataset.transcription.ledger import Entry, Ledger
from gsv.dataset.transcription.recogniser import LIST_LANGUAGES, RATE, Choice
from gsv.dataset.workers import Item, Outcome, Skip
from gsv.errors import InputError
from gsv.paths import Project, absolute, alone_in
from gsv.progress import Progress, TerminalProgress

__all__ = ["ENGINES", "Engine", "TranscribeOptions", "engine_named", "list_file", "transcribe"]

# Recognisers fail in odd ways on less than a syllable.
_SHORTEST_SECONDS = 0.1

# What parts the fields and lines of a list file.
_PARTING = "|\r\n"


@dataclass(frozen=True)
class TranscribeOptions:
    """What to transcribe, with what, and where to. None stands for the engine's own default, the first of its choices.

    `asr_model` is an engine's name or title; `asr_model_size` may end in `-local`.
    """

    asr_inp_dir: Annotated[Path, Field(description="folder of recordings, or one recording")]
    asr_opt_dir: Annotated[Path, Field(description="folder that the list file is written to")] = Path("output/asr_opt")
    asr_model: Annotated[str, Field(description="recogniser")] = ENGINES[0].title
    asr_model_size: Annotated[str | None, Field(description="size of its model")] = None
    asr_lang: Annotated[str | None, Field(description="language spoken")] = None
    asr_precision: Annotated[str | None, Field(description="precision it computes in")] = None
    project: Project = field(default_factory=Project.default)

    def __post_init__(self) -> None:
        self.choice()

    def choice(self) -> Choice:
        """What to recognise with; InputError for what the engine cannot do."""
        return engine_named(self.asr_model).choice(self.asr_lang, self.asr_model_size, self.asr_precision)


def transcribe(options: TranscribeOptions, progress: Progress | None = None) -> StepReport:
    """Writes the list file; the report's files are that file.

    A clip in which nothing is recognised has no line and is reported. Raises a GsvError with one sentence if a folder,
    a choice, a library or a model is wrong or missing, or if no clip gave a line.
    """
    engine = engine_named(options.asr_model)
    choice = options.choice()
    inputs = options.project.resolve(options.asr_inp_dir)
    items = [replace(item, audio=absolute(item.audio)) for item in sounds_in(inputs, "asr_inp_dir")]
    folders = engine.require(choice, options.project)
    path = list_file(options)
    with alone_in(_ledger(path).folder):
        return _transcribed(engine, choice, folders, items, path, progress or TerminalProgress())


def list_file(options: TranscribeOptions) -> Path:
    """The list file that these options make."""
    inputs = absolute(options.project.resolve(options.asr_inp_dir))
    folder = inputs.parent if inputs.is_file() else inputs
    if not folder.name or any(sign in str(folder) for sign in _PARTING):
        raise InputError(f"asr_inp_dir: {folder} cannot stand in a list file; name a folder without | in its path.")
    return absolute(options.project.resolve(options.asr_opt_dir)) / f"{folder.name}.list"


@dataclass(frozen=True)
class _Transcribing:
    """Recognises what a clip says and puts it into the ledger."""

    engine: str
    choice: Choice
    folders: tuple[Path, ...]
    ledger: Ledger
    title: str

    def start(self, device: torch.device, part: int) -> Callable[[Item], Literal["done", "kept"]]:
        recognise = engine_named(self.engine).load(self.folders, self.choice, device)

        def handle(item: Item) -> Literal["done", "kept"]:
            sound = _state(item.audio)
            wave = load(item.audio, RATE)
            if len(wave) < _SHORTEST_SECONDS * RATE:
                raise Skip(f"It is {len(wave) / RATE:.2f} s long, too short for a word.")
            heard = recognise(wave)
            if not any(sign.isalnum() for sign in heard.text):
                raise Skip("No speech was recognised in it.")
            if heard.language not in LIST_LANGUAGES:
                raise Skip(
                    f"It was taken for the language {heard.language!r}; if it is another, choose that as asr_lang."
                )
            recipe = _recipe(self.engine, self.choice)
            self.ledger.append(part, Entry(item.name, sound, recipe, heard.language, heard.text))
            return "done"

        return handle

    def files(self, item: Item) -> Sequence[Path]:
        return ()


def _transcribed(
    engine: Engine, choice: Choice, folders: tuple[Path, ...], items: Sequence[Item], path: Path, progress: Progress
) -> StepReport:
    started = time.monotonic()
    ledger = _ledger(path)
    recipe = _recipe(engine.name, choice)
    earlier = {absolute(Path(line.audio)): line for line in _lines(path)}
    settled = ledger.settled()
    by_hand = {
        item.audio: earlier[item.audio]
        for item in items
        if item.audio in earlier and earlier[item.audio] != _line(settled.get(item.name), item, path)
    }
    made = _holding(settled | ledger.gather(), items, recipe)
    before: list[Outcome] = []
    todo: list[Item] = []
    for item in items:
        if item.audio in by_hand or item.name in made:
            before.append(Outcome(item.name, "kept"))
        elif any(sign in item.name for sign in _PARTING):
            reason = "Its name has | or a line break in it, which a list file cannot hold; rename it."
            before.append(Outcome(item.name, "failed", reason))
            before[-1].tell(progress)
        else:
            todo.append(item)
    step = _Transcribing(engine.name, choice, folders, ledger, f"transcribe {path.stem}")
    report = StepReport(step.title, tuple(before), 0.0, None)
    if todo:
        if engine.notice:
            progress.say(engine.notice)
        report = run_reported(step, todo, _devices(engine, len(todo)), path.parent, progress, before)
        made |= _holding(ledger.gather(), items, recipe)
    elif not report.usable:
        raise InputError(f"asr_inp_dir: {items[0].name}: {before[0].reason}")

    lines = [by_hand.get(item.audio) or _line(made.get(item.name), item, path) for item in items]
    own = {item.audio for item in items}
    others = [line for audio, line in earlier.items() if audio not in own and audio.exists()]
    write_list(path, [line for line in (*lines, *others) if line is not None])
    ledger.settle(made[item.name] for item in items if item.name in made and item.audio not in by_hand)
    outcomes = tuple(outcome if outcome.reason else replace(outcome, files=(path,)) for outcome in report.outcomes)
    return replace(report, outcomes=outcomes, seconds=time.monotonic() - started)


def _lines(path: Path) -> list[Line]:
    """The lines of an earlier list, if there is one."""
    return read_list(path) if path.is_file() and path.stat().st_size else []


def _line(entry: Entry | None, item: Item, path: Path) -> Line | None:
    return Line(str(item.audio), path.stem, entry.language.upper(), entry.text) if entry else None


def _holding(entries: Mapping[str, Entry], items: Sequence[Item], recipe: str) -> dict[str, Entry]:
    """The entries that were made by this recipe from the files as they are now, by name."""
    found = {item.name: entries[item.name] for item in items if item.name in entries}
    states = {item.name: _state(item.audio) for item in items if item.name in found}
    return {name: entry for name, entry in found.items() if (entry.recipe, entry.sound) == (recipe, states[name])}


def _recipe(engine: str, choice: Choice) -> str:
    return f"{engine} {choice.size} {choice.language} {choice.precision}"


def _state(path: Path) -> str:
    """Changes when the file does."""
    try:
        stat = path.stat()
    except OSError:
        return "gone"
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _devices(engine: Engine, count: int) -> list[str]:
    """Where the workers compute: one on a GPU, or one that uses all cores, or one a core."""
    if engine.many_cores:
        return ["cuda:0" if torch.cuda.is_available() else "cpu"]
    return ["cpu"] * min(torch.get_num_threads(), count)


def _ledger(path: Path) -> Ledger:
    return Ledger(path.parent / f".{path.stem}")
