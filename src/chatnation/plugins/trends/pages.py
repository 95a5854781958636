"""`/trends`: sessions, conversions, people, lengths and active people over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chatnation import App, Page
from chatnation.plugins.dashboard.api import AnalyticsPage, AnalyticsQuery, Card, Chart, Kpi, View, trend_chart
from chatnation.plugins.sessions.api import questions
from chatnation.plugins.trends import choices, definitions
from chatnation.plugins.trends.address import PATH
from chatnation.plugins.trends.results import mean_of
from chatnation.query import Bucket, Timeseries

Look = View[AnalyticsQuery]


class TrendPages:
    """The first tab."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("sessions", "Sessions over time", self.sessions, definitions.SESSIONS, 12, metric="trends.sessions"),
            Card("conversions", "Conversions", self.conversions, definitions.CONVERSION, metric="trends.conversion"),
            Card("user-growth", "New and returning persons", self.growth, definitions.GROWTH, metric="trends.growth"),
            Card("session-duration", "Session duration", self.durations, definitions.LENGTH, metric="trends.length"),
            Card("daily-active-users", "Daily active persons", self.active, definitions.ACTIVE, metric="trends.active"),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            PATH,
            "Trends",
            cards,
            query=AnalyticsQuery,
            filters=("device", "country", "channel"),
            template="trends/page.html",
            values=self._values,
        ).pages()

    async def figures(self, view: Look) -> list[Kpi]:
        visits, growth, lengths, active = await view.ask_all(
            _visits(view), _growth(view), _lengths(view), _active(view)
        )
        sessions, rate, mean = visits.line("sessions"), visits.line("conversion_rate"), lengths.line("mean")
        new, everybody = growth.line("new"), growth.line("persons")
        return [
            Kpi(
                "Sessions",
                sessions.total,
                definitions.SESSIONS,
                visits.before("sessions").total,
                link=view.url("/sessions"),
                trend=sessions.values,
                metric="trends.sessions",
            ),
            Kpi(
                "Conversion rate",
                rate.total,
                definitions.CONVERSION,
                visits.before("conversion_rate").total,
                unit="percent",
                link=view.url("/sessions", converted=True),
                trend=rate.values,
                metric="trends.conversion",
            ),
            Kpi(
                "New persons",
                new.total,
                definitions.GROWTH,
                growth.before("new").total,
                link=view.url("/sessions"),
                detail=f"of {everybody.total or 0:,.0f} persons",
                trend=new.values,
                metric="trends.growth",
            ),
            Kpi(
                "Session duration",
                mean.total,
                definitions.LENGTH,
                lengths.before("mean").total,
                unit="seconds",
                link=view.url("/sessions"),
                better=None,
                trend=mean.values,
                metric="trends.length",
            ),
            Kpi(
                "Active persons a day",
                round(mean_of(active.line("persons"))),
                definitions.ACTIVE,
                round(mean_of(active.before("persons"))),
                link=view.url("/sessions"),
                detail=f"most: {max(active.line('persons').values, default=0) or 0:,.0f}",
                trend=active.line("persons").values,
                metric="trends.active",
            ),
        ]

    async def sessions(self, view: Look) -> Chart:
        return trend_chart(
            await view.ask(_visits(view)),
            view,
            kind="bars",
            only=("sessions", "journeys"),
            names={"sessions": "Sessions", "journeys": "With a journey"},
            link=lambda bucket, line: _sessions_of(
                view, bucket, started_journey=True if line.series == "journeys" else None
            ),
        )

    async def conversions(self, view: Look) -> Chart:
        answer = await view.ask(_visits(view))
        # Of the period before, the rate alone: five lines over each other tell nothing.
        return trend_chart(
            replace(answer, previous=(answer.before("conversion_rate"),)),
            view,
            kind="combined",
            only=("conversions", "conversion_rate"),
            names={"conversions": "Conversions", "conversion_rate": "Conversion rate"},
            lines=("conversion_rate",),
            units={"conversion_rate": "percent"},
            link=lambda bucket, line: _sessions_of(view, bucket, converted=True),
        )

    async def growth(self, view: Look) -> Chart:
        return trend_chart(
            await view.ask(_growth(view)),
            view,
            kind="stacked",
            only=("returning", "new"),
            names={"new": "New", "returning": "Returning"},
            link=lambda bucket, line: _sessions_of(view, bucket),
        )

    async def durations(self, view: Look) -> Chart:
        return trend_chart(
            await view.ask(_lengths(view)),
            view,
            kind="lines",
            only=("mean", "median"),
            names={"mean": "Mean", "median": "Median"},
            unit="seconds",
            link=lambda bucket, line: _sessions_of(view, bucket),
        )

    async def active(self, view: Look) -> Chart:
        return trend_chart(
            await view.ask(_active(view)),
            view,
            kind="bars",
            names={"persons": "Active persons"},
            granularity="day",
            link=lambda bucket, line: _sessions_of(view, bucket),
        )

    async def _values(self, view: Look) -> Mapping[str, Any]:
        return choices.values(view)


def _visits(view: Look) -> Timeseries:
    return questions.visits(view.range, view.conditions("sessions"), view.granularity)


def _growth(view: Look) -> Timeseries:
    return questions.growth(view.range, view.conditions("sessions"), view.granularity)


def _lengths(view: Look) -> Timeseries:
    return questions.lengths(view.range, view.conditions("sessions"), view.granularity)


def _active(view: Look) -> Timeseries:
    return questions.active_persons(view.range, view.query.model_copy(update={"journey": []}).conditions())


def _sessions_of(view: Look, bucket: Bucket, **changes: object) -> str:
    return view.url_of(bucket.start, bucket.end, "/sessions", **changes)
