"""The parameters of a stage, read from its dataclass of options: their names, kinds, limits and meanings.

A value may come as anything that a text box, a web client or a command line gives. What is not right is refused with
one sentence that names the parameter, the value, and what would be right.
"""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from gsv.errors import InputError
from gsv.paths import Project, absolute

Options = TypeVar("Options")

# The one field of an options class that is no parameter: where everything lies.
_PROJECT = "project"
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80


@dataclass(frozen=True)
class Parameter:
    """A field of an options class, or of a dataclass in it: those are spread out, and their names share one space."""

    name: str
    kind: Any
    field: "Field[Any]"

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.kind)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """Its JSON schema; where it may be left out, that of what it is otherwise."""
        schema = self.adapter.json_schema()
        choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
        if len(choices) != 1:
            return schema
        return {name: value for name, value in schema.items() if name != "anyOf"} | choices[0]

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def required(self) -> bool:
        return self.field.default is MISSING and self.field.default_factory is MISSING

    @property
    def default(self) -> Any:
        """None for a required one."""
        if self.field.default_factory is not MISSING:
            return self.field.default_factory()
        return None if self.field.default is MISSING else self.field.default

    @property
    def is_path(self) -> bool:
        return self.schema.get("format") == "path"

    @property
    def is_number(self) -> bool:
        return self.schema.get("type") in ("integer", "number")

    @property
    def right(self) -> str:
        """What a right value is, in words."""
        return _in_words(self.schema)

    def read(self, value: object, project: Project, label: str = "") -> Any:
        """The value in its right type; paths are those of `Project.resolve`, and absolute.

        Raises InputError, which calls the parameter by its label.
        """
        label = label or self.name
        if self.is_path and value is not None:
            return _path(value, project, label)
        try:
            return self.adapter.validate_python(value)
        except ValidationError:
            raise InputError(f"{label} is {_SHOWN.repr(value)}; it must be {self.right}.") from None
        except InputError as error:
            raise InputError(f"{label}: {error}") from None


def parameters(options: type) -> Iterator[Parameter]:
    """All parameters of an options class."""
    hints = get_type_hints(options, include_extras=True)
    for field in fields(options):
        kind = hints[field.name]
        if _is_group(kind):
            yield from parameters(kind)
        elif field.name != _PROJECT:
            yield Parameter(field.name, kind, field)


def read_options(
    options: type[Options], values: Mapping[str, object], project: Project, labels: Mapping[str, str] | None = None
) -> Options:
    """Options from values by parameter name; defaults stand for those that are left out.

    Raises InputError for a value that is not right, one that is missing, and one that there is no parameter for.
    `labels` are names that the user knows parameters by, if others.
    """
    labels = labels or {}
    known = {parameter.name: parameter for parameter in parameters(options)}
    for name in values:
        if name not in known:
            raise InputError(f"There is no parameter {name!r}; there are {', '.join(known)}.")
    for name, parameter in known.items():
        if parameter.required and name not in values:
            raise InputError(f"{labels.get(name, name)} is missing; it must be {parameter.right}.")
    defaults = {name: one.default for name, one in known.items() if one.is_path and one.default is not None}
    read = {
        name: known[name].read(value, project, labels.get(name, name)) for name, value in {**defaults, **values}.items()
    }
    return _built(options, read, project)


def values_of(options: object) -> dict[str, Any]:
    """All parameters of options and their values: what `read_options` makes equal options of."""
    values: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]
        value = getattr(options, field.name)
        if field.name == _PROJECT:
            continue
        values |= values_of(value) if _is_group(type(value)) else {field.name: value}
    return values


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and is_dataclass(kind) and kind is not Project


def _built(options: type[Options], read: Mapping[str, Any], project: Project) -> Options:
    hints = get_type_hints(options)
    arguments: dict[str, Any] = {}
    for field in fields(options):  # type: ignore[arg-type]
        if field.name == _PROJECT:
            arguments[_PROJECT] = project
        elif _is_group(hints[field.name]):
            arguments[field.name] = _built(hints[field.name], read, project)
        elif field.name in read:
            arguments[field.name] = read[field.name]
    return options(**arguments)


def _path(value: object, project: Project, label: str) -> Path:
    if not isinstance(value, (str, Path)) or "\0" in str(value):
        raise InputError(f"{label} is {_SHOWN.repr(value)}; it must be a file or folder.")
    try:
        return absolute(project.resolve(value))
    except InputError as error:
        raise InputError(f"{label}: {error}") from None


def _in_words(schema: Mapping[str, Any]) -> str:
    if "enum" in schema or "const" in schema:
        choices = [str(choice) for choice in schema.get("enum", [schema.get("const")])]
        return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_in_words(choice) for choice in schema["anyOf"]))
    if schema.get("format") == "path":
        return "a file or folder"
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return ("a whole number" if kind == "integer" else "a number") + _limits(schema)
    if kind == "array":
        return f"a list, each {_in_words(schema.get('items', {}))}"
    if kind == "string" and "examples" in schema:
        return f"such as {' or '.join(schema['examples'])}"
    return {"boolean": "true or false", "string": "a text", "null": "left out"}.get(str(kind), "of another kind")


def _limits(schema: Mapping[str, Any]) -> str:
    words = []
    if "minimum" in schema and "maximum" in schema:
        return f" from {plain(schema['minimum'])} to {plain(schema['maximum'])}"
    for key, word in (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    ):
        if key in schema:
            words.append(f"{word} {plain(schema[key])}")
    return f" {' and '.join(words)}" if words else ""


def plain(number: float) -> str:
    """Without a point where it is whole, and never with an exponent."""
    return str(int(number)) if number == int(number) else f"{number:f}".rstrip("0")
