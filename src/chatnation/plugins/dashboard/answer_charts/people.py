"""Whether people come back: retention, lifecycle, stickiness."""

from __future__ import annotations

from typing import Any

from chatnation.plugins.dashboard.answer_charts.labels import bucket_labels
from chatnation.plugins.dashboard.answer_charts.trends import CATEGORIES
from chatnation.plugins.dashboard.charts import Chart, Series, percent
from chatnation.plugins.dashboard.view import View
from chatnation.query import Granularity, LifecycleAnswer, RetentionAnswer, StickinessAnswer


def retention_chart(answer: RetentionAnswer, granularity: Granularity) -> Chart:
    """A grid with a row a cohort; cells of periods that are not over are open, and those to come are empty."""
    labels = bucket_labels([cohort.bucket for cohort in answer.cohorts], granularity)
    width = len(answer.periods)
    series = []
    for label, cohort in zip(labels, answer.cohorts, strict=True):
        shares = [percent(cell.share) for cell in cohort.cells]
        open_ = [cell.open for cell in cohort.cells]
        missing = width - len(cohort.cells)
        series.append(Series(label, [*shares, *[None] * missing], open=[*open_, *[True] * missing]))
    return Chart(
        kind="cohort",
        category=f"Cohort ({CATEGORIES[granularity].lower()})",
        categories=answer.periods,
        series=series,
        sizes=[cohort.size for cohort in answer.cohorts],
        unit="percent",
    )


def lifecycle_chart(answer: LifecycleAnswer, view: View[Any], *, granularity: Granularity | None = None) -> Chart:
    """New, returning and resurrecting persons above the axis, dormant ones below it."""
    cut = granularity or view.granularity
    points = answer.buckets
    open_ = [not point.bucket.complete for point in points]
    return Chart(
        kind="stacked",
        category=CATEGORIES[cut],
        categories=bucket_labels([point.bucket for point in points], cut),
        keys=[point.bucket.label for point in points],
        series=[
            Series("New", [point.new for point in points], open=open_),
            Series("Returning", [point.returning for point in points], open=open_),
            Series("Resurrecting", [point.resurrecting for point in points], open=open_),
            Series("Dormant", [-point.dormant for point in points], open=open_),
        ],
        note="Dormant persons are drawn below the line.",
    )


def stickiness_chart(answer: StickinessAnswer, *, name: str = "Persons", period: str = "days") -> Chart:
    """How many came on 1, 2, 3 … of the periods."""
    count = len(answer.actors)
    return Chart(
        kind="histogram",
        category=f"Number of {period}",
        categories=[str(number) for number in range(1, count + 1)],
        series=[Series(name, answer.actors)],
    )
