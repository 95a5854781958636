"""Of the actors who did one thing in a period, how many did another in it and in later ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Bucket, Cohort, RetentionAnswer, RetentionCell
from chatnation.core.query.evaluate.acts import Acts, Visits, acts
from chatnation.core.query.evaluate.calendar import buckets
from chatnation.core.query.evaluate.ordering import next_match, run_bounds
from chatnation.core.query.frame import Loader, Rows
from chatnation.core.query.instants import micros
from chatnation.core.query.model import Granularity, Range, Retention
from chatnation.core.query.store import QueryRefused

Counts = NDArray[np.int64]

_AT_MOST: dict[Granularity, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=25),
    "week": timedelta(days=7, hours=1),
    "month": timedelta(days=31, hours=1),
}


@dataclass(frozen=True, slots=True)
class _Column:
    """Periods after that of the cohort, the first and the last of them."""

    first: int
    last: int
    name: str


async def answer(query: Retention, loader: Loader, now: datetime) -> RetentionAnswer:
    """The cohorts of the range, with a cell for each column."""
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
    sizes = np.bincount(cohort, minlength=len(cohorts))
    count = _returned_since if query.rule == "on_or_after" else _returned
    counts = count(did, visits, entries, cohort, columns, len(cohorts))
    found = tuple(
        Cohort(bucket, size, _cells(numbers, size, periods[place:], columns, now))
        for place, (bucket, size, numbers) in enumerate(zip(cohorts, sizes.tolist(), counts.tolist(), strict=True))
    )
    names = tuple(column.name for column in columns)
    return RetentionAnswer(names, found, tuple(_average(found, place) for place in range(len(columns))))


def _columns(query: Retention) -> list[_Column]:
    if query.rule == "on":
        return [_Column(number, number, str(number)) for number in range(query.periods)]
    if query.rule == "on_or_after":
        return [_Column(number, number, f"{number}+") for number in range(query.periods)]
    firsts = (*query.brackets, query.periods)
    if len(firsts) < 2 or firsts[0] < 0 or any(first >= following for first, following in pairwise(firsts)):
        raise QueryRefused("The brackets have to be rising numbers of periods, the last less than `periods`.")
    return [
        _Column(first, end - 1, str(first) if end == first + 1 else f"{first}-{end - 1}")
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


def _returned(did: Acts, visits: Visits, entries: Rows, cohort: Visits, columns: list[_Column], size: int) -> Counts:
    """How many of each of `size` cohorts were back in each column."""
    is_back = did.matching(1)
    backs = np.flatnonzero(is_back)
    bounds = run_bounds(visits[backs])
    returns = np.append(visits[backs[bounds[:-1]]], -1)
    return_of_back = np.repeat(np.arange(len(bounds)), np.diff(bounds, append=bounds[-1] + 1))
    backs_before = np.cumsum(is_back, dtype=np.int32)[entries] - is_back[entries]

    # From each entry on, a step leads to the actor's next period with a `back`: ever fewer go on. The visits of others
    # are further away than the last column, because all periods that cells are about have numbers between.
    at, base = return_of_back[backs_before], visits[entries]
    column_of = _column_of(columns)
    told = np.full(len(at), -1, np.int16)
    counts = np.zeros(size * len(columns), np.int64)
    while len(at):
        later = returns[at] - base
        going = np.flatnonzero((later >= 0) & (later < len(column_of)))
        at, base, cohort, told = at[going], base[going], cohort[going], told[going]
        column = column_of[later[going]]
        new = np.flatnonzero(column != told)
        counts += np.bincount(cohort[new] * len(columns) + column[new], minlength=len(counts))
        at, told = at + 1, column
    return counts.reshape(size, len(columns))


def _column_of(columns: list[_Column]) -> NDArray[np.int16]:
    """The column of each number of periods; -1 before the first."""
    column_of = np.full(columns[-1].last + 1, -1, np.int16)
    for number, column in enumerate(columns):
        column_of[column.first : column.last + 1] = number
    return column_of


def _returned_since(
    did: Acts, visits: Visits, entries: Rows, cohort: Visits, columns: list[_Column], size: int
) -> Counts:
    """How many of each of `size` cohorts were back in the period of a column or later."""
    backs = np.flatnonzero(did.matching(1))
    last = np.append(backs, -1)[np.searchsorted(backs, did.order.ends[entries]) - 1]
    came = last >= entries
    later = np.minimum(visits[last[came]] - visits[entries[came]], len(columns) - 1)
    counts = np.bincount(cohort[came] * len(columns) + later, minlength=size * len(columns))
    return np.cumsum(counts.reshape(size, len(columns))[:, ::-1], axis=1)[:, ::-1]


def _cells(
    counts: list[int], size: int, periods: list[Bucket], columns: list[_Column], now: datetime
) -> tuple[RetentionCell, ...]:
    """The cells of a cohort; the first of the periods is its own."""
    cells = []
    for actors, column in zip(counts, columns, strict=True):
        begun = periods[column.first].start < now
        share = actors / size if size and begun else None
        cells.append(RetentionCell(actors, share, open=not periods[column.last].complete))
    return tuple(cells)


def _average(cohorts: tuple[Cohort, ...], column: int) -> float | None:
    """The share of all cohorts whose cell in a column is complete."""
    complete = [(cohort.cells[column].actors, cohort.size) for cohort in cohorts if not cohort.cells[column].open]
    size = sum(size for _, size in complete)
    return sum(actors for actors, _ in complete) / size if size else None
