"""`/trends/errors`: what went wrong in front of visitors, and how many of them it struck."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from chatnation import App, Page
from chatnation.plugins.dashboard.api import (
    UNKNOWN,
    AnalyticsPage,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    View,
    percent_change,
    trend_chart,
)
from chatnation.plugins.trends import choices, definitions, questions
from chatnation.plugins.trends.address import PATH, ErrorsQuery
from chatnation.plugins.trends.choices import Choice
from chatnation.query import BreakdownRow, Line

Look = View[ErrorsQuery]
NUMBERS = (
    Column("errors", "Errors", "number"),
    Column("sessions", "Sessions", "number"),
    Column("persons", "Persons", "number"),
)
CHANGE = Column("change", "Change of errors", "percent")


class ErrorPages:
    """Errors by code, message and page."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app

    def pages(self) -> list[Page]:
        cards = [
            Card("figures", "", self.figures, width=12),
            Card("errors", "Errors over time", self.trend, definitions.ERRORS, 12, metric="trends.errors"),
            Card("codes", "By code", self.codes, definitions.ERRORS, 6, metric="trends.errors"),
            Card("pages", "By page", self.pages_struck, definitions.ERRORS, 6, metric="trends.errors"),
            Card("messages", "By message", self.messages, definitions.ERRORS, 12, metric="trends.errors"),
        ]
        return AnalyticsPage(
            self._app,
            "trends",
            f"{PATH}/errors",
            "Errors",
            cards,
            query=ErrorsQuery,
            comparable=False,
            template="trends/page.html",
            values=self._values,
        ).pages()

    async def figures(self, view: Look) -> list[Kpi]:
        answer = await view.ask(questions.error_figures(view))

        def figure(label: str, name: str) -> Kpi:
            now, before = answer.line(name), answer.before(name)
            return Kpi(
                label,
                now.total,
                definitions.ERRORS,
                before.total,
                link=_rows(view),
                better="down",
                trend=now.values,
                metric="trends.errors",
            )

        return [
            figure("Errors", "errors"),
            figure("Affected sessions", "sessions"),
            figure("Affected persons", "persons"),
            Kpi(
                "Sessions with an error",
                _share(answer.line("sessions"), answer.line("all_sessions")),
                definitions.AFFECTED,
                _share(answer.before("sessions"), answer.before("all_sessions")),
                unit="percent",
                link=_rows(view),
                better="down",
                metric="trends.affected",
            ),
        ]

    async def trend(self, view: Look) -> Chart:
        answer = await view.ask(questions.errors_over_time(view))
        return trend_chart(
            answer,
            view,
            kind="stacked",
            link=lambda bucket, line: view.url_of(
                bucket.start, bucket.end, "/events", event_name="app_error", **_code(line.value, other=line.other)
            ),
        )

    async def codes(self, view: Look) -> DataTable:
        answer = await view.ask(questions.errors_by(view, questions.CODE))
        rows = [
            [
                Cell(row.values[0] or "Unknown", link=view.url(code=row.values[0]) if row.values[0] else None),
                *_numbers(row, _rows(view, **_code(row.values[0]))),
            ]
            for row in answer.rows
        ]
        return DataTable(columns=[Column("code", "Code"), *NUMBERS], rows=rows, sort="-errors", page_size=10)

    async def pages_struck(self, view: Look) -> DataTable:
        answer = await view.ask(questions.errors_by(view, "page_path"))
        rows = [
            [
                Cell(row.values[0] or "Unknown"),
                *_numbers(row, _rows(view, page_path=row.values[0] or UNKNOWN)),
            ]
            for row in answer.rows
        ]
        return DataTable(columns=[Column("page", "Page"), *NUMBERS], rows=rows, sort="-errors", page_size=10)

    async def messages(self, view: Look) -> DataTable:
        answer = await view.ask(questions.errors_by(view, questions.CODE, "properties.message"))
        rows = [
            [
                Cell(row.values[0] or "Unknown"),
                Cell(row.values[1] or "None"),
                *_numbers(
                    row, _rows(view, **{**_code(row.values[0]), "properties.message": (row.values[1] or UNKNOWN)[:500]})
                ),
                _change(row),
            ]
            for row in answer.rows
        ]
        columns = [Column("code", "Code"), Column("message", "Message"), *NUMBERS, CHANGE]
        return DataTable(columns=columns, rows=rows, sort="-errors", page_size=10)

    async def _values(self, view: Look) -> Mapping[str, Any]:
        answer = await view.ask(questions.errors_by(_all_codes(view), questions.CODE))
        codes = [code for row in answer.rows if (code := row.values[0])]
        chosen = view.query.code
        if chosen and chosen not in codes:
            codes = [chosen, *codes]
        return choices.values(view, Choice("code", "Code", [("", "all"), *((code, code) for code in codes)], chosen))


def _all_codes(view: Look) -> Look:
    return replace(view, query=view.query.model_copy(update={"code": ""}))


def _numbers(row: BreakdownRow, link: str) -> list[Cell]:
    return [Cell(number, "number", link) for number in row.measures]


def _change(row: BreakdownRow) -> Cell:
    before = (row.previous or (None,))[0]
    return Cell(percent_change(row.measures[0] or 0, before) if before else None, "percent")


def _rows(view: Look, **changes: object) -> str:
    return view.url("/events", **{"event_name": "app_error", **_code(view.query.code or None, other=True), **changes})


def _code(code: str | None, *, other: bool = False) -> dict[str, object]:
    """The filter by a code; of all others, and where none is chosen, there is none."""
    if code is None and other:
        return {}
    return {questions.CODE: code or UNKNOWN}


def _share(part: Line, whole: Line) -> float | None:
    return 100 * (part.total or 0) / whole.total if whole.total else None
