"""Attempts at something: where they begin, what became of them and when, and which events belong to none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.conditions import meets, need_of_conditions
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Coded, Loader, Mask, Need, Rows, Times
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Outcomes, Range

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts that began in a range and count.

    `fates`: the place of the outcome among those of the question, then one for none, and one for what is still open.
    `began` and `came`, in microseconds, are the times of the start and of the outcome (of the start where there is
    none); `rows` are those of the starts in the frame, `value` their values. `outside` has a count for each outcome.
    """

    did: Acts
    rows: Rows
    fates: Rows
    began: Times
    came: Times
    value: Coded | None
    outside: tuple[int, ...]


async def attempts(query: Outcomes, loader: Loader, stretch: Range, by: Field | None, now: datetime) -> Attempts:
    """The attempts of a stretch of time, as of `now`."""
    window = timedelta(seconds=query.window)
    start, end = stretch.start.astimezone(UTC), stretch.end.astimezone(UTC) + window
    selections = query.start, *(outcome.select for outcome in query.outcomes)
    need = Need(columns=frozenset({by} if by else ())) | need_of_conditions(query.where, query.source)
    active = None if query.grace is None else micros(now) - _micros(query.grace)
    recent = active if active is not None and active < micros(end) else None
    loaded = (start - window if query.outside else start), end
    did = await acts(query, query.actor, selections, loader, loaded, need, all_after=recent)
    return await asyncio.to_thread(_attempts, query, did, stretch, by, micros(now), active)


def _attempts(query: Outcomes, did: Acts, stretch: Range, by: Field | None, now: int, active: int | None) -> Attempts:
    window = timedelta(seconds=query.window)
    pieces = _Pieces(did, len(query.outcomes), window // _MICROSECOND)
    counted = meets(did.frame, query.where, query.source)
    began = did.time[pieces.begins]
    within = (began >= micros(stretch.start)) & (began < micros(stretch.end))
    within &= counted[did.order.rows[pieces.begins]]
    fates, came = pieces.fates(now, active), pieces.came
    rows = did.order.rows[pieces.begins[within]]
    return Attempts(
        did,
        rows,
        fates[within],
        began[within],
        came[within],
        did.frame.column_at(by, rows) if by else None,
        _outside(query, stretch, did, pieces, counted) if query.outside else (),
    )


class _Pieces:
    """What actors did, cut where an attempt begins: each piece goes up to the next start, the first may have none."""

    def __init__(self, did: Acts, outcomes: int, window: int) -> None:
        self._did = did
        self._outcomes = outcomes
        starts = did.matching(0)
        heads = starts.copy()
        heads[did.order.bounds[:-1]] = True
        bounds = np.append(np.flatnonzero(heads), len(heads))
        self._first: Rows = bounds[:-1]
        self._lengths: Rows = np.diff(bounds)
        self._attempts: Mask = starts[self._first]
        """Of pieces, those that are attempts."""
        self._deadlines: Times = did.time[self._first] + window
        self.in_time: Mask = did.time <= np.repeat(self._deadlines, self._lengths)
        # Of a row counts the outcome that is listed first; none where it comes late, and none of a start.
        self._by_row = _first_outcome(outcomes)[did.bits & _asked(outcomes)]
        self._by_row[~self.in_time] = outcomes
        self._fates = np.minimum.reduceat(self._by_row, self._first) if len(self._first) else self._by_row

    @property
    def begins(self) -> Rows:
        """The places where attempts begin."""
        return self._first[self._attempts]

    @property
    def inside(self) -> Mask:
        """Which places lie in an attempt."""
        return self.in_time & np.repeat(self._attempts, self._lengths)

    @cached_property
    def came(self) -> Times:
        """When the outcome of each attempt happened first; without one, when the attempt began."""
        hits = np.flatnonzero((self._by_row < self._outcomes) & (self._by_row == np.repeat(self._fates, self._lengths)))
        pieces, places = np.unique(np.searchsorted(self._first, hits, "right") - 1, return_index=True)
        came = self._did.time[self._first]
        came[pieces] = self._did.time[hits[places]]
        return came[self._attempts]

    def fates(self, now: int, active: int | None) -> Rows:
        """What became of each attempt. With `active`, only what an actor did something in after that is open."""
        did, first, deadlines = self._did, self._first, self._deadlines
        # An attempt that the next one ended in time cannot have an outcome any more.
        ended = np.zeros(len(first), np.bool_)
        ended[:-1] = (did.order.owners[first[1:]] == did.order.owners[first[:-1]]) & (
            did.time[first[1:]] <= deadlines[:-1]
        )
        is_open = (self._fates == self._outcomes) & (deadlines > now) & ~ended
        if active is not None and len(first):
            is_open &= np.logical_or.reduceat((did.time > active) & self.in_time, first)
        return np.where(is_open, self._outcomes + 1, self._fates).astype(np.intp)[self._attempts]


def _outside(query: Outcomes, stretch: Range, did: Acts, pieces: _Pieces, counted: Mask) -> tuple[int, ...]:
    """For each outcome the events of the range that match it and lie in no attempt, or are of nobody known."""
    outcomes = len(query.outcomes)
    loose = counted & _comes_of(outcomes)[did.row_bits & _asked(outcomes)]
    first, last = np.searchsorted(did.frame.time, np.array([micros(stretch.start), micros(stretch.end)]))
    loose[:first] = loose[last:] = False
    loose[did.order.rows[pieces.inside]] = False
    bits = did.row_bits[loose]
    return tuple(int(np.count_nonzero(bits & np.uint16(2 << place))) for place in range(outcomes))


def _comes_of(outcomes: int) -> Mask:
    """Which combinations of bits are an outcome, and no start."""
    return _first_outcome(outcomes) < outcomes


def _asked(outcomes: int) -> np.uint16:
    """The bits of a start and of the outcomes, without that of whatever was done lately."""
    return np.uint16((2 << outcomes) - 1)


def _first_outcome(outcomes: int) -> NDArray[np.uint8]:
    """For each combination of bits the outcome that is listed first; `outcomes` for none, and for a start."""
    bits = np.arange(2 << outcomes)
    table = np.full(len(bits), outcomes, np.uint8)
    for place in reversed(range(outcomes)):
        table[(bits & (2 << place) > 0) & (bits & 1 == 0)] = place
    return table


def _micros(seconds: float) -> int:
    return timedelta(seconds=seconds) // _MICROSECOND
