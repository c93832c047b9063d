"""Errors as the pages and their scripts see them: one sentence, not a traceback."""

import functools
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_args, get_origin, get_type_hints

import gradio as gr

from gsv.errors import sentence
from gsv.webui.words import Words

log = logging.getLogger(__name__)


@contextmanager
def telling(words: Words) -> Iterator[None]:
    """Errors that are the user's business become messages on the page, and `AppError` for a script, in its language."""
    try:
        yield
    except gr.Error:
        raise
    except Exception as error:
        message = sentence(error)
        if message is None:
            raise
        raise gr.Error(words.said(message), print_exception=False) from error


def told(words: Words, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, a generator or not, with its errors told; the type that gradio sees is what comes or is yielded."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def streaming(*args: Any, **kwargs: Any) -> Iterator[Any]:
            with telling(words):
                yield from function(*args, **kwargs)

        wrapped: Callable[..., Any] = streaming
    else:

        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            with telling(words):
                return function(*args, **kwargs)

        wrapped = calling
    hint = get_type_hints(function).get("return", inspect.Signature.empty)
    if get_origin(hint) is Iterator:
        hint = get_args(hint)[0]
    wrapped.__signature__ = inspect.signature(function).replace(return_annotation=hint)  # type: ignore[attr-defined]
    return wrapped
