"""The time from an event to the next one of another kind, by the same actor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import IntervalsAnswer, IntervalsBucket, IntervalsGroup, Spread
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.frequency import most_frequent
from chatnation.core.query.evaluate.ordering import next_match, previous_match
from chatnation.core.query.evaluate.spread import check_edges, number_buckets, spread
from chatnation.core.query.frame import Coded, Floats, Loader, Mask, Need, Rows, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Intervals

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
EDGES = (
    0, 5, 15, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE,
    _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 30 * _DAY,
)  # fmt: skip
"""Where buckets begin unless the question says it, in seconds; of these only what is less than `within`."""

_SECOND = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


async def answer(query: Intervals, loader: Loader, now: datetime) -> IntervalsAnswer:
    """Intervals that began in the range, altogether, by length, by time and by a field."""
    check_edges(query.edges)
    within = timedelta(seconds=query.within)
    start, end = query.range.start.astimezone(UTC), query.range.end.astimezone(UTC)
    stretch = start - within if query.starts == "first" else start, end + within
    by = field_of(query.by, query.source) if query.by is not None else None
    need = Need(columns=frozenset({by} if by else ()))
    did = await acts(query, query.actor, (query.start, query.end), loader, stretch, need)

    longest = within // _MICROSECOND
    places = _starts(query, did, longest)
    ends, lengths, answered = _ends(did, places, longest)
    waiting = ~answered & (did.time[places] + longest > micros(now))
    begun = _Begun(did.time[places], lengths / _SECOND, answered, waiting)
    groups: tuple[IntervalsGroup, ...] = ()
    if by and query.attribution == "start":
        groups = _groups(did.frame.column(by).take(did.order.rows[places]), begun, query.limit)
    elif by:
        groups = _groups(did.frame.column(by).take(did.order.rows[ends[answered]]), begun.take(answered), query.limit)
    (total,) = begun.counts(np.zeros(len(places), np.intp), 1)
    return IntervalsAnswer(
        spread(begun.numbers[answered]),
        *total,
        number_buckets(begun.numbers[answered], query.edges or [edge for edge in EDGES if edge < query.within]),
        _trend(query, begun, now),
        groups,
    )


@dataclass(frozen=True, slots=True)
class _Begun:
    """Intervals that began: when, their seconds, whether they have an end in time, whether they still may get one."""

    time: Times
    numbers: Floats
    answered: Mask
    waiting: Mask

    def take(self, rows: Mask) -> _Begun:
        return _Begun(self.time[rows], self.numbers[rows], self.answered[rows], self.waiting[rows])

    def counts(self, groups: NDArray[np.integer], size: int) -> list[tuple[int, int, int]]:
        """Of each group how many began, how many have no end, and how many may still get one."""
        kinds = (np.ones(len(groups), np.bool_), ~self.answered & ~self.waiting, self.waiting)
        found = [np.bincount(groups[kind], minlength=size).tolist() for kind in kinds]
        return list(zip(*found, strict=True))

    def spreads(self, groups: NDArray[np.integer], size: int) -> list[Spread]:
        """The seconds of each group in short."""
        numbers, groups = self.numbers[self.answered], groups[self.answered]
        order = np.argsort(groups, kind="stable")
        bounds = np.searchsorted(groups[order], np.arange(1, size))
        return [spread(part) for part in np.split(numbers[order], bounds)]


def _starts(query: Intervals, did: Acts, longest: int) -> Rows:
    """The places where intervals begin."""
    starts = did.matching(0)
    in_range = (did.time >= micros(query.range.start)) & (did.time < micros(query.range.end))
    places = np.flatnonzero(starts & in_range)
    if query.starts == "every":
        return places
    # Whether an earlier start waits can be seen from the last one alone: an end between an older one and this start
    # either comes before that last start, and then does not matter, or after it.
    before = previous_match(starts)[places]
    same = before >= did.order.bounds[did.order.owners[places]]
    recent = did.time[places] - did.time[before] <= longest
    waiting = next_match(did.matching(1))[before + 1] > places
    first: Rows = places[~(same & recent & waiting)]
    return first


def _ends(did: Acts, places: Rows, longest: int) -> tuple[Rows, Times, Mask]:
    """The place of the next end after each place, microseconds until then, and whether it comes in time."""
    found = next_match(did.matching(1))[places + 1]
    same = found < did.order.ends[places]
    lengths = np.append(did.time, 0)[found] - did.time[places]
    return found, lengths, same & (lengths <= longest)


def _trend(query: Intervals, begun: _Begun, now: datetime) -> tuple[IntervalsBucket, ...]:
    if query.granularity is None:
        return ()
    periods = buckets(query.range, query.granularity, now)
    places = bucket_of(begun.time, periods)
    told = zip(periods, begun.spreads(places, len(periods)), begun.counts(places, len(periods)), strict=True)
    return tuple(IntervalsBucket(bucket, found, *counts) for bucket, found, counts in told)


def _groups(value: Coded, begun: _Begun, limit: int) -> tuple[IntervalsGroup, ...]:
    ranked = most_frequent(value.codes, value.values, limit)
    size = len(ranked.counts)
    spreads, counts = begun.spreads(ranked.places, size), begun.counts(ranked.places, size)
    groups = [
        IntervalsGroup(value, found, False, *some)
        for value, found, some in zip(ranked.values, spreads, counts, strict=False)
    ]
    if ranked.beyond:
        groups.append(IntervalsGroup(None, spreads[-1], True, *counts[-1]))
    return tuple(groups)
