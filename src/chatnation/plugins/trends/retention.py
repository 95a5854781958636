"""`/trends/retention`: whether people come back, and who did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    PEOPLE,
    AnalyticsPage,
    Card,
    Chart,
    Kpi,
    Listed,
    Part,
    Series,
    View,
    bucket_label,
    nobody_asked_for,
    people_card,
    people_part,
    percent,
    retention_chart,
)
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, RetentionQuery
from chatnation.plugins.trends.choices import Choice
from chatnation.query import Cohort, Granularity, RetentionActors, RetentionAnswer

Look = View[RetentionQuery]
Who = Literal["began", "back", "lost"]
PERIODS: Mapping[Granularity, int] = {"day": 14, "week": 9, "month": 13}
"""Columns of the grid: two weeks, two months, or a year, and the period of the cohort itself."""
RULES = (("on", "in that very period"), ("on_or_after", "then or later"))
WHO = (("true", "for the first time ever"), ("false", "in each period anew"))
LISTS: Mapping[Who, str] = {"back": "Came back", "lost": "Did not", "began": "All who began"}
HOW = "A cell of the grid, or its number in the table, leads to the people that it counts."


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
            people_card(self.people, metric="trends.people"),
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
            metrics=definitions.METRICS,
            values=self._values,
        ).pages()

    async def figures(self, view: Look) -> list[Kpi]:
        answer = await self._answer(view)
        began = Kpi(
            "Began",
            sum(cohort.size for cohort in answer.cohorts),
            "People in all of the cohorts together. Without “for the first time ever”, somebody may be in several.",
            link=_url(view, "began"),
        )

        def back(column: int) -> Kpi:
            return Kpi(
                f"Back after {_periods(column, view.granularity)}",
                percent(answer.average[column]),
                definitions.RETENTION_AVERAGE,
                unit="percent",
                link=_url(view, "back", column=column),
                metric="trends.retention_average",
            )

        return [began, *(back(column) for column in (1, 2, 4) if column < len(answer.average))]

    async def grid(self, view: Look) -> Chart:
        answer = await self._answer(view)
        first = next((place for place, cohort in enumerate(answer.cohorts) if cohort.size), 0)

        def link(cohort: Cohort, column: int | None) -> str | None:
            label = cohort.bucket.label
            return _url(view, "began", label) if column is None else _url(view, "back", label, column)

        return retention_chart(replace(answer, cohorts=answer.cohorts[first:]), view.granularity, link=link)

    async def average(self, view: Look) -> Chart:
        answer = await self._answer(view)
        shares = [percent(share) for share in answer.average]
        links = [_url(view, "back", column=column) for column in range(len(shares))]
        return Chart(
            kind="lines",
            category=f"{view.granularity.capitalize()}s later",
            categories=answer.periods,
            series=[Series("Came back", shares, links)],
            unit="percent",
        )

    async def people(self, view: Look) -> Part:
        answer = await self._answer(view)
        listed = _listed(view, answer)
        if listed is None:
            return nobody_asked_for(HOW, empty=not any(cohort.size for cohort in answer.cohorts))
        return await people_part(view, listed)

    async def _answer(self, view: Look) -> RetentionAnswer:
        return await view.ask(questions.retention(view, PERIODS[view.granularity]))

    async def _values(self, view: Look) -> Mapping[str, Any]:
        return choices.values(
            view,
            await choices.events(view, "event", "People who did", "anything"),
            Choice("first_time", "Counted", WHO, str(view.query.first_time).lower()),
            await choices.events(view, "back", "And came back for", "anything"),
            Choice("rule", "Back", RULES, view.query.rule),
        )


def _listed(view: Look, answer: RetentionAnswer) -> Listed | None:
    """The list of the address; None where it has none, or one of a cohort or column that is not shown."""
    query = view.query
    cohort = next((cohort for cohort in answer.cohorts if cohort.bucket.label == query.cohort), None)
    if query.who is None or (query.cohort and cohort is None) or query.column >= len(answer.periods):
        return None
    beside = [(label, _url(view, who, query.cohort, query.column), who == query.who) for who, label in LISTS.items()]
    return Listed(
        RetentionActors(
            retention=questions.retention(view, PERIODS[view.granularity]),
            cohort=query.cohort,
            column=query.column,
            outcome=query.who,
        ),
        _about(view, cohort),
        "Came back last" if query.who == "back" else "Began",
        rows=("entry", "entries") if query.cohort is None and not query.first_time else ("person", "persons"),
        beside=beside,
    )


def _about(view: Look, cohort: Cohort | None) -> str:
    """Who is in the list, in words."""
    query, cut = view.query, view.granularity
    began = f"Began in the {cut} {bucket_label(cohort.bucket, cut)}" if cohort else f"Began in any {cut}"
    if query.who == "began":
        return f"{began}."
    later = f"{_periods(query.column, cut)} later" if query.column else f"in the same {cut}"
    back = "came back" if query.who == "back" else "did not come back"
    after = " or after" if query.rule == "on_or_after" else ""
    closed = "" if cohort else f", where that {cut} is over"
    return f"{began}, {back} {later}{after}{closed}."


def _periods(number: int, granularity: Granularity) -> str:
    return f"{number} {granularity}{'' if number == 1 else 's'}"


def _url(view: Look, who: Who, cohort: str | None = None, column: int = 0) -> str:
    """Where the list of those behind a number is."""
    return view.url(who=who, cohort=cohort, column=column or None, offset=None) + PEOPLE
