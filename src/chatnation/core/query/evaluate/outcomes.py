"""What became of attempts: the first listed of several things that an actor did after beginning one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import OutcomeCounts, OutcomesAnswer, OutcomesBucket, OutcomesGroup
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.frequency import most_frequent
from chatnation.core.query.evaluate.rows import check_names
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Coded, Loader, Need, Rows, Times, micros
from chatnation.core.query.model import Outcomes, Range


@dataclass(frozen=True, slots=True)
class _Attempts:
    """Attempts that began in a range.

    `fates`: the place of the outcome among those of the question, then one for none, and one for what is still open.
    `time`, in microseconds, and `value` are those of the start.
    """

    fates: Rows
    time: Times
    value: Coded | None


async def answer(query: Outcomes, loader: Loader, now: datetime) -> OutcomesAnswer:
    """Attempts by what became of them, altogether, by time and by a field."""
    check_names(outcome.name for outcome in query.outcomes)
    by = field_of(query.by, query.source) if query.by is not None else None
    found = await _attempts(query, loader, query.range, by, now)
    previous = None
    if query.compare:
        before = await _attempts(query, loader, query.range.previous(), None, now)
        (previous,) = _counts(query, before.fates, np.zeros_like(before.fates), 1)
    (total,) = _counts(query, found.fates, np.zeros_like(found.fates), 1)
    return OutcomesAnswer(total, _trend(query, found, now), _groups(query, found), previous)


async def _attempts(query: Outcomes, loader: Loader, stretch: Range, by: Field | None, now: datetime) -> _Attempts:
    window = timedelta(seconds=query.window)
    selections = query.start, *(outcome.select for outcome in query.outcomes)
    loaded = stretch.start, stretch.end.astimezone(UTC) + window
    need = Need(columns=frozenset({by} if by else ()))
    did = await acts(query, query.actor, selections, loader, loaded, need)
    begins, fates = _fates(did, len(query.outcomes), window // timedelta(microseconds=1), micros(now))
    within = did.time[begins] < micros(stretch.end)
    begins, fates = begins[within], fates[within]
    value = did.frame.column(by).take(did.order.rows[begins]) if by else None
    return _Attempts(fates, did.time[begins], value)


def _fates(did: Acts, outcomes: int, window: int, now: int) -> tuple[Rows, Rows]:
    """The places where attempts begin, and what became of each."""
    # A piece is what comes from a start, or from an actor's first row, up to the next of these.
    starts = did.matching(0)
    heads = starts.copy()
    heads[did.order.bounds[:-1]] = True
    bounds = np.append(np.flatnonzero(heads), len(heads))
    first, lengths = bounds[:-1], np.diff(bounds)
    deadlines = did.time[first] + window
    # Of a row counts the outcome that is listed first; none where it comes late, and none of a start.
    fates = _first_outcome(outcomes)[did.bits]
    fates[did.time > np.repeat(deadlines, lengths)] = outcomes
    fate = np.minimum.reduceat(fates, first) if len(first) else fates
    begins = np.flatnonzero(starts[first])
    # An attempt that the next one ended in time cannot have an outcome any more.
    ended = np.zeros(len(first), np.bool_)
    ended[:-1] = (did.order.owners[first[1:]] == did.order.owners[first[:-1]]) & (did.time[first[1:]] <= deadlines[:-1])
    fate[(fate == outcomes) & (deadlines > now) & ~ended] = outcomes + 1
    return first[begins], fate[begins].astype(np.intp)


def _first_outcome(outcomes: int) -> NDArray[np.uint8]:
    """For each combination of bits the outcome that is listed first; `outcomes` for none, and for a start."""
    bits = np.arange(2 << outcomes)
    table = np.full(len(bits), outcomes, np.uint8)
    for place in reversed(range(outcomes)):
        table[(bits & (2 << place) > 0) & (bits & 1 == 0)] = place
    return table


def _counts(query: Outcomes, fates: Rows, groups: NDArray[np.integer], size: int) -> list[OutcomeCounts]:
    """What became of the attempts of each of so many groups."""
    names = [outcome.name for outcome in query.outcomes]
    width = len(names) + 2
    table = np.bincount(groups * width + fates, minlength=size * width).reshape(size, width)
    return [
        OutcomeCounts(sum(row), dict(zip(names, row, strict=False)), none=row[-2], open=row[-1])
        for row in table.tolist()
    ]


def _trend(query: Outcomes, found: _Attempts, now: datetime) -> tuple[OutcomesBucket, ...]:
    if query.granularity is None:
        return ()
    periods = buckets(query.range, query.granularity, now)
    counts = _counts(query, found.fates, bucket_of(found.time, periods), len(periods))
    return tuple(map(OutcomesBucket, periods, counts))


def _groups(query: Outcomes, found: _Attempts) -> tuple[OutcomesGroup, ...]:
    if found.value is None:
        return ()
    ranked = most_frequent(found.value.codes, found.value.values, query.limit)
    counts = _counts(query, found.fates, ranked.places, len(ranked.counts))
    groups = [OutcomesGroup(value, count) for value, count in zip(ranked.values, counts, strict=False)]
    if ranked.beyond:
        groups.append(OutcomesGroup(None, counts[-1], other=True))
    return tuple(groups)
