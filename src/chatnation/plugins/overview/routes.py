"""The overview's API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import Period, PeriodQuery, percent_change
from chatnation.plugins.overview import answers, rows
from chatnation.plugins.overview.live import LiveCounter, LiveFigures
from chatnation.plugins.overview.reading import Memory, Reader, Totals

VIEW = "analytics.view"


class SessionList(BaseModel):
    """Sessions, newest first."""

    period: answers.PeriodAnswer
    items: list[rows.SessionRow]
    next_cursor: str | None


class EventList(BaseModel):
    """Events, newest first."""

    period: answers.PeriodAnswer
    items: list[rows.EventRow]
    next_cursor: str | None


class OverviewRoutes:
    """Everything under `/api/overview`."""

    def __init__(self, app: Callable[[], App], memory: Memory, live: LiveCounter) -> None:
        self._app = app
        self._memory = memory
        self._live = live

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: Any, query: type[BaseModel] = PeriodQuery) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("", self.overview, answers.Overview),
            get("/page-paths", self.page_paths, answers.PagePaths),
            get("/devices", self.devices, answers.Devices),
            get("/browsers", self.browsers, answers.Browsers),
            get("/countries", self.countries, answers.Countries),
            get("/daily-users", self.daily_users, answers.DailyUsers),
            get("/user-identity", self.user_identity, answers.UserIdentity),
            get("/sessions", self.sessions, SessionList, rows.SessionQuery),
            get("/events", self.events, EventList, rows.EventQuery),
            Route("GET", "/now", self.now, VIEW, response=LiveFigures),
            Route("GET", "/live", self.live, VIEW),
        ]

    async def overview(self, request: Request, query: PeriodQuery) -> answers.Overview:
        """Key figures of a period against the one before, sessions per day, devices, hours of the week."""
        period, reader = self._asked(request, query)
        found = await reader.snapshot(period)
        now, before = figures(found.now), figures(found.before)
        return answers.Overview(
            **now.model_dump(),
            period=answer(period),
            previous=before,
            change=changes(now, before),
            daily_sessions=[answers.DayAnswer(date=day.day, count=day.sessions) for day in found.days],
            device_breakdown=[
                answers.DeviceAnswer(device=device or "Unknown", count=count) for device, count in found.devices
            ],
            heatmap=[
                answers.HeatmapCell(day=day, hour=hour, count=count)
                for day, hours in enumerate(found.heatmap)
                for hour, count in enumerate(hours)
            ],
        )

    async def page_paths(self, request: Request, query: PeriodQuery) -> answers.PagePaths:
        """The most viewed pages."""
        period, reader = self._asked(request, query)
        data = [
            answers.PagePath(page_path=page.path, count=page.views, unique_sessions=page.sessions or 0)
            for page in await reader.pages(period)
        ]
        return answers.PagePaths(period=answer(period), data=data)

    async def devices(self, request: Request, query: PeriodQuery) -> answers.Devices:
        """Sessions by kind of device."""
        period, reader = self._asked(request, query)
        counts = await reader.breakdown(period, "device_type")
        data = [answers.DeviceCount(device_type=value or "Unknown", count=count) for value, count in counts]
        return answers.Devices(period=answer(period), data=data)

    async def browsers(self, request: Request, query: PeriodQuery) -> answers.Browsers:
        """Sessions by browser."""
        period, reader = self._asked(request, query)
        counts = await reader.breakdown(period, "browser_name")
        data = [answers.BrowserCount(browser_name=value or "Unknown", count=count) for value, count in counts]
        return answers.Browsers(period=answer(period), data=data)

    async def countries(self, request: Request, query: PeriodQuery) -> answers.Countries:
        """Sessions by country."""
        period, reader = self._asked(request, query)
        counts = await reader.breakdown(period, "country_code")
        data = [answers.CountryCount(country_code=value or "Unknown", count=count) for value, count in counts]
        return answers.Countries(period=answer(period), data=data)

    async def daily_users(self, request: Request, query: PeriodQuery) -> answers.DailyUsers:
        """Different persons who began a session, by day."""
        period, reader = self._asked(request, query)
        data = [answers.DayAnswer(date=day.day, count=day.persons) for day in await reader.days(period)]
        return answers.DailyUsers(period=answer(period), data=data)

    async def user_identity(self, request: Request, query: PeriodQuery) -> answers.UserIdentity:
        """How many persons are known by more than their browser."""
        period, reader = self._asked(request, query)
        people = await reader.people(period)
        return answers.UserIdentity(
            period=answer(period),
            total=people.total,
            identified=people.identified,
            anonymous=people.total - people.identified,
            identified_percent=round(100 * people.identified / people.total, 1) if people.total else 0.0,
        )

    async def sessions(self, request: Request, query: rows.SessionQuery) -> SessionList:
        """The sessions that began in a period, newest first."""
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.sessions(connection, tenant_id, period, query)
        return SessionList(period=answer(period), items=found.items, next_cursor=found.next_cursor)

    async def events(self, request: Request, query: rows.EventQuery) -> EventList:
        """The events that happened in a period, newest first."""
        period = self._period(request, query)
        tenant_id: int = request.state.actor.tenant.id
        async with self._app().storage.tenant(tenant_id) as connection:
            found = await rows.events(connection, tenant_id, period, query)
        return EventList(period=answer(period), items=found.items, next_cursor=found.next_cursor)

    async def now(self, request: Request) -> LiveFigures:
        """Events of the last minute and persons of the last five."""
        return await self._live.figures(request.state.actor.tenant.id)

    async def live(self, request: Request) -> Any:
        """The same as server-sent events, whenever it changes."""
        return await self._live.stream(request)

    def _period(self, request: Request, query: PeriodQuery) -> Period:
        return query.resolve(request.state.actor.tenant.timezone, self._app().clock.now())

    def _asked(self, request: Request, query: PeriodQuery) -> tuple[Period, Reader]:
        reader = Reader(self._app().storage, self._memory, request.state.actor.tenant.id)
        return self._period(request, query), reader


def answer(period: Period) -> answers.PeriodAnswer:
    """The period as the API tells it."""
    return answers.PeriodAnswer(start=period.start, end=period.end, timezone=period.timezone)


def figures(totals: Totals) -> answers.Figures:
    """The totals as the API tells them."""
    return answers.Figures(
        total_sessions=totals.sums.sessions,
        journey_sessions=totals.sums.journeys,
        total_users=totals.people.total,
        identified_users=totals.people.identified,
        page_views=totals.sums.page_views,
        conversions=totals.sums.converted,
        conversion_rate=totals.sums.conversion_rate,
        avg_session_duration=totals.sums.average_duration,
    )


def changes(now: answers.Figures, before: answers.Figures) -> answers.Changes:
    """Each figure against the period before."""
    return answers.Changes(
        **{name: percent_change(getattr(now, name), getattr(before, name)) for name in answers.Figures.model_fields}
    )
