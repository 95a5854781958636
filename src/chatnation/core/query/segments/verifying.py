"""A recount: whether segments say what the tables do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import text

from chatnation.core.query.frame import MISSING
from chatnation.core.query.instants import DAY, micros
from chatnation.core.query.segments.chunk import Chunk
from chatnation.core.query.segments.column import Column
from chatnation.core.query.segments.encoding import FORMAT, Part
from chatnation.core.query.segments.ids import Ids
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.spans import Span, clean, day_of, instant
from chatnation.core.query.segments.stored import Segments
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    from chatnation.core.storage.storage import Storage

DaysDone = Callable[[int, int], None]
"""`progress(done, total)`, in days."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of time of which the copy says something else than the tables."""

    source: str
    start: datetime
    end: datetime
    problem: str


async def verify(
    storage: Storage, tenant_id: int, sources: Sequence[FactSource], progress: DaysDone | None = None
) -> AsyncIterator[Difference]:
    """Compare every segment of a tenant with the rows that it is a copy of, day by day, each in a snapshot of its own.

    Marked quarters are left out, and segments of another format: they are read as rows.
    """
    days = [(source, day) for source in sources for day in await days_of(storage, tenant_id, source)]
    for done, (source, day) in enumerate(days):
        if progress is not None:
            progress(done, len(days))
        async with storage.snapshot(tenant_id) as connection:
            segments = Segments(await raw(connection), tenant_id, source)
            for span, problem in await _compare_day(segments, day):
                yield Difference(source.name, instant(span.start), instant(span.end), problem)


async def count_outdated(storage: Storage, tenant_id: int) -> int:
    """How many segments are of another format than this release reads, and wait to be built anew."""
    async with storage.tenant(tenant_id) as connection:
        return await connection.scalar(_OUTDATED, {"tenant": tenant_id, "format": FORMAT}) or 0


async def days_of(storage: Storage, tenant_id: int, source: FactSource) -> list[Span]:
    """The days of a source that have rows, segments or marks."""
    async with storage.snapshot(tenant_id) as connection:
        moments = await (await raw(connection)).fetch(_MOMENTS.format(quarters=source.quarters), tenant_id, source.name)
    starts = {day_of(micros(row["quarter"])).start for row in moments}
    return [Span(start, start + DAY) for start in sorted(starts)]


async def _compare_day(segments: Segments, day: Span) -> list[tuple[Span, str]]:
    there, marked = await segments.find(day), await segments.marked(day)
    found: list[tuple[Span, str]] = []
    uncovered = [day]
    for segment in there:
        uncovered = [left for span in uncovered for left in _without(span, segment.span)]
        chunk = await segments.read(segment)
        for stretch in clean(segment.span, marked):
            rows = await segments.read_rows(stretch)
            problem = await asyncio.to_thread(_problem, chunk, rows, stretch)
            if problem is not None:
                found.append((stretch, problem))
    for span in uncovered:
        for stretch in clean(span, marked):
            count = await segments.count_rows(stretch)
            found += [(stretch, f"{count} rows are in no segment")] if count else []
    return found


def _without(span: Span, taken: Span) -> list[Span]:
    before, after = Span(span.start, min(span.end, taken.start)), Span(max(span.start, taken.end), span.end)
    return [left for left in (before, after) if left.start < left.end]


def _problem(chunk: Chunk, rows: Chunk, span: Span) -> str | None:
    """How a stretch of a chunk differs from the rows, in words."""
    try:
        kept = chunk.cut(span.start, span.end)
        if kept.size != rows.size:
            return f"it has {kept.size} rows instead of {rows.size}"
        different = sorted(different_parts(kept, rows)) if rows.size else []
    except Exception as error:  # Bytes that are no column can fail in every way.
        return f"it cannot be read: {type(error).__name__}: {error}"
    return f"{', '.join(different)} differ" if different else None


def different_parts(one: Chunk, other: Chunk) -> set[str]:
    """The names of the parts in which two chunks of as many rows differ; those that one has left out are not asked."""
    names = (one.parts | other.parts) - one.left_out - other.left_out
    return {name for name in names if not _equal(one.get(name), other.get(name))}


def _equal(one: Part | None, other: Part | None) -> bool:
    if one is None or other is None:
        there = one if other is None else other
        return isinstance(there, Column) and bool((there.codes == MISSING).all())
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(np.asarray(one), np.asarray(other))
    if isinstance(one, Ids) and isinstance(other, Ids):
        return _equal_codes(one, other, list(map(tuple, one.ids.tolist())), list(map(tuple, other.ids.tolist())))
    if isinstance(one, Column) and isinstance(other, Column):
        return _equal_codes(one, other, one.texts(), other.texts())
    return False


def _equal_codes(one: Ids | Column, other: Ids | Column, values: Sequence[object], others: Sequence[object]) -> bool:
    """Whether the same rows have the same values, whatever the codes of these are."""
    places = {value: place for place, value in enumerate(values)}
    table = np.array([*(places.get(value, MISSING - 1) for value in others), MISSING], np.int64)
    return bool(np.array_equal(table[other.codes], one.codes))


_OUTDATED = text("SELECT count(*) FROM segments WHERE tenant_id = :tenant AND format <> :format")
_MOMENTS = """
{quarters}
 UNION
SELECT starts_at FROM segments WHERE tenant_id = $1 AND source = $2
 UNION
SELECT quarter FROM segment_markers WHERE tenant_id = $1 AND source = $2
"""
