"""A funnel by the values of a field, and by the time of entry: the same chains, sorted into rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import FunnelBucket, FunnelGroup
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.funnel.counted import Counted
from chatnation.core.query.evaluate.funnel.shares import differ, share
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Granularity, Range

Counts = NDArray[np.intp]


def groups(counted: Counted) -> tuple[FunnelGroup, ...]:
    """The values with the most entries, and all others in one row; together they are the funnel."""
    codes, values = counted.values
    places = codes.astype(np.intp) + 1
    names = (None, *values)
    table = np.array(
        [
            np.bincount(places[counted.came_to(step)], minlength=len(names))
            for step in range(len(counted.plan.query.steps))
        ]
    )
    shown = [place for place in range(len(names)) if table[0, place]]
    shown.sort(key=lambda place: (-table[0, place], names[place] is None, names[place] or ""))
    limit = counted.plan.query.limit
    total = table.sum(axis=1)
    told = [_group(counted, names[place], table[:, place], total) for place in shown[:limit]]
    if shown[limit:]:
        told.append(_group(counted, None, table[:, shown[limit:]].sum(axis=1), total, other=True))
    return tuple(told)


def _group(counted: Counted, value: str | None, reached: Counts, total: Counts, *, other: bool = False) -> FunnelGroup:
    last = counted.plan.backbone[-1]
    entered, converted = int(reached[0]), int(reached[last])
    rest_entered, rest_converted = int(total[0]) - entered, int(total[last]) - converted
    return FunnelGroup(
        value,
        tuple(map(int, reached)),
        share(converted, entered),
        other,
        significant=not other and differ(converted, entered, rest_converted, rest_entered),
    )


def trend(counted: Counted, stretch: Range, granularity: Granularity) -> tuple[FunnelBucket, ...]:
    """The funnel by the bucket of entry."""
    told = buckets(stretch, granularity, counted.now)
    places = bucket_of(counted.entered_at, told)
    entered, converted, may = (
        np.bincount(places[mask], minlength=len(told))
        for mask in (np.ones(counted.size, np.bool_), counted.converted, counted.open)
    )
    return tuple(
        FunnelBucket(
            bucket,
            int(entered[place]),
            int(converted[place]),
            int(may[place]),
            share(int(converted[place]), int(entered[place])),
            mature=micros(bucket.end) + counted.plan.window <= micros(counted.now),
        )
        for place, bucket in enumerate(told)
    )
