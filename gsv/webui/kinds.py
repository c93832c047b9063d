"""What scripts may send: anything; the functions behind the endpoints are given what their hints say."""

import functools
import inspect
import reprlib
from collections.abc import Callable, Iterator
from typing import Any, cast, get_args, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from gsv.errors import InputError

# Scripts write numbers as texts and texts as numbers; -34 is as good as "-34".
_LENIENT = ConfigDict(coerce_numbers_to_str=True)
_IN_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, a generator or not, called with arguments of the right kinds alone; None stands for the default.

    It raises InputError, which names the argument, for one of another kind. Only plain kinds are looked at, and None
    where the hint has it.
    """
    signature = inspect.signature(function)
    hints = get_type_hints(function)
    kinds = {name: _plain(hints[name]) for name in signature.parameters}
    adapters: dict[str, TypeAdapter[Any]] = {
        name: TypeAdapter(kind, config=_LENIENT) for name, kind in kinds.items() if kind is not None
    }

    def read(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        given = signature.bind(*args, **kwargs).arguments
        return {name: value(name, one) for name, one in given.items()}

    def value(name: str, given: Any) -> Any:
        kind, default = kinds[name], signature.parameters[name].default
        if kind is None or given is default:
            return given
        if given is None and default is not inspect.Parameter.empty:
            return default
        try:
            read = adapters[name].validate_python(given)
            # As it was written: sentences about it then say 1, and not 1.0.
            return given if kind is float and type(given) is int else read
        except ValidationError:
            raise InputError(f"{name} is {_SHOWN.repr(given)}; it must be {_IN_WORDS[kind]}.") from None

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def streaming(*args: Any, **kwargs: Any) -> Iterator[Any]:
            yield from function(**read(args, kwargs))

        return streaming

    @functools.wraps(function)
    def calling(*args: Any, **kwargs: Any) -> Any:
        return function(**read(args, kwargs))

    return calling


def _plain(hint: Any) -> type | None:
    """The plain kind that a hint stands for, `int` of `int | None`; None if it stands for no plain one."""
    if hint in _IN_WORDS:
        return cast(type, hint)
    found = [kind for kind in get_args(hint) if kind in _IN_WORDS]
    return found[0] if len(found) == 1 and type(None) in get_args(hint) else None
