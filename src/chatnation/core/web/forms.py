"""Forms drawn from pydantic models: a field of the form for each field of the model, and back.

Everything is read from the JSON schema of the model, so that any annotation works that has one. What a browser has no
input for is typed as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from starlette.datastructures import FormData

MANY_LETTERS = 200
"""A text that may be longer than this gets several lines."""
_LONGEST_INPUT = 100_000


class Kind(StrEnum):
    """How a field is shown."""

    TEXT = "text"
    LINES = "lines"
    NUMBER = "number"
    SWITCH = "switch"
    CHOICE = "choice"
    CHOICES = "choices"
    LIST = "list"
    COLOUR = "color"
    DATE = "date"
    TIME = "time"
    SECRET = "secret"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class FormField:
    """One input. `name` is the path in the model with dots; `section` the titles of the models around it.

    `value` is text, a list for `CHOICES`, or a bool for `SWITCH` and `SECRET`, where it says that something is kept.
    """

    name: str
    label: str
    description: str
    kind: Kind
    value: Any
    section: str = ""
    options: Sequence[str] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: str = "any"
    longest: int | None = None
    optional: bool = False
    nullable: bool = False
    error: str = field(default="")


def form_of(
    model: type[BaseModel], values: Mapping[str, Any], errors: Mapping[str, str] | None = None
) -> list[FormField]:
    """The fields of `model`, in its order, filled with `values` as JSON has them."""
    schema = model.model_json_schema(by_alias=True)
    return list(_fields(schema, schema, values, errors or {}, "", ""))


def filled_in(model: type[BaseModel], form: FormData, kept: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed, to be validated by `model`, and what could not even be read, by name.

    An empty number or choice is left out where the model has a default, and a secret that was left empty stays what
    `kept` has.
    """
    values: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for one in form_of(model, {}):
        try:
            found, value = _typed(one, form, kept)
        except ValueError as error:
            errors[one.name] = f"this is no JSON: {error}"
            continue
        if found:
            _put(values, one.name, value)
    return values, errors


def errors_of(model: type[BaseModel], error: ValidationError) -> dict[str, str]:
    """What pydantic refused, by the name of the form's field; under "" what concerns the whole."""
    names = {one.name for one in form_of(model, {})}
    found: dict[str, str] = {}
    for fault in error.errors(include_input=False, include_url=False):
        parts = [str(part) for part in fault["loc"]]
        name = next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in names), "")
        found.setdefault(name, fault["msg"].removeprefix("Value error, "))
    return found


def _fields(
    whole: Mapping[str, Any],
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    path: str,
    section: str,
) -> Iterator[FormField]:
    needed = schema.get("required", [])
    for name, below in schema.get("properties", {}).items():
        full = f"{path}{name}"
        resolved, nullable = _resolved(whole, below)
        value = values.get(name, resolved.get("default"))
        label = str(resolved.get("title") or name)
        if resolved.get("type") == "object" and "properties" in resolved and not nullable:
            inside = value if isinstance(value, Mapping) else {}
            yield from _fields(whole, resolved, inside, errors, f"{full}.", label)
            continue
        yield _field(resolved, full, label, section, value, nullable, name not in needed, errors.get(full, ""))


def _field(
    schema: Mapping[str, Any],
    name: str,
    label: str,
    section: str,
    value: Any,
    nullable: bool,
    optional: bool,
    error: str,
) -> FormField:
    kind = _kind(schema)
    items = schema.get("items", {}) if kind is Kind.CHOICES else schema
    options = [str(one) for one in items.get("enum", [items["const"]] if "const" in items else [])]
    return FormField(
        name=name,
        label=label,
        description=str(schema.get("description", "")),
        kind=kind,
        value=_shown(kind, value),
        section=section,
        options=options,
        minimum=_bound(schema, "minimum", "exclusiveMinimum"),
        maximum=_bound(schema, "maximum", "exclusiveMaximum"),
        step="1" if schema.get("type") == "integer" else "any",
        longest=schema.get("maxLength"),
        optional=optional,
        nullable=nullable,
        error=error,
    )


def _resolved(whole: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The schema with references followed, and whether it may be null."""
    found = dict(schema)
    nullable = False
    while True:
        if "$ref" in found:
            target: Any = whole
            for part in found.pop("$ref").removeprefix("#/").split("/"):
                target = target[part]
            found = {**target, **found}
        elif len(found.get("allOf", [])) == 1:
            found = {**found["allOf"][0], **{key: value for key, value in found.items() if key != "allOf"}}
        elif "anyOf" in found and any(one.get("type") == "null" for one in found["anyOf"]):
            others = [one for one in found["anyOf"] if one.get("type") != "null"]
            nullable = True
            rest = {key: value for key, value in found.items() if key != "anyOf"}
            found = {**others[0], **rest} if len(others) == 1 else {**rest, "type": "any"}
        else:
            if isinstance(found.get("items"), dict):
                found["items"] = _resolved(whole, found["items"])[0]
            return found, nullable


_BY_FORMAT = {
    "password": Kind.SECRET,
    "color": Kind.COLOUR,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "textarea": Kind.LINES,
}
_BY_TYPE = {"boolean": Kind.SWITCH, "integer": Kind.NUMBER, "number": Kind.NUMBER}


def _kind(schema: Mapping[str, Any]) -> Kind:
    kind, form = schema.get("type"), schema.get("format", "")
    if "enum" in schema or "const" in schema:
        return Kind.CHOICE
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if kind == "string":
        lines = (schema.get("maxLength") or 0) > MANY_LETTERS
        return _BY_FORMAT.get(form, Kind.LINES if lines else Kind.TEXT)
    if kind == "array":
        items = schema.get("items", {})
        if "enum" in items or "const" in items:
            return Kind.CHOICES
        if items.get("type") in {"string", "integer", "number"}:
            return Kind.LIST
    return Kind.JSON


def _shown(kind: Kind, value: Any) -> Any:
    if kind in {Kind.SWITCH, Kind.SECRET}:
        return bool(value)
    if kind is Kind.CHOICES:
        return [str(one) for one in value or ()]
    if kind is Kind.LIST and isinstance(value, list | tuple):
        return "\n".join(str(one) for one in value)
    if kind is Kind.JSON and not isinstance(value, str):
        return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    return "" if value is None else str(value)


def _bound(schema: Mapping[str, Any], *names: str) -> float | None:
    return next((schema[name] for name in names if name in schema), None)


def _typed(one: FormField, form: FormData, kept: Mapping[str, Any]) -> tuple[bool, Any]:
    """Whether there is a value, and which."""
    text = str(form.get(one.name, ""))[:_LONGEST_INPUT].replace("\r\n", "\n")
    match one.kind:
        case Kind.SWITCH:
            return True, one.name in form
        case Kind.CHOICES:
            return True, [str(value) for value in form.getlist(one.name)]
        case Kind.LIST:
            return True, [line.strip() for line in text.splitlines() if line.strip()]
        case Kind.SECRET:
            if f"{one.name}:clear" in form:
                return one.nullable, None
            return (True, text) if text else (one.name in kept, kept.get(one.name))
        case Kind.JSON if text.strip():
            return True, json.loads(text)
        case Kind.TEXT | Kind.LINES if not one.nullable:
            return True, text.strip()
    if text.strip():
        return True, text.strip()
    return one.nullable, None


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    *above, last = name.split(".")
    for part in above:
        values = values.setdefault(part, {})
    values[last] = value
