"""Columns that are too large to be copied, from the rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.spans import Span, instant

if TYPE_CHECKING:
    import asyncpg


async def read_left_out(
    connection: asyncpg.Connection[Any], tenant_id: int, source: FactSource, span: Span, path: str
) -> Column:
    """One property of all rows of a span, in order. The rows are those of a segment where no quarter is marked."""
    query = f"SELECT properties FROM ({source.rows}) AS found"
    rows = await connection.fetch(query, tenant_id, instant(span.start), instant(span.end))
    return Column.of([_value(row["properties"], path) for row in rows])


def _value(found: Any, path: str) -> Any:
    """The scalar at a path, by the rules of `properties.flatten`."""
    if path in found and "." in path:
        value = found[path]
    else:
        value = found
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
    return None if isinstance(value, Mapping | list) else value
