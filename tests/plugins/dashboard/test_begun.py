"""What is in the future has no value, in charts, tables and small lines; what has one all the same keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from chatnation.plugins.dashboard.api import Chart, Kpi, Period, Series, View
from chatnation.plugins.dashboard.begun import begun

MIDNIGHT = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """As much of a view as matters here."""

    period: Period
    now: datetime


def at(hour: float) -> View[Any]:
    """A look at one day, so many hours after it began."""
    period = Period(MIDNIGHT, MIDNIGHT + timedelta(days=1), ZoneInfo("UTC"))
    return cast("View[Any]", Moment(period, MIDNIGHT + timedelta(hours=hour)))


QUARTERS = Chart(
    kind="lines",
    category="Hour",
    categories=["0", "6", "12", "18"],
    keys=["0", "6", "12", "18"],
    series=[Series("Visits", [3, 0, 0, 0]), Series("Visits, before", [4, 5, 0, 0], previous=True, of="Visits")],
)


def values(content: object) -> list[list[float | None]]:
    assert isinstance(content, Chart)
    return [list(series.values) for series in content.series]


def test_buckets_that_have_not_begun_are_empty_and_the_period_before_is_not_cut() -> None:
    assert values(begun(QUARTERS, at(7))) == [[3, 0, None, None], [4, 5, 0, 0]]
    assert values(begun(QUARTERS, at(6))) == [[3, None, None, None], [4, 5, 0, 0]]
    assert values(begun(QUARTERS, at(24))) == values(QUARTERS)
    ahead = replace(QUARTERS, series=[Series("Visits", [3, 0, 2, 0])])
    assert values(begun(ahead, at(7))) == [[3, 0, 2, None]], "a clock that runs ahead is not silenced"


def test_charts_that_are_not_over_time_stay_as_they_are() -> None:
    for chart in (replace(QUARTERS, keys=None), replace(QUARTERS, kind="ranked")):
        assert values(begun(chart, at(7))) == values(QUARTERS)


def test_small_lines_end_now() -> None:
    (kpi,) = cast("list[Kpi]", begun([Kpi("Visits", 3, "All.", trend=[3, 1, 0, 0])], at(7)))
    assert list(kpi.trend) == [3, 1]
