"""Periods in which actors came, and what each makes of the actor: new, returning, resurrecting; or dormant in the next.

Who came in a period has a row in it that lies in the range. Where the range cuts its first period, the rest of that
period still counts as history: whoever came in it is not dormant, and not new in the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Bucket
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import run_bounds
from chatnation.core.query.frame import Loader, Mask, Rows
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Lifecycle, LifecycleState, Range

Numbers = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Comings:
    """For each state the places of the acts that put actors in it, one an actor and bucket, and the bucket's number."""

    buckets: list[Bucket]
    did: Acts
    states: Mapping[LifecycleState, tuple[Rows, Numbers]]

    def counts(self, state: LifecycleState) -> list[int]:
        """How many actors are in a state, by bucket."""
        counts: list[int] = np.bincount(self.states[state][1], minlength=len(self.buckets)).tolist()
        return counts

    def places(self, state: LifecycleState, bucket: int) -> Rows:
        """Of those who are in a state in a bucket, the last thing that each did there; of dormant ones, just before."""
        places, numbers = self.states[state]
        found: Rows = places[numbers == bucket]
        return found


async def comings_of(query: Lifecycle, loader: Loader, now: datetime) -> Comings:
    """The comings that matter in the buckets of the range, as of `now`."""
    own = buckets(query.range, query.granularity, now)
    just_before = own[0].start.astimezone(UTC) - timedelta(microseconds=1)
    periods = buckets(Range(just_before, query.range.end, query.range.timezone), query.granularity, now)
    did = await acts(query, query.actor, (query.select,), loader, (None, query.range.end))

    # In the numbers of visits, period 0 is all the time earlier, 1 the period before the range, then come its own.
    visits = did.visits(periods)
    bounds = run_bounds(visits)
    visits, lasts = visits[bounds[:-1]], bounds[1:] - 1
    actor = visits // (len(periods) + 1)
    bucket = visits - actor * (len(periods) + 1) - 2
    came = did.times(lasts) >= micros(query.range.start)
    known = _same(actor)
    returning = known & (np.diff(visits, prepend=-1) == 1)
    # Dormant is who did not return in the bucket after; in one that has not begun nobody is.
    begun = sum(each.start < now for each in own)
    gone = ~np.append(returning, False)[1:] & (bucket + 1 >= 0) & (bucket + 1 < begun)

    def state(which: Mask, shift: int = 0) -> tuple[Rows, Numbers]:
        return lasts[which], bucket[which] + shift

    states: dict[LifecycleState, tuple[Rows, Numbers]] = {
        "new": state(came & ~known),
        "returning": state(came & returning),
        "resurrecting": state(came & known & ~returning),
        "dormant": state(gone, shift=1),
    }
    return Comings(own, did, states)


def _same(values: Numbers) -> Mask:
    """Where a value is that of the place before."""
    same = np.zeros(len(values), np.bool_)
    same[1:] = values[1:] == values[:-1]
    return same
