"""Funnels: how far people came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatnation.plugins.dashboard.answer_charts.labels import bucket_labels
from chatnation.plugins.dashboard.answer_charts.trends import CATEGORIES
from chatnation.plugins.dashboard.charts import Chart, Series, percent
from chatnation.plugins.dashboard.view import View
from chatnation.query import FunnelAnswer, Granularity

StepLink = Callable[[int], str | None]
"""Where a step leads, such as the persons who reached it; the first is 0."""


def funnel_chart(
    answer: FunnelAnswer,
    *,
    name: str = "Persons",
    link: StepLink | None = None,
    compare: bool = False,
    note: str = "",
) -> Chart:
    """The steps with how many reached each; optional steps are marked as such. `compare`: those of before as well."""
    steps = answer.steps
    names = [f"{step.name} (optional)" if step.optional else step.name for step in steps]
    links = [link(place) for place in range(len(steps))] if link else None
    still = sum(step.open for step in steps)
    series = [Series(name, [step.reached for step in steps], links, open=[step.open > 0 for step in steps])]
    if compare and answer.previous is not None and len(answer.previous.steps) == len(steps):
        reached = [step.reached for step in answer.previous.steps]
        series.append(Series(f"{name}, before", reached, previous=True, of=name))
    if not note and still:
        note = f"{still:,} of them may still go on."
    return Chart(kind="funnel", category="Step", categories=names, series=series, note=note)


def funnel_trend_chart(
    answer: FunnelAnswer,
    view: View[Any],
    *,
    entered: str = "Entered",
    conversion: str = "Conversion",
    granularity: Granularity | None = None,
) -> Chart:
    """Conversion by the time of entry as a line, entries as bars. Buckets that can still convert are open.

    `entered` and `conversion`: how the two are called on the chart.
    """
    cut = granularity or view.granularity
    buckets = [point.bucket for point in answer.trend]
    open_ = [not point.mature for point in answer.trend]
    return Chart(
        kind="combined",
        category=CATEGORIES[cut],
        categories=bucket_labels(buckets, cut),
        keys=[bucket.label for bucket in buckets],
        series=[
            Series(entered, [point.entered for point in answer.trend], open=open_),
            Series(
                conversion,
                [percent(point.conversion) for point in answer.trend],
                unit="percent",
                line=True,
                open=open_,
            ),
        ],
    )
