"""A plugin with a page that has every kind of chart and every state of a card. Its numbers are made up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from chatnation import App, NavigationEntry, Page, Plugin, Problem, hookimpl
from chatnation.plugins.dashboard.api import (
    AnalyticsPage,
    AnalyticsQuery,
    Card,
    Cell,
    Chart,
    Column,
    Content,
    DataTable,
    Flow,
    Kpi,
    Node,
    Part,
    Series,
    Target,
    View,
)

DAYS = 30
STEPS = ("Home", "Start", "Validation", "OTP", "Return form", "Submit", "Payment", "Done")


def days() -> list[str]:
    return [f"{datetime(2025, 6, 1, tzinfo=UTC) + timedelta(days=day):%-d %b}" for day in range(DAYS)]


def wave(base: int, height: int, shift: int = 0) -> list[float | None]:
    return [base + height * ((day + shift) % 7) + day for day in range(DAYS)]


def filled() -> dict[str, Chart]:
    """One chart of each kind, with gaps, links, the period before, targets, and values that are open."""
    links = [f"/gallery?day={day}" for day in range(DAYS)]
    open_ = [day == DAYS - 1 for day in range(DAYS)]
    gaps: list[float | None] = [None if day % 9 == 4 else 120 + 25 * (day % 5) for day in range(DAYS)]
    trend = [
        Series("Sessions", wave(40, 9), links, open=open_),
        Series("Sessions, before", wave(30, 8, 2), previous=True, of="Sessions"),
        Series("Persons", wave(20, 5), links, open=open_),
        Series("Persons, before", wave(15, 5, 3), previous=True, of="Persons"),
    ]
    stacks = [
        Series("Self-serve", wave(30, 6), links, open=open_),
        Series("Assisted", wave(10, 3, 2), open=open_),
        Series("Abandoned", wave(5, 2, 4), open=open_),
    ]
    cohorts = [
        Series(
            f"{3 + week} Jun",
            [100.0 / (period + 1) + week if period < 8 - week else None for period in range(8)],
            [f"/gallery?cell={week}-{period}" for period in range(8)],
            open=[period >= 7 - week for period in range(8)],
        )
        for week in range(8)
    ]
    week = [
        Series(name, [((hour - 6) * 7 + row * 5) % 60 if 6 <= hour <= 20 else 0 for hour in range(24)], links[:24])
        for row, name in enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"))
    ]
    reached = [12_400, 9_800, 7_100, 6_600, 4_200, 3_900, 2_100, 1_950]
    nodes = [
        Node("home", 0, 1000, 200, "/gallery?node=home"), Node("help", 0, 300, 50), Node("start", 1, 700, 100),
        Node("search", 1, 350, 200),
        Node("Other", 1, 0), Node("form", 2, 500, 300), Node("help", 2, 250, 250),
    ]  # fmt: skip
    flows = [
        Flow(0, 2, 550, "/gallery?flow=1"), Flow(0, 3, 250), Flow(1, 2, 150), Flow(1, 3, 100), Flow(2, 5, 450),
        Flow(2, 6, 150), Flow(3, 5, 50), Flow(3, 6, 100),
    ]  # fmt: skip
    by_day = {"category": "Day", "categories": days()}
    ranges = ["0s–1m", "1m–5m", "5m–15m", "15m–1h", "1h or more"]  # noqa: RUF001
    return {
        "bars": Chart(kind="bars", series=trend[::2], **by_day),
        "bars-before": Chart(kind="bars", series=trend[:2], **by_day),
        "lines": Chart(kind="lines", series=trend, **by_day),
        "response": Chart(
            kind="lines", unit="seconds", series=[Series("Median", gaps, open=open_)], targets=[Target("Goal", 300)],
            note="Days without a message are gaps.", **by_day,
        ),
        "area": Chart(kind="area", series=trend[:1], **by_day),
        "stacked": Chart(kind="stacked", series=stacks, **by_day),
        "share": Chart(kind="stacked", share=True, series=stacks, **by_day),
        "combined": Chart(
            kind="combined",
            series=[
                Series("Responses", wave(12, 4), links, open=open_),
                Series("Average", [None if day == 11 else 3.2 + day % 4 / 4 for day in range(DAYS)], unit="score",
                       line=True),
            ],
            **by_day,
        ),
        "histogram": Chart(
            kind="histogram", category="Time", categories=ranges, series=[Series("Answers", [12, 40, 22, 9, 3], ranges)]
        ),
        "donut": Chart(
            kind="donut", category="Outcome", categories=["Active", "Resolved", "Expired", "Unassigned", "Other"],
            series=[Series("Chats", [40, 25, 12, 8, 3], links[:5])],
        ),
        "ranked": Chart(
            kind="ranked", category="Page", categories=[f"/a/rather/long/path/{number}" for number in range(8)],
            series=[Series("Views", [900 - 100 * number for number in range(8)], links[:8])],
        ),
        "heatmap": Chart(
            kind="heatmap", category="Hour", categories=[f"{hour:02}:00" for hour in range(24)], series=week
        ),
        "funnel": Chart(
            kind="funnel", category="Step", categories=STEPS,
            series=[Series("Persons", reached, links[:8]), Series("Persons, before", [n * 0.8 for n in reached],
                    previous=True, of="Persons")],
        ),
        "funnel-long": Chart(
            kind="funnel", category="Step", categories=[f"Step {number + 1} of a long journey" for number in range(20)],
            series=[Series("Persons", [round(10_000 * 0.8**number) for number in range(20)])],
        ),
        "sankey": Chart(kind="sankey", category="Step", nodes=nodes, flows=flows),
        "cohort": Chart(
            kind="cohort", category="Cohort (week)", categories=[f"Week {period}" for period in range(8)],
            series=cohorts, sizes=[400 - 20 * week for week in range(8)], unit="percent",
        ),
    }  # fmt: skip


def emptied() -> dict[str, Chart]:
    """The same kinds, with nothing in them."""
    return {name: Chart(kind=chart.kind, category=chart.category, unit=chart.unit) for name, chart in filled().items()}


def zeroed() -> dict[str, Chart]:
    """Charts whose values are zero or missing, but drawn: the first is one."""
    by_day = {"category": "Day", "categories": ["1 Jun", "2 Jun", "3 Jun"]}
    return {
        "one-bar": Chart(kind="bars", series=[Series("Sessions", [0, 1, None])], **by_day),
        "one-point": Chart(kind="lines", unit="seconds", series=[Series("Median", [None, 0, None])], **by_day),
        "one-share": Chart(
            kind="stacked", share=True, series=[Series("A", [0, 1, 0]), Series("B", [0, 1, None])], **by_day
        ),
        "one-step": Chart(kind="funnel", category="Step", categories=["A", "B"], series=[Series("Persons", [1, 0])]),
        "one-range": Chart(kind="histogram", category="n", categories=["1"], series=[Series("Persons", [1])]),
    }


class Gallery:
    """The pages."""

    def __init__(self, plugin: GalleryPlugin) -> None:
        self._plugin = plugin
        self.failures = 1

    def pages(self) -> list[Page]:
        shown = [_card(name, chart) for name, chart in filled().items()]
        states = [
            Card("figures", "", self.figures, width=12),
            Card("slow", "Slow", self.slow, "It waits for the test."),
            Card("broken", "Broken", self.broken),
            Card("refused", "Refused", self.refused),
            Card("secret", "Secret", self.slow, permission="admin.danger_zone"),
            Card("table", "Agents", self.table, "Agents and what they did.", width=12, section="Performance"),
            Card("part", "Something else", self.part),
            Card("live", "Live", self.live, refresh=1),
        ]
        empty = [_card(name, chart) for name, chart in emptied().items()]
        groups = {
            "/gallery": shown,
            "/gallery/empty": [*empty, _card("full", filled()["bars"])],
            "/gallery/nothing": empty,
            "/gallery/zero": [_card(name, chart) for name, chart in zeroed().items()],
            "/gallery/states": states,
        }
        return [
            page
            for path, cards in groups.items()
            for page in AnalyticsPage(
                self._plugin.app,
                "gallery",
                path,
                "Gallery",
                cards,
                query=AnalyticsQuery,
                filters=("device", "country", "channel"),
                patience=1 if path != "/gallery/states" else 0.05,
            ).pages()
        ]

    async def figures(self, view: View[AnalyticsQuery]) -> Content:
        return [
            Kpi("Sessions", 12_345, "All.", 11_000, link="/gallery", trend=wave(3, 2)),
            Kpi("Read rate", 61.2, "Share.", 66.0, unit="percent", trend=[3, None, 4, 5, None, None, 6, 3]),
            Kpi("Response", 95, "Median.", 120, unit="seconds", better="down"),
            Kpi("Score", 4.35, "Mean.", 4.35, unit="score"),
            Kpi("Cost", 12.5, "Sum.", 0, unit="USD", better="down"),
            Kpi("Nothing", None, "Nothing to measure."),
        ]

    async def slow(self, view: View[AnalyticsQuery]) -> Content:
        await self._plugin.may_go_on.wait()
        return filled()["bars"]

    async def broken(self, view: View[AnalyticsQuery]) -> Content:
        if self._plugin.mended:
            return filled()["donut"]
        raise RuntimeError("a secret text")

    async def refused(self, view: View[AnalyticsQuery]) -> Content:
        raise Problem(422, "invalid_query", "Ask for less time.")

    async def table(self, view: View[AnalyticsQuery]) -> Content:
        rows = [[Cell(f"Agent {number:02}", link="/gallery"), (number * 7) % 50, number * 31.5, None if number == 3
                 else number / 10] for number in range(45)]  # fmt: skip
        columns = [
            Column("agent", "Agent"),
            Column("resolved", "Resolved", "number"),
            Column("time", "Time", "seconds", "From assignment to resolution."),
            Column("score", "Score", "score"),
        ]
        return DataTable(columns=columns, rows=rows, sort="-resolved", total=["All", 1000, 60.0, 4.0], note="A note.")

    async def part(self, view: View[AnalyticsQuery]) -> Content:
        return Part("gallery/part.html", {"properties": PROPERTIES, "at": view.now})

    async def live(self, view: View[AnalyticsQuery]) -> Content:
        self._plugin.asked += 1
        return [Kpi("Asked", self._plugin.asked, "How often this was asked for.")]


PROPERTIES = {
    "amount": 12.5, "currency": "KES", "paid": True, "nothing": None, "empty": {}, "script": "<script>alert(1)",
    "lines": [{"sku": "A", "count": 2}, {"sku": "B", "count": 1}], "deep": {"a": {"b": {"c": "d"}}},
}  # fmt: skip


class GalleryPlugin(Plugin):
    """Gallery

    Shows every kind of chart.
    """

    name = "gallery"
    requires = ("dashboard",)

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app
        self.may_go_on = asyncio.Event()
        self.mended = False
        self.asked = 0

    def app(self) -> App:
        return self._app

    @hookimpl
    def register_pages(self) -> Iterable[Page]:
        return Gallery(self).pages()

    @hookimpl
    def register_navigation(self) -> Iterable[NavigationEntry]:
        return [NavigationEntry("Gallery", "/gallery", "analytics.view", group="analytics", icon="chart-dots")]


def _card(name: str, chart: Chart) -> Card[AnalyticsQuery]:
    async def draw(view: View[AnalyticsQuery]) -> Content:
        return chart

    width = 12 if name in {"funnel-long", "lines"} else 6
    return Card(name, name.replace("-", " ").capitalize(), draw, f"How {name} is counted.", width=width)
