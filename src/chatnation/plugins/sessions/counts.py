"""Sums over sessions that are kept while sessions change: by quarter hour, and by device, browser and country.

The latter are there by UTC day as well, so that a long period is a few days and the quarter hours at its ends. Every
answer equals a count over the sessions themselves, whatever order they changed in; it takes milliseconds where
that takes as long as there are sessions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

QUARTER = timedelta(minutes=15)
_DAY_SECONDS = 86_400
DIMENSIONS = ("device_type", "browser_name", "country_code")
"""Columns of sessions that are counted by value."""


@dataclass(frozen=True, slots=True)
class HourCount:
    """Sums over the sessions that began in one local hour. `changes` grows with every change of one of them."""

    day: date
    hour: int
    sessions: int
    converted: int
    journeys: int
    page_views: int
    duration_us: int
    changes: int


def aligned(*bounds: datetime) -> bool:
    """Whether counts can answer for a period with these bounds: they are full quarters of an hour."""
    return all(bound.timestamp() % QUARTER.total_seconds() == 0 for bound in bounds)


@dataclass(frozen=True, slots=True)
class Stretches:
    """A period in three: quarter hours from `start` to `day_start`, UTC days to `day_end`, quarter hours to `end`."""

    start: datetime
    day_start: datetime
    day_end: datetime
    end: datetime

    def parameters(self) -> dict[str, datetime]:
        """The instants by name, for a statement."""
        return {"start": self.start, "day_start": self.day_start, "day_end": self.day_end, "end": self.end}


def stretches(start: datetime, end: datetime) -> Stretches:
    """The period in three; all of it quarter hours when it holds no whole UTC day."""
    first = -(-start.timestamp() // _DAY_SECONDS) * _DAY_SECONDS
    last = end.timestamp() // _DAY_SECONDS * _DAY_SECONDS
    if first >= last:
        return Stretches(start, end, end, end)
    return Stretches(start, datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC), end)


async def hours(
    connection: AsyncConnection, tenant_id: int, start: datetime, end: datetime, zone: str
) -> list[HourCount]:
    """Sums by local hour of `zone`, of sessions that began from `start` up to, not including, `end`; no empty hours."""
    parameters = {"tenant": tenant_id, "start": start, "end": end, "zone": zone}
    return [HourCount(*row) for row in await connection.execute(_HOURS, parameters)]


async def breakdowns(
    connection: AsyncConnection, tenant_id: int, start: datetime, end: datetime, dimensions: Iterable[str]
) -> dict[str, list[tuple[str | None, int]]]:
    """Sessions by value of each dimension, the most frequent first; None for sessions without a value."""
    found: dict[str, list[tuple[str | None, int]]] = {dimension: [] for dimension in dimensions}
    parameters = {"tenant": tenant_id, "dimensions": list(found), **stretches(start, end).parameters()}
    for dimension, value, sessions in await connection.execute(_BREAKDOWNS, parameters):
        found[dimension].append((value or None, sessions))
    return found


async def settle(connection: AsyncConnection) -> int:
    """Add up what statements have added since, for every tenant; gives how many rows that were."""
    return (await connection.scalar(_SETTLE)) or 0


_HOURS = text(
    """
    SELECT (bucket AT TIME ZONE :zone)::date AS day, extract(hour FROM bucket AT TIME ZONE :zone)::int AS hour,
           sum(sessions)::int8, sum(converted)::int8, sum(journeys)::int8, sum(page_views)::int8,
           sum(duration_us)::int8, sum(changes)::int8
      FROM sessions.session_counts
     WHERE tenant_id = :tenant AND dimension = '' AND NOT whole_day AND bucket >= :start AND bucket < :end
     GROUP BY day, hour
    """
)
_BREAKDOWNS = text(
    """
    SELECT dimension, value, sum(sessions)::int8 AS sessions
      FROM sessions.session_counts
     WHERE tenant_id = :tenant AND dimension = ANY(CAST(:dimensions AS text[]))
       AND (whole_day AND bucket >= :day_start AND bucket < :day_end
            OR NOT whole_day AND bucket >= :start AND bucket < :day_start
            OR NOT whole_day AND bucket >= :day_end AND bucket < :end)
     GROUP BY dimension, value HAVING sum(sessions) <> 0
     ORDER BY sessions DESC, value = '', value
    """
)
_SETTLE = text(
    """
    WITH gone AS (
        DELETE FROM sessions.session_counts WHERE NOT settled RETURNING *
    ), sums AS (
        INSERT INTO sessions.session_counts AS kept
               (tenant_id, project_id, bucket, whole_day, dimension, value, settled, sessions, converted, journeys,
                page_views, duration_us, changes)
        SELECT tenant_id, project_id, bucket, whole_day, dimension, value, true, sum(sessions), sum(converted),
               sum(journeys), sum(page_views), sum(duration_us), sum(changes)
          FROM gone
         GROUP BY tenant_id, project_id, bucket, whole_day, dimension, value
         ORDER BY tenant_id, dimension, whole_day, bucket, value, project_id
            ON CONFLICT (tenant_id, dimension, whole_day, bucket, value, project_id) WHERE settled DO UPDATE SET
               sessions = kept.sessions + excluded.sessions,
               converted = kept.converted + excluded.converted,
               journeys = kept.journeys + excluded.journeys,
               page_views = kept.page_views + excluded.page_views,
               duration_us = kept.duration_us + excluded.duration_us,
               changes = kept.changes + excluded.changes
    )
    SELECT count(*) FROM gone
    """
)
