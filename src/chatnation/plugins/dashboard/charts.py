"""What a page says about a figure: the numbers, what they mean, where each leads. The browser decides how to draw it.

`web/dashboard/src/lib/chart-options.ts` reads what `Chart.spec` writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

ChartKind = Literal["bars", "stacked", "lines", "donut", "ranked", "heatmap"]
Unit = Literal["number", "percent", "seconds"]
Direction = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers, as many as the chart has categories; `links` says where each leads."""

    name: str
    values: Sequence[float]
    links: Sequence[str] | None = None

    @property
    def spec(self) -> dict[str, Any]:
        """What the browser needs of it."""
        return {"name": self.name, "values": list(self.values), "links": list(self.links) if self.links else None}


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure with the table behind it.

    `id` names it in the page, `definition` says how it was counted, `csv` is where its table can be downloaded. A
    heatmap has a series a row and a category a column; a donut and a ranking have one series.
    """

    id: str
    title: str
    kind: ChartKind
    category: str
    categories: Sequence[str]
    series: Sequence[Series]
    definition: str
    unit: Unit = "number"
    csv: str | None = None
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for series in self.series for value in series.values)

    @property
    def spec(self) -> dict[str, Any]:
        """What the browser needs to draw it."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "categories": list(self.categories),
            "series": [series.spec for series in self.series],
        }

    @property
    def summary(self) -> str:
        """One sentence for those who cannot see it."""
        if self.empty:
            return f"{self.title}: no data."
        names = f" of {', '.join(series.name for series in self.series)}" if len(self.series) < 4 else ""
        return f"{self.title}: {len(self.categories)} values by {self.category.lower()}{names}."


@dataclass(frozen=True, slots=True)
class Kpi:
    """One number at the top of a page: its value, that of the period before, and where it leads.

    `better` says which direction is good news; None colours neither.
    """

    label: str
    value: float
    definition: str
    previous: float | None = None
    unit: Unit = "number"
    link: str | None = None
    detail: str = ""
    better: Direction | None = "up"
    id: str = field(default="")

    @property
    def change(self) -> float | None:
        """Change against the period before in percent; None where there is nothing to compare with."""
        if self.previous is None or (self.previous == 0 and self.value == 0):
            return None
        return percent_change(self.value, self.previous)

    @property
    def tone(self) -> Literal["good", "bad", "neutral"]:
        """Whether the change is good news."""
        if not self.change or self.better is None:
            return "neutral"
        return "good" if (self.change > 0) == (self.better == "up") else "bad"


def percent_change(current: float, previous: float) -> float:
    """How much more `current` is than `previous`, in percent to one decimal; 0 where `previous` is 0."""
    return round(100 * (current - previous) / previous, 1) if previous else 0.0
