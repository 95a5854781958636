"""Reads of the overview, all of them about sessions that began in a period and are no bots'.

Each gives plain numbers; what a page makes of them is in `figures.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.dashboard.api import Period


@dataclass(frozen=True, slots=True)
class Totals:
    """What is counted once for a period.

    `duration` is the sum of the sessions' lengths in seconds, those of a single event included with 0.
    """

    sessions: int = 0
    persons: int = 0
    identified: int = 0
    converted: int = 0
    journeys: int = 0
    page_views: int = 0
    duration: float = 0.0

    @property
    def conversion_rate(self) -> float:
        """Fraction of sessions that converted; 0 without sessions."""
        return self.converted / self.sessions if self.sessions else 0.0

    @property
    def average_duration(self) -> float:
        """Mean length of a session in seconds; 0 without sessions."""
        return self.duration / self.sessions if self.sessions else 0.0


@dataclass(frozen=True, slots=True)
class DayCount:
    """A local day and what was counted of sessions that began on it."""

    day: date
    sessions: int
    persons: int


@dataclass(frozen=True, slots=True)
class PageCount:
    """A page path, its views, and how many sessions looked at it."""

    path: str
    views: int
    sessions: int


class Source:
    """Answers for one tenant through one connection.

    A session counts in the period in which it began. A person is everybody whom the evidence joins, so two browsers of
    one taxpayer are one person; that can change for the past when they sign in.
    """

    def __init__(self, connection: AsyncConnection, tenant_id: int) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    async def totals(self, period: Period) -> Totals:
        """Everything that is counted once."""
        row = (await self._run(_TOTALS, period)).one()
        return Totals(**{name: value or 0 for name, value in row._mapping.items()})

    async def days(self, period: Period) -> list[DayCount]:
        """Sessions and persons by local day, days without any included."""
        found = {row.day: row for row in await self._run(_DAYS, period, zone=period.timezone)}
        return [
            DayCount(day, found[day].sessions, found[day].persons) if day in found else DayCount(day, 0, 0)
            for day in period.days
        ]

    async def heatmap(self, period: Period) -> list[list[int]]:
        """Sessions by weekday, Sunday first, and local hour: 7 lists of 24."""
        cells = [[0] * 24 for _ in range(7)]
        for weekday, hour, count in await self._run(_HEATMAP, period, zone=period.timezone):
            cells[weekday][hour] = count
        return cells

    async def breakdown(self, period: Period, column: str, limit: int) -> list[tuple[str | None, int]]:
        """Sessions by a column of theirs, the most frequent value first; None stands for sessions without a value."""
        rows = await self._run(_BREAKDOWNS[column], period, limit=limit)
        return [(row.value, row.sessions) for row in rows]

    async def pages(self, period: Period, limit: int) -> list[PageCount]:
        """The most viewed pages, by views."""
        return [PageCount(*row) for row in await self._run(_PAGES, period, limit=limit)]

    async def _run(self, statement: TextClause, period: Period, **parameters: Any) -> Any:
        return await self._connection.execute(
            statement, {"tenant": self._tenant_id, "start": period.start, "end": period.end, **parameters}
        )


_COUNTED = """
      FROM sessions.sessions s
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot
"""
_COUNTED_WITH_PERSON = """
      FROM sessions.sessions s
      LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot
"""
_PERSON = "coalesce(m.person_id, s.person_id)"

_TOTALS = text(
    f"""
    SELECT count(*) AS sessions,
           count(DISTINCT {_PERSON}) AS persons,
           count(DISTINCT {_PERSON}) FILTER (WHERE s.user_id IS NOT NULL) AS identified,
           count(s.converted_at) AS converted,
           count(s.journey_at) AS journeys,
           sum(s.page_count) AS page_views,
           sum(extract(epoch FROM s.ended_at - s.started_at))::float8 AS duration
    {_COUNTED_WITH_PERSON}
    """
)
_DAYS = text(
    f"""
    SELECT (s.started_at AT TIME ZONE :zone)::date AS day, count(*) AS sessions, count(DISTINCT {_PERSON}) AS persons
    {_COUNTED_WITH_PERSON}
     GROUP BY day
    """
)
_HEATMAP = text(
    f"""
    SELECT extract(dow FROM s.started_at AT TIME ZONE :zone)::int AS weekday,
           extract(hour FROM s.started_at AT TIME ZONE :zone)::int AS hour, count(*) AS sessions
    {_COUNTED}
     GROUP BY weekday, hour
    """
)
_BREAKDOWNS = {
    column: text(
        f"""
        SELECT s.{column} AS value, count(*) AS sessions
        {_COUNTED}
         GROUP BY s.{column} ORDER BY sessions DESC, value NULLS LAST LIMIT :limit
        """
    )
    for column in ("device_type", "browser_name", "country_code", "entry_page", "channel_type")
}
_PAGES = text(
    """
    SELECT e.page_path AS path, count(*) AS views, count(DISTINCT s.session_id) AS sessions
      FROM events e
      LEFT JOIN sessions.sessions s
        ON s.tenant_id = :tenant AND s.visitor = coalesce(e.anonymous_id, e.person_id)
       AND coalesce(s.hint, :none) = coalesce(e.session_id, :none)
       AND s.project_id = e.project_id AND s.channel_type = e.channel_type
       AND e.timestamp BETWEEN s.started_at AND s.ended_at
     WHERE e.tenant_id = :tenant AND e.event_name = 'page_view' AND e.timestamp >= :start AND e.timestamp < :end
       AND NOT e.is_bot AND e.page_path IS NOT NULL
     GROUP BY e.page_path ORDER BY views DESC, e.page_path LIMIT :limit
    """
).bindparams(none=UUID(int=0))
