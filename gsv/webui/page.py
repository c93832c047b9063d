"""What the tabs of the main app have in common: fields that are remembered, buttons that start and end a job."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gradio as gr

from gsv.webui import panels
from gsv.webui.api import Api
from gsv.webui.errors import told
from gsv.webui.home import Home
from gsv.webui.settings import Settings

_TICK_SECONDS = 1.0
# Of what only this page calls.
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


class Page:
    """The main app while it is being built."""

    def __init__(self, home: Home, api: Api, settings: Settings) -> None:
        self.home = home
        self.words = home.words
        self.api = api
        self.settings = settings
        self._kept: dict[str, Any] = {}
        self._panels: dict[str, gr.HTML] = {}

    def text(self, name: str, default: str = "", **options: Any) -> gr.Textbox:
        """A text field, named as the keyword of the endpoints, that is remembered."""
        return self.kept(name, gr.Textbox(default, **self.labels(name), **{"max_lines": 1, **options}))

    def labels(self, name: str) -> dict[str, Any]:
        """Label, explanation and id of a field."""
        info = f"field.{name}.info"
        return {
            "label": self.words(f"field.{name}"),
            "info": self.words(info) if info in self.words.texts else None,
            "elem_id": name,
        }

    def kept(self, name: str, field: Any) -> Any:
        """The field, whose value is remembered from now on."""
        self._kept[name] = field
        return field

    def panel(self, job: str) -> gr.HTML:
        """Where a job is looked at."""
        self._panels[job] = gr.HTML("", elem_id=f"panel_{job}", elem_classes="gsv-slot")
        return self._panels[job]

    def stage(
        self,
        job: str,
        start: Callable[..., Iterator[Any]],
        stop: Callable[[], str],
        inputs: Mapping[str, Any],
        fills: Sequence[Any] = (),
    ) -> Any:
        """Two buttons and a panel. `inputs` are the fields by keyword of `start`; what it yields behind the status goes
        to the fields `fills` when the job has ended well. Returns the event of that end.
        """
        names = list(inputs)

        def opening(*values: Any) -> Any:
            *_, last = start(**dict(zip(names, values, strict=True)))
            made = self.home.jobs.job(job)
            if made is None or made.status.state not in ("done", "partly done") or not fills:
                return _one_or_all([gr.skip() for _ in fills])
            return _one_or_all(list(last[1:]))

        with gr.Row():
            open_button = gr.Button(self.words(f"open.{job}"), variant="primary", elem_id=f"open_{job}", min_width=140)
            close_button = gr.Button(self.words("close"), elem_id=f"close_{job}", min_width=100)
        self.panel(job)
        event = open_button.click(
            told(self.words, opening),
            list(inputs.values()),
            list(fills),
            concurrency_limit=None,
            trigger_mode="multiple",
            **PRIVATE,
        )
        close_button.click(told(self.words, lambda: gr.Info(stop())), concurrency_limit=None, **PRIVATE)
        return event

    def toggle(self, job: str, change: Callable[..., str], inputs: Mapping[str, Any]) -> None:
        """A button that opens an app of its own, or closes it."""
        names = list(inputs)

        def changing(*values: Any) -> None:
            gr.Info(change(**dict(zip(names, values, strict=True))))

        button = gr.Button(self.words(f"toggle.{job}"), size="sm", elem_id=f"toggle_{job}")
        self.panel(job)
        button.click(told(self.words, changing), list(inputs.values()), concurrency_limit=None, **PRIVATE)

    def finish(self, blocks: gr.Blocks, machine: gr.HTML) -> None:
        """Wires what concerns all fields and panels; called when all are made."""
        names, fields = list(self._kept), list(self._kept.values())

        # It ticks, and so shows that the page works, once the fields have their values: whoever is quicker than that
        # would find a tab as it was on the first day.
        timer = gr.Timer(_TICK_SECONDS, active=False)

        def filled() -> list[Any]:
            return [gr.Timer(active=True), *(self.settings.get(name, gr.skip()) for name in names)]

        loaded = blocks.load(filled, None, [timer, *fields], queue=False, **PRIVATE)
        for name, field in self._kept.items():
            field.change(self._keeper(name), [field], None, queue=False, **PRIVATE)

        shown = [machine, *self._panels.values()]
        before = gr.State([""] * len(shown))

        def tick(seen: list[str]) -> list[Any]:
            now = [panels.of_machine(self.home), *(panels.panel(self.home, job) for job in self._panels)]
            return [now, *(gr.skip() if old == new else new for old, new in zip(seen, now, strict=True))]

        for look in (timer.tick, loaded.then):
            look(tick, [before], [before, *shown], queue=False, **PRIVATE)

    def _keeper(self, name: str) -> Callable[[Any], None]:
        return lambda value: self.settings.keep({name: value})


def _one_or_all(values: list[Any]) -> Any:
    """Gradio takes one value bare, and none as None."""
    return values if len(values) > 1 else values[0] if values else None
