"""The stages of the work: what each is called, what it takes, and what does it.

The command line, the web pages and their scripts all build the same options and hand them to the same function. What a
stage needs is imported when it is used, so this table costs nothing to look at.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any

from gsv.jobs.parameters import Parameter, parameters, read_options
from gsv.jobs.results import Report
from gsv.paths import Project
from gsv.progress import Progress


@dataclass(frozen=True)
class Stage:
    """Plain data, so that it can be sent to a worker process.

    Args:
        options: the dataclass of its parameters, as "module:name".
        function: takes the options and a `progress`, and returns a Report; as "module:name".
        arguments: parameters that stand on the command line without a flag, in this order.
        flags: how parameters are spelled on the command line where that is not their name.
        outputs: parameters that are files or folders to write to.
    """

    name: str
    help: str
    options: str
    function: str
    arguments: tuple[str, ...] = ()
    flags: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()

    def options_type(self) -> type:
        loaded: type = _named(self.options)
        return loaded

    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(parameters(self.options_type()))

    def read(self, values: Mapping[str, object], project: Project, labels: Mapping[str, str] | None = None) -> Any:
        """The options with these values; InputError for what is not right."""
        return read_options(self.options_type(), values, project, labels)

    def run(self, options: Any, progress: Progress) -> Report:
        """Does the work in this process. Raises a GsvError if nothing usable came of it."""
        report: Report = _named(self.function)(options, progress=progress)
        return report

    def as_event(self) -> dict[str, Any]:
        return asdict(self)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


_TRAINING_FLAGS = {
    "keep_only_latest": "--keep-only-latest/--keep-all",
    "save_every_weights": "--save-every-weights/--only-final",
}

STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            "slice",
            "Cuts long recordings into pieces of a few seconds, in their pauses.",
            "gsv.dataset.slicing:SliceOptions",
            "gsv.dataset.slicing:slice_audio",
            arguments=("inp",),
            flags={"opt_root": "--output", "peak": "--max"},
            outputs=("opt_root",),
        ),
        Stage(
            "denoise",
            "Frees recordings of their noise.",
            "gsv.dataset.denoising:DenoiseOptions",
            "gsv.dataset.denoising:denoise",
            arguments=("denoise_inp_dir",),
            flags={"denoise_opt_dir": "--output"},
            outputs=("denoise_opt_dir",),
        ),
        Stage(
            "separate",
            "Parts voices from music, echo and reverberation, with the models of UVR5.",
            "gsv.dataset.separation:SeparateOptions",
            "gsv.dataset.separation:separate",
            arguments=("inp",),
            flags={"vocal_root": "--output", "ins_root": "--instruments"},
            outputs=("vocal_root", "ins_root"),
        ),
        Stage(
            "transcribe",
            "Writes down what is said in recordings, as a list file.",
            "gsv.dataset.transcription:TranscribeOptions",
            "gsv.dataset.transcription:transcribe",
            arguments=("asr_inp_dir",),
            flags={
                "asr_opt_dir": "--output",
                "asr_model": "--model",
                "asr_model_size": "--size",
                "asr_lang": "--language",
                "asr_precision": "--precision",
            },
            outputs=("asr_opt_dir",),
        ),
        Stage(
            "prepare",
            "Makes the features that training reads: text (1a), audio (1b), semantic tokens (1c).",
            "gsv.dataset.features:PrepareOptions",
            "gsv.dataset.features:prepare",
            arguments=("list_path",),
            flags={"experiment": "--exp", "audio_folder": "--audio"},
        ),
        Stage(
            "train-sovits",
            "Trains the half that speaks; goes on from what an earlier run left.",
            "gsv.training.sovits:SovitsTrainOptions",
            "gsv.training.sovits:train_sovits",
            flags=_TRAINING_FLAGS,
        ),
        Stage(
            "train-gpt",
            "Trains the half that turns text into semantic tokens; goes on from what an earlier run left.",
            "gsv.training.gpt:GptTrainOptions",
            "gsv.training.gpt:train_gpt",
            flags=_TRAINING_FLAGS,
        ),
    )
}
