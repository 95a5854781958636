"""Makes the segments of one day of a tenant and source what the rows are, in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from chatnation.core.query.segments.chunk import Chunk
from chatnation.core.query.segments.spans import QUARTER, Span, clean, runs
from chatnation.core.query.segments.stored import Segments, StoredSegment


async def build_day(segments: Segments, day: Span, now: int, *, whole: bool, until: int, anew: bool = False) -> int:
    """Build the marked quarters of `day` that begin before `until`, or with `anew` all of these; gives the rows read.

    They come to be segments of their own, or with `whole` one with the rest of the day. A day that is one segment
    already stays that. What the transaction sees is what is built: later marks stay.
    """
    span = Span(day.start, max(day.start, min(day.end, until)))
    there = await segments.find(day)
    marked = await segments.marked(span)
    await segments.delete_outdated(span)
    stale = list(range(span.start, span.end, QUARTER)) if anew else marked
    if whole or any(segment.span.is_day for segment in there):
        rows = await _build_whole(segments, day, there, stale, now)
    else:
        rows = await _build_quarters(segments, there, stale, now)
    await segments.unmark(marked)
    return rows


async def _build_whole(
    segments: Segments, day: Span, there: Sequence[StoredSegment], stale: Sequence[int], now: int
) -> int:
    kept = [piece async for piece in _kept(segments, there, stale)]
    fresh = [(span, await segments.read_rows(span)) for span in runs(stale)]
    pieces = sorted([*kept, *fresh], key=lambda piece: piece[0])
    chunk = await asyncio.to_thread(Chunk.join, [chunk for _, chunk in pieces])
    await segments.delete(there)
    await segments.write(day, chunk, now)
    return sum(chunk.size for _, chunk in fresh)


async def _build_quarters(segments: Segments, there: Sequence[StoredSegment], stale: Sequence[int], now: int) -> int:
    quarters = set(stale)
    await segments.delete([segment for segment in there if segment.span.start in quarters])
    rows = 0
    for start in stale:
        span = Span(start, start + QUARTER)
        chunk = await segments.read_rows(span)
        await segments.write(span, chunk, now)
        rows += chunk.size
    return rows


async def _kept(
    segments: Segments, there: Sequence[StoredSegment], stale: Sequence[int]
) -> AsyncIterator[tuple[Span, Chunk]]:
    """What is in segments and is not stale."""
    for segment in there:
        stretches = list(clean(segment.span, stale))
        if not stretches:
            continue
        chunk = await segments.read(segment)
        for stretch in stretches:
            yield stretch, await asyncio.to_thread(chunk.cut, stretch.start, stretch.end)
