"""One page of the WebUI served from this process, so that tests can look behind it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gradio as gr
from gradio_client import Client
from webui_server import free_port

from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui.home import Home
from gsv.webui.serving import Serving, serve
from gsv.webui.words import words_of


@contextmanager
def client_of(build: Callable[[Home], object], project: Project, language: str = "en_US") -> Iterator[Client]:
    """A client of the page until the block ends."""
    jobs = Jobs(project)
    home = Home(project, words_of(language), jobs)
    serving = Serving(port=free_port())
    with gr.Blocks(analytics_enabled=False) as blocks:
        build(home)
    close = serve(blocks, serving, home)
    try:
        yield Client(serving.url(serving.port), verbose=False)
    finally:
        jobs.close_all()
        close()
