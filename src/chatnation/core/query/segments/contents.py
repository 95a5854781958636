"""Which segments and marked quarters there are of a source in a stretch of time, as of a snapshot."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.query.instants import micros
from chatnation.core.query.segments.encoding import FORMAT
from chatnation.core.query.segments.spans import QUARTER, Span, instant, quarter_of

FIRST, LAST = micros(datetime(1, 1, 1, tzinfo=UTC)), micros(datetime(9999, 12, 31, tzinfo=UTC))
"""Before and after all times, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as it is listed; `latest` is the last moment that a row of it tells of."""

    id: int
    span: Span
    latest: int
    left_out: frozenset[str]


@dataclass(frozen=True, slots=True)
class Marked:
    """A quarter hour whose rows are others than a segment says. `markers`: ids, which tell what has happened to it.

    Every change of a row comes with a new marker, and whoever takes markers away makes a new segment: so equal
    markers over an equal segment (None: over none) mean equal rows. Of a segment that is of another format than is read
    here, every quarter counts as marked.
    """

    span: Span
    markers: tuple[int, ...]
    segment: int | None


@dataclass(frozen=True, slots=True)
class Contents:
    """Segments, and marked quarters that take their rows' place; both in order. What is in neither has no rows."""

    segments: Sequence[Segment]
    marked: Sequence[Marked]


async def read_contents(
    connection: AsyncConnection, tenant_id: int, source: str, low: int, high: int, *, ending: bool = False
) -> Contents:
    """What overlaps the time from `low` up to `high`; with `ending` also what may tell of a moment from `low` on."""
    about = {"tenant": tenant_id, "source": source, "low": instant(low), "high": instant(high), "ending": ending}
    about["first"] = instant(FIRST if ending else low // QUARTER * QUARTER)
    known: list[Segment] = []
    outdated: dict[int, int] = {}
    marked: list[Marked] = []
    for number, starts_at, ends_at, latest, left_out, written in await connection.execute(_SEGMENTS, about):
        span = Span(micros(starts_at), micros(ends_at))
        if written == FORMAT:
            known.append(Segment(number, span, micros(latest), frozenset(left_out)))
        else:
            first = span.start if ending else max(span.start, low // QUARTER * QUARTER)
            outdated |= dict.fromkeys(range(first, min(span.end, high), QUARTER), number)
    starts = [segment.span.start for segment in known]
    for quarter, markers in await connection.execute(_MARKED, about):
        span = quarter_of(micros(quarter))
        place = bisect(starts, span.start) - 1
        covered = known[place].id if place >= 0 and span.start in known[place].span else None
        marked.append(Marked(span, tuple(markers), outdated.pop(span.start, covered)))
    if outdated:
        marked += [Marked(quarter_of(start), (), number) for start, number in outdated.items()]
        marked.sort(key=lambda each: each.span)
    return Contents(known, marked)


_SEGMENTS = text(
    """
    SELECT id, starts_at, ends_at, latest, left_out, format FROM segments
     WHERE tenant_id = :tenant AND source = :source AND starts_at < :high
       AND (ends_at > :low OR (:ending AND latest >= :low))
     ORDER BY starts_at
    """
)
_MARKED = text(
    """
    SELECT quarter, array_agg(id ORDER BY id) FROM segment_markers
     WHERE tenant_id = :tenant AND source = :source AND quarter >= :first AND quarter < :high
     GROUP BY quarter ORDER BY quarter
    """
)
