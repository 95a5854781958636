"""`/api/events`: the events themselves, their names, the catalogue, and what is in a property."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import Period, PeriodAnswer, PeriodQuery
from chatnation.plugins.explorer import answers
from chatnation.plugins.explorer.catalogue import CatalogueEntry, catalogue_question, described, entries
from chatnation.plugins.explorer.event_query import EventQuery
from chatnation.plugins.explorer.session_events import events_of_session
from chatnation.plugins.explorer.session_reading import SessionReader
from chatnation.query import Analytics, Breakdown, Distribution, Events, Measure, Range, Selection, Series, Timeseries

VIEW = "analytics.view"
MOST_ROWS, MOST_MINUTES = 1_000, 24 * 60


class EventListQuery(EventQuery):
    """Which events. Any field of events may be a parameter: `event_name`, `page_path`, `properties.amount` …"""

    session_id: UUID | None = Field(None, description="Only of this session, all of them, oldest first.")
    limit: int = Field(200, ge=1, le=MOST_ROWS, description="Events in a page.")


class RecentQuery(BaseModel):
    """Which recent events."""

    since_minutes: int = Field(60, ge=1, le=MOST_MINUTES)
    limit: int = Field(200, ge=1, le=MOST_ROWS)
    event_name: str | None = Field(None, max_length=200)


class NamesQuery(PeriodQuery):
    """Names of which time, and how many."""

    limit: int = Field(500, ge=1, le=2_000)


class CatalogueQuery(PeriodQuery):
    """Of which time; with a name only that one, from more of its events."""

    event_name: str | None = Field(None, max_length=200)


class PropertyQuery(PeriodQuery):
    """Which property, of which event."""

    property: str = Field(min_length=1, max_length=180)
    event_name: str | None = Field(None, max_length=200)
    limit: int = Field(20, ge=1, le=1_000, description="Values that are listed.")


class EventRoutes:
    """Everything under `/api/events`."""

    def __init__(self, app: Callable[[], App], sessions: SessionReader) -> None:
        self._app = app
        self._sessions = sessions

    def routes(self) -> list[Route]:
        return [
            Route("GET", "", self.events, VIEW, query=EventListQuery, response=answers.EventList),
            Route("GET", "/recent", self.recent, VIEW, query=RecentQuery, response=answers.RecentEvents),
            Route("GET", "/distinct", self.distinct, VIEW, query=NamesQuery, response=answers.EventNames),
            Route("GET", "/catalogue", self.catalogue, VIEW, query=CatalogueQuery, response=answers.Catalogue),
            Route("GET", "/property", self.one_property, VIEW, query=PropertyQuery, response=answers.PropertyReport),
        ]

    async def events(self, request: Request, query: EventListQuery) -> answers.EventList:
        """The events of a period through filters, or all of a session."""
        asked = EventListQuery.of(request.query_params)
        asked.seen_by(request.state.actor)
        tenant, now = request.state.actor.tenant, self._app().clock.now()
        period = asked.resolve(tenant.timezone, now)
        range_ = asked.range_of(period, now)
        session = asked.session_id or asked.session
        if session is not None:
            found = await self._sessions.called(request.state.actor, session)
            events = [
                event for each in found for event in await events_of_session(self._analytics, tenant.id, each)
            ]  # fmt: skip
            whole = Range(found[0].started_at, max(each.ended_at for each in found), tenant.timezone)
            return answers.EventList(period=PeriodAnswer.of(whole), items=events, next_cursor=None)
        answer = await self._analytics.ask(tenant.id, asked.question(range_, limit=asked.limit))
        return answers.EventList(
            period=PeriodAnswer.of(range_), items=list(answer.events), next_cursor=answer.next_cursor
        )

    async def recent(self, request: Request, query: RecentQuery) -> answers.RecentEvents:
        """The events of the last minutes."""
        tenant, now = request.state.actor.tenant, self._app().clock.now()
        range_ = Range(now - timedelta(minutes=query.since_minutes), now, tenant.timezone)
        select = Selection((query.event_name,) if query.event_name else ())
        answer = await self._analytics.ask(tenant.id, Events(range=range_, select=select, limit=query.limit))
        return answers.RecentEvents(period=PeriodAnswer.of(range_), items=list(answer.events))

    async def distinct(self, request: Request, query: NamesQuery) -> answers.EventNames:
        """The names of events by frequency."""
        tenant_id, range_ = self._asked(request, query)
        answer = await self._analytics.ask(tenant_id, Breakdown(range=range_, by=("event_name",), limit=query.limit))
        data = [
            answers.NameCount(event_name=row.values[0] or "", count=int(row.measures[0] or 0)) for row in answer.rows
        ]
        return answers.EventNames(period=PeriodAnswer.of(range_), data=data)

    async def catalogue(self, request: Request, query: CatalogueQuery) -> answers.Catalogue:
        """Which events there are, with their properties, and what plugins say of them."""
        tenant_id, range_ = self._asked(request, query)
        seen = await self._analytics.ask(tenant_id, catalogue_question(range_, (), query.event_name))
        known = described(entry.item for entry in self._app().resources.event_types)
        if query.event_name is not None:
            known = {name: each for name, each in known.items() if name == query.event_name}
        data = [catalogued(entry) for entry in entries(seen.events, known)]
        return answers.Catalogue(period=PeriodAnswer.of(range_), data=data)

    async def one_property(self, request: Request, query: PropertyQuery) -> answers.PropertyReport:
        """The values of a property, its numbers, and how often it came by day."""
        tenant_id, range_ = self._asked(request, query)
        field = f"properties.{query.property}"
        select = Selection((query.event_name,) if query.event_name else ())
        series = (Series("count", select), Series("persons", select, Measure("persons")))
        values, numbers, days = await self._analytics.ask_all(
            tenant_id,
            [
                Breakdown(range=range_, series=series, by=(field,), limit=query.limit),
                Distribution(range=range_, select=select, field=field),
                Timeseries(range=range_, series=(Series("count", select),), granularity="day"),
            ],
        )
        return answers.PropertyReport(
            period=PeriodAnswer.of(range_),
            event_name=query.event_name,
            property=query.property,
            values=[
                answers.ValueCount(
                    value=row.values[0], count=int(row.measures[0] or 0), persons=int(row.measures[1] or 0)
                )
                for row in values.rows
            ],
            other=int(values.other.measures[0] or 0) if values.other else 0,
            numbers=answers.SpreadAnswer.model_validate(numbers.spread),
            unusable=sum(numbers.unusable.values()),
            days=[
                answers.DayCount(date=bucket.start.date(), count=int(count or 0))
                for bucket, count in zip(days.buckets, days.line("count").values, strict=True)
            ],
        )

    def _asked(self, request: Request, query: PeriodQuery) -> tuple[int, Range]:
        tenant = request.state.actor.tenant
        period: Period = query.resolve(tenant.timezone, self._app().clock.now())
        return tenant.id, Range(period.start, period.end, period.timezone)

    @property
    def _analytics(self) -> Analytics:
        return self._app().services.get(Analytics)


def catalogued(entry: CatalogueEntry) -> answers.CatalogueAnswer:
    """An entry of the catalogue as the API tells it."""
    said: Mapping[str, str] = entry.known.properties if entry.known else {}
    seen = entry.seen
    return answers.CatalogueAnswer(
        event_name=entry.name,
        description=entry.known.description if entry.known else "",
        count=entry.count,
        persons=entry.persons,
        first_seen=entry.first_seen,
        last_seen=entry.last_seen,
        senders=dict(seen.senders) if seen else {},
        channels=dict(seen.channels) if seen else {},
        sampled=seen.sampled if seen else 0,
        properties=[
            answers.PropertyAnswer(
                name=each.name,
                count=each.count,
                types=dict(each.types),
                examples=list(each.examples),
                description=said.get(each.name, ""),
            )
            for each in (seen.properties if seen else ())
        ],
    )
