"""From numbers to the figures of the page: key figures, charts, and where each of them leads. No database in here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatnation.plugins.dashboard.api import Chart, Kpi, Period, Series, country_name
from chatnation.plugins.overview import definitions
from chatnation.plugins.overview.queries import PageCount
from chatnation.plugins.overview.reading import DayCount, Totals
from chatnation.plugins.overview.rows import UNKNOWN

SESSIONS_PATH = "/overview/sessions"
EVENTS_PATH = "/overview/events"

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
HOURS = tuple(f"{hour:02}:00" for hour in range(24))


@dataclass(frozen=True, slots=True)
class Table:
    """A chart's numbers as a download: the header and the rows."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def key_figures(period: Period, now: Totals, before: Totals) -> list[Kpi]:
    """The cards at the top."""
    people, sums, sums_before = now.people, now.sums, before.sums
    identified = 100 * people.identified / people.total if people.total else 0.0
    return [
        Kpi(
            "Sessions",
            sums.sessions,
            definitions.SESSIONS,
            sums_before.sessions,
            link=period.link(SESSIONS_PATH),
            metric="overview.sessions",
        ),
        Kpi(
            "Persons",
            people.total,
            definitions.PERSONS,
            before.people.total,
            metric="overview.persons",
            link=period.link(SESSIONS_PATH),
            detail=f"{identified:.0f}% identified" if people.total else "",
        ),
        Kpi(
            "Conversion rate",
            100 * sums.conversion_rate,
            definitions.CONVERSION,
            100 * sums_before.conversion_rate,
            metric="overview.conversion",
            unit="percent",
            link=period.link(SESSIONS_PATH, converted="true"),
            detail=f"{sums.converted:,} sessions",
        ),
        Kpi(
            "Average duration",
            sums.average_duration,
            definitions.DURATION,
            sums_before.average_duration,
            metric="overview.duration",
            unit="seconds",
            link=period.link(SESSIONS_PATH),
            better=None,
        ),
        Kpi(
            "Page views",
            sums.page_views,
            definitions.PAGE_VIEWS,
            sums_before.page_views,
            metric="overview.page_views",
            link=period.link(EVENTS_PATH, event_name="page_view"),
        ),
    ]


def days_chart(period: Period, days: Sequence[DayCount]) -> Chart:
    """Sessions and persons per day; each bar leads to the sessions of its day."""
    links = [f"{SESSIONS_PATH}?start_date={day.day}&end_date={day.day}" for day in days]
    return Chart(
        id="days",
        title="Sessions per day",
        kind="bars",
        category="Day",
        categories=[f"{day.day:%-d %b}" for day in days],
        series=[
            Series("Sessions", [day.sessions for day in days], links),
            Series("Persons", [day.persons for day in days], links),
        ],
        definition=definitions.SESSIONS_PER_DAY,
        metric="overview.days",
        csv=_csv(period, "days"),
    )


def devices_chart(period: Period, devices: Sequence[tuple[str | None, int]]) -> Chart:
    """Sessions by kind of device."""
    chart = _breakdown(period, devices, "devices", "Devices", "donut", "Device", "device", definitions.DEVICES)
    return replace(chart, categories=[name.capitalize() for name in chart.categories])


def browsers_chart(period: Period, browsers: Sequence[tuple[str | None, int]]) -> Chart:
    """Sessions by browser."""
    return _breakdown(period, browsers, "browsers", "Browsers", "ranked", "Browser", "browser", definitions.BROWSERS)


def countries_chart(period: Period, countries: Sequence[tuple[str | None, int]]) -> Chart:
    """Sessions by country."""
    chart = _breakdown(
        period, countries, "countries", "Countries", "ranked", "Country", "country", definitions.COUNTRIES
    )
    return replace(chart, categories=[country_name(code) if code else "Unknown" for code, _ in countries])


def heatmap_chart(period: Period, cells: Sequence[Sequence[int]]) -> Chart:
    """Sessions by weekday and hour, from Monday on."""
    order = [*range(1, 7), 0]
    return Chart(
        id="heatmap",
        title="When sessions begin",
        kind="heatmap",
        category="Hour",
        categories=HOURS,
        series=[
            Series(
                WEEKDAYS[weekday],
                list(cells[weekday]),
                [period.link(SESSIONS_PATH, weekday=weekday, hour=hour) for hour in range(24)],
            )
            for weekday in order
        ],
        definition=definitions.HEATMAP,
        metric="overview.heatmap",
        csv=_csv(period, "heatmap"),
        note=f"Hours of {period.timezone}",
    )


def pages_chart(period: Period, pages: Sequence[PageCount]) -> Chart:
    """The most viewed pages; with the sessions that looked at them, where those were counted."""
    paths = [page.path for page in pages]
    views = Series(
        "Views",
        [page.views for page in pages],
        [period.link(EVENTS_PATH, event_name="page_view", page=path) for path in paths],
    )
    sessions = Series(
        "Sessions",
        [page.sessions or 0 for page in pages],
        [period.link(SESSIONS_PATH, page=path) for path in paths],
    )
    counted = all(page.sessions is not None for page in pages)
    return Chart(
        id="pages",
        title="Top pages",
        kind="ranked",
        category="Page",
        categories=paths,
        series=[views, sessions] if counted else [views],
        definition=definitions.PAGES,
        metric="overview.pages",
        csv=_csv(period, "pages"),
    )


def days_table(days: Sequence[DayCount]) -> Table:
    """Sessions per day as a download."""
    return Table(("date", "sessions", "persons"), [(day.day.isoformat(), day.sessions, day.persons) for day in days])


def breakdown_table(column: str, counts: Sequence[tuple[str | None, int]]) -> Table:
    """A breakdown as a download."""
    return Table((column, "sessions"), [(value or "Unknown", count) for value, count in counts])


def countries_table(counts: Sequence[tuple[str | None, int]]) -> Table:
    """Sessions by country as a download, with code and name."""
    rows = [(code or "", country_name(code) if code else "Unknown", count) for code, count in counts]
    return Table(("country_code", "country", "sessions"), rows)


def heatmap_table(cells: Sequence[Sequence[int]]) -> Table:
    """The heatmap as a download, an hour of the week a row."""
    rows = [(WEEKDAYS[day], HOURS[hour], cells[day][hour]) for day in range(7) for hour in range(24)]
    return Table(("weekday", "hour", "sessions"), rows)


def pages_table(pages: Sequence[PageCount]) -> Table:
    """The most viewed pages as a download."""
    return Table(("page_path", "views", "sessions"), [(page.path, page.views, page.sessions) for page in pages])


def _breakdown(
    period: Period,
    counts: Sequence[tuple[str | None, int]],
    name: str,
    title: str,
    kind: Any,
    category: str,
    filter_name: str,
    definition: str,
) -> Chart:
    links = [period.link(SESSIONS_PATH, **{filter_name: value or UNKNOWN}) for value, _ in counts]
    return Chart(
        id=name,
        title=title,
        kind=kind,
        category=category,
        categories=[value or "Unknown" for value, _ in counts],
        series=[Series("Sessions", [count for _, count in counts], links)],
        definition=definition,
        metric=f"overview.{name}",
        csv=_csv(period, name),
    )


def _csv(period: Period, name: str) -> str:
    return period.link(f"/overview/{name}.csv")
