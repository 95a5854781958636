"""What became of attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chatnation.plugins.dashboard.answer_charts.labels import bucket_labels
from chatnation.plugins.dashboard.answer_charts.trends import CATEGORIES
from chatnation.plugins.dashboard.charts import Chart, ChartKind, Series
from chatnation.plugins.dashboard.view import View
from chatnation.query import Granularity, OutcomeCounts, OutcomesAnswer

NONE, OPEN = "none", "open"


def outcomes_chart(
    answer: OutcomesAnswer,
    *,
    kind: ChartKind = "donut",
    names: Mapping[str, str] | None = None,
    link: Callable[[str], str | None] | None = None,
) -> Chart:
    """Attempts by their outcome; `none` and `open` are outcomes too, called so in `names` and for `link`."""
    counts = _counts(answer.total)
    return Chart(
        kind=kind,
        category="Outcome",
        categories=[_name(outcome, names) for outcome in counts],
        keys=list(counts),
        series=[Series("Attempts", list(counts.values()), [link(outcome) for outcome in counts] if link else None)],
    )


def outcomes_trend_chart(
    answer: OutcomesAnswer,
    view: View[Any],
    *,
    names: Mapping[str, str] | None = None,
    share: bool = False,
    granularity: Granularity | None = None,
) -> Chart:
    """Attempts by when they began, stacked by outcome; with `share` as parts of 100 %."""
    cut = granularity or view.granularity
    buckets = [point.bucket for point in answer.trend]
    rows = [_counts(point.counts, always=True) for point in answer.trend]
    shown = [outcome for outcome in _counts(answer.total, always=True) if any(row[outcome] for row in rows)]
    return Chart(
        kind="stacked",
        category=CATEGORIES[cut],
        categories=bucket_labels(buckets, cut),
        keys=[bucket.label for bucket in buckets],
        series=[Series(_name(outcome, names), [row[outcome] for row in rows]) for outcome in shown],
        share=share,
    )


def _counts(counts: OutcomeCounts, *, always: bool = False) -> dict[str, int]:
    found = dict(counts.outcomes) | {NONE: counts.none, OPEN: counts.open}
    if always:
        return found
    return {outcome: count for outcome, count in found.items() if count or outcome in counts.outcomes}


def _name(outcome: str, names: Mapping[str, str] | None) -> str:
    usual = {NONE: "No outcome", OPEN: "Still open"}
    return (names or {}).get(outcome) or usual.get(outcome, outcome)
