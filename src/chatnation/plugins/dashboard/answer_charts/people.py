"""Whether people come back: retention, lifecycle, stickiness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatnation.plugins.dashboard.answer_charts.labels import bucket_labels
from chatnation.plugins.dashboard.answer_charts.trends import CATEGORIES
from chatnation.plugins.dashboard.charts import Chart, Series, percent
from chatnation.plugins.dashboard.view import View
from chatnation.query import (
    Cohort,
    Granularity,
    LifecycleAnswer,
    LifecycleBucket,
    LifecycleState,
    RetentionAnswer,
    StickinessAnswer,
)


def retention_chart(
    answer: RetentionAnswer,
    granularity: Granularity,
    *,
    link: Callable[[Cohort, int | None], str | None] | None = None,
) -> Chart:
    """A grid with a row a cohort; cells of periods that are not over are open, and those to come are empty.

    `link(cohort, column)` says where a cell leads, and with None for a column where the size of the cohort does.
    """
    labels = bucket_labels([cohort.bucket for cohort in answer.cohorts], granularity)
    width = len(answer.periods)
    series = []
    for label, cohort in zip(labels, answer.cohorts, strict=True):
        shares = [percent(cell.share) for cell in cohort.cells]
        open_ = [cell.open for cell in cohort.cells]
        links = [link(cohort, column) for column in range(len(shares))] if link else [None] * len(shares)
        missing = width - len(cohort.cells)
        series.append(
            Series(
                label,
                [*shares, *[None] * missing],
                [*links, *[None] * missing] if link else None,
                open=[*open_, *[True] * missing],
            )
        )
    return Chart(
        kind="cohort",
        category=f"Cohort ({CATEGORIES[granularity].lower()})",
        categories=answer.periods,
        series=series,
        sizes=[cohort.size for cohort in answer.cohorts],
        size_links=[link(cohort, None) for cohort in answer.cohorts] if link else (),
        unit="percent",
    )


def lifecycle_chart(
    answer: LifecycleAnswer,
    view: View[Any],
    *,
    granularity: Granularity | None = None,
    link: Callable[[LifecycleBucket, LifecycleState], str | None] | None = None,
) -> Chart:
    """New, returning and resurrecting persons above the axis, dormant ones below it; `link` says where each leads."""
    cut = granularity or view.granularity
    points = answer.buckets
    open_ = [not point.bucket.complete for point in points]

    def drawn(state: LifecycleState, sign: int = 1) -> Series:
        values = [sign * getattr(point, state) for point in points]
        links = [link(point, state) for point in points] if link else None
        return Series(state.capitalize(), values, links, open=open_)

    return Chart(
        kind="stacked",
        category=CATEGORIES[cut],
        categories=bucket_labels([point.bucket for point in points], cut),
        keys=[point.bucket.label for point in points],
        series=[drawn("new"), drawn("returning"), drawn("resurrecting"), drawn("dormant", -1)],
        note="Dormant persons are drawn below the line.",
    )


def stickiness_chart(
    answer: StickinessAnswer,
    *,
    name: str = "Persons",
    period: str = "days",
    link: Callable[[int], str | None] | None = None,
) -> Chart:
    """How many came on 1, 2, 3 … of the periods; `link(number of periods)` says where each leads."""
    numbers = range(1, len(answer.actors) + 1)
    return Chart(
        kind="histogram",
        category=f"Number of {period}",
        categories=[str(number) for number in numbers],
        series=[Series(name, answer.actors, [link(number) for number in numbers] if link else None)],
    )
