"""Puts the methods of the API on the network under the names that scripts call."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from gsv.webui.api import Api
from gsv.webui.errors import told
from gsv.webui.meanings import MEANINGS, RETURNS

NAMES = (
    *("change_lang_choices", "change_size_choices", "change_precision_choices"),
    *("open_asr", "close_asr", "open_slice", "close_slice", "open_denoise", "close_denoise"),
    *("change_label", "change_uvr5", "open1a", "close1a", "open1b", "close1b", "open1c", "close1c"),
    *("open1abc", "close1abc", "open1Ba", "close1Ba", "open1Bb", "close1Bb"),
    *("change_choices", "change_tts_inference", "sync", "switch_version"),
)
# Scripts know these by a second name too.
TWINS = ("change_label", "change_uvr5", "change_tts_inference")


def publish(api: Api) -> None:
    """Makes the endpoints, in the Blocks that are being built; each as often at once as it is called."""
    for name in NAMES:
        for public in (name, f"{name}_1") if name in TWINS else (name,):
            _publish(public, told(getattr(api, name)), RETURNS.get(name, ("status",)))


def _publish(name: str, function: Callable[..., Any], returns: Sequence[str]) -> None:
    arguments = list(inspect.signature(function).parameters)
    if arguments:
        meanings = "\n".join(f"    {argument}: {MEANINGS[argument]}" for argument in arguments)
        function.__doc__ = f"{function.__doc__}\n\nArgs:\n{meanings}"
    made = gr.api(function, api_name=name, concurrency_limit=None)
    blocks = gr.context.Context.root_block
    assert blocks is not None
    endpoint = blocks.fns[made["id"]]
    # view_api() shows these, and not what the docstring says of them.
    for component, argument in zip(endpoint.inputs, arguments, strict=True):
        component.api_info()["additional_description"] = MEANINGS[argument]
    for component, label in zip(endpoint.outputs, returns, strict=True):
        component.label = label
