"""Segments in the database: found, read whole, written and deleted, on asyncpg's own connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatnation.core.query.instants import micros
from chatnation.core.query.segments.chunk import Chunk
from chatnation.core.query.segments.encoding import FORMAT
from chatnation.core.query.segments.rows import chunk_of_columns
from chatnation.core.query.segments.sources import ENDED, FactSource
from chatnation.core.query.segments.spans import Span, instant

if TYPE_CHECKING:
    import asyncpg

ROWS_AT_ONCE = 20_000
"""Rows that are in memory as objects at a time."""

_FIND = f"""
SELECT id, starts_at, ends_at, size, left_out FROM segments
WHERE tenant_id = $1 AND source = $2 AND starts_at >= $3 AND starts_at < $4 AND format = {FORMAT} ORDER BY starts_at
"""
_READ = "SELECT name, data FROM segment_columns WHERE segment_id = $1"
_DELETE = "DELETE FROM segments WHERE id = ANY ($1)"
_DELETE_OUTDATED = f"""
DELETE FROM segments
WHERE tenant_id = $1 AND source = $2 AND starts_at >= $3 AND starts_at < $4 AND format <> {FORMAT}
"""
_WRITE = f"""
WITH segment AS (
    INSERT INTO segments (tenant_id, source, starts_at, ends_at, latest, built_at, size, left_out, format)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, {FORMAT}) RETURNING id
)
INSERT INTO segment_columns (segment_id, tenant_id, name, data)
SELECT segment.id, $1, part.* FROM segment, unnest($9::text[], $10::bytea[]) AS part
"""
_MARKED = f"""
SELECT quarter FROM segment_markers
WHERE tenant_id = $1 AND source = $2 AND quarter >= $3 AND quarter < $4
 UNION
SELECT quarter
  FROM segments, generate_series(starts_at, ends_at - interval '15 minutes', interval '15 minutes') AS quarter
WHERE tenant_id = $1 AND source = $2 AND starts_at >= $3 AND starts_at < $4 AND format <> {FORMAT}
"""
_UNMARK = "DELETE FROM segment_markers WHERE tenant_id = $1 AND source = $2 AND quarter = ANY ($3)"


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment without its columns."""

    id: int
    span: Span
    size: int
    left_out: frozenset[str]


async def read_chunk(database: asyncpg.Connection[Any], tenant_id: int, source: FactSource, span: Span) -> Chunk:
    """The rows of a span as the tables have them; all of them are in memory at once."""
    found = await database.fetchrow(source.gathered, tenant_id, instant(span.start), instant(span.end))
    assert found is not None
    return await asyncio.to_thread(chunk_of_columns, found)


class Segments:
    """The segments of one tenant and source, in one transaction.

    Those of another format are not among them: their quarters count as marked.
    """

    def __init__(self, database: asyncpg.Connection[Any], tenant_id: int, source: FactSource) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._source = source

    async def find(self, span: Span) -> list[StoredSegment]:
        """Those that begin in a span, in order."""
        rows = await self._database.fetch(_FIND, *self._about(span))
        return [
            StoredSegment(
                row["id"],
                Span(micros(row["starts_at"]), micros(row["ends_at"])),
                row["size"],
                frozenset(row["left_out"]),
            )
            for row in rows
        ]

    async def read(self, segment: StoredSegment) -> Chunk:
        """The rows of a segment, with all columns."""
        rows = await self._database.fetch(_READ, segment.id)
        return Chunk(segment.size, {row["name"]: row["data"] for row in rows}, left_out=segment.left_out)

    async def read_rows(self, span: Span) -> Chunk:
        """The rows of a span as the tables have them."""
        chunks = [chunk async for chunk in self._halves(span)]
        return await asyncio.to_thread(Chunk.join, chunks)

    async def _halves(self, span: Span) -> AsyncIterator[Chunk]:
        """The rows of a span, by halves of it where there are many."""
        rows = await self.count_rows(span, ROWS_AT_ONCE + 1)
        middle = (span.start + span.end) // 2
        if rows > ROWS_AT_ONCE and middle > span.start:
            for half in (Span(span.start, middle), Span(middle, span.end)):
                async for chunk in self._halves(half):
                    yield chunk
        elif rows:
            yield await read_chunk(self._database, self._tenant_id, self._source, span)

    async def count_rows(self, span: Span, most: int = 2**31) -> int:
        """How many rows of a span the tables have, counted up to `most`."""
        bounds = (instant(span.start), instant(span.end))
        return int(await self._database.fetchval(self._source.count(most), self._tenant_id, *bounds))

    async def write(self, span: Span, chunk: Chunk, built_at: int) -> None:
        """Keep the rows of a span; without rows there is nothing to keep."""
        if not chunk.size:
            return
        chunk = await asyncio.to_thread(chunk.without_large_columns)
        columns = await asyncio.to_thread(chunk.encode)
        latest = int((chunk.ended if ENDED in chunk.parts else chunk.time).max())
        moments = (instant(span.start), instant(span.end), instant(latest), instant(built_at))
        about = (self._tenant_id, self._source.name, *moments, chunk.size, sorted(chunk.left_out))
        await self._database.execute(_WRITE, *about, list(columns), list(columns.values()))

    async def delete(self, segments: Collection[StoredSegment]) -> None:
        """Delete segments with their columns."""
        if segments:
            await self._database.execute(_DELETE, [segment.id for segment in segments])

    async def delete_outdated(self, span: Span) -> None:
        """Delete what begins in a span and is of another format."""
        await self._database.execute(_DELETE_OUTDATED, *self._about(span))

    async def marked(self, span: Span) -> list[int]:
        """The beginnings of the marked quarters of a span, in order."""
        return sorted(micros(row["quarter"]) for row in await self._database.fetch(_MARKED, *self._about(span)))

    async def unmark(self, quarters: Sequence[int]) -> None:
        """Delete the marks of quarters that this transaction sees."""
        if quarters:
            moments = [instant(quarter) for quarter in quarters]
            await self._database.execute(_UNMARK, self._tenant_id, self._source.name, moments)

    def _about(self, span: Span) -> tuple[Any, ...]:
        return self._tenant_id, self._source.name, instant(span.start), instant(span.end)
