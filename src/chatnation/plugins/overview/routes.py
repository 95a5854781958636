"""The overview's API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import Period, PeriodQuery, percent_change
from chatnation.plugins.overview import models, reading, rows
from chatnation.plugins.overview.live import LiveCounter, LiveFigures
from chatnation.plugins.overview.queries import Source, Totals

VIEW = "analytics.view"

T = TypeVar("T")


class SessionList(BaseModel):
    """Sessions, newest first."""

    period: models.PeriodAnswer
    items: list[rows.SessionRow]
    next_cursor: str | None


class EventList(BaseModel):
    """Events, newest first."""

    period: models.PeriodAnswer
    items: list[rows.EventRow]
    next_cursor: str | None


class OverviewRoutes:
    """Everything under `/api/overview`."""

    def __init__(self, app: Callable[[], App], live: LiveCounter) -> None:
        self._app = app
        self._live = live

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: Any, query: type[BaseModel] = PeriodQuery) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("", self.overview, models.Overview),
            get("/page-paths", self.page_paths, models.PagePaths),
            get("/devices", self.devices, models.Devices),
            get("/browsers", self.browsers, models.Browsers),
            get("/countries", self.countries, models.Countries),
            get("/daily-users", self.daily_users, models.DailyUsers),
            get("/user-identity", self.user_identity, models.UserIdentity),
            get("/sessions", self.sessions, SessionList, rows.SessionQuery),
            get("/events", self.events, EventList, rows.EventQuery),
            Route("GET", "/now", self.now, VIEW, response=LiveFigures),
            Route("GET", "/live", self.live, VIEW),
        ]

    async def overview(self, request: Request, query: PeriodQuery) -> models.Overview:
        """Key figures of a period against the one before, sessions per day, devices, hours of the week."""
        period = self._period(request, query)
        found = await self._reader(request).snapshot(period)
        now, before = figures(found.now), figures(found.before)
        return models.Overview(
            **now.model_dump(),
            period=answer(period),
            previous=before,
            change=changes(now, before),
            daily_sessions=[models.DayAnswer(date=day.day, count=day.sessions) for day in found.days],
            device_breakdown=[
                models.DeviceAnswer(device=device or "Unknown", count=count) for device, count in found.devices
            ],
            heatmap=[
                models.HeatmapCell(day=day, hour=hour, count=count)
                for day, hours in enumerate(found.heatmap)
                for hour, count in enumerate(hours)
            ],
        )

    async def page_paths(self, request: Request, query: PeriodQuery) -> models.PagePaths:
        """The most viewed pages."""
        period, pages = await self._ask(request, query, lambda source, period: source.pages(period, reading.PAGES))
        data = [models.PagePath(page_path=page.path, count=page.views, unique_sessions=page.sessions) for page in pages]
        return models.PagePaths(period=answer(period), data=data)

    async def devices(self, request: Request, query: PeriodQuery) -> models.Devices:
        """Sessions by kind of device."""
        period, counts = await self._breakdown(request, query, "device_type", reading.DEVICES)
        data = [models.DeviceCount(device_type=value or "Unknown", count=count) for value, count in counts]
        return models.Devices(period=answer(period), data=data)

    async def browsers(self, request: Request, query: PeriodQuery) -> models.Browsers:
        """Sessions by browser."""
        period, counts = await self._breakdown(request, query, "browser_name", reading.BROWSERS)
        data = [models.BrowserCount(browser_name=value or "Unknown", count=count) for value, count in counts]
        return models.Browsers(period=answer(period), data=data)

    async def countries(self, request: Request, query: PeriodQuery) -> models.Countries:
        """Sessions by country."""
        period, counts = await self._breakdown(request, query, "country_code", reading.COUNTRIES)
        data = [models.CountryCount(country_code=value or "Unknown", count=count) for value, count in counts]
        return models.Countries(period=answer(period), data=data)

    async def daily_users(self, request: Request, query: PeriodQuery) -> models.DailyUsers:
        """Different persons who began a session, by day."""
        period, days = await self._ask(request, query, lambda source, period: source.days(period))
        data = [models.DayAnswer(date=day.day, count=day.persons) for day in days]
        return models.DailyUsers(period=answer(period), data=data)

    async def user_identity(self, request: Request, query: PeriodQuery) -> models.UserIdentity:
        """How many persons are known by more than their browser."""
        period, totals = await self._ask(request, query, lambda source, period: source.totals(period))
        return models.UserIdentity(
            period=answer(period),
            total=totals.persons,
            identified=totals.identified,
            anonymous=totals.persons - totals.identified,
            identified_percent=round(100 * totals.identified / totals.persons, 1) if totals.persons else 0.0,
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

    def _reader(self, request: Request) -> reading.Reader:
        return reading.Reader(self._app().storage, request.state.actor.tenant.id)

    async def _ask(
        self, request: Request, query: PeriodQuery, question: Callable[[Source, Period], Awaitable[T]]
    ) -> tuple[Period, T]:
        period = self._period(request, query)
        return period, await self._reader(request).ask(lambda source: question(source, period))

    async def _breakdown(
        self, request: Request, query: PeriodQuery, column: str, limit: int
    ) -> tuple[Period, reading.Counts]:
        return await self._ask(request, query, lambda source, period: source.breakdown(period, column, limit))


def answer(period: Period) -> models.PeriodAnswer:
    """The period as the API tells it."""
    return models.PeriodAnswer(start=period.start, end=period.end, timezone=period.timezone)


def figures(totals: Totals) -> models.Figures:
    """The totals as the API tells them."""
    return models.Figures(
        total_sessions=totals.sessions,
        journey_sessions=totals.journeys,
        total_users=totals.persons,
        identified_users=totals.identified,
        page_views=totals.page_views,
        conversions=totals.converted,
        conversion_rate=totals.conversion_rate,
        avg_session_duration=totals.average_duration,
    )


def changes(now: models.Figures, before: models.Figures) -> models.Changes:
    """Each figure against the period before."""
    return models.Changes(
        **{name: percent_change(getattr(now, name), getattr(before, name)) for name in models.Figures.model_fields}
    )
