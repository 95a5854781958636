"""Times from one event to the next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatnation.core.query.answers import IntervalsAnswer, IntervalsBucket, IntervalsGroup, Spread
from chatnation.core.query.model import Intervals
from tests.core.query.asking import (
    bucket,
    by_actor,
    frequent,
    inside,
    matches,
    period,
    periods_of,
    seconds,
    spread_of,
)
from tests.core.query.histories import PlainEvent
from tests.core.query.recount.distribution import buckets_of

USUAL_EDGES = (0, 5, 15, 30, 60, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800)
USUAL_EDGES += tuple(days * 86_400 for days in (1, 2, 7, 30))
"""Where buckets begin, in seconds, unless the question says it."""


def counted_starts(query: Intervals, theirs: list[PlainEvent]) -> list[int]:
    """The places of an actor's events from which intervals are told."""
    found = []
    for place, event in enumerate(theirs):
        if not (matches(event, query.start) and inside(event, query.range)):
            continue
        if query.starts == "first" and any(
            matches(earlier, query.start)
            and seconds(event.time, earlier.time) <= query.within
            and not any(matches(between, query.end) for between in theirs[number + 1 : place + 1])
            for number, earlier in enumerate(theirs[:place])
        ):
            continue
        found.append(place)
    return found


def recount(query: Intervals, events: list[PlainEvent], now: datetime) -> IntervalsAnswer:
    begun: list[Begun] = []
    for theirs in by_actor(events, query, query.actor).values():
        for place in counted_starts(query, theirs):
            event = theirs[place]
            ends = [later for later in theirs[place + 1 :] if matches(later, query.end)]
            if ends and seconds(ends[0].time, event.time) <= query.within:
                begun.append(Begun(event, ends[0], seconds(ends[0].time, event.time)))
            else:
                begun.append(Begun(event, None, 0, still_open=seconds(now, event.time) < query.within))
    return IntervalsAnswer(
        *told(begun),
        buckets_of(
            [each.length for each in begun if each.end],
            query.edges or [edge for edge in USUAL_EDGES if edge < query.within],
        ),
        tuple(trend_of(query, begun, now)),
        tuple(groups_of(query, begun)),
    )


@dataclass
class Begun:
    start: PlainEvent
    end: PlainEvent | None
    length: float
    still_open: bool = False


def told(begun: list[Begun]) -> tuple[Spread, int, int, int]:
    """The lengths, how many began, have no end, and may still get one."""
    waiting = [each for each in begun if each.end is None]
    still_open = sum(each.still_open for each in waiting)
    return spread_of([each.length for each in begun if each.end]), len(begun), len(waiting) - still_open, still_open


def trend_of(query: Intervals, begun: list[Begun], now: datetime) -> Any:
    if query.granularity is None:
        return
    for number in periods_of(query.range, query.granularity):
        theirs = [each for each in begun if period(each.start.time, query.granularity, query.range.zone) == number]
        yield IntervalsBucket(bucket(number, query.granularity, query.range.zone, now), *told(theirs))


def groups_of(query: Intervals, begun: list[Begun]) -> Any:
    if query.by is None:
        return
    by_value: dict[str | None, list[Begun]] = defaultdict(list)
    for each in begun:
        if query.attribution == "start":
            by_value[each.start.value(query.by)].append(each)
        elif each.end:
            by_value[each.end.value(query.by)].append(each)
    kept = frequent({value: len(some) for value, some in by_value.items()}, query.limit)
    for value in kept:
        yield group(value, by_value.pop(value))
    if by_value:
        yield group(None, [each for some in by_value.values() for each in some], other=True)


def group(value: str | None, begun: list[Begun], *, other: bool = False) -> IntervalsGroup:
    spread, starts, unanswered, still_open = told(begun)
    return IntervalsGroup(value, spread, other, starts, unanswered, still_open)
