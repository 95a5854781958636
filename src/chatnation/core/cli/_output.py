"""How commands print what they found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

import click
import msgspec

NOTHING = "-"


def print_json(value: Any) -> None:
    """`value` as indented JSON; dataclasses become objects."""
    encoded = msgspec.json.encode(value, enc_hook=_plain)
    click.echo(msgspec.json.format(encoded, indent=2).decode())


def print_rows(rows: Iterable[object], columns: Sequence[str], *, as_json: bool, empty: str) -> None:
    """Dataclasses or mappings as a table of `columns`, or all their fields as JSON; the sentence `empty` if none."""
    found = [row if isinstance(row, Mapping) else asdict(row) for row in rows]  # type: ignore[call-overload]
    if as_json:
        print_json(found)
    elif not found:
        click.echo(empty)
    else:
        print_table([[_cell(row[column]) for column in columns] for row in found], columns)


def print_table(rows: Sequence[Sequence[str]], titles: Sequence[str]) -> None:
    """Columns as wide as their widest cell, below their titles."""
    shown = [[title.replace("_", " ") for title in titles], *rows]
    widths = [max(len(row[column]) for row in shown) for column in range(len(titles))]
    for number, row in enumerate(shown):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.secho(line, bold=number == 0)


def _cell(value: object) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {entry}" for name, entry in value.items()) or NOTHING
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or NOTHING
    return str(value)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise NotImplementedError(f"{type(value).__name__} is not JSON")
