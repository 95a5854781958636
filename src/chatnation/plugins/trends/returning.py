"""`/trends/retention` and `/trends/lifecycle`: whether people come back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    Card,
    Chart,
    Kpi,
    Series,
    View,
    lifecycle_chart,
    percent,
    retention_chart,
    stickiness_chart,
)
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, ActivityQuery, RetentionQuery
from chatnation.plugins.trends.choices import Choice
from chatnation.plugins.trends.results import mean_of
from chatnation.query import Granularity, LifecycleBucket, RetentionAnswer

PERIODS: Mapping[Granularity, int] = {"day": 14, "week": 9, "month": 13}
"""Columns of the grid: two weeks, two months, or a year, and the period of the cohort itself."""
SHOWN_DAYS = 7
"""Numbers of days that are shown even if nobody came so often."""
RULES = (("on", "in that very period"), ("on_or_after", "then or later"))
WHO = (("true", "for the first time ever"), ("false", "in each period anew"))


class RetentionPages:
    """Cohorts, and how many of each came back."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("retention", "Who came back", self.grid, definitions.RETENTION, 12, metric="trends.retention"),
            Card(
                "average",
                "On average",
                self.average,
                definitions.RETENTION_AVERAGE,
                12,
                metric="trends.retention_average",
            ),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            f"{PATH}/retention",
            "Retention",
            cards,
            query=RetentionQuery,
            comparable=False,
            template="trends/page.html",
            values=self._values,
        ).pages()

    async def figures(self, view: View[RetentionQuery]) -> list[Kpi]:
        answer = await self._answer(view)
        unit = view.granularity
        kpis = [
            Kpi(
                "Began",
                sum(cohort.size for cohort in answer.cohorts),
                "People in all of the cohorts together. Without “for the first time ever”, somebody may be in several.",
                link=_rows(view),
            )
        ]
        for number in (1, 2, 4):
            if number < len(answer.average):
                label = f"Back after {number} {unit}{'s' if number > 1 else ''}"
                share = percent(answer.average[number])
                kpis.append(
                    Kpi(label, share, definitions.RETENTION_AVERAGE, unit="percent", metric="trends.retention_average")
                )
        return kpis

    async def grid(self, view: View[RetentionQuery]) -> Chart:
        answer = await self._answer(view)
        first = next((place for place, cohort in enumerate(answer.cohorts) if cohort.size), 0)
        return retention_chart(replace(answer, cohorts=answer.cohorts[first:]), view.granularity)

    async def average(self, view: View[RetentionQuery]) -> Chart:
        answer = await self._answer(view)
        return Chart(
            kind="lines",
            category=f"{view.granularity.capitalize()}s later",
            categories=answer.periods,
            series=[Series("Came back", [percent(share) for share in answer.average])],
            unit="percent",
        )

    async def _answer(self, view: View[RetentionQuery]) -> RetentionAnswer:
        return await view.ask(questions.retention(view, PERIODS[view.granularity]))

    async def _values(self, view: View[RetentionQuery]) -> Mapping[str, Any]:
        return choices.values(
            view,
            await choices.events(view, "event", "People who did", "anything"),
            Choice("first_time", "Counted", WHO, str(view.query.first_time).lower()),
            await choices.events(view, "back", "And came back for", "anything"),
            Choice("rule", "Back", RULES, view.query.rule),
        )


class LifecyclePages:
    """New, returning, resurrecting and dormant people; and how often they come."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("lifecycle", "Lifecycle", self.lifecycle, definitions.LIFECYCLE, 12, metric="trends.lifecycle"),
            Card("stickiness", "Stickiness", self.stickiness, definitions.STICKINESS, 12, metric="trends.stickiness"),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            f"{PATH}/lifecycle",
            "Lifecycle",
            cards,
            query=ActivityQuery,
            comparable=False,
            template="trends/page.html",
            values=self._values,
        ).pages()

    async def figures(self, view: View[ActivityQuery]) -> list[Kpi]:
        answer, active = await view.ask_all(questions.lifecycle(view), questions.active(view))
        complete: list[LifecycleBucket] = [point for point in answer.buckets if point.bucket.complete]
        last, before = (complete[-1], complete[-2]) if len(complete) > 1 else (None, None)
        when = f"in the last full {view.granularity}"

        def figure(label: str, name: str, **more: Any) -> Kpi:
            trend = [getattr(point, name) for point in answer.buckets]
            return Kpi(
                label,
                getattr(last, name, None),
                definitions.LIFECYCLE,
                getattr(before, name, None),
                link=view.url_of(last.bucket.start, last.bucket.end, _PATH, **_which(view)) if last else None,
                detail=when if last else "no full periods yet",
                trend=trend,
                metric="trends.lifecycle",
                **more,
            )

        return [
            figure("New", "new"),
            figure("Returning", "returning"),
            figure("Resurrecting", "resurrecting"),
            figure("Dormant", "dormant", better="down"),
            Kpi(
                "Daily share",
                _share(mean_of(active.line("persons")), active.line("persons").total),
                definitions.RATIO,
                _share(mean_of(active.before("persons")), active.before("persons").total),
                unit="percent",
                link=_rows(view),
                metric="trends.ratio",
            ),
        ]

    async def lifecycle(self, view: View[ActivityQuery]) -> Chart:
        answer = await view.ask(questions.lifecycle(view))
        chart = lifecycle_chart(answer, view, granularity=view.granularity)
        links = [view.url_of(point.bucket.start, point.bucket.end, _PATH, **_which(view)) for point in answer.buckets]
        return replace(chart, series=[replace(series, links=links) for series in chart.series])

    async def stickiness(self, view: View[ActivityQuery]) -> Chart:
        answer = await view.ask(questions.stickiness(view))
        longest = max((days for days, persons in enumerate(answer.actors, 1) if persons), default=0)
        shown = replace(answer, actors=answer.actors[: max(longest, SHOWN_DAYS)])
        return replace(stickiness_chart(shown), note=f"Of {answer.periods} days.")

    async def _values(self, view: View[ActivityQuery]) -> Mapping[str, Any]:
        return choices.values(view, await choices.events(view, "event", "People who did", "anything"))


_PATH = "/events"


def _which(view: View[Any]) -> dict[str, object]:
    return {"event_name": view.query.event or None, "granularity": None}


def _rows(view: View[Any]) -> str:
    return view.url(_PATH, **_which(view))


def _share(part: float, total: float | None) -> float | None:
    return 100 * part / total if total else None
