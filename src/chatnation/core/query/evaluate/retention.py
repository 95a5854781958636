"""Of the actors who did one thing in a period, how many did another in it and in later ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.answers import Bucket, Cohort, RetentionAnswer, RetentionCell
from chatnation.core.query.evaluate.acts import Acts, acts
from chatnation.core.query.evaluate.calendar import bucket_of, buckets
from chatnation.core.query.evaluate.ordering import next_match, run_bounds
from chatnation.core.query.frame import Codes, Loader, Rows, micros
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


@dataclass(frozen=True, slots=True)
class _Entries:
    """Actors in cohorts: where in the order their `start` is, and in which period. An actor may be in several."""

    places: Rows
    periods: Codes


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
    period = bucket_of(did.time, periods)
    entries = _entries(query, did, period)
    sizes = np.bincount(entries.periods, minlength=len(cohorts))
    count = _returned_since if query.rule == "on_or_after" else _returned
    counts = count(did, period, entries, columns, len(cohorts))
    rows = tuple(
        Cohort(
            cohort,
            int(sizes[number]),
            tuple(
                _cell(int(counts[number, place]), int(sizes[number]), periods[number:], column, now)
                for place, column in enumerate(columns)
            ),
        )
        for number, cohort in enumerate(cohorts)
    )
    names = tuple(column.name for column in columns)
    return RetentionAnswer(names, rows, tuple(_average(rows, place) for place in range(len(columns))))


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


def _entries(query: Retention, did: Acts, period: Codes) -> _Entries:
    starts = did.matches[0]
    if query.first_time:
        places = next_match(starts)[did.order.bounds[:-1]]
        places = places[places < did.order.bounds[1:]]
    else:
        places = np.flatnonzero(starts)
    times = did.time[places]
    places = places[(times >= micros(query.range.start)) & (times < micros(query.range.end))]
    places = places[run_bounds(_visits(did, period, places))[:-1]]
    return _Entries(places, period[places])


def _visits(did: Acts, period: Codes, places: Rows) -> NDArray[np.int64]:
    """A number for the actor and the period of each place; those of one actor rise."""
    return did.order.owners[places] * (1 << 32) + period[places]


def _returned(did: Acts, period: Codes, entries: _Entries, columns: list[_Column], cohorts: int) -> Counts:
    """How many of each cohort were back in each column."""
    # From each entry on, one step is to the actor's next period with a `back`: there are few, and ever fewer go on.
    backs = np.flatnonzero(did.matches[1])
    visits = _visits(did, period, backs)
    bounds = run_bounds(visits)
    visit_of_back = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    visits = np.append(visits[bounds[:-1]], -1)
    column_of = np.full(columns[-1].last + 1, -1)
    for number, column in enumerate(columns):
        column_of[column.first : column.last + 1] = number

    counts = np.zeros((cohorts, len(columns)), np.int64)
    at = np.append(visit_of_back, len(visits) - 1)[np.searchsorted(backs, entries.places)]
    base = _visits(did, period, entries.places)
    cohort = entries.periods
    told = np.full(len(at), -1)
    while len(at):
        later = visits[at] - base
        going = (later >= 0) & (later <= columns[-1].last)
        at, base, cohort, told, later = at[going], base[going], cohort[going], told[going], later[going]
        column_now = column_of[later]
        new = column_now != told
        np.add.at(counts, (cohort[new], column_now[new]), 1)
        at, told = at + 1, column_now
    return counts


def _returned_since(did: Acts, period: Codes, entries: _Entries, columns: list[_Column], cohorts: int) -> Counts:
    """How many of each cohort were back in the period of a column or later."""
    backs = np.flatnonzero(did.matches[1])
    last = np.append(backs, -1)[np.searchsorted(backs, did.order.ends[entries.places]) - 1]
    came = last >= entries.places
    cohort = entries.periods[came]
    later = np.minimum(period[last[came]] - cohort, len(columns) - 1)
    counts = np.bincount(cohort * len(columns) + later, minlength=cohorts * len(columns))
    return np.cumsum(counts.reshape(cohorts, len(columns))[:, ::-1], axis=1)[:, ::-1]


def _cell(actors: int, size: int, periods: list[Bucket], column: _Column, now: datetime) -> RetentionCell:
    begun = periods[column.first].start < now
    share = actors / size if size and begun else None
    return RetentionCell(actors, share, open=not periods[column.last].complete)


def _average(cohorts: tuple[Cohort, ...], column: int) -> float | None:
    """The share of all cohorts whose cell in a column is complete."""
    complete = [(cohort.cells[column].actors, cohort.size) for cohort in cohorts if not cohort.cells[column].open]
    size = sum(size for _, size in complete)
    return sum(actors for actors, _ in complete) / size if size else None
