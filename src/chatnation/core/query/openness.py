"""Which answers depend on when they are asked for: those that tell what is still open."""

from __future__ import annotations

from datetime import datetime

from chatnation.core.query.checks import question_of, range_of
from chatnation.core.query.model import (
    DAY,
    Funnel,
    Intervals,
    Lifecycle,
    Outcomes,
    Query,
    Question,
    Retention,
    Timeseries,
)

STEP = 60
"""Seconds for which what is open is told alike."""

_MONTH = 32 * DAY
"""No bucket is longer, so none that a range touches ends later than this after it."""
_LONGEST = {"hour": DAY // 24, "day": 25 * DAY // 24, "week": 8 * DAY, "month": _MONTH}


def moment_of(query: Query, now: datetime) -> int | None:
    """A number that changes with time while the answer may, and None where it does not (any more)."""
    seconds = _open_for(question_of(query))
    if seconds is None or now.timestamp() >= range_of(query).end.timestamp() + seconds:
        return None
    return int(now.timestamp() // STEP)


def _open_for(query: Question) -> float | None:
    """For how many seconds after the range something in the answer may be open; None: never is anything."""
    if isinstance(query, Timeseries | Lifecycle):
        return _MONTH
    if isinstance(query, Funnel | Outcomes):
        return _MONTH + query.window
    if isinstance(query, Retention):
        return _MONTH + (max(query.periods, *query.brackets, 0) + 1) * _LONGEST[query.granularity]
    if isinstance(query, Intervals):
        return _MONTH + query.within
    return None
