"""The API of trends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request

from chatnation import App, Route
from chatnation.plugins.dashboard.api import Period
from chatnation.plugins.sessions.api import questions
from chatnation.plugins.trends import answers, results
from chatnation.plugins.trends.address import DaysQuery, GrowthQuery, TrendQuery
from chatnation.query import Analytics, Range, Timeseries, TimeseriesAnswer

VIEW = "analytics.view"


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
        period, stretch = self._time(request, query)
        answer = await self._ask(request, questions.visits(stretch, query.conditions("sessions"), query.width))
        return results.sessions(answer, period, query.width)

    async def conversions(self, request: Request, query: TrendQuery) -> answers.ConversionsTrend:
        """How many sessions converted."""
        period, stretch = self._time(request, query)
        answer = await self._ask(request, questions.visits(stretch, query.conditions("sessions"), query.width))
        return results.conversions(answer, period, query.width)

    async def growth(self, request: Request, query: GrowthQuery) -> answers.GrowthTrend:
        """How many persons came for the first time, and how many came back."""
        period, stretch = self._time(request, query)
        question = questions.growth(stretch, query.conditions("sessions"), query.width)
        if query.identified:
            question = replace(question, filters=(*question.filters, *questions.IDENTIFIED.filters))
        return results.growth(await self._ask(request, question), period, query.width)

    async def durations(self, request: Request, query: TrendQuery) -> answers.DurationTrend:
        """How long sessions were, those of a single moment left out."""
        period, stretch = self._time(request, query)
        answer = await self._ask(request, questions.lengths(stretch, query.conditions("sessions"), query.width))
        return results.durations(answer, period, query.width)

    async def active(self, request: Request, query: DaysQuery) -> answers.ActiveTrend:
        """How many persons were active each day."""
        period, stretch = self._time(request, query)
        answer = await self._ask(request, questions.active_persons(stretch, query.conditions("events")))
        return results.active(answer, period)

    def _time(self, request: Request, query: DaysQuery) -> tuple[Period, Range]:
        period = query.resolve(request.state.actor.tenant.timezone, self._app().clock.now())
        return period, Range(period.start, period.end, period.timezone)

    async def _ask(self, request: Request, question: Timeseries) -> TimeseriesAnswer:
        return await self._app().services.get(Analytics).ask(request.state.actor.tenant.id, question)
