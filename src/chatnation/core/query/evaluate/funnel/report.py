"""The steps of a funnel in numbers: how many came there, how many are lost, how long it took."""

from __future__ import annotations

import numpy as np

from chatnation.core.query.answers import FunnelAnswer, FunnelStep, NumberBucket, Spread
from chatnation.core.query.evaluate.funnel.counted import Counted
from chatnation.core.query.evaluate.funnel.groups import groups, trend
from chatnation.core.query.evaluate.funnel.shares import share, wilson
from chatnation.core.query.evaluate.spread import number_buckets, spread
from chatnation.core.query.frame import Floats
from chatnation.core.query.model import Range

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_WIDTHS = (
    *(1, 2, 5, 10, 15, 30),
    *(count * _MINUTE for count in (1, 2, 5, 10, 15, 30)),
    *(count * _HOUR for count in (1, 2, 3, 6, 12)),
    *(count * _DAY for count in (1, 2, 3, 7, 14)),
)
"""Seconds that a bucket of times may be wide."""
_BUCKETS = 10


def report(counted: Counted, stretch: Range) -> FunnelAnswer:
    """The answer for one stretch of time."""
    query = counted.plan.query
    steps = tuple(_step(counted, place) for place in range(len(query.steps)))
    last = counted.plan.backbone[-1]
    return FunnelAnswer(
        steps,
        share(steps[last].reached, steps[0].reached),
        histogram(counted.seconds(last, 0)) if last else (),
        groups(counted) if counted.plan.by is not None else (),
        trend(counted, stretch, query.granularity) if query.granularity is not None else (),
    )


def _step(counted: Counted, place: int) -> FunnelStep:
    step, before = counted.plan.query.steps[place], counted.step_before(place)
    reached = int(np.count_nonzero(counted.came_to(place)))
    stopped = counted.stopped_at(place)
    still = int(np.count_nonzero(stopped & counted.open))
    low, high = (None, None) if before is None else wilson(reached, counted.size)
    return FunnelStep(
        step.name,
        reached,
        share(reached, counted.size),
        None if before is None else share(reached, int(np.count_nonzero(counted.came_to(before)))),
        dropped=int(np.count_nonzero(stopped)) - still,
        open=still,
        low=low,
        high=high,
        from_previous=Spread(0) if before is None else spread(counted.seconds(place, before)),
        from_first=Spread(0) if before is None else spread(counted.seconds(place, 0)),
        optional=step.optional,
    )


def histogram(seconds: Floats) -> tuple[NumberBucket, ...]:
    """Ten buckets of a width that reads well, the last one for everything longer: at most 5 % where these are few."""
    if not len(seconds):
        return ()
    wanted = float(np.percentile(seconds, 95)) / _BUCKETS
    width = next((width for width in _WIDTHS if width >= wanted), _WIDTHS[-1])
    return number_buckets(seconds, [width * place for place in range(_BUCKETS)])
