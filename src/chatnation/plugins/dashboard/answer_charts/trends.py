"""Trends: measures by hour, day, week or month."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatnation.plugins.dashboard.answer_charts.labels import Rename, bucket_labels, value_name
from chatnation.plugins.dashboard.charts import Chart, ChartKind, Series, Target, Unit
from chatnation.plugins.dashboard.view import View
from chatnation.query import Bucket, Granularity, Line, TimeseriesAnswer

CATEGORIES: Mapping[Granularity, str] = {"hour": "Hour", "day": "Day", "week": "Week", "month": "Month"}
BucketLink = Callable[[Bucket, Line], str | None]
"""Where a value of a trend leads."""


def trend_chart(
    answer: TimeseriesAnswer,
    view: View[Any],
    *,
    kind: ChartKind = "lines",
    names: Mapping[str, str] | None = None,
    only: Sequence[str] | None = None,
    lines: Sequence[str] = (),
    units: Mapping[str, Unit] | None = None,
    unit: Unit = "number",
    targets: Sequence[Target] = (),
    link: BucketLink | None = None,
    rename: Rename | None = None,
    granularity: Granularity | None = None,
    share: bool = False,
    compare: bool | None = None,
    note: str = "",
) -> Chart:
    """A chart of a `Timeseries`.

    With the period before, where the question compares and so does the view, or `compare` says so; never in a stack.
    `names`: how series are called on the chart; `only`: which are drawn, in this order. With a breakdown there is a
    line a value, called by `rename`. `lines` and `units` are for a `combined` chart: which series are lines on the
    second axis, and in which unit. `link(bucket, line)` says where a value leads. Values of buckets that are not over
    are marked as open.
    """
    names, units = names or {}, units or {}
    compared = (view.compare if compare is None else compare) and kind != "stacked"
    wanted = [line for line in answer.lines if only is None or line.series in only]
    if only is not None:
        wanted.sort(key=lambda line: only.index(line.series))
    broken_down = len({line.series for line in wanted}) < len(wanted) or any(line.value for line in wanted)
    several = len({line.series for line in wanted}) > 1
    drawn: list[Series] = []
    for line in wanted:
        name = _name(line, names, rename, broken_down=broken_down, several=several)
        open_ = [not bucket.complete for bucket in answer.buckets]
        links = [link(bucket, line) for bucket in answer.buckets] if link else None
        drawn.append(Series(name, line.values, links, units.get(line.series), line=line.series in lines, open=open_))
        before = _before(answer, line) if compared else None
        if before is not None:
            values = _fitted(before.values, len(answer.buckets))
            drawn.append(
                Series(
                    f"{name}, before",
                    values,
                    unit=units.get(line.series),
                    line=line.series in lines,
                    previous=True,
                    of=name,
                )
            )
    cut = granularity or view.granularity
    return Chart(
        kind=kind,
        category=CATEGORIES[cut],
        categories=bucket_labels(answer.buckets, cut),
        keys=[bucket.label for bucket in answer.buckets],
        series=drawn,
        unit=unit,
        targets=targets,
        share=share,
        note=note,
    )


def _name(line: Line, names: Mapping[str, str], rename: Rename | None, *, broken_down: bool, several: bool) -> str:
    series = names.get(line.series, line.series)
    if not broken_down:
        return series
    value = value_name(line.value, rename, other=line.other)
    return f"{series}: {value}" if several else value


def _before(answer: TimeseriesAnswer, line: Line) -> Line | None:
    key = (line.series, line.value, line.other)
    return next((before for before in answer.previous if (before.series, before.value, before.other) == key), None)


def _fitted(values: Sequence[float | None], length: int) -> list[float | None]:
    """As many values as there are buckets now: where months differ in length, the period before may have others."""
    return [*values[:length], *[None] * (length - len(values))]
