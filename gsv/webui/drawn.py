"""Components that draw themselves in the browser, by a script in `pages/`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from gsv.webui.words import Words

_PAGES = Path(__file__).parent / "pages"


def drawn(
    name: str, value: dict[str, Any], words: Words, answers: Callable[..., Any] | None = None, **properties: Any
) -> gr.HTML:
    """What `pages/NAME.js` and `pages/NAME.css` make of a value; the script finds it, the properties and the texts
    whose keys begin with `NAME.` in `props`, and asks the server by `answers` under that function's name.
    """
    start = f"{name}."
    return gr.HTML(
        value,
        html_template=f'<div class="{name}"></div>',
        css_template=_text(f"{name}.css"),
        js_on_load=_text("common.js") + _text(f"{name}.js"),
        apply_default_css=False,
        server_functions=[answers] if answers else None,
        words={key.removeprefix(start): text for key, text in words.texts.items() if key.startswith(start)},
        elem_id=name,
        **properties,
    )


def _text(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")
