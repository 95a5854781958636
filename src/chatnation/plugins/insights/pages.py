"""The page on which any question is built, seen and shared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import TypeAdapter

from chatnation import App, Page, Problem
from chatnation.plugins.dashboard.api import (
    SIGNS,
    AnalyticsPage,
    Card,
    Chart,
    Kpi,
    Part,
    View,
    nobody_asked_for,
    people_card,
    people_part,
)
from chatnation.plugins.insights.address import KINDS, MEASURES, OF_A_FIELD, InsightQuery
from chatnation.plugins.insights.behind import list_of
from chatnation.plugins.insights.definitions import METRICS
from chatnation.plugins.insights.figures import chart_of, totals_of
from chatnation.plugins.insights.questions import question_of
from chatnation.query import COLUMNS, TIME_PARTS, Breakdown, Query, Series

PATH = "/insights"
NAMES = 200
"""Most names of events that are offered."""
LISTED = frozenset({"retention", "lifecycle", "stickiness", "paths"})
"""Kinds of which a number stands for persons, and not for events."""
HOW = "A number of the chart, or of its table, leads to the people behind it."
ELSEWHERE = "Numbers of retention, lifecycle, stickiness and paths lead to people here; others lead to events."
_JSON: TypeAdapter[Query] = TypeAdapter(Query)

InsightView = View[InsightQuery]


class InsightPages:
    """`/insights`."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        definition = "What was asked, exactly as the form says; “As a program” shows the question itself."
        cards = [
            Card("totals", "", totals, width=12),
            Card("answer", "Answer", answer, definition, width=12, metric="insights.answer"),
            people_card(people, metric="insights.people"),
        ]
        page = AnalyticsPage(
            self._app,
            "insights",
            PATH,
            "Insights",
            cards,
            query=InsightQuery,
            metrics=METRICS,
            template="insights/insights.html",
            values=values,
        )
        return page.pages()


async def answer(view: InsightView) -> Chart:
    """The answer as a chart, with the table behind it."""
    return chart_of(await view.ask(question_of(view)), view)


async def totals(view: InsightView) -> list[Kpi]:
    """What is told of the whole period."""
    return totals_of(await view.ask(question_of(view)), view)


async def people(view: InsightView) -> Part:
    """Who is behind a number of the answer."""
    listed = list_of(view, question_of(view))
    if listed is not None:
        return await people_part(view, listed)
    return nobody_asked_for(HOW if view.query.kind in LISTED else ELSEWHERE, empty=False)


async def values(view: InsightView) -> Mapping[str, Any]:
    """What the form needs besides."""
    names = await view.ask(Breakdown(range=view.range, series=(Series("events"),), by=("event_name",), limit=NAMES))
    return {
        "asked": view.query,
        "kinds": KINDS,
        "measures": MEASURES,
        "of_a_field": OF_A_FIELD,
        "signs": SIGNS,
        "event_names": [row.values[0] for row in names.rows if row.values[0]],
        "fields": [*COLUMNS, *(f"time.{part}" for part in TIME_PARTS)],
        "kept": view.query.shared_parameters(),
        **_as_a_program(view),
    }


def _as_a_program(view: InsightView) -> Mapping[str, str]:
    """The question as JSON, and the address of the API that answers it; nothing where it is not complete."""
    try:
        question = question_of(view)
    except Problem:
        return {"question_json": "", "api_url": ""}
    said = {"kind": question.kind, **_JSON.dump_python(question, mode="json", exclude_defaults=True)}
    return {
        "question_json": json.dumps(said, indent=2, ensure_ascii=False),
        "api_url": f"/api/query?{urlencode({'q': json.dumps(said)})}",
    }
