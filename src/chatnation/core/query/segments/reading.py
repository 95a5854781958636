"""Shards of a source in the snapshot of a question: of its segments, and of rows where no segment is up to date."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.frame import Rows
from chatnation.core.query.segments.cache import Cache, Made
from chatnation.core.query.segments.chunk import ENDED, LEAF, PROPERTIES, SESSION, TIME, VISIT, Chunk
from chatnation.core.query.segments.column import Column, join_columns
from chatnation.core.query.segments.contents import Marked, Segment, read_contents
from chatnation.core.query.segments.encoding import Part, decode
from chatnation.core.query.segments.left_out import read_left_out
from chatnation.core.query.segments.rows import chunk_of
from chatnation.core.query.segments.shards import Shard
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.spans import Span, instant
from chatnation.core.query.segments.stored import read_chunk
from chatnation.core.storage.storage import raw

_ABSENT = "absent"
"""Stands for a column that a segment has not."""
_OVERHEAD = 200
"""Bytes that anything takes that is kept, about."""
_COLUMNS = """
SELECT c.segment_id, c.name, c.data
  FROM unnest($1::int8[], $2::text[]) AS wanted (segment_id, name)
  JOIN segment_columns c USING (segment_id, name)
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads one source of one tenant in one transaction."""

    connection: AsyncConnection
    cache: Cache
    tenant_id: int
    facts: FactSource

    async def shards(self, low: int, high: int, parts: frozenset[str], *, ending: bool = False) -> list[Shard]:
        """The rows from `low` up to `high`, in order, with some parts.

        With `ending` those too that began earlier, and ended at `low` or later; then others may be among them.
        """
        there = await read_contents(self.connection, self.tenant_id, self.facts.name, low, high, ending=ending)
        columns = await self._columns(there.segments, parts)
        found: list[tuple[int, Shard]] = []
        for segment in there.segments:
            stretches = clean_stretches(segment.span, there.marked)
            key: tuple[Hashable, ...] = ("segment", segment.id)
            if wanted := parts & segment.left_out:
                columns[segment.id] |= await self._left_out(segment, columns[segment.id], wanted, stretches)
                key = (*key, *stretches)
            found += _of_segment(key, segment.span, columns[segment.id], stretches)
        for marked in there.marked:
            found.append((marked.span.start, await self._of_marked(marked)))
        found.sort(key=lambda each: each[0])
        shards = [shard for _, shard in found if len(shard)]
        return shards if ending else [cut for shard in shards if len(cut := _cut(shard, low, high))]

    async def of_leafs(self, leafs: Sequence[UUID], low: int, high: int) -> Shard:
        """The events of some leafs from `low` up to `high`, in order."""
        facts = self.facts
        query = (
            f"{facts.select} AND e.person_id = ANY ($4::uuid[]) AND {facts.time} >= $2 AND {facts.time} < $3"
            f" ORDER BY {facts.time}, {facts.order}"
        )
        database = await raw(self.connection)
        rows = await database.fetch(query, self.tenant_id, instant(low), instant(high), list(leafs))
        return shard_of("leafs", await asyncio.to_thread(chunk_of, rows))

    async def _columns(self, segments: Sequence[Segment], parts: frozenset[str]) -> dict[int, dict[str, Part]]:
        """The parts that there are of each segment."""
        keys = [self._key(segment.id, part) for segment in segments for part in parts]
        kept = await self.cache.many(keys, self._fetch)
        columns: dict[int, dict[str, Part]] = {segment.id: {} for segment in segments}
        for segment in segments:
            for part in parts:
                column = kept[self._key(segment.id, part)]
                if column is not _ABSENT:
                    columns[segment.id][part] = column
        return columns

    async def _fetch(self, keys: Collection[Hashable]) -> Mapping[Hashable, Made]:
        """Columns of segments by their keys."""
        wanted = [(key[-2], key[-1]) for key in keys if isinstance(key, tuple)]
        wanted.sort()
        database = await raw(self.connection)
        rows = await database.fetch(_COLUMNS, [number for number, _ in wanted], [name for _, name in wanted])
        made: dict[Hashable, Made] = dict.fromkeys(keys, (_ABSENT, _OVERHEAD))
        return made | await asyncio.to_thread(self._decoded, rows)

    def _decoded(self, rows: Iterable[Sequence[object]]) -> dict[Hashable, Made]:
        made: dict[Hashable, Made] = {}
        for number, name, data in rows:
            assert isinstance(data, bytes)
            part = decode(data)
            made[self._key(number, name)] = (part, size_of(part))
        return made

    def _key(self, segment: object, part: object) -> Hashable:
        return (self.tenant_id, self.facts.name, "segment", segment, part)

    async def _left_out(
        self, segment: Segment, columns: Mapping[str, Part], wanted: Collection[str], stretches: Sequence[Span]
    ) -> dict[str, Part]:
        """Columns that a segment has not got because they are too large, where its rows are up to date."""
        times = columns[TIME]
        assert isinstance(times, np.ndarray)
        database = await raw(self.connection)
        found: dict[str, Part] = {}
        for part in wanted:

            async def make(part: str = part) -> Made:
                read = []
                for stretch in stretches:
                    path = part.removeprefix(PROPERTIES)
                    column = await read_left_out(database, self.tenant_id, self.facts, stretch, path)
                    rows = np.arange(*np.searchsorted(times, (stretch.start, stretch.end)))
                    read.append((rows, column))
                whole = await asyncio.to_thread(_spread, read, len(times))
                return whole, size_of(whole)

            key = (self.tenant_id, self.facts.name, "left out", segment.id, part, tuple(stretches))
            found[part] = await self.cache.once(key, make)
        return found

    async def _of_marked(self, marked: Marked) -> Shard:
        """The rows of a quarter of an hour as they are in the tables."""
        name = ("rows", marked.span.start, marked.segment, marked.markers)

        async def make() -> Made:
            chunk = await self._read(marked.span)
            return chunk, sum(map(size_of, parts_of(chunk).values())) + _OVERHEAD

        chunk = await self.cache.once((self.tenant_id, self.facts.name, name), make)
        return shard_of(name, chunk)

    async def _read(self, span: Span) -> Chunk:
        database = await raw(self.connection)
        return await read_chunk(database, self.tenant_id, self.facts, span)


def _of_segment(
    key: Hashable, span: Span, columns: Mapping[str, Part], stretches: Sequence[Span]
) -> list[tuple[int, Shard]]:
    """The rows of a segment that are up to date, each stretch with its beginning."""
    times = columns.get(TIME)
    if not isinstance(times, np.ndarray):
        return []
    whole = Shard(key, columns, len(times))
    return [
        (stretch.start, whole if stretch == span else _cut(whole, stretch.start, stretch.end)) for stretch in stretches
    ]


def _spread(pieces: Sequence[tuple[Rows, Column]], size: int) -> Column:
    """Columns of some rows as one of all."""
    joined = join_columns([column for _, column in pieces]) if pieces else Column.missing(0)
    return joined.spread(np.concatenate([rows for rows, _ in pieces] or [np.empty(0, np.intp)]), size)


def clean_stretches(span: Span, marked: Sequence[Marked]) -> list[Span]:
    """What is left of a span without the marked quarters."""
    found, start = [], span.start
    begin = bisect_left(marked, span.start, key=lambda each: each.span.start)
    for each in takewhile(lambda each: each.span.start < span.end, islice(marked, begin, None)):
        if start < each.span.start:
            found.append(Span(start, each.span.start))
        start = each.span.end
    if start < span.end:
        found.append(Span(start, span.end))
    return found


def shard_of(key: Hashable, chunk: Chunk) -> Shard:
    """All of a chunk."""
    return Shard(key, parts_of(chunk), chunk.size)


def parts_of(chunk: Chunk) -> dict[str, Part]:
    """All parts of a chunk by their names."""
    named = {TIME: "time", ENDED: "ended", LEAF: "leafs", VISIT: "visits", SESSION: "sessions"}
    return {name: getattr(chunk, named[name]) if name in named else chunk.part(name) for name in chunk.parts}


def size_of(part: Part) -> int:
    """About how many bytes a part takes."""
    if isinstance(part, np.ndarray):
        return part.nbytes + _OVERHEAD
    if not isinstance(part, Column):
        return part.codes.nbytes + part.ids.nbytes + _OVERHEAD
    values = part.values
    taken = values.nbytes if isinstance(values, np.ndarray) else sum(map(len, values)) + 80 * len(values)
    return part.codes.nbytes + taken + _OVERHEAD


def _cut(shard: Shard, low: int, high: int) -> Shard:
    """The rows of a shard from `low` up to `high`."""
    times = shard.times(TIME)
    first, end = np.searchsorted(times, (low, high)).tolist()
    if first == 0 and end == len(times):
        return shard
    start = shard.rows.start if isinstance(shard.rows, slice) else 0
    return Shard(shard.key, shard.parts, shard.size, slice(start + first, start + end))
