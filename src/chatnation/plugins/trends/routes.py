"""The API of trends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.sessions.api import questions
from chatnation.plugins.trends import answers, results
from chatnation.plugins.trends.address import DaysQuery, GrowthQuery, TrendQuery, Width
from chatnation.query import Analytics, Condition, Granularity, Range, Source, Timeseries, TimeseriesAnswer

VIEW = "analytics.view"
T = TypeVar("T", bound=answers.Trend)
Asks = Callable[[Range, tuple[Condition, ...], Granularity], Timeseries]
Tells = Callable[[TimeseriesAnswer, Period, Width], T]


class TrendRoutes:
    """Everything under `/api/trends`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        def get(path: str, handler: Any, query: type[DaysQuery], response: type[answers.Trend]) -> Route:
            return Route("GET", path, handler, VIEW, query=query, response=response)

        return [
            get("/sessions", self.sessions, TrendQuery, answers.SessionsTrend),
            get("/conversions", self.conversions, TrendQuery, answers.ConversionsTrend),
            get("/user-growth", self.growth, GrowthQuery, answers.GrowthTrend),
            get("/session-duration", self.durations, TrendQuery, answers.DurationTrend),
            get("/daily-active-users", self.active, DaysQuery, answers.ActiveTrend),
        ]

    async def sessions(self, request: Request, query: TrendQuery) -> answers.SessionsTrend:
        """How many sessions began, and how many of them had a journey."""
        return await self._trend(request, query, questions.visits, results.sessions)

    async def conversions(self, request: Request, query: TrendQuery) -> answers.ConversionsTrend:
        """How many sessions converted."""
        return await self._trend(request, query, questions.visits, results.conversions)

    async def growth(self, request: Request, query: GrowthQuery) -> answers.GrowthTrend:
        """How many persons came for the first time, and how many came back."""
        return await self._trend(request, query, questions.growth, results.growth)

    async def durations(self, request: Request, query: TrendQuery) -> answers.DurationTrend:
        """How long sessions were, those of a single moment left out."""
        return await self._trend(request, query, questions.lengths, results.durations)

    async def active(self, request: Request, query: DaysQuery) -> answers.ActiveTrend:
        """How many persons were active each day."""
        return await self._trend(request, query, questions.active_persons, results.active, "events")

    async def _trend(
        self, request: Request, query: DaysQuery, question: Asks, result: Tells[T], source: Source = "sessions"
    ) -> T:
        tenant = request.state.actor.tenant
        period = query.resolve(tenant.timezone, self._app().clock.now())
        asked = question(Range(period.start, period.end, period.timezone), query.conditions(source), query.width)
        answer = await self._app().services.get(Analytics).ask(tenant.id, asked)
        return result(answer, period, query.width)
