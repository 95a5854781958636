"""Where time has not come yet there is no value: tonight's hours have no zero visits, they have not begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Any

from chatnation.plugins.dashboard.cards import Content
from chatnation.plugins.dashboard.charts import Chart, Kpi, Series, Value
from chatnation.plugins.dashboard.view import View

_OVER_TIME = ("bars", "lines", "area", "stacked", "combined")


def begun(content: Content, view: View[Any]) -> Content:
    """`content` without the zeros of buckets that lie in the future, in charts over time and in small lines.

    A chart over time is one whose categories have keys. The period before keeps all of its values.
    """
    start, end = view.period.start, view.period.end
    if view.now >= end:
        return content
    if isinstance(content, Chart):
        if content.kind not in _OVER_TIME or content.keys is None:
            return content
        count = _begun(len(content.categories), start, view.now, end)
        return replace(content, series=[_cut(series, count) for series in content.series])
    if isinstance(content, Sequence):
        return [_shortened(kpi, _begun(len(kpi.trend), start, view.now, end)) for kpi in content]
    return content


def _begun(buckets: int, start: datetime, now: datetime, end: datetime) -> int:
    """How many of some equally wide buckets have begun."""
    return max(0, ceil(buckets * ((now - start) / (end - start))))


def _cut(series: Series, count: int) -> Series:
    if series.previous:
        return series
    rest: list[Value] = [value or None for value in series.values[count:]]
    return replace(series, values=[*series.values[:count], *rest])


def _shortened(kpi: Kpi, count: int) -> Kpi:
    return replace(kpi, trend=kpi.trend[:count])
