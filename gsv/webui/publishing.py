"""Named endpoints for scripts, with a meaning for every parameter and a name for every value that comes back."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from gsv.webui.errors import told
from gsv.webui.kinds import checked
from gsv.webui.words import Words


def publish(
    words: Words,
    name: str,
    function: Callable[..., Any],
    meanings: Mapping[str, str],
    returns: Sequence[str],
    group: str | None = None,
    limit: int | None = None,
) -> None:
    """Makes an endpoint in the Blocks that are being built; its keywords and defaults are those of the function.

    Endpoints of one `group` share a `limit` of calls at a time; None is no limit.
    """
    shown = told(words, checked(function))
    arguments = list(inspect.signature(function).parameters)
    lines = "".join(f"\n    {argument}: {meanings[argument]}" for argument in arguments)
    shown.__doc__ = f"{function.__doc__}\n\nArgs:{lines}" if arguments else function.__doc__
    made = gr.api(shown, api_name=name, concurrency_limit=limit, concurrency_id=group)
    blocks = gr.context.Context.root_block
    assert blocks is not None
    endpoint = blocks.fns[made["id"]]
    # view_api() shows these, and not what the docstring says of them.
    for component, argument in zip(endpoint.inputs, arguments, strict=True):
        assert isinstance(component, Component)
        component.api_info()["additional_description"] = meanings[argument]
    for component, label in zip(endpoint.outputs, returns, strict=True):
        assert isinstance(component, Component)
        component.label = label
