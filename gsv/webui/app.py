"""The main app: all tabs on one page, and every endpoint on one port."""

import threading

import gradio as gr

from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui import dataset, training
from gsv.webui.api import Api
from gsv.webui.companions import Companions
from gsv.webui.endpoints import publish_all
from gsv.webui.home import Home
from gsv.webui.page import PRIVATE, Page
from gsv.webui.serving import Serving, serve
from gsv.webui.settings import Settings
from gsv.webui.words import words_of

# The page is as dark or light as it was made the last time; before that, as the browser's system is.
_STAY_DARK = """() => {
  const kept = localStorage.getItem("gsv-dark");
  if (kept !== null) document.body.classList.toggle("dark", kept === "1");
}"""
_TURN_DARK = """() => {
  const dark = document.body.classList.toggle("dark");
  localStorage.setItem("gsv-dark", dark ? "1" : "0");
}"""


def build(home: Home, companions: Companions) -> gr.Blocks:
    """The page and its endpoints."""
    words, settings = home.words, Settings(home.project)
    page = Page(home, Api(home, settings, companions), settings)
    with gr.Blocks(title=words("title"), analytics_enabled=False, fill_width=True) as blocks:
        # First, because what the page itself calls would take the names away.
        publish_all(page.api)
        with gr.Row(elem_classes="gsv-head", equal_height=True):
            gr.HTML(f"<h1>{words('title')}</h1>")
            machine = gr.HTML("", elem_id="machine")
            dark = gr.Button(words("dark"), size="sm", elem_id="dark", elem_classes="gsv-dark")
        dark.click(None, js=_TURN_DARK, **PRIVATE)
        blocks.load(None, js=_STAY_DARK, **PRIVATE)
        passed = dataset.Passed.on(page)
        with gr.Tabs():
            with gr.Tab(words("tab.0"), id="0", elem_id="tab_0"):
                dataset.build(page, passed)
            with gr.Tab(words("tab.1"), id="1", elem_id="tab_1"):
                training.build(page, passed, blocks)
            with gr.Tab(words("tab.2"), id="2", elem_id="tab_2"):
                gr.Markdown(words("conversion.missing"))
        page.finish(blocks, machine)
    return blocks


def run(serving: Serving, project: Project) -> None:
    """Serves the app until the process is told to end; nothing that it started outlives it."""
    jobs = Jobs(project)
    home = Home(project, words_of(serving.language), jobs, serving.public, serving.allowed)
    close = serve(build(home, Companions(serving)), serving, home)
    print(home.words("running", url=serving.url(serving.port)), flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        jobs.close_all()
        close()
