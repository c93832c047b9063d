"""From a list file to an experiment that can be trained on: the stages 1a (text), 1b (audio) and 1c (semantic tokens).

What is there already and fits is kept, so a run that was interrupted goes on where it stopped.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gsv.checkpoints import missing_weights, read_generator
from gsv.dataset.listing import numbered_lines
from gsv.dataset.report import StepReport, run_reported
from gsv.dataset.rows import RowFile
from gsv.dataset.steps import AudioStep, SemanticStep, SpeakerStep, TextStep, name_to_semantic, name_to_text
from gsv.dataset.utterances import utterance
from gsv.dataset.workers import Item, Outcome, Step, worker_devices
from gsv.errors import InputError
from gsv.fields import ExperimentName, SplitAtCommas, VersionName, WorkerGpus
from gsv.paths import Experiment, Project, alone_in, clear_unfinished
from gsv.progress import Progress, TerminalProgress
from gsv.text.languages import WITH_FEATURES, language_of_tag
from gsv.versions import Version, version_named

STAGES: tuple[Literal["1a", "1b", "1c"], ...] = ("1a", "1b", "1c")


@dataclass(frozen=True)
class PrepareOptions:
    """What to make an experiment from. Weights that are not named are the project's own for the version."""

    list_path: Annotated[Path, Field(description="Lines of: audio path|speaker|language|text")]
    experiment: ExperimentName
    audio_folder: Annotated[
        Path | None,
        Field(description="Folder of the listed files, whatever folders the list names."),
    ] = None
    version: VersionName = "v2"
    stages: Annotated[
        tuple[Literal["1a", "1b", "1c"], ...], SplitAtCommas, Field(min_length=1, description="Which stages to run.")
    ] = STAGES
    gpus: WorkerGpus = "0-0"
    project: Project = field(default_factory=Project.default)
    hubert: Annotated[Path | None, Field(description="Folder of the content encoder; the model's if not given.")] = None
    roberta: Annotated[Path | None, Field(description="Folder of the Mandarin text encoder; the project's.")] = None
    generator: Annotated[
        Path | None, Field(description="SoVITS weights whose semantic tokens are made; the version's base.")
    ] = None
    speaker_encoder: Annotated[Path | None, Field(description="Weights of the speaker encoder; the project's.")] = None


@dataclass(frozen=True)
class PrepareReport:
    """What became of an experiment: `rejected` list lines that no stage can use, and a report for each step.

    `tables` are the files that have a row per line.
    """

    rejected: tuple[Outcome, ...]
    steps: tuple[StepReport, ...]
    tables: tuple[Path, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many lines are ready in all steps, and how many are not."""
        bad = {outcome.name for outcome in self.problems}
        names = {outcome.name for step in self.steps for outcome in step.outcomes}
        return {"lines ready": len(names - bad), "lines with problems": len(bad)}

    @property
    def files(self) -> tuple[Path, ...]:
        return (*self.tables, *(path for step in self.steps for path in step.files))

    @property
    def problems(self) -> tuple[Outcome, ...]:
        """Each once, though several steps may meet it."""
        return tuple(dict.fromkeys(outcome for step in self.steps for outcome in step.problems))

    @property
    def logs(self) -> tuple[Path, ...]:
        return tuple(step.log for step in self.steps if step.log)

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))


def prepare(options: PrepareOptions, progress: Progress | None = None) -> PrepareReport:
    """Runs the stages. Raises a GsvError if the input or the weights are not usable, or if a step made nothing at all.

    Where only some lines fail, the others are finished and the report says which failed and why.
    """
    progress = progress or TerminalProgress()
    version = version_named(options.version)
    unknown = [stage for stage in options.stages if stage not in STAGES]
    if unknown or not options.stages:
        raise InputError(f"The stages {', '.join(unknown) or 'to run'} are not known; choose from {', '.join(STAGES)}.")
    devices = worker_devices(options.gpus)
    experiment = options.project.experiment(options.experiment)
    items, rejected = _items(options, version)
    if not items:
        raise InputError(f"No line of {options.list_path} is usable; the first problem: {rejected[0].reason}")
    for outcome in rejected:
        outcome.tell(progress)
    steps = list(_steps(options, version, experiment, items))
    # Before anything is made: nobody should wait for one stage to hear that the next one's weights are missing.
    for _, _, weights in steps:
        if weights is not None and not weights.exists():
            raise missing_weights(weights)
    notice = options.project.base(version).notice
    if notice and options.generator is None:
        progress.say(notice)
    reports = []
    with alone_in(experiment.root):
        for folder in (experiment.bert, experiment.hubert, experiment.wav32k, experiment.speaker):
            clear_unfinished(folder)
        for step, table, _ in steps:
            reports.append(_run(step, table, items, rejected, devices, experiment, progress))
    tables = tuple(table.path for _, table, _ in steps if table is not None)
    return PrepareReport(tuple(rejected), tuple(reports), tables)


def _steps(
    options: PrepareOptions, version: Version, experiment: Experiment, items: Sequence[Item]
) -> Iterator[tuple[Step, RowFile | None, Path | None]]:
    """The steps of the chosen stages in order, each with the table it writes and the weights it needs."""
    project = options.project
    if "1a" in options.stages:
        with_features = any(language_of_tag(item.language) in WITH_FEATURES for item in items)
        roberta = options.roberta or project.roberta
        step = TextStep(experiment, version, roberta, project.g2pw, with_features, project.pronunciations)
        yield step, name_to_text(experiment), roberta if with_features else None
    generator = options.generator or project.base(version).generator
    if "1b" in options.stages:
        hubert = options.hubert or project.content_encoder(_content_module(generator))
        yield AudioStep(experiment, hubert), None, hubert
        if version.uses_speaker_vector:
            speaker_encoder = options.speaker_encoder or project.speaker_encoder
            yield SpeakerStep(experiment, speaker_encoder), None, speaker_encoder
    if "1c" in options.stages:
        yield SemanticStep(experiment, generator), name_to_semantic(experiment), generator


def _content_module(generator: Path) -> str | None:
    """The content encoder that a generator names; None where there is no generator yet."""
    return read_generator(generator).config.get("content_module") if generator.is_file() else None


def _run(
    step: Step,
    table: RowFile | None,
    items: Sequence[Item],
    rejected: Sequence[Outcome],
    devices: Sequence[str],
    experiment: Experiment,
    progress: Progress,
) -> StepReport:
    if table is None:
        return run_reported(step, items, devices, experiment.root, progress, rejected)
    table.settle()
    try:
        report = run_reported(step, items, devices, experiment.root, progress, rejected)
        usable = {outcome.name for outcome in report.outcomes if not outcome.reason}
        table.join([item.name for item in items if item.name in usable])
    finally:
        table.settle()
    return report


def _items(options: PrepareOptions, version: Version) -> tuple[list[Item], list[Outcome]]:
    """The usable lines of the list, and why the others are not."""
    folder = options.audio_folder
    if folder is not None and not folder.is_dir():
        raise InputError(f"The audio folder {folder} is not there; name the folder that holds the listed files.")
    items: dict[str, Item] = {}
    rejected = []
    for number, text in numbered_lines(options.list_path):
        try:
            item = utterance(text, number, options.list_path, folder, version, options.project)
            if item.name in items:
                raise InputError(f"Line {number} names a second {item.name}; give each sound file a name of its own.")
            items[item.name] = item
        except InputError as error:
            rejected.append(Outcome(f"line {number}", "failed", str(error)))
    return list(items.values()), rejected
