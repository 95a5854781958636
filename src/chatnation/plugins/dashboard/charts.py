"""What a page says about a figure: the numbers, what they mean, where each leads. The browser decides how to draw it.

`web/dashboard/src/lib/chart-options.ts` reads what `Chart.spec` writes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from chatnation.plugins.dashboard.chart_tables import Cell, ChartTable

ChartKind = Literal[
    "bars", "stacked", "lines", "area", "combined", "histogram", "donut", "ranked", "heatmap", "funnel", "sankey",
    "cohort",
]  # fmt: skip
Unit = str
"""`number`, `percent` (12.5 is 12.5%), `seconds`, `score` (two decimals), or a currency (ISO 4217) such as `USD`."""
Direction = Literal["up", "down"]
Value = float | None
"""None: there is no value here, which is not the same as zero. Lines have a gap there."""

_UNITS = ("number", "percent", "seconds", "score")
_MEASURED = _UNITS[1:]
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers, as many as the chart has categories; `links` says where each leads.

    `previous`: these are the numbers of the period before; they take the colour of the series called `of` and are
    dashed or paler. `line`: in a `combined` chart, a line on the axis at the right in its own `unit`; the others are
    bars. `open` marks values that may still change, such as those of a day that is not over; they are hatched.
    """

    name: str
    values: Sequence[Value]
    links: Sequence[str | None] | None = None
    unit: Unit | None = None
    line: bool = False
    previous: bool = False
    of: str | None = None
    open: Sequence[bool] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """What the browser needs of it."""
        return {
            "name": self.name,
            "values": list(self.values),
            "links": list(self.links) if self.links else None,
            "unit": self.unit,
            "line": self.line,
            "previous": self.previous,
            "of": self.of,
            "open": list(self.open) if self.open and any(self.open) else None,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A level that values are held against, drawn as a line across."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Node:
    """A place in a Sankey diagram. `column` 0 is the first; `ended`: how many went no further."""

    name: str
    column: int
    value: float
    ended: float = 0
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """How many went from one node to another, by their places in `Chart.nodes`."""

    source: int
    target: int
    value: float
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A figure with the table behind it.

    `id` names it in the page, `definition` says how it was counted, `metric` is the name of that definition where it
    is a registered `Metric`, `csv` is where its table can be downloaded; the card of an analytics page fills them in,
    and the title. `keys` are the categories as programs read them (ISO dates),
    for the download.

    Kinds: `bars`, `lines`, `area`, `stacked` and `combined` over categories; with `share`, stacked bars show parts of
    100 %. `histogram`: bars that touch, whose categories are ranges. `donut` and `ranked` have one series. A `heatmap`
    has a series a row and a category a column. A `cohort` has a series a cohort, whose `sizes` tell how many began, and
    `size_links` where these lead; its values are shares in percent. A `funnel` has a category a step, and one series:
    how many reached it. A `sankey` has `nodes` and `flows` instead.
    """

    kind: ChartKind
    category: str = ""
    categories: Sequence[str] = ()
    series: Sequence[Series] = ()
    id: str = ""
    title: str = ""
    definition: str = ""
    unit: Unit = "number"
    csv: str | None = None
    note: str = ""
    keys: Sequence[str] | None = None
    targets: Sequence[Target] = ()
    share: bool = False
    sizes: Sequence[int] = ()
    size_links: Sequence[str | None] = ()
    nodes: Sequence[Node] = ()
    flows: Sequence[Flow] = ()
    empty_text: str = "Nothing was counted in this period."
    metric: str = ""

    def __post_init__(self) -> None:
        for unit in (self.unit, *(series.unit for series in self.series if series.unit)):
            check_unit(unit)
        for series in self.series:
            if len(series.values) != len(self.categories):
                raise ValueError(f"{series.name} has {len(series.values)} values for {len(self.categories)} categories")

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw. A count of zero is nothing; a measured zero, such as 0 %, is something."""
        if self.kind == "sankey":
            return not self.flows
        values = [(value, series.unit or self.unit) for series in self.series for value in series.values]
        return not any(value or (value is not None and unit in _MEASURED) for value, unit in values)

    @property
    def spec(self) -> dict[str, Any]:
        """What the browser needs to draw it."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "category": self.category,
            "categories": list(self.categories),
            "series": [series.spec for series in self.series],
            "targets": [{"label": target.label, "value": target.value} for target in self.targets],
            "share": self.share,
            "sizes": list(self.sizes),
            "nodes": [
                {"name": node.name, "column": node.column, "value": node.value, "ended": node.ended, "link": node.link}
                for node in self.nodes
            ],
            "flows": [
                {"source": flow.source, "target": flow.target, "value": flow.value, "link": flow.link}
                for flow in self.flows
            ],
        }

    @property
    def summary(self) -> str:
        """One or two sentences for those who cannot see it."""
        if self.empty:
            return f"{self.title}: no data."
        if self.kind == "sankey":
            return f"{self.title}: {len(self.flows)} flows between {len(self.nodes)} places."
        names = f" of {', '.join(series.name for series in self.series)}" if len(self.series) < 4 else ""
        return f"{self.title}: {len(self.categories)} values by {self.category.lower()}{names}."

    @property
    def table(self) -> ChartTable:
        """The numbers as a table; the same is downloaded."""
        if self.kind == "sankey":
            return self._flow_table()
        if self.kind == "cohort":
            return self._cohort_table()
        if self.kind == "funnel":
            return self._funnel_table()
        columns = [series.name for series in self.series]
        rows = [
            [self._category(index), *(self._cell(series, index) for series in self.series)]
            for index in range(len(self.categories))
        ]
        if self.kind == "donut" or (self.kind == "stacked" and self.share):
            return _with_shares(ChartTable([self.category, *columns], rows), by_row=self.kind == "stacked")
        return ChartTable([self.category, *columns], rows)

    def _category(self, index: int) -> Cell:
        return Cell(self.categories[index], key=self.keys[index] if self.keys else None)

    def _cell(self, series: Series, index: int) -> Cell:
        link = series.links[index] if series.links else None
        is_open = bool(series.open and series.open[index])
        return Cell(series.values[index], series.unit or self.unit, link, is_open)

    def _funnel_table(self) -> ChartTable:
        reached = self.series[0]
        counts = [value or 0 for value in reached.values]
        first = counts[0] if counts else 0
        lost: list[Value] = [None, *(max(0, before - now) for before, now in pairwise(counts))]
        rows = []
        for index, count in enumerate(counts):
            before = counts[index - 1] if index else None
            shares = (percent_of(count, first), percent_of(count, before) if before is not None else None)
            rows.append(
                [
                    self._category(index),
                    *(self._cell(series, index) for series in self.series),
                    *(Cell(share, "percent") for share in shares),
                    Cell(lost[index], self.unit),
                ]
            )
        names = [series.name for series in self.series]
        return ChartTable([self.category, *names, "Of first step", "Of step before", "Lost before it"], rows)

    def _cohort_table(self) -> ChartTable:
        links = self.size_links or [None] * len(self.sizes)
        rows = [
            [
                Cell(series.name),
                Cell(size, "number", link),
                *(self._cell(series, index) for index in range(len(self.categories))),
            ]
            for series, size, link in zip(self.series, self.sizes, links, strict=True)
        ]
        return ChartTable([self.category, "Size", *self.categories], rows)

    def _flow_table(self) -> ChartTable:
        rows = [
            [
                Cell(self.nodes[flow.source].column + 1, "number"),
                Cell(self.nodes[flow.source].name, link=self.nodes[flow.source].link),
                Cell(self.nodes[flow.target].name, link=self.nodes[flow.target].link),
                Cell(flow.value, self.unit, flow.link),
                Cell(percent_of(flow.value, self.nodes[flow.source].value), "percent"),
            ]
            for flow in self.flows
        ]
        return ChartTable(["Column", "From", "To", "Count", "Share of “From”"], rows)


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number at the top of a page: its value, that of the period before, and where it leads.

    `better` says which direction is good news; None colours neither. A value of None is drawn as a dash: there was
    nothing to measure. `trend` is drawn as a small line. `metric`: the name of its definition, where a plugin
    registered that as a `Metric`.
    """

    label: str
    value: Value
    definition: str
    previous: Value = None
    unit: Unit = "number"
    link: str | None = None
    detail: str = ""
    better: Direction | None = "up"
    id: str = field(default="")
    trend: Sequence[Value] = ()
    metric: str = ""

    def __post_init__(self) -> None:
        check_unit(self.unit)

    @property
    def change(self) -> float | None:
        """Change against the period before in percent; None where there is nothing to compare with."""
        if self.value is None or self.previous is None or (self.previous == 0 and self.value == 0):
            return None
        return percent_change(self.value, self.previous)

    @property
    def sparkline(self) -> str:
        """The trend as the path of an SVG that is 100 wide and 24 high, with gaps; empty without one, or all zero."""
        drawn = any(self.trend) and sum(value is not None for value in self.trend) > 1
        return _path(self.trend) if drawn else ""

    @property
    def is_new(self) -> bool:
        """Whether there is something now and was nothing before."""
        return self.previous == 0 and bool(self.value)

    @property
    def tone(self) -> Literal["good", "bad", "neutral"]:
        """Whether the change is good news."""
        rises = self.is_new or (self.change or 0) > 0
        if self.better is None or not (self.is_new or self.change):
            return "neutral"
        return "good" if rises == (self.better == "up") else "bad"


def percent_change(current: float, previous: float) -> float:
    """How much more `current` is than `previous`, in percent to one decimal; 0 where `previous` is 0."""
    return round(100 * (current - previous) / previous, 1) if previous else 0.0


def percent(share: float | None) -> float | None:
    """A share of 0 to 1, as answers have it, in percent; None stays None."""
    return None if share is None else 100 * share


def percent_of(part: float, whole: float | None) -> float | None:
    """A part of a whole in percent; None where there is no whole."""
    return 100 * part / whole if whole else None


def check_unit(unit: Unit) -> None:
    """Raise ValueError for what is no unit."""
    if unit not in _UNITS and not _CURRENCY.fullmatch(unit):
        raise ValueError(f"{unit!r} is no unit")


def _path(values: Sequence[Value]) -> str:
    known = [value for value in values if value is not None]
    least, span = min(0, *known), (max(0, *known) - min(0, *known)) or 1
    step, drawing, parts = 100 / (len(values) - 1), False, []
    for place, value in enumerate(values):
        if value is not None:
            parts.append(f"{'L' if drawing else 'M'}{place * step:.1f} {23 - 22 * (value - least) / span:.1f}")
        drawing = value is not None
    return "".join(parts)


def _with_shares(table: ChartTable, *, by_row: bool) -> ChartTable:
    """A column of shares after each column of numbers: of the row, or of the column."""
    columns, width = [table.columns[0]], len(table.columns)
    for name in table.columns[1:]:
        columns += [name, "Share" if width == 2 else f"{name}, share"]
    totals = [sum(row[place].amount for row in table.rows) for place in range(width)]
    rows = []
    for row in table.rows:
        cells = [row[0]]
        of_row = sum(cell.amount for cell in row[1:])
        for place, cell in enumerate(row[1:], 1):
            cells += [cell, Cell(percent_of(cell.amount, of_row if by_row else totals[place]), "percent")]
        rows.append(cells)
    return ChartTable(columns, rows)
