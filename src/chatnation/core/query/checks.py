"""What makes a question sensible whoever asks it, and whichever store answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chatnation.core.query.model import (
    FunnelActors,
    FunnelWalk,
    Granularity,
    LifecycleActors,
    PathsActors,
    Query,
    Question,
    Range,
    RetentionActors,
    StickinessActors,
    Timeseries,
)
from chatnation.core.query.store import QueryRefused

LONGEST = timedelta(days=1_100)
"""Three years, and some days for whole weeks and months at either end."""
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MOST_BUCKETS = 10_000
MOST_VALUES = 250_000
"""Of lines over time: buckets times lines."""

_LENGTH = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}


def check(query: Query) -> None:
    """Raise QueryRefused where the time asked about is none, is too long, or is cut too fine."""
    stretch = range_of(query)
    check_range(stretch)
    granularity = getattr(question_of(query), "granularity", None)
    if granularity is not None:
        buckets = _buckets(stretch, granularity)
        if buckets > MOST_BUCKETS or buckets * _lines(query) > MOST_VALUES:
            raise QueryRefused(f"That is too much for an answer by {granularity}: ask for less time, or fewer lines.")


def range_of(query: Query) -> Range:
    """The time that a question is about."""
    return question_of(query).range


def question_of(query: Query) -> Question:
    """The question that counts: of one about who is behind its numbers, that one; of any other, itself."""
    match query:
        case FunnelActors() | FunnelWalk():
            return query.funnel
        case RetentionActors():
            return query.retention
        case PathsActors():
            return query.paths
        case LifecycleActors():
            return query.lifecycle
        case StickinessActors():
            return query.stickiness
    return query


def check_range(stretch: Range) -> None:
    """Raise QueryRefused unless it is a stretch of time in a known time zone, and not too long."""
    zone_named(stretch.timezone)
    if stretch.start.tzinfo is None or stretch.end.tzinfo is None:
        raise QueryRefused("Both ends of the range need an offset, as in 2025-06-01T00:00:00+03:00.")
    if not FIRST <= stretch.start <= LAST or not FIRST <= stretch.end <= LAST:
        raise QueryRefused(f"Ask for time between {FIRST.year} and {LAST.year}.")
    if stretch.start >= stretch.end:
        raise QueryRefused("The range must end after it starts.")
    if stretch.end - stretch.start > LONGEST:
        raise QueryRefused(f"Ask for at most {LONGEST.days} days at once.")


def zone_named(name: str) -> ZoneInfo:
    """The time zone of that name; raises QueryRefused."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryRefused("There is no time zone of that name; one is called Africa/Nairobi, for example.") from None


def _buckets(stretch: Range, granularity: Granularity) -> int:
    return (stretch.end - stretch.start) // _LENGTH[granularity] + 2


def _lines(query: Query) -> int:
    if not isinstance(query, Timeseries):
        return 1
    lines = len(query.series) + len(query.formulas)
    return lines * (query.limit + 1) if query.by else lines
