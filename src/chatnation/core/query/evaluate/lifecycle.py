"""Actors by period: new, returning, resurrecting, dormant.

Who came in a period has a row in it that lies in the range. Where the range cuts its first period, the rest of that
period still counts as history: whoever came in it is not dormant, and not new in the next one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from chatnation.core.query.answers import LifecycleAnswer, LifecycleBucket
from chatnation.core.query.evaluate.acts import acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import run_bounds
from chatnation.core.query.frame import Loader, Mask
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Lifecycle, Range


async def answer(query: Lifecycle, loader: Loader, now: datetime) -> LifecycleAnswer:
    """The buckets of the range, each with its actors."""
    own = buckets(query.range, query.granularity, now)
    just_before = own[0].start.astimezone(UTC) - timedelta(microseconds=1)
    periods = buckets(Range(just_before, query.range.end, query.range.timezone), query.granularity, now)
    did = await acts(query, query.actor, (query.select,), loader, (None, query.range.end))

    # In the numbers of visits, period 0 is all the time earlier, 1 the period before the range, then come its own.
    visits = did.visits(periods)
    bounds = run_bounds(visits)
    visits = visits[bounds[:-1]]
    actor = visits // (len(periods) + 1)
    period = visits - actor * (len(periods) + 1)
    came = did.times(bounds[1:] - 1) >= micros(query.range.start)
    known = _same(actor)
    returning = known & (np.diff(visits, prepend=-1) == 1)
    stayed = np.append(returning, False)[1:]

    def count(which: Mask, shift: int = 0) -> list[int]:
        counted = np.bincount(period[which] + shift, minlength=len(periods) + 2)
        return [int(number) for number in counted[2 : len(periods) + 1]]

    return LifecycleAnswer(
        tuple(
            LifecycleBucket(bucket, new, returned, resurrected, dormant if bucket.start < now else 0)
            for bucket, new, returned, resurrected, dormant in zip(
                own,
                count(came & ~known),
                count(came & returning),
                count(came & known & ~returning),
                count(~stayed, shift=1),
                strict=True,
            )
        )
    )


def _same(values: np.ndarray) -> Mask:
    """Where a value is that of the place before."""
    same = np.zeros(len(values), np.bool_)
    same[1:] = values[1:] == values[:-1]
    return same
