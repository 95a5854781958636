"""Measures by bucket of time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from chatnation.core.query.answers import Bucket, Line, TimeseriesAnswer
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.measures import Runs
from chatnation.core.query.evaluate.ranking import Ranking, keyed, rank
from chatnation.core.query.evaluate.rows import Picked
from chatnation.core.query.evaluate.series import Frames, Measured, Plan, frames, measured, plan, unusable
from chatnation.core.query.frame import Floats, Loader, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Timeseries


async def answer(query: Timeseries, loader: Loader, now: datetime) -> TimeseriesAnswer:
    """Counts a question's series by bucket."""
    planned = plan(query, () if query.by is None else (query.by,))
    loaded = await frames(planned, loader)
    return await asyncio.to_thread(_answer, query, planned, loaded, now)


def _answer(query: Timeseries, planned: Plan, loaded: Frames, now: datetime) -> TimeseriesAnswer:
    everything = measured(query, loaded)
    current = [some.within(query.range) for some in everything]
    before = query.range.previous()
    earlier = [some.within(before) for some in everything] if query.compare else []
    ranking = other = None
    if planned.by:
        ranking = rank(keyed((some.picked.frame for some in everything), planned.by), current, query.limit)
        other = ranking.beyond(current) or ranking.beyond(earlier)
    lines = _Lines(planned, ranking, other=bool(other))
    shown = buckets(query.range, query.granularity, now)
    previous = buckets(before, query.granularity, now) if query.compare else []
    return TimeseriesAnswer(
        tuple(shown),
        lines.of(current, shown),
        tuple(previous),
        lines.of(earlier, previous) if query.compare else (),
        unusable(current),
    )


class _Lines:
    """The lines of an answer: each series and formula, of each value, and at last of all other values."""

    def __init__(self, planned: Plan, ranking: Ranking | None, *, other: bool) -> None:
        self.planned, self.ranking = planned, ranking
        self.values: list[tuple[str | None, bool]] = [(None, False)]
        if ranking is not None:
            self.values = [(value, False) for (value,) in ranking.values] + [(None, True)] * other

    def of(self, series: Sequence[Measured], shown: Sequence[Bucket]) -> tuple[Line, ...]:
        starts = np.array([micros(bucket.start) for bucket in shown], np.int64)
        width, height = len(shown), 1 if self.ranking is None else len(self.ranking.keys) + 1
        by_bucket, totals = [], []
        for some in series:
            read, rows = some.meter(), some.picked
            in_time = _in_time(rows, starts)
            if self.ranking is None:
                by_bucket.append(read(in_time, width))
                totals.append(read(Runs(in_time.bounds[[0, -1]]), 1))
            else:
                groups = self.ranking.groups(rows)
                by_bucket.append(read(groups * np.int32(width) + in_time.each, width * height))
                totals.append(read(groups, height))
        told = zip(
            self.planned.names,
            self.planned.with_formulas(by_bucket),
            self.planned.with_formulas(totals),
            strict=True,
        )
        return tuple(
            Line(name, values_of(cells[place * width : (place + 1) * width]), total, value, other)
            for name, cells, total_of in told
            for place, ((value, other), total) in enumerate(zip(self.values, values_of(total_of), strict=False))
        )


def values_of(measures: Floats) -> tuple[float | None, ...]:
    """Measures as answers have them."""
    return tuple(None if number != number else number for number in measures.tolist())


def _in_time(picked: Picked, starts: Times) -> Runs:
    """Rows by bucket: as they are in the order of time, those of a bucket are together."""
    bounds = np.searchsorted(picked.rows, np.searchsorted(picked.frame.time, starts))
    return Runs(np.append(bounds, len(picked.rows)))
