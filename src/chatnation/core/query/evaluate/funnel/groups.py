"""A funnel by the values of a field, and by the time of entry: the same chains, sorted into rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import FunnelBucket, FunnelGroup
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.funnel.counted import Counted
from chatnation.core.query.evaluate.funnel.shares import differ, share
from chatnation.core.query.frame import Mask, Rows
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Granularity, Range

Counts = NDArray[np.intp]


def groups(counted: Counted) -> tuple[FunnelGroup, ...]:
    """The values with the most entries, and all others in one row; together they are the funnel."""
    names = (None, *counted.values[1])
    table = np.array([_entries(counted, step) for step in range(len(counted.plan.query.steps))])
    shown, others = _ranked(counted, table[0])
    total = table.sum(axis=1)
    told = [_group(counted, names[place], table[:, place], total) for place in shown]
    if others:
        told.append(_group(counted, None, table[:, others].sum(axis=1), total, other=True))
    return tuple(told)


def beyond_limit(counted: Counted) -> Mask:
    """Which chains are in the row of all others."""
    _, others = _ranked(counted, _entries(counted, 0))
    beyond: Mask = np.isin(_places(counted), others)
    return beyond


def _places(counted: Counted) -> Rows:
    """For each chain the place of its value: 0 where it is missing, then in the order of the values."""
    return counted.values[0].astype(np.intp) + 1


def _entries(counted: Counted, step: int) -> Counts:
    """How many chains of each value came to a step."""
    return np.bincount(_places(counted)[counted.came_to(step)], minlength=len(counted.values[1]) + 1)


def _ranked(counted: Counted, entered: Counts) -> tuple[list[int], list[int]]:
    """The places of the values that have a row of their own, by their entries, and of those beyond the limit."""
    names = (None, *counted.values[1])
    found = [place for place in range(len(names)) if entered[place]]
    found.sort(key=lambda place: (-entered[place], names[place] is None, names[place] or ""))
    limit = counted.plan.query.limit
    return found[:limit], found[limit:]


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
