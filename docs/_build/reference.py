"""Writes the pages of the reference out of the code: `python docs/_build/reference.py`, before the site is built.

They are not kept in the repository. The tests call the functions that make them.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import chatnation
from chatnation import Metric, Plugin
from chatnation.core import hookspecs
from chatnation.core.hookspecs.events import EventType
from chatnation.core.settings import Settings

DOCS = Path(__file__).parent.parent
REFERENCE = DOCS / "reference"
HOOK_EXAMPLES = DOCS / "examples" / "hooks"


# --- hooks -----------------------------------------------------------------------------------------


def hooks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every core hook with its area, in the order in which they stand in the code."""
    for module in hookspecs.MODULES:
        area = module.__name__.rpartition(".")[2]
        for function in vars(module).values():
            if hasattr(function, "chatnation_spec") and function.__module__ == module.__name__:
                yield area, function


def hooks_page() -> str:
    lines = [
        "# Hooks",
        "",
        "A plugin implements the hooks it needs as methods marked `@hookimpl`. A method may leave out parameters that",
        "it does not use. How to begin: [Write a plugin](../guides/write-a-plugin.md).",
        "",
    ]
    area = None
    for hook_area, hook in hooks():
        if hook_area != area:
            area = hook_area
            module = next(module for module in hookspecs.MODULES if module.__name__.endswith(f".{area}"))
            lines += [f"## {area.capitalize()}", "", inspect.getdoc(module) or "", ""]
        lines += _hook(hook)
    return "\n".join(lines)


def _hook(hook: Callable[..., Any]) -> list[str]:
    name = hook.__name__
    text = inspect.getdoc(hook) or ""
    for word in ("When", "Return", "Failure"):
        text = text.replace(f"\n{word}: ", f"\n\n**{word}:** ")
    lines = [f"### {name}", "", "```python", _signature(hook), "```", "", text, ""]
    example = HOOK_EXAMPLES / f"{name}.py"
    if example.exists():
        lines += ["```python", example.read_text(encoding="utf-8").rstrip(), "```", ""]
    return lines


def _signature(function: Callable[..., Any]) -> str:
    keyword = "async def" if inspect.iscoroutinefunction(function) else "def"
    parameters = [f"{parameter}" for parameter in inspect.signature(function).parameters.values()]
    returns = inspect.signature(function).return_annotation
    return f"{keyword} {function.__name__}({', '.join(['self', *(_plain(p) for p in parameters)])}) -> {returns}"


def _plain(parameter: str) -> str:
    return parameter.replace("'", "")


# --- settings --------------------------------------------------------------------------------------


def plugins() -> list[type[Plugin]]:
    """The bundled plugins, by name."""
    found = [
        point for point in entry_points(group="chatnation.plugins") if point.value.startswith("chatnation.plugins.")
    ]
    return [point.load() for point in sorted(found, key=lambda point: point.name)]


def settings_page() -> str:
    lines = [
        "# Settings",
        "",
        "Settings of the instance are environment variables, read once at start. Lists are separated by commas.",
        "",
        "## Core",
        "",
        *_fields(Settings, "CHATNATION_"),
    ]
    for plugin in plugins():
        if plugin.Settings.model_fields:
            lines += [f"## Plugin {plugin.name}", "", *_fields(plugin.Settings, f"CHATNATION_{plugin.name.upper()}_")]
    lines += ["## Settings of a tenant", "", "These are edited in the dashboard, for each tenant.", ""]
    for plugin in plugins():
        if plugin.TenantSettings is not None:
            lines += [f"### {plugin.title()}", "", *_fields(plugin.TenantSettings, "")]
    return "\n".join(lines)


def _fields(model: type[BaseModel], prefix: str) -> list[str]:
    rows = ["| Name | Type | Default | Meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        shown = f"{prefix}{name.upper()}" if prefix else name
        rows.append(f"| `{shown}` | {_type(field.annotation)} | {_default(field)} | {_cell(field.description or '')} |")
    return [*rows, ""]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    if isinstance(value, Path) and value.is_absolute():
        return "bundled"
    if isinstance(value, (tuple, list, frozenset, set)):
        text = ", ".join(sorted(map(str, value)) if isinstance(value, (set, frozenset)) else map(str, value))
        return f"`{text}`" if text else "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if value != "" else "empty"


def _type(annotation: Any) -> str:
    if annotation is SecretStr:
        return "secret"
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(part) for part in typing.get_args(annotation) if part is not type(None))
    if origin in (tuple, list, frozenset, set):
        return f"list of {_type(typing.get_args(annotation)[0])}"
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin is typing.Annotated:
        return _type(typing.get_args(annotation)[0])
    names = {str: "text", int: "integer", float: "number", bool: "boolean", Path: "path"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# --- commands --------------------------------------------------------------------------------------


def command_line() -> click.Group:
    """`chatnation` with every bundled plugin's commands."""
    from chatnation.core.cli import main

    return main


def commands() -> Iterator[tuple[click.Context, click.Command]]:
    """Every command that is not hidden, groups before what is in them."""

    def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
        yield context, command
        if isinstance(command, click.Group):
            for name in command.list_commands(context):
                child = command.get_command(context, name)
                if child is not None and not child.hidden:
                    yield from walk(child, click.Context(child, info_name=name, parent=context))

    root = command_line()
    yield from walk(root, click.Context(root, info_name="chatnation"))


def commands_page() -> str:
    lines = ["# Commands", ""]
    for context, command in commands():
        depth = 0 if context.parent is None else context.command_path.count(" ")
        if depth:
            lines += [f"{'#' * (depth + 1)} {context.command_path}", ""]
        lines += [inspect.cleandoc(command.help or ""), "", "```text", _usage(context, command), "```", ""]
        rows = [
            f"| {_parameter(parameter)} |" for parameter in command.params if not getattr(parameter, "hidden", False)
        ]
        if rows:
            lines += ["| Parameter | Meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _usage(context: click.Context, command: click.Command) -> str:
    return f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}".strip()


def _parameter(parameter: click.Parameter) -> str:
    if not isinstance(parameter, click.Option):
        return f"`{parameter.human_readable_name.upper()}` | "
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    default = parameter.default
    shown = default not in (None, False, ()) and not callable(default) and type(default).__name__ != "Sentinel"
    suffix = f" Default: `{default}`." if shown else ""
    return f"{names} | {_cell(parameter.help or '')}{suffix}"


# --- events ----------------------------------------------------------------------------------------


def event_types() -> list[tuple[str, EventType]]:
    """Every event that core or a bundled plugin describes, with who does, by name."""
    from chatnation.core.ingestion import catalog

    found = [("core", event) for event in catalog.EVENT_TYPES]
    for plugin in plugins():
        if hasattr(plugin, "register_event_types"):
            found += [(plugin.name, event) for event in plugin(plugin.Settings()).register_event_types()]
    return sorted(found, key=lambda pair: pair[1].name)


def events_page() -> str:
    lines = [
        "# Events",
        "",
        "Any event name is accepted. These are the ones that the product knows and reports on; properties beyond those",
        "listed are kept as sent.",
        "",
        "| Event | Meaning | Properties |",
        "|---|---|---|",
    ]
    for _, event in event_types():
        properties = "; ".join(f"`{name}`: {_cell(meaning)}" for name, meaning in event.properties.items())
        lines.append(f"| `{event.name}` | {_cell(event.description)} | {properties} |")
    return "\n".join([*lines, "", *_event_columns()])


COLUMNS = {
    "timestamp": "When it happened: the client's time, corrected where its clock was wrong.",
    "received_at": "When the collector received it.",
    "tenant_id": "The organisation.",
    "project_id": "The source within it.",
    "sequence": "The client's count of events within its session; orders equal times.",
    "client_id": "Row of `clients`, which holds SDK, user agent, device, operating system and browser.",
    "message_id": "The dedupe key: the client's id, or a hash of it where it is no UUID.",
    "anonymous_id": "The browser or installation.",
    "is_bot": "Sent by a program that says so; reports leave it out.",
    "journey_start": "The first step of a journey.",
    "journey_end": "The last step of a journey.",
    "event_name": "What happened.",
    "event_type": "`track`, `page`, `identify`, `alias` or `screen`.",
    "channel_type": "`web`, `mobile` or `whatsapp`.",
    "user_id": "Who it was, as your system names them.",
    "external_id": "The contact's phone number.",
    "handshake_token": "What links two channels; see Identity.",
    "page_path": "Path of the page.",
    "page_url": "Address of the page.",
    "page_title": "Title of the page.",
    "referrer": "Address of the page before.",
    "country_code": "ISO 3166-1 alpha-2.",
    "city": "Name in English.",
    "ip_address": "As the project's mode allows: whole, masked, or none.",
    "properties": "Whatever else the client sent with it.",
}
"""What columns mean whose definition in the code does not say so."""


def meaning(column: Any) -> str:
    """What a column of `events` holds; empty if nobody has said."""
    return column.comment or COLUMNS.get(column.name, "")


def _event_columns() -> list[str]:
    from chatnation.core.storage import models

    lines = ["## The events table", "", "| Column | Type | Meaning |", "|---|---|---|"]
    for column in models.events.columns:
        null = " or null" if column.nullable else ""
        lines.append(f"| `{column.name}` | {str(column.type).lower()}{null} | {_cell(meaning(column))} |")
    return [
        *lines,
        "",
        "The view `events_expanded` joins `clients`, so that every column can be asked for by one name.",
        "",
    ]


# --- metrics ---------------------------------------------------------------------------------------


def metrics() -> list[tuple[type[Plugin], list[Metric]]]:
    """What the bundled plugins define, by plugin; those without a number are left out."""
    found = [
        (plugin, list(plugin(plugin.Settings()).register_metrics()))
        for plugin in plugins()
        if hasattr(plugin, "register_metrics")
    ]
    return [(plugin, defined) for plugin, defined in found if defined]


def metrics_page() -> str:
    lines = [
        "# Metrics",
        "",
        "How each number on a page is counted. The dashboard shows the same at `/definitions`, for the plugins that",
        "run there; the question mark beside a number leads to its line.",
        "",
    ]
    for plugin, defined in metrics():
        lines += [f"## {plugin.title()}", "", "| Name | Number | Unit | How it is counted |", "|---|---|---|---|"]
        lines += [
            f'| <a id="{metric.name}"></a>`{metric.name}` | {_cell(metric.label)} | {metric.unit}'
            f" | {_cell(metric.definition)} |"
            for metric in defined
        ]
        lines.append("")
    return "\n".join(lines)


# --- Python API ------------------------------------------------------------------------------------


def api_page() -> str:
    lines = [
        "# Python API",
        "",
        "What plugins may import: the names of `chatnation`, and the `api` modules of plugins they declare in",
        f"`requires` or `after`. This is API version {chatnation.API_VERSION}.",
        "",
    ]
    for name in sorted(chatnation.__all__):
        value = getattr(chatnation, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            lines += [f"::: {value.__module__}.{value.__qualname__}", ""]
        else:
            lines += [f"## {name}", "", "```python", f"{name} = {value!r}" if _is_plain(value) else name, "```", ""]
    return "\n".join(lines)


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, int, float, bool))


PAGES: dict[str, Callable[[], str]] = {
    "hooks": hooks_page,
    "settings": settings_page,
    "commands": commands_page,
    "events": events_page,
    "metrics": metrics_page,
    "api": api_page,
}


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (REFERENCE / f"{name}.md").write_text(make() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
