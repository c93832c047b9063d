"""Tab 0: from recordings to a list file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gsv.webui import labelling, separating
from gsv.webui.page import PRIVATE, Page

DAMO = "达摩 ASR (中文)"


@dataclass(frozen=True)
class Passed:
    """Fields that the results of other stages are filled into. They are shown where they belong, by `render`."""

    asr_inp_dir: Any
    denoise_inp_dir: Any
    inp_text: Any
    inp_wav_dir: Any

    @classmethod
    def on(cls, page: Page) -> "Passed":
        names = ("asr_inp_dir", "denoise_inp_dir", "inp_text", "inp_wav_dir")
        return cls(*(page.text(name, render=False) for name in names))


def build(page: Page, passed: Passed) -> None:
    words = page.words
    with gr.Tabs():
        with gr.Tab(words("tab.0a"), id="0a", elem_id="tab_0a"):
            page.toggle("uvr5", page.api.change_uvr5, {})
            separating.build(page.home, False)
        with gr.Tab(words("tab.0b"), id="0b", elem_id="tab_0b"):
            _slicing(page, passed)
        with gr.Tab(words("tab.0bb"), id="0bb", elem_id="tab_0bb"):
            _denoising(page, passed)
        with gr.Tab(words("tab.0c"), id="0c", elem_id="tab_0c") as tab:
            _transcribing(page, passed, tab)
        with gr.Tab(words("tab.0d"), id="0d", elem_id="tab_0d"):
            path = page.kept("path_list", labelling.build(page.home, False))
            page.toggle("label", page.api.change_label, {"path_list": path})
            # A list that recognition has made is corrected next.
            passed.inp_text.change(page.api.sync, passed.inp_text, path, **PRIVATE)


def _slicing(page: Page, passed: Passed) -> None:
    with gr.Row():
        fields = {"inp": page.text("inp"), "opt_root": page.text("opt_root", "output/slicer_opt")}
    with gr.Row():
        for name, default in (
            ("threshold", "-34"),
            ("min_length", "4000"),
            ("min_interval", "300"),
            ("hop_size", "10"),
            ("max_sil_kept", "500"),
        ):
            fields[name] = page.text(name, default, min_width=140)
    with gr.Row():
        fields["_max"] = page.kept("_max", gr.Slider(0.05, 1, 0.9, step=0.05, **page.labels("_max")))
        fields["alpha"] = page.kept("alpha", gr.Slider(0, 1, 0.25, step=0.05, **page.labels("alpha")))
        fields["n_parts"] = page.kept("n_parts", gr.Slider(1, 16, 4, step=1, **page.labels("n_parts")))
    page.stage(
        "slice",
        page.api.open_slice,
        page.api.close_slice,
        fields,
        [passed.asr_inp_dir, passed.denoise_inp_dir, passed.inp_wav_dir],
    )


def _denoising(page: Page, passed: Passed) -> None:
    with gr.Row():
        passed.denoise_inp_dir.render()
        output = page.text("denoise_opt_dir", "output/denoise_opt")
    fields = {"denoise_inp_dir": passed.denoise_inp_dir, "denoise_opt_dir": output}
    fills = [passed.asr_inp_dir, passed.inp_wav_dir]
    page.stage("denoise", page.api.open_denoise, page.api.close_denoise, fields, fills)


def _transcribing(page: Page, passed: Passed, tab: gr.Tab) -> None:
    with gr.Row():
        passed.asr_inp_dir.render()
        output = page.text("asr_opt_dir", "output/asr_opt")
    fields = {"asr_inp_dir": passed.asr_inp_dir, "asr_opt_dir": output}
    with gr.Row():
        for name, default in (
            ("asr_model", DAMO),
            ("asr_model_size", "large"),
            ("asr_lang", "zh"),
            ("asr_precision", "float32"),
        ):
            fields[name] = gr.Dropdown([default], value=default, min_width=180, **page.labels(name))
    state = gr.Markdown("", elem_id="asr_state")
    model = fields["asr_model"]
    choices = [fields["asr_model_size"], fields["asr_lang"], fields["asr_precision"]]

    def choosing(key: str) -> list[Any]:
        from gsv.dataset.transcription import engine_named

        api = page.api
        options = (api.change_size_choices(key), api.change_lang_choices(key), api.change_precision_choices(key))
        usable = page.words("asr.state", state=page.words.said(engine_named(key).state(page.home.project)))
        return [*(gr.Dropdown(choices=one, value=_first(one)) for one in options), usable]

    def looking(key: str) -> list[Any]:
        # What there is to choose is known to modules that load torch, so they are asked when somebody wants to see.
        from gsv.dataset.transcription import ENGINES

        return [gr.Dropdown(choices=[engine.title for engine in ENGINES], value=key), *choosing(key)]

    model.input(choosing, model, [*choices, state], concurrency_limit=None, **PRIVATE)
    tab.select(looking, model, [model, *choices, state], concurrency_limit=None, **PRIVATE)
    fills = [passed.inp_text, passed.inp_wav_dir]

    def transcribe(**values: Any) -> Iterator[tuple[str, str, str]]:
        for status, _, made, folder in page.api.open_asr(**values):
            yield status, made, folder

    page.stage("asr", transcribe, page.api.close_asr, fields, fills)


def _first(choices: list[str]) -> str:
    """What to choose at first: a model that is on disk if there is one, of many sizes not the smallest otherwise."""
    there = [choice for choice in choices if choice.endswith("-local")]
    return there[0] if there else next((choice for choice in choices if choice == "large"), choices[0])
