"""The three apps beside the main one, each a managed process on a port of its own."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import gradio as gr
from pydantic import Field

from gsv.fields import WorkerGpus
from gsv.jobs.process import Status
from gsv.jobs.registry import Jobs
from gsv.jobs.results import Result
from gsv.jobs.stages import Stage
from gsv.paths import Project
from gsv.progress import Progress
from gsv.webui.home import Home
from gsv.webui.serving import Serving, serve
from gsv.webui.words import words_of

# What an app says first, before its address, when it can be looked at.
_UP = "Running on "


@dataclass(frozen=True)
class Companions:
    """How the apps beside the main one are served: as that is, each on its port."""

    main: Serving = field(default_factory=Serving)
    ports: Mapping[str, int] = field(default_factory=lambda: {"label": 9871, "tts": 9872, "uvr5": 9873})

    def values(self, name: str) -> dict[str, object]:
        """The parameters of the app's stage that say how it is served."""
        main = self.main
        return {
            "host": main.host,
            "port": self.ports[name],
            "language": main.language,
            "auth": main.auth,
            "allowed": main.allowed,
        }


@dataclass(frozen=True)
class LabellingOptions:
    path_list: Annotated[Path | None, Field(description="The list file to correct.")] = None
    serving: Serving = field(default_factory=Serving)
    project: Project = field(default_factory=Project.default)


@dataclass(frozen=True)
class SeparationOptions:
    serving: Serving = field(default_factory=Serving)
    project: Project = field(default_factory=Project.default)


@dataclass(frozen=True)
class InferenceOptions:
    gpt_path: Annotated[Path | None, Field(description="GPT weights; the version's base.")] = None
    sovits_path: Annotated[Path | None, Field(description="SoVITS weights; the version's base.")] = None
    roberta: Annotated[Path | None, Field(description="Folder of the Mandarin text encoder; the project's.")] = None
    hubert: Annotated[Path | None, Field(description="Folder of the content encoder; the model's.")] = None
    batched: Annotated[bool, Field(description="Speak many pieces of text at once.")] = False
    gpus: WorkerGpus = "0"
    serving: Serving = field(default_factory=Serving)
    project: Project = field(default_factory=Project.default)


LABELLING = Stage(
    "labelling",
    "Pages for correcting list files.",
    "gsv.webui.companions:LabellingOptions",
    "gsv.webui.companions:serve_labelling",
)
SEPARATION = Stage(
    "separating",
    "Pages for separating voices from music.",
    "gsv.webui.companions:SeparationOptions",
    "gsv.webui.companions:serve_separation",
)
INFERENCE = Stage(
    "inference",
    "Pages for speaking.",
    "gsv.webui.companions:InferenceOptions",
    "gsv.webui.companions:serve_inference",
)


def serve_labelling(options: LabellingOptions, progress: Progress) -> Result:
    from gsv.webui import labelling

    path = str(options.path_list or "")
    return _serve(options.serving, options.project, progress, lambda home: labelling.build(home, True, path))


def serve_separation(options: SeparationOptions, progress: Progress) -> Result:
    from gsv.webui import separating

    return _serve(options.serving, options.project, progress, lambda home: separating.build(home, True))


def serve_inference(options: InferenceOptions, progress: Progress) -> Result:
    from gsv.webui import inference

    named = {
        name: str(path or "")
        for name, path in (
            ("gpt_path", options.gpt_path),
            ("sovits_path", options.sovits_path),
            ("roberta", options.roberta),
            ("hubert", options.hubert),
        )
    }

    def build(home: Home) -> None:
        inference.build(home, True, batched=options.batched, **named)

    return _serve(options.serving, options.project, progress, build)


def is_up(status: Status) -> bool:
    """Whether the app can be looked at, by the status of its job."""
    return status.state == "running" and status.message.startswith(_UP)


def address(status: Status) -> str:
    return status.message.removeprefix(_UP)


def _serve(serving: Serving, project: Project, progress: Progress, build: Callable[[Home], object]) -> Result:
    """Serves the app until its process is told to end."""
    jobs = Jobs(project)
    home = Home(project, words_of(serving.language), jobs, serving.public, serving.allowed)
    with gr.Blocks(title="gsv", analytics_enabled=False) as blocks:
        build(home)
    close = serve(blocks, serving, home)
    try:
        progress.say(f"{_UP}{serving.url(serving.port)}")
        threading.Event().wait()
    finally:
        jobs.close_all()
        close()
    return Result("", {})
