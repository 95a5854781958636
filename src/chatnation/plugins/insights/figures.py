"""From the answer of an insight to what is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from chatnation.plugins.dashboard.api import (
    UNKNOWN,
    Chart,
    Kpi,
    View,
    conditions_of,
    country_name,
    distribution_chart,
    intervals_trend_chart,
    lifecycle_chart,
    outcomes_trend_chart,
    paths_chart,
    ranked_chart,
    retention_chart,
    stickiness_chart,
    trend_chart,
)
from chatnation.plugins.insights.address import MEASURES, OF_A_FIELD, InsightQuery
from chatnation.plugins.insights.behind import cell_url, often_url, state_url, step_url
from chatnation.query import (
    BreakdownAnswer,
    Bucket,
    DistributionAnswer,
    IntervalsAnswer,
    LifecycleAnswer,
    Line,
    NumberBucket,
    OutcomesAnswer,
    PathsAnswer,
    RetentionAnswer,
    StickinessAnswer,
    TimeseriesAnswer,
)

InsightView = View[InsightQuery]
EVENTS = "/events"


def chart_of(answer: Any, view: InsightView) -> Chart:
    """The chart that fits an answer."""
    draw = _CHARTS[type(answer)]
    chart = draw(answer, view)
    ignored = sum(getattr(answer, "unusable", {}).values())
    if ignored and not chart.note:
        return replace(chart, note=f"{ignored:,} values that are no numbers were left out.")
    return chart


def totals_of(answer: Any, view: InsightView) -> list[Kpi]:
    """What is told of the whole period."""
    if isinstance(answer, TimeseriesAnswer):
        before = {(line.series, line.value, line.other): line.total for line in answer.previous}
        return [
            Kpi(
                _line_name(line),
                line.total,
                _meaning(view.query),
                before.get((line.series, line.value, line.other)),
                link=_line_link(view, line),
                trend=line.values,
            )
            for line in answer.lines[:6]
        ]
    if isinstance(answer, IntervalsAnswer):
        spread = answer.spread
        return [
            Kpi("Median", spread.p50, "Half of the intervals are no longer.", unit="seconds", better=None),
            Kpi("90th percentile", spread.p90, "Nine of ten are no longer.", unit="seconds", better=None),
            Kpi("Counted", spread.count, "Beginnings with an end in time.", better=None),
            Kpi("Without an end", answer.unanswered, "Beginnings that had no end in time.", better=None),
            Kpi("Still open", answer.open, "Beginnings whose time is not over.", better=None),
        ]
    if isinstance(answer, DistributionAnswer):
        spread = answer.spread
        names = (
            ("Values", spread.count),
            ("Mean", spread.mean),
            ("Median", spread.p50),
            ("95th percentile", spread.p95),
        )
        return [Kpi(name, value, "Over the whole period.", better=None) for name, value in names]
    return []


def _trend(answer: TimeseriesAnswer, view: InsightView) -> Chart:
    def link(bucket: Bucket, line: Line) -> str | None:
        return None if line.other else view.url_of(bucket.start, bucket.end, EVENTS, **_events_of(view, line))

    return trend_chart(answer, view, link=link, rename=_renaming(view))


def _breakdown(answer: BreakdownAnswer, view: InsightView) -> Chart:
    by = view.query.by or "event_name"

    def link(value: str | None) -> str | None:
        if len(view.query.event) > 1 and by != "event_name":
            return None
        return view.url(EVENTS, **_among(view), **{"event_name": view.query.event or None, **_value_of(by, value)})

    return ranked_chart(answer, by, link=link, rename=_renaming(view))


def _distribution(answer: DistributionAnswer, view: InsightView) -> Chart:
    field = view.query.property or ""

    def link(bucket: NumberBucket) -> str | None:
        where = conditions_of(field, bucket)
        if where is None:
            return None
        among = {**_among(view), "event_name": view.query.event or None, "where": [*view.query.where, *where]}
        return view.url(EVENTS, **among)

    return distribution_chart(answer, field, link=link)


def _intervals(answer: IntervalsAnswer, view: InsightView) -> Chart:
    return intervals_trend_chart(answer, view)


def _outcomes(answer: OutcomesAnswer, view: InsightView) -> Chart:
    return outcomes_trend_chart(answer, view)


def _retention(answer: RetentionAnswer, view: InsightView) -> Chart:
    return retention_chart(answer, view.query.period_of, link=partial(cell_url, view))


def _lifecycle(answer: LifecycleAnswer, view: InsightView) -> Chart:
    return lifecycle_chart(answer, view, granularity=view.query.period_of, link=partial(state_url, view))


def _stickiness(answer: StickinessAnswer, view: InsightView) -> Chart:
    return stickiness_chart(answer, period=f"{view.query.period_of}s", link=partial(often_url, view))


def _paths(answer: PathsAnswer, view: InsightView) -> Chart:
    leads = partial(step_url, view)
    return paths_chart(answer, link=leads, node_link=leads, rename=_renaming(view))


_CHARTS: dict[type, Callable[[Any, InsightView], Chart]] = {
    TimeseriesAnswer: _trend,
    BreakdownAnswer: _breakdown,
    DistributionAnswer: _distribution,
    IntervalsAnswer: _intervals,
    OutcomesAnswer: _outcomes,
    RetentionAnswer: _retention,
    LifecycleAnswer: _lifecycle,
    StickinessAnswer: _stickiness,
    PathsAnswer: _paths,
}


def _renaming(view: InsightView) -> Callable[[str], str] | None:
    return country_name if (view.query.by or "").endswith("country_code") else None


def _line_name(line: Line) -> str:
    value = "Other" if line.other else line.value
    return f"{line.series}: {value}" if value else line.series


def _meaning(asked: InsightQuery) -> str:
    measure = MEASURES[asked.measure]
    return f"{measure} {asked.property}." if asked.measure in OF_A_FIELD else f"{measure}."


def _one_event(view: InsightView, series: str) -> str | None:
    return series if series in view.query.event else None


def _line_link(view: InsightView, line: Line) -> str | None:
    return None if line.other else view.url(EVENTS, **_events_of(view, line))


def _events_of(view: InsightView, line: Line) -> dict[str, object]:
    """What a list of events is told of those that a line counts."""
    by = view.query.by
    return {**_among(view), "event_name": _one_event(view, line.series), **(_value_of(by, line.value) if by else {})}


def _among(view: InsightView) -> dict[str, object]:
    """What narrows an insight as a whole."""
    return {"where": view.query.where or None, "bots": True if view.query.bots else None}


def _value_of(field: str, value: str | None) -> dict[str, object]:
    return {field: UNKNOWN if value is None else value}
