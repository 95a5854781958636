"""How numbers and lengths of time are spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from chatnation import quantity
from chatnation.plugins.dashboard.answer_charts.labels import bucket_labels, range_label
from chatnation.plugins.dashboard.answer_charts.trends import CATEGORIES
from chatnation.plugins.dashboard.charts import Chart, Series, Target, Unit
from chatnation.plugins.dashboard.view import View
from chatnation.query import DistributionAnswer, Granularity, IntervalsAnswer, NumberBucket

Figure = Literal["mean", "p50", "p75", "p90", "p95", "p99", "max"]
FIGURES: dict[Figure, str] = {
    "mean": "Mean",
    "p50": "Median",
    "p75": "75th percentile",
    "p90": "90th percentile",
    "p95": "95th percentile",
    "p99": "99th percentile",
    "max": "Longest",
}
BucketLink = Callable[[NumberBucket], str | None]


def distribution_chart(
    answer: DistributionAnswer,
    category: str,
    *,
    unit: Unit = "number",
    name: str = "Count",
    link: BucketLink | None = None,
    note: str = "",
) -> Chart:
    """A histogram; `unit` is that of the numbers, which label the ranges."""
    return _histogram(answer.buckets, category, unit, name, link, note)


def intervals_chart(
    answer: IntervalsAnswer,
    *,
    category: str = "Time until then",
    name: str = "Count",
    link: BucketLink | None = None,
    note: str = "",
) -> Chart:
    """A histogram of lengths of time."""
    return _histogram(answer.buckets, category, "seconds", name, link, note)


def intervals_trend_chart(
    answer: IntervalsAnswer,
    view: View[Any],
    *,
    figures: Sequence[Figure] = ("p50", "p90"),
    targets: Sequence[Target] = (),
    granularity: Granularity | None = None,
) -> Chart:
    """Figures of the lengths of time by when they began; a bucket without any is a gap."""
    cut = granularity or view.granularity
    buckets = [point.bucket for point in answer.trend]
    open_ = [not bucket.complete for bucket in buckets]
    return Chart(
        kind="lines",
        category=CATEGORIES[cut],
        categories=bucket_labels(buckets, cut),
        keys=[bucket.label for bucket in buckets],
        series=[
            Series(FIGURES[figure], [getattr(point.spread, figure) for point in answer.trend], open=open_)
            for figure in figures
        ],
        unit="seconds",
        targets=targets,
    )


def _histogram(
    buckets: Sequence[NumberBucket], category: str, unit: Unit, name: str, link: BucketLink | None, note: str
) -> Chart:
    labels = [range_label(bucket.low, bucket.high, lambda edge: quantity(edge, unit)) for bucket in buckets]
    return Chart(
        kind="histogram",
        category=category,
        categories=labels,
        series=[
            Series(name, [bucket.count for bucket in buckets], [link(bucket) for bucket in buckets] if link else None)
        ],
        note=note,
    )
