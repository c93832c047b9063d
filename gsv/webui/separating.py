"""The page on which voices are parted from music, echo and reverberation."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from gsv.environments import environment
from gsv.errors import GsvError, InputError
from gsv.jobs.stages import STAGES
from gsv.webui import panels, running
from gsv.webui.errors import told
from gsv.webui.home import Home
from gsv.webui.publishing import publish

# The way that needs no model.
MASKS = "hpss"
OUTPUT = "output/uvr5_opt"
FORMATS = ("wav", "flac", "mp3", "m4a")
_JOB = "separate"
_TICK_SECONDS = 1.0
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

MEANINGS = {
    "model_name": "A model, by its name in uvr_models or its file; hpss: masks without any model, rough.",
    "inp_root": "A recording, or a folder of recordings.",
    "save_root_vocal": "The folder for the voices.",
    "paths": "Uploaded recordings, in place of inp_root.",
    "save_root_ins": "The folder for what is not voice.",
    "agg": "How much a VR model takes away, 0 to 20.",
    "format0": f"Format of the results: {', '.join(FORMATS)}.",
}
_LABELS = {
    "inp": "inp_root",
    "model": "model_name",
    "vocal_root": "save_root_vocal",
    "ins_root": "save_root_ins",
    "format": "format0",
}


class Separator:
    """What the page and scripts can ask for."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def uvr_models(self) -> list[str]:
        """The models there are, now; the last one, hpss, needs no model file and is rough."""
        # Looking at weights is for torch, which a page that nobody separates on can do without.
        from gsv.dataset.uvr5_models import model_files

        return [*model_files(self.home.project), MASKS]

    def uvr_convert(
        self,
        model_name: str,
        inp_root: str = "",
        save_root_vocal: str = OUTPUT,
        paths: Any = None,
        save_root_ins: str = OUTPUT,
        agg: int = 10,
        format0: str = "flac",
    ) -> Iterator[str]:
        """Parts the voice of every recording from the rest; tells how far it is until it has ended."""
        if not model_name.strip():
            raise InputError(f"model_name is empty; choose one of {', '.join(self.uvr_models())}.")
        masks = model_name.strip() == MASKS
        if not masks:
            self._check_model(model_name.strip())
        values = {
            "inp": self._input(inp_root, paths),
            "model": "" if masks else model_name.strip(),
            "method": "hpss" if masks else "model",
            "vocal_root": self.home.output(save_root_vocal, "save_root_vocal"),
            "ins_root": self.home.output(save_root_ins, "save_root_ins"),
            "agg": agg,
            "format": format0,
        }
        yield from running.run(self.home, _JOB, STAGES["separate"], values, _LABELS)

    def close_uvr_convert(self) -> str:
        """Ends the separation; recordings that are finished stay."""
        return running.close(self.home, _JOB)

    def _check_model(self, name: str) -> None:
        from gsv.dataset.uvr5_models import model_file

        try:
            model_file(name, self.home.project)
        except GsvError as error:
            raise type(error)(f"model_name: {error}") from None

    def _input(self, inp_root: str, paths: Any) -> Path:
        """The recordings: what was uploaded, or what a path names."""
        given = paths if isinstance(paths, list) else [paths] if paths else []
        files = [self._file(one) for one in given]
        if not files:
            if not inp_root.strip():
                raise InputError("inp_root is empty; name a recording or a folder of recordings, or upload some.")
            return self.home.existing(inp_root, "inp_root")
        if len(files) == 1:
            return files[0]
        return _together(files)

    def _file(self, value: Any) -> Path:
        path = value.get("path") if isinstance(value, dict) else value
        if not isinstance(path, str):
            raise InputError(f"paths holds {value!r}; it must be sound files, uploaded or by their paths.")
        return self.home.existing(path, "paths")


def build(home: Home, alone: bool) -> None:
    """Adds the page and its endpoints to the Blocks that are being built; `alone` says that it is an app of its own."""
    words = home.words
    separator = Separator(home)
    if alone:
        gr.Markdown(f"## {words('separating.title')}")
    usable = not environment("uvr5", home.project).problem()
    if not usable:
        gr.Markdown(words("separating.not_installed"))
    with gr.Row():
        with gr.Column(min_width=300):
            model = gr.Dropdown(
                [(words("separating.masks"), MASKS)],
                value=None if usable else MASKS,
                label=words("separating.model"),
                info=words("separating.model_info"),
                allow_custom_value=True,
                elem_id="uvr_model",
            )
            source = gr.Textbox(
                label=words("separating.input"), info=words("separating.input_info"), max_lines=1, elem_id="uvr_input"
            )
            files = gr.File(
                file_count="multiple", file_types=["audio", "video"], label=words("separating.files"), height=140
            )
        with gr.Column(min_width=300):
            aggression = gr.Slider(
                0, 20, 10, step=1, label=words("separating.aggression"), info=words("separating.aggression_info")
            )
            voices = gr.Textbox(OUTPUT, label=words("separating.voices"), max_lines=1)
            rest = gr.Textbox(OUTPUT, label=words("separating.rest"), max_lines=1)
            kind = gr.Radio(list(FORMATS), value="flac", label=words("separating.format"))
    with gr.Row():
        start = gr.Button(words("separating.start"), variant="primary", min_width=140, elem_id="uvr_start")
        stop = gr.Button(words("separating.stop"), min_width=100, elem_id="uvr_stop")
    panel = gr.HTML("", elem_id="panel_separate")
    with gr.Accordion(words("separating.about"), open=False):
        gr.Markdown(words("separating.models_explained"))

    def convert(chosen: str | None, *values: Any) -> None:
        for _ in separator.uvr_convert(chosen or "", *values):
            pass

    def models() -> Any:
        found = [(words("separating.masks") if name == MASKS else name, name) for name in separator.uvr_models()]
        return gr.Dropdown(found)

    fields = [model, source, voices, files, rest, aggression, kind]
    start.click(told(words, convert), fields, None, concurrency_limit=None, **_PRIVATE)
    stop.click(
        told(words, lambda: gr.Info(separator.close_uvr_convert())), None, None, concurrency_limit=None, **_PRIVATE
    )
    model.focus(told(words, models), None, model, **_PRIVATE)
    before = gr.State("")

    def tick(seen: str) -> tuple[Any, Any]:
        now = panels.panel(home, _JOB)
        return (gr.skip(), gr.skip()) if now == seen else (now, now)

    gr.Timer(_TICK_SECONDS).tick(tick, before, [before, panel], concurrency_limit=None, **_PRIVATE)
    publish(words, "uvr_models", separator.uvr_models, MEANINGS, ["models"])
    publish(words, "uvr_convert", separator.uvr_convert, MEANINGS, ["how far it is"])
    publish(words, "close_uvr_convert", separator.close_uvr_convert, MEANINGS, ["what came of it"])


def _together(files: list[Path]) -> Path:
    """A folder with copies of files that were uploaded to folders of their own, under their names."""
    names = [path.name for path in files]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise InputError(f"paths holds two files of the name {double}; give each a name of its own.")
    marks = "\0".join(f"{path}\0{path.stat().st_mtime_ns}" for path in files)
    folder = Path(get_upload_folder()) / hashlib.sha256(marks.encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        if not (folder / path.name).is_file():
            shutil.copy2(path, folder / path.name)
    return folder
