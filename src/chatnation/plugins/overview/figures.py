"""The cards of the overview: which questions they ask, and how they show the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatnation.plugins.dashboard.api import (
    UNKNOWN,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    DataTable,
    Kpi,
    View,
    country_name,
    percent_change,
    percent_of,
    ranked_chart,
    share_chart,
    trend_chart,
    week_heatmap,
)
from chatnation.plugins.overview import definitions
from chatnation.plugins.sessions.api import questions
from chatnation.query import Bucket, Condition, Filter, Timeseries

SESSIONS_PATH, EVENTS_PATH = "/sessions", "/events"
BROWSERS, PAGES, COUNTRIES = 6, 10, 10
"""How many rows a list has; the rest of a long tail helps nobody on an overview."""

Look = View[AnalyticsQuery]


def cards() -> list[Card[AnalyticsQuery]]:
    """All of them, in the order of the page."""
    return [
        Card("figures", "", key_figures, width=12),
        Card("days", "Sessions over time", sessions, width=8, metric="overview.days"),
        Card("devices", "Traffic by device", devices, width=4, metric="overview.devices"),
        Card("conversions", "Conversion rate", conversions, metric="overview.conversions"),
        Card("growth", "User growth", growth, metric="overview.growth"),
        Card("daily-users", "Daily active users", active, metric="overview.daily_users"),
        Card("heatmap", "When sessions begin", week, metric="overview.heatmap"),
        Card("pages", "Top pages", pages, width=4, metric="overview.pages"),
        Card("browsers", "Top browsers", browsers, width=4, metric="overview.browsers"),
        Card("countries", "Traffic by country", countries, width=4, metric="overview.countries"),
        Card("entries", "Entry pages", entries, metric="overview.entries"),
        Card("exits", "Exit pages", exits, metric="overview.exits"),
    ]


async def key_figures(view: Look) -> list[Kpi]:
    """Sessions, people, conversion, length, and how many people are known, against the period before."""
    answer = await view.ask(_visits(view))

    def figure(label: str, name: str, definition: str, metric: str) -> Kpi:
        line = answer.line(name)
        return Kpi(
            label,
            line.total,
            definition,
            answer.before(name).total,
            link=view.url(SESSIONS_PATH),
            trend=line.values,
            metric=f"overview.{metric}",
        )

    identified, persons = (int(answer.line(name).total or 0) for name in ("identified", "persons"))
    return [
        figure("Total sessions", "sessions", definitions.SESSIONS, "sessions"),
        figure("Unique users", "persons", definitions.PERSONS, "persons"),
        replace(
            figure("Completion rate", "conversion_rate", definitions.CONVERSION, "conversion"),
            unit="percent",
            link=view.url(SESSIONS_PATH, converted=True),
            detail=f"{int(answer.line('conversions').total or 0):,} sessions",
        ),
        replace(figure("Average duration", "duration", definitions.DURATION, "duration"), unit="seconds", better=None),
        replace(
            figure("Identified users", "identified_share", definitions.IDENTIFIED, "identified"),
            unit="percent",
            link=view.url(SESSIONS_PATH, identified=True),
            detail=f"{identified:,} of {persons:,}",
        ),
    ]


async def sessions(view: Look) -> Chart:
    """Sessions over time, and how many more they are than before."""
    answer = await view.ask(_visits(view))
    now, before = (line.total or 0 for line in (answer.line("sessions"), answer.before("sessions")))
    change = percent_change(now, before)
    return trend_chart(
        answer,
        view,
        kind="bars",
        only=("sessions",),
        names={"sessions": "Sessions"},
        link=lambda bucket, line: _sessions_of(view, bucket),
        note=f"{change:+.1f}% against {view.previous.label}" if before else "",
    )


async def conversions(view: Look) -> Chart:
    """The share of sessions that converted, over time."""
    return trend_chart(
        await view.ask(_visits(view)),
        view,
        kind="lines",
        only=("conversion_rate",),
        names={"conversion_rate": "Conversion rate"},
        unit="percent",
        link=lambda bucket, line: _sessions_of(view, bucket, converted=True),
    )


async def growth(view: Look) -> Chart:
    """New and returning people over time."""
    return trend_chart(
        await view.ask(questions.growth(view.range, view.conditions("sessions"), view.granularity)),
        view,
        kind="stacked",
        only=("returning", "new"),
        names={"new": "New", "returning": "Returning"},
        link=lambda bucket, line: _sessions_of(view, bucket),
    )


async def active(view: Look) -> Chart:
    """Active people by day."""
    return trend_chart(
        await view.ask(questions.active_persons(view.range, _of_events(view))),
        view,
        kind="bars",
        names={"persons": "Active users"},
        granularity="day",
        link=lambda bucket, line: _sessions_of(view, bucket),
    )


async def devices(view: Look) -> Chart:
    """Sessions by kind of device."""
    answer = await view.ask(questions.ranking(view.range, view.conditions("sessions"), "device_type", COUNTRIES))
    return share_chart(answer, "Device", name="Sessions", rename=str.capitalize, link=_narrowed(view, "device"))


async def browsers(view: Look) -> Chart:
    """Sessions by browser."""
    answer = await view.ask(questions.ranking(view.range, view.conditions("sessions"), "browser_name", BROWSERS))
    return ranked_chart(answer, "Browser", names={"sessions": "Sessions"}, link=_narrowed(view, "browser"))


async def countries(view: Look) -> DataTable:
    """Sessions by country."""
    answer = await view.ask(questions.ranking(view.range, view.conditions("sessions"), "country_code", COUNTRIES))
    link, total = _narrowed(view, "country"), answer.total.measures[0]
    rows = [
        [
            Cell(country_name(code) if code else "Unknown", key=code or ""),
            Cell(count, "number", link(code)),
            Cell(percent_of(count or 0, total), "percent"),
        ]
        for (code,), (count,) in ((row.values, row.measures) for row in answer.rows)
    ]
    columns = [
        Column("country", "Country"),
        Column("sessions", "Sessions", "number"),
        Column("share", "Share", "percent"),
    ]
    return DataTable(columns=columns, rows=rows, sort="-sessions")


async def week(view: Look) -> Chart:
    """Sessions by weekday and hour."""
    return week_heatmap(
        await view.ask(questions.week(view.range, view.conditions("sessions"))),
        link=lambda weekday, hour: view.url(SESSIONS_PATH, weekday=weekday, hour=hour),
        timezone=view.period.timezone,
    )


async def pages(view: Look) -> Chart:
    """The most viewed pages."""
    return ranked_chart(
        await view.ask(questions.pages(view.range, _of_events(view), PAGES)),
        "Page",
        names={"views": "Views", "sessions": "Sessions"},
        link=lambda path: view.url(EVENTS_PATH, event_name="page_view", page=path) if path else None,
        other=False,
    )


async def entries(view: Look) -> Chart:
    """The pages that sessions begin with."""
    return await _edges(view, "entry_page")


async def exits(view: Look) -> Chart:
    """The pages that sessions end with."""
    return await _edges(view, "exit_page")


async def _edges(view: Look, field: str) -> Chart:
    """Sessions by their first or last page; those without any, as on WhatsApp, are none of a page."""
    with_pages = (*view.conditions("sessions"), Filter(field, "is_set"))
    return ranked_chart(
        await view.ask(questions.ranking(view.range, with_pages, field, PAGES)),
        "Page",
        names={"sessions": "Sessions"},
        link=_narrowed(view, field),
        other=False,
    )


def _visits(view: Look) -> Timeseries:
    return questions.visits(view.range, view.conditions("sessions"), view.granularity)


def _of_events(view: Look) -> tuple[Condition, ...]:
    """The filters, for events. That of journeys has no meaning for sessions, and so for nothing on this page."""
    return view.query.model_copy(update={"journey": []}).conditions("events")


def _sessions_of(view: Look, bucket: Bucket, **changes: object) -> str:
    return view.url_of(bucket.start, bucket.end, SESSIONS_PATH, **changes)


def _narrowed(view: Look, name: str) -> Callable[[str | None], str]:
    return lambda value: view.url(SESSIONS_PATH, **{name: [value or UNKNOWN]})
