"""The overview's API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import FilteredPeriodQuery, Period, PeriodAnswer, PeriodQuery
from chatnation.plugins.overview import answers, results
from chatnation.plugins.overview.live import LiveCounter, LiveFigures
from chatnation.plugins.sessions.api import questions
from chatnation.query import Analytics, Query, Range

VIEW = "analytics.view"
LIST_ROWS, PAGE_ROWS = 10, 15
"""How many rows a list has; the rest of a long tail helps nobody on an overview."""


class OverviewRoutes:
    """Everything under `/api/overview`."""

    def __init__(self, app: Callable[[], App], live: LiveCounter) -> None:
        self._app = app
        self._live = live

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, response: Any, query: type[BaseModel] = FilteredPeriodQuery) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("", self.overview, answers.Overview),
            get("/page-paths", self.page_paths, answers.PagePaths),
            get("/devices", self.devices, answers.Devices),
            get("/browsers", self.browsers, answers.Browsers),
            get("/countries", self.countries, answers.Countries),
            get("/daily-users", self.daily_users, answers.DailyUsers),
            get("/user-identity", self.user_identity, answers.UserIdentity),
            Route("GET", "/now", self.now, VIEW, response=LiveFigures),
            Route("GET", "/live", self.live, VIEW),
        ]

    async def overview(self, request: Request, query: FilteredPeriodQuery) -> answers.Overview:
        """Key figures of a period against the one before, sessions per day, devices, hours of the week."""
        period, stretch = self._time(request, query)
        conditions = query.conditions("sessions")
        visits, devices, week = await self._ask_all(
            request,
            questions.visits(stretch, conditions, "day"),
            questions.ranking(stretch, conditions, "device_type", LIST_ROWS),
            questions.week(stretch, conditions),
        )
        return results.overview(period, visits, devices, week)

    async def page_paths(self, request: Request, query: FilteredPeriodQuery) -> answers.PagePaths:
        """The most viewed pages."""
        period, stretch = self._time(request, query)
        (found,) = await self._ask_all(request, questions.pages(stretch, query.conditions("events"), PAGE_ROWS))
        return answers.PagePaths(period=PeriodAnswer.of(period), data=results.page_paths(found))

    async def devices(self, request: Request, query: FilteredPeriodQuery) -> answers.Devices:
        """Sessions by kind of device."""
        period, found = await self._ranking(request, query, "device_type")
        data = [answers.DeviceCount(device_type=value, count=count) for value, count in found]
        return answers.Devices(period=period, data=data)

    async def browsers(self, request: Request, query: FilteredPeriodQuery) -> answers.Browsers:
        """Sessions by browser."""
        period, found = await self._ranking(request, query, "browser_name")
        data = [answers.BrowserCount(browser_name=value, count=count) for value, count in found]
        return answers.Browsers(period=period, data=data)

    async def countries(self, request: Request, query: FilteredPeriodQuery) -> answers.Countries:
        """Sessions by country."""
        period, found = await self._ranking(request, query, "country_code")
        data = [answers.CountryCount(country_code=value, count=count) for value, count in found]
        return answers.Countries(period=period, data=data)

    async def daily_users(self, request: Request, query: FilteredPeriodQuery) -> answers.DailyUsers:
        """Different persons with an event of their own, by day."""
        period, stretch = self._time(request, query)
        (found,) = await self._ask_all(request, questions.active_persons(stretch, query.conditions("events")))
        return answers.DailyUsers(period=PeriodAnswer.of(period), data=results.days(found, "persons"))

    async def user_identity(self, request: Request, query: FilteredPeriodQuery) -> answers.UserIdentity:
        """How many persons are known by more than their browser."""
        period, stretch = self._time(request, query)
        (visits,) = await self._ask_all(request, questions.visits(stretch, query.conditions("sessions"), "day"))
        return results.identity(period, visits)

    async def now(self, request: Request) -> LiveFigures:
        """Events of the last minute and persons of the last five."""
        return await self._live.figures(request.state.actor.tenant.id)

    async def live(self, request: Request) -> Any:
        """The same as server-sent events, whenever it changes."""
        return await self._live.stream(request)

    def _period(self, request: Request, query: PeriodQuery) -> Period:
        return query.resolve(request.state.actor.tenant.timezone, self._app().clock.now())

    def _time(self, request: Request, query: FilteredPeriodQuery) -> tuple[Period, Range]:
        period = self._period(request, query)
        return period, Range(period.start, period.end, period.timezone)

    async def _ask_all(self, request: Request, *asked: Query) -> list[Any]:
        return await self._app().services.get(Analytics).ask_all(request.state.actor.tenant.id, asked)

    async def _ranking(
        self, request: Request, query: FilteredPeriodQuery, field: str
    ) -> tuple[PeriodAnswer, list[tuple[str, int]]]:
        period, stretch = self._time(request, query)
        (found,) = await self._ask_all(
            request, questions.ranking(stretch, query.conditions("sessions"), field, LIST_ROWS)
        )
        return PeriodAnswer.of(period), results.counts(found)
