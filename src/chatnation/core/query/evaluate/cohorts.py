"""Cohorts: which actors began in which period, and in which later ones each was back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Bucket
from chatnation.core.query.evaluate.acts import Acts, Visits, acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import next_match, run_bounds
from chatnation.core.query.frame import Loader, Mask, Rows
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Granularity, Range, Retention
from chatnation.core.query.store import QueryRefused

Counts = NDArray[np.int64]
Returns = Iterator[tuple[Rows, NDArray[np.integer]]]
"""Some entries at a time, and for each of them a column."""

_AT_MOST: dict[Granularity, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=25),
    "week": timedelta(days=7, hours=1),
    "month": timedelta(days=31, hours=1),
}


@dataclass(frozen=True, slots=True)
class Column:
    """Periods after that of the cohort, the first and the last of them."""

    first: int
    last: int
    name: str


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Entries of actors in cohorts: entry i began at the place `entries[i]`, in the cohort of number `cohort[i]`.

    `periods` are those of the cohorts, and those after them that columns are about.
    """

    query: Retention
    columns: list[Column]
    buckets: list[Bucket]
    periods: list[Bucket]
    did: Acts
    visits: Visits
    entries: Rows
    cohort: Visits

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many are in each cohort."""
        return np.bincount(self.cohort, minlength=len(self.buckets))

    @property
    def counts(self) -> Counts:
        """How many of each cohort were back in each column."""
        shape = len(self.buckets), len(self.columns)
        counts = np.zeros(shape[0] * shape[1], np.int64)
        for entries, columns in self._returns():
            counts += np.bincount(self.cohort[entries] * shape[1] + columns, minlength=len(counts))
        table = counts.reshape(shape)
        return np.cumsum(table[:, ::-1], axis=1)[:, ::-1] if self._or_after else table

    def back_in(self, column: int) -> Mask:
        """Which entries were back in a column."""
        back = np.zeros(len(self.entries), np.bool_)
        for entries, columns in self._returns():
            back[entries[columns >= column if self._or_after else columns == column]] = True
        return back

    def last_back(self, entries: Rows, column: int) -> Rows:
        """Of entries that were back in a column, the place where they were so last."""
        backs = np.flatnonzero(self.did.matching(1))
        if self._or_after:
            return backs[np.searchsorted(backs, self.did.order.ends[self.entries[entries]]) - 1]
        until = self.visits[self.entries[entries]] + self.columns[column].last
        return backs[np.searchsorted(self.visits[backs], until, side="right") - 1]

    def has_begun(self, cohort: int, column: int, now: datetime) -> bool:
        """Whether anybody of a cohort may have been back in a column yet."""
        return self.periods[cohort + self.columns[column].first].start < now

    def is_open(self, cohort: int, column: int) -> bool:
        """Whether somebody of a cohort may still come back in a column."""
        return not self.periods[cohort + self.columns[column].last].complete

    @property
    def _or_after(self) -> bool:
        return self.query.rule == "on_or_after"

    def _returns(self) -> Returns:
        """Every entry with every column in which it was back, each such pair once; with `or_after`, the last one only:
        it was back in all columns before that too.
        """
        return self._returned_last() if self._or_after else self._returned()

    def _returned(self) -> Returns:
        is_back = self.did.matching(1)
        backs = np.flatnonzero(is_back)
        bounds = run_bounds(self.visits[backs])
        returns = np.append(self.visits[backs[bounds[:-1]]], -1)
        return_of_back = np.repeat(np.arange(len(bounds)), np.diff(bounds, append=bounds[-1] + 1))
        backs_before = np.cumsum(is_back, dtype=np.int32)[self.entries] - is_back[self.entries]

        # From each entry on, a step leads to the actor's next period with a `back`: ever fewer go on. The visits of
        # others are further away than the last column, because all periods that cells are about have numbers between.
        at, base, entries = return_of_back[backs_before], self.visits[self.entries], np.arange(len(self.entries))
        column_of = _column_of(self.columns)
        told = np.full(len(at), -1, np.int16)
        while len(at):
            later = returns[at] - base
            going = np.flatnonzero((later >= 0) & (later < len(column_of)))
            at, base, entries, told = at[going], base[going], entries[going], told[going]
            column = column_of[later[going]]
            new = np.flatnonzero(column != told)
            yield entries[new], column[new]
            at, told = at + 1, column

    def _returned_last(self) -> Returns:
        backs = np.flatnonzero(self.did.matching(1))
        last = np.append(backs, -1)[np.searchsorted(backs, self.did.order.ends[self.entries]) - 1]
        came = np.flatnonzero(last >= self.entries)
        later = self.visits[last[came]] - self.visits[self.entries[came]]
        yield came, np.minimum(later, len(self.columns) - 1)


async def cohorts_of(query: Retention, loader: Loader, now: datetime) -> Cohorts:
    """The cohorts of the range, as of `now`. Raises QueryRefused for brackets that make no sense."""
    columns = _columns(query)
    cohorts = buckets(query.range, query.granularity, now)
    periods = _periods(query, cohorts, now)
    seen_until = now if query.rule == "on_or_after" else min(now, periods[-1].end)
    did = await acts(
        query,
        query.actor,
        (query.start, query.back),
        loader,
        (None if query.first_time else query.range.start, max(query.range.end, seen_until)),
    )
    visits = did.visits(periods)
    entries = _entries(query, did, visits)
    cohort = visits[entries] - did.order.owners[entries] * (len(periods) + 1) - 1
    return Cohorts(query, columns, cohorts, periods, did, visits, entries, cohort)


def _columns(query: Retention) -> list[Column]:
    if query.rule == "on":
        return [Column(number, number, str(number)) for number in range(query.periods)]
    if query.rule == "on_or_after":
        return [Column(number, number, f"{number}+") for number in range(query.periods)]
    firsts = (*query.brackets, query.periods)
    if len(firsts) < 2 or firsts[0] < 0 or any(first >= following for first, following in pairwise(firsts)):
        raise QueryRefused("The brackets have to be rising numbers of periods, the last less than `periods`.")
    return [
        Column(first, end - 1, str(first) if end == first + 1 else f"{first}-{end - 1}")
        for first, end in pairwise(firsts)
    ]


def _periods(query: Retention, cohorts: list[Bucket], now: datetime) -> list[Bucket]:
    """The periods of the cohorts, and those after them that cells are about."""
    further = query.periods - 1
    end = cohorts[-1].end.astimezone(UTC) + further * _AT_MOST[query.granularity]
    periods = buckets(Range(query.range.start, end, query.range.timezone), query.granularity, now)
    return periods[: len(cohorts) + further]


def _entries(query: Retention, did: Acts, visits: Visits) -> Rows:
    """Where actors begin in cohorts; an actor may be in several."""
    starts = did.matching(0)
    if query.first_time:
        places = next_match(starts)[did.order.bounds[:-1]]
        places = places[places < did.order.bounds[1:]]
    else:
        places = np.flatnonzero(starts)
        places = places[run_bounds(visits[places])[:-1]]
    times = did.times(places)
    return places[(times >= micros(query.range.start)) & (times < micros(query.range.end))]


def _column_of(columns: list[Column]) -> NDArray[np.int16]:
    """The column of each number of periods; -1 before the first."""
    column_of = np.full(columns[-1].last + 1, -1, np.int16)
    for number, column in enumerate(columns):
        column_of[column.first : column.last + 1] = number
    return column_of
