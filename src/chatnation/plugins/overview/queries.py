"""Reads of the overview, all of them about sessions that began in a period and are no bots'.

They come from counts that are kept while sessions change: what can be added up by quarter hour, different people by
day. A period that does not begin and end at such a bound is counted from the sessions themselves, which takes as long
as there are sessions; so are people while the counts of them are far behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.sessions.api import HourCount, aligned, breakdowns, hours, people_by_day, stretches

Counts = list[tuple[str | None, int]]

_BITS = 63
"""Bits of a bigint without its sign."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What can be added up over sessions, for a period. `changes` grows with every change of one of them."""

    sessions: int = 0
    converted: int = 0
    journeys: int = 0
    page_views: int = 0
    duration_us: int = 0
    changes: int = 0

    @property
    def conversion_rate(self) -> float:
        """Fraction of sessions that converted; 0 without sessions."""
        return self.converted / self.sessions if self.sessions else 0.0

    @property
    def average_duration(self) -> float:
        """Mean length of a session in seconds, those of a single event included with 0; 0 without sessions."""
        return self.duration_us / 1e6 / self.sessions if self.sessions else 0.0


@dataclass(frozen=True, slots=True)
class People:
    """Different persons who began a session: all of them, and those seen with a user id or phone number."""

    total: int = 0
    identified: int = 0


@dataclass(frozen=True, slots=True)
class PeopleByDay:
    """Different persons who began a session, altogether and on each local day; days without any are left out."""

    total: People
    days: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class PageCount:
    """A page path, its views, and how many sessions looked at it; None where that was not asked."""

    path: str
    views: int
    sessions: int | None = None


class Source:
    """Answers for one tenant through one connection.

    A session counts in the period in which it began. A person is everybody whom the evidence joins, so two browsers of
    one taxpayer are one person; that can change for the past when they sign in.
    """

    def __init__(self, connection: AsyncConnection, tenant_id: int) -> None:
        self._connection = connection
        self._tenant_id = tenant_id

    async def hours(self, period: Period) -> list[HourCount]:
        """What can be added up, by local hour; hours without sessions are left out."""
        if aligned(period.start, period.end):
            return await hours(self._connection, self._tenant_id, period.start, period.end, period.timezone)
        return [HourCount(*row) for row in await self._run(_HOURS, period, zone=period.timezone)]

    async def breakdowns(self, period: Period, columns: Iterable[str], limit: int) -> dict[str, Counts]:
        """Sessions by columns of theirs, the most frequent values first; None for sessions without a value."""
        if aligned(period.start, period.end):
            found = await breakdowns(self._connection, self._tenant_id, period.start, period.end, columns)
            return {column: counts[:limit] for column, counts in found.items()}
        return {
            column: [(row.value, row.sessions) for row in await self._run(_BREAKDOWNS[column], period, limit=limit)]
            for column in columns
        }

    async def kept_people(self, period: Period) -> PeopleByDay | None:
        """Different persons, from counts of whole days; None where the period has others or they are not kept."""
        if not period.whole_days:
            return None
        days = await people_by_day(
            self._connection, self._tenant_id, period.first_day, period.last_day, period.timezone
        )
        if days is None:
            return None
        total = People(sum(day.new for day in days), sum(day.new_identified for day in days))
        return PeopleByDay(total, {day.day: day.persons for day in days})

    async def people(self, period: Period) -> People:
        """Different persons, counted from the sessions."""
        return People(*(await self._run(_PEOPLE, period)).one())

    async def people_by_day(self, period: Period) -> PeopleByDay:
        """Different persons, and those of each local day, counted from the sessions."""
        every_day = period.days
        statement = _people_by_day(len(every_day))
        total, days = People(), {}
        for day, persons, identified in await self._run(
            statement, period, zone=period.timezone, first_day=period.first_day
        ):
            if day is None:
                total = People(persons, identified)
            else:
                days[every_day[day]] = persons
        return PeopleByDay(total, days)

    async def pages(self, period: Period, limit: int) -> list[PageCount]:
        """The most viewed pages."""
        if aligned(period.start, period.end):
            parts = stretches(period.start, period.end).parameters()
            rows = await self._run(_PAGES, period, limit=limit, **parts)
        else:
            rows = await self._run(_PAGES_FROM_EVENTS, period, limit=limit)
        return [PageCount(*row) for row in rows]

    async def with_sessions(self, period: Period, pages: list[PageCount]) -> list[PageCount]:
        """`pages`, and how many of the period's sessions looked at each. It reads every view of them."""
        paths = [page.path for page in pages]
        found = {row.path: row.sessions for row in await self._run(_SESSIONS_OF_PAGES, period, paths=paths)}
        return [replace(page, sessions=found.get(page.path, 0)) for page in pages]

    async def merges(self) -> int:
        """A number that grows whenever persons are joined or split."""
        return (await self._connection.scalar(_MERGES, {"tenant": self._tenant_id})) or 0

    async def _run(self, statement: TextClause, period: Period, **parameters: Any) -> Any:
        return await self._connection.execute(
            statement, {"tenant": self._tenant_id, "start": period.start, "end": period.end, **parameters}
        )


def add_up(counts: Iterable[HourCount]) -> Sums:
    """The sums over some hours."""
    hours = list(counts)
    return Sums(**{field.name: sum(getattr(hour, field.name) for hour in hours) for field in fields(Sums)})


_SESSIONS = """
      FROM sessions.sessions s
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot
"""
_PERSONS = """
      FROM sessions.sessions s
      LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot
"""

_HOURS = text(
    f"""
    SELECT (s.started_at AT TIME ZONE :zone)::date AS day,
           extract(hour FROM s.started_at AT TIME ZONE :zone)::int AS hour,
           count(*), count(s.converted_at), count(s.journey_at), sum(s.page_count)::int8,
           sum((extract(epoch FROM s.ended_at - s.started_at) * 1000000)::int8)::int8, count(*)
    {_SESSIONS}
     GROUP BY day, hour
    """
)
_BREAKDOWNS = {
    column: text(
        f"""
        SELECT s.{column} AS value, count(*) AS sessions
        {_SESSIONS}
         GROUP BY s.{column} ORDER BY sessions DESC, value NULLS LAST LIMIT :limit
        """
    )
    for column in ("device_type", "browser_name", "country_code")
}
# Grouped first and counted then: a hash table of persons is several times quicker than sorting them for DISTINCT.
_PEOPLE = text(
    f"""
    SELECT count(*) AS persons, count(*) FILTER (WHERE identified) AS identified
      FROM (
            SELECT coalesce(m.person_id, s.person_id) AS person, bool_or(s.user_id IS NOT NULL) AS identified
            {_PERSONS}
             GROUP BY person
           ) AS people
    """
)


def _people_by_day(days: int) -> TextClause:
    """The statement for a period of so many days.

    Each person gets a bit for each day, in as many integers as that takes, and people with equal days are counted
    together; grouping by day and person instead takes half as long again.
    """
    integers = -(-days // _BITS)
    bits = ", ".join(
        f"coalesce(bit_or(1::int8 << (s.day - {first}))"
        f" FILTER (WHERE s.day >= {first} AND s.day < {first + _BITS}), 0) AS days_{number}"
        for number, first in enumerate(range(0, integers * _BITS, _BITS))
    )
    names = ", ".join(f"days_{number}" for number in range(integers))
    return text(
        f"""
        WITH started AS (
            SELECT (s.started_at AT TIME ZONE :zone)::date - CAST(:first_day AS date) AS day,
                   coalesce(m.person_id, s.person_id) AS person, s.user_id IS NOT NULL AS identified
            {_PERSONS}
        ), people AS (
            SELECT {bits}, bool_or(s.identified) AS identified FROM started AS s GROUP BY s.person
        ), patterns AS (
            SELECT {names}, count(*) AS persons, count(*) FILTER (WHERE identified) AS identified
              FROM people GROUP BY {names}
        )
        SELECT NULL::int AS day, coalesce(sum(persons), 0)::int8, coalesce(sum(identified), 0)::int8 FROM patterns
         UNION ALL
        SELECT day, sum(persons)::int8, 0
          FROM patterns, generate_series(0, {days - 1}) AS day
         WHERE (ARRAY[{names}])[day / {_BITS} + 1] >> (day % {_BITS}) & 1 = 1
         GROUP BY day
        """
    )


_PAGES = text(
    """
    SELECT path, sum(views)::int8 AS views
      FROM overview.page_counts
     WHERE tenant_id = :tenant
       AND (whole_day AND bucket >= :day_start AND bucket < :day_end
            OR NOT whole_day AND bucket >= :start AND bucket < :day_start
            OR NOT whole_day AND bucket >= :day_end AND bucket < :end)
     GROUP BY path HAVING sum(views) <> 0 ORDER BY views DESC, path LIMIT :limit
    """
)
_PAGES_FROM_EVENTS = text(
    """
    SELECT page_path AS path, count(*) AS views
      FROM events
     WHERE tenant_id = :tenant AND name_hash = event_name_hash('page_view') AND event_name = 'page_view'
       AND timestamp >= :start AND timestamp < :end
       AND NOT is_bot AND page_path IS NOT NULL
     GROUP BY page_path ORDER BY views DESC, page_path LIMIT :limit
    """
)
_SESSIONS_OF_PAGES = text(
    f"""
    SELECT e.page_path AS path, count(DISTINCT s.session_id) AS sessions
      FROM events e
      JOIN sessions.sessions s
        ON s.visitor = coalesce(e.anonymous_id, e.person_id)
       AND coalesce(s.hint, :none) = coalesce(e.session_id, :none)
       AND s.project_id = e.project_id AND s.channel_type = e.channel_type
       AND e.timestamp BETWEEN s.started_at AND s.ended_at
     WHERE s.tenant_id = :tenant AND s.started_at >= :start AND s.started_at < :end AND NOT s.is_bot
       AND e.tenant_id = :tenant AND e.name_hash = event_name_hash('page_view') AND e.event_name = 'page_view'
       AND e.page_path = ANY(CAST(:paths AS text[]))
       AND e.timestamp >= :start AND e.timestamp <= (SELECT max(s.ended_at) {_SESSIONS})
     GROUP BY e.page_path
    """
).bindparams(none=UUID(int=0))
_MERGES = text("SELECT id FROM identity_log WHERE tenant_id = :tenant ORDER BY id DESC LIMIT 1")
