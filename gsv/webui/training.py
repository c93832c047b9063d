"""Tab 1: from a list file to a voice."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gsv.paths import Experiment
from gsv.versions import VERSIONS, Version
from gsv.webui import inference, machine
from gsv.webui.api import GPT_EPOCHS, GPT_SAVE_EVERY, LORA_RANKS, SOVITS_EPOCHS, SOVITS_SAVE_EVERY
from gsv.webui.curves import COLORS, Curves
from gsv.webui.dataset import Passed
from gsv.webui.errors import told
from gsv.webui.page import PRIVATE, Page
from gsv.webui.weights import relative

_CURVES_SECONDS = 3.0
_LARGEST_BATCH = 40


@dataclass(frozen=True)
class _Shared:
    """What several stages of this tab need. The paths are those of the version's models."""

    exp_name: Any
    version: Any
    pretrained_s2G: Any
    pretrained_s2D: Any
    pretrained_s1: Any


def build(page: Page, passed: Passed, blocks: gr.Blocks) -> None:
    words = page.words
    shared = _shared(page)
    with gr.Tabs():
        with gr.Tab(words("tab.1A"), id="1A", elem_id="tab_1A"):
            _formatting(page, passed, shared)
        with gr.Tab(words("tab.1B"), id="1B", elem_id="tab_1B") as tab:
            fields = _fine_tuning(page, shared, blocks, tab)
        with gr.Tab(words("tab.1C"), id="1C", elem_id="tab_1C"):
            _speaking(page)
    _switching(page, shared, fields, blocks)


def _shared(page: Page) -> _Shared:
    words = page.words
    with gr.Row():
        exp_name = page.text("exp_name", "xxx", min_width=160)
        version = gr.Radio(list(VERSIONS), value=page.settings.version.name, **page.labels("version_"), min_width=240)
    with gr.Accordion(words("pretrained"), open=False), gr.Row():
        paths = [
            gr.Textbox(_path(page, name), **page.labels(name), min_width=260)
            for name in ("pretrained_s2G", "pretrained_s2D", "pretrained_s1")
        ]
    return _Shared(exp_name, version, *paths)


def _path(page: Page, name: str) -> str:
    base = page.home.project.base(page.settings.version)
    of = {"pretrained_s2G": base.generator, "pretrained_s2D": base.discriminator, "pretrained_s1": base.gpt}
    path = of[name]
    return "" if path is None else relative(page.home.project, path)


def _formatting(page: Page, passed: Passed, shared: _Shared) -> None:
    words, api = page.words, page.api
    with gr.Row():
        passed.inp_text.render()
        passed.inp_wav_dir.render()
    with gr.Accordion(words("formatting.more"), open=False):
        with gr.Row():
            bert = page.text("bert_pretrained_dir", placeholder=words("automatic"))
            ssl = page.text("ssl_pretrained_dir", placeholder=words("automatic"))
        with gr.Row():
            gpus = [
                page.text(name, "0-0", min_width=120) for name in ("gpu_numbers1a", "gpu_numbers1b", "gpu_numbers1c")
            ]
    both = {"inp_text": passed.inp_text, "inp_wav_dir": passed.inp_wav_dir}
    name, generator = {"exp_name": shared.exp_name}, {"pretrained_s2G_path": shared.pretrained_s2G}
    bert_dir, ssl_dir = {"bert_pretrained_dir": bert}, {"ssl_pretrained_dir": ssl}
    numbers = dict(zip(("gpu_numbers1a", "gpu_numbers1Ba", "gpu_numbers1c"), gpus, strict=True))
    everything = {**both, **name, **numbers, **bert_dir, **ssl_dir, **generator}
    page.stage("1abc", api.open1abc, api.close1abc, everything)
    with gr.Accordion(words("section.single"), open=False), gr.Row():
        with gr.Column(min_width=240):
            page.stage("1a", api.open1a, api.close1a, {**both, **name, "gpu_numbers": gpus[0], **bert_dir})
        with gr.Column(min_width=240):
            page.stage("1b", api.open1b, api.close1b, {**both, **name, "gpu_numbers": gpus[1], **ssl_dir})
        with gr.Column(min_width=240):
            page.stage(
                "1c",
                api.open1c,
                api.close1c,
                {"inp_text": passed.inp_text, **name, "gpu_numbers": gpus[2], **generator},
            )


@dataclass(frozen=True)
class _Fields:
    """Those of the training of SoVITS that depend on the version."""

    batch_size: Any
    total_epoch: Any
    save_every: Any
    text_rate: Any
    checkpointing: Any
    lora_rank: Any


def _fine_tuning(page: Page, shared: _Shared, blocks: gr.Blocks, tab: gr.Tab) -> _Fields:
    with gr.Row():
        with gr.Column(min_width=320):
            gr.Markdown(page.words("section.1Ba"))
            fields = _sovits(page, shared)
            _curves(page, "1Ba", shared, Experiment.newest_sovits_logs, blocks, tab)
        with gr.Column(min_width=320):
            gr.Markdown(page.words("section.1Bb"))
            _gpt(page, shared)
            _curves(page, "1Bb", shared, Experiment.gpt_logs, blocks, tab)
    return fields


def _sovits(page: Page, shared: _Shared) -> _Fields:
    labels = page.labels
    with gr.Row():
        batch_size = gr.Slider(
            1, _LARGEST_BATCH, machine.batch_size(), step=1, **_renamed(page, "batch_size", "1Ba"), min_width=140
        )
        total_epoch = gr.Slider(1, 100, SOVITS_EPOCHS, step=1, **_renamed(page, "total_epoch", "1Ba"), min_width=140)
    with gr.Row():
        save_every = gr.Slider(
            1, 50, SOVITS_SAVE_EVERY, step=1, **_renamed(page, "save_every_epoch", "1Ba"), min_width=140
        )
        text_rate = gr.Slider(0.2, 0.6, 0.4, step=0.05, **labels("text_low_lr_rate"), min_width=140)
    with gr.Row(elem_classes="gsv-checks"):
        latest = gr.Checkbox(True, **_renamed(page, "if_save_latest", "1Ba"), min_width=200)
        weights = gr.Checkbox(True, **_renamed(page, "if_save_every_weights", "1Ba"), min_width=200)
        checkpointing = gr.Checkbox(False, **labels("if_grad_ckpt"), min_width=200)
    with gr.Row():
        gpus = page.text("gpu_numbers1Ba", "0", min_width=120)
        lora_rank = gr.Radio(list(LORA_RANKS), value="32", visible=False, **labels("lora_rank"))
    inputs = {
        "batch_size": batch_size,
        "total_epoch": total_epoch,
        "exp_name": shared.exp_name,
        "text_low_lr_rate": text_rate,
        "if_save_latest": latest,
        "if_save_every_weights": weights,
        "save_every_epoch": save_every,
        "gpu_numbers1Ba": gpus,
        "pretrained_s2G": shared.pretrained_s2G,
        "pretrained_s2D": shared.pretrained_s2D,
        "if_grad_ckpt": checkpointing,
        "lora_rank": lora_rank,
    }
    page.stage("1Ba", page.api.open1Ba, page.api.close1Ba, inputs)
    return _Fields(batch_size, total_epoch, save_every, text_rate, checkpointing, lora_rank)


def _gpt(page: Page, shared: _Shared) -> None:
    with gr.Row():
        batch_size = gr.Slider(
            1, _LARGEST_BATCH, machine.batch_size(), step=1, **_renamed(page, "batch_size", "1Bb"), min_width=140
        )
        total_epoch = gr.Slider(1, 100, GPT_EPOCHS, step=1, **_renamed(page, "total_epoch", "1Bb"), min_width=140)
    with gr.Row():
        save_every = gr.Slider(
            1, 50, GPT_SAVE_EVERY, step=1, **_renamed(page, "save_every_epoch", "1Bb"), min_width=140
        )
        gpus = gr.Textbox("0", **_renamed(page, "gpu_numbers", "1Bb"), min_width=120)
    with gr.Row(elem_classes="gsv-checks"):
        latest = gr.Checkbox(True, **_renamed(page, "if_save_latest", "1Bb"), min_width=200)
        weights = gr.Checkbox(True, **_renamed(page, "if_save_every_weights", "1Bb"), min_width=200)
        dpo = gr.Checkbox(False, **page.labels("if_dpo"), min_width=200)
    inputs = {
        "batch_size": batch_size,
        "total_epoch": total_epoch,
        "exp_name": shared.exp_name,
        "if_dpo": dpo,
        "if_save_latest": latest,
        "if_save_every_weights": weights,
        "save_every_epoch": save_every,
        "gpu_numbers": gpus,
        "pretrained_s1": shared.pretrained_s1,
    }
    page.stage("1Bb", page.api.open1Bb, page.api.close1Bb, inputs)


def _renamed(page: Page, name: str, job: str) -> dict[str, Any]:
    """Labels of a field that both trainings have; ids are for one each."""
    return {**page.labels(name), "elem_id": f"{name}_{job}"}


def _curves(
    page: Page, job: str, shared: _Shared, logs: Callable[[Experiment, Version], Path], blocks: gr.Blocks, tab: gr.Tab
) -> None:
    """Losses, spectrograms and sounds of the experiment's training, drawn again while it goes on."""
    words = page.words
    curves = Curves(words)
    plot = gr.LinePlot(
        x="step",
        y="value",
        color="name",
        x_title=words("curves.step"),
        y_title=words("curves.value"),
        # The legend that gradio draws has a title and no entries, so the colours are explained below.
        color_title=" ",
        label=words("curves"),
        height=320,
        elem_id=f"curves_{job}",
        visible=False,
    )
    samples = gr.HTML("", elem_id=f"samples_{job}")

    def draw(exp_name: str) -> tuple[Any, Any]:
        experiment = page.home.project.experiment(exp_name.strip() or "xxx")
        losses, html = curves.read(logs(experiment, page.settings.version))
        colors = dict(zip(dict.fromkeys(losses["name"]), COLORS, strict=False))
        return gr.LinePlot(losses, color_map=colors, visible=len(losses) > 0), html

    def follow(exp_name: str) -> tuple[Any, Any]:
        now = page.home.jobs.job(job)
        return draw(exp_name) if now is not None and not now.status.ended else (gr.skip(), gr.skip())

    shown = [plot, samples]
    gr.Timer(_CURVES_SECONDS).tick(told(words, follow), shared.exp_name, shown, queue=False, **PRIVATE)
    gr.on([tab.select, blocks.load], told(words, draw), shared.exp_name, shown, **PRIVATE)


def _speaking(page: Page) -> None:
    words = page.words
    with gr.Accordion(words("tts.apart"), open=False):
        with gr.Row():
            gpu_number = page.text("gpu_number", "0", min_width=120)
            batched = gr.Checkbox(False, **page.labels("batched_infer_enabled"))
        page.toggle("tts", page.api.change_tts_inference, {"gpu_number": gpu_number, "batched_infer_enabled": batched})
    inference.build(page.home, False)


def _switching(page: Page, shared: _Shared, fields: _Fields, blocks: gr.Blocks) -> None:
    """The choice of a version, which other fields are filled by; a page that is loaded shows the present one."""

    def switch(version: str) -> list[Any]:
        generator, discriminator, gpt, _, _, batch, epochs, save_every, text, ckpt, _, lora = page.api.switch_version(
            version
        )
        return [
            *(generator, discriminator, gpt, batch, epochs, save_every),
            *(gr.Slider(visible=text), ckpt, gr.Radio(visible=lora)),
        ]

    filled = [
        *(shared.pretrained_s2G, shared.pretrained_s2D, shared.pretrained_s1),
        *(fields.batch_size, fields.total_epoch, fields.save_every),
        *(fields.text_rate, fields.checkpointing, fields.lora_rank),
    ]
    shared.version.input(told(page.words, switch), shared.version, filled, **PRIVATE)
    names = ("pretrained_s2G", "pretrained_s2D", "pretrained_s1")

    def present() -> list[Any]:
        version = page.settings.version
        seen = gr.Slider(visible=not version.uses_flow), gr.Radio(visible=version.trains_lora)
        return [version.name, *(_path(page, name) for name in names), *seen]

    shown = [shared.version, *filled[: len(names)], fields.text_rate, fields.lora_rank]
    blocks.load(present, None, shown, **PRIVATE)
