"""What is told of rows, by group: a meter is made once for the rows of a series, and read for any grouping of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.local import loadable
from chatnation.core.query.evaluate.rows import Picked
from chatnation.core.query.frame import Codes, Floats, Need, Rows
from chatnation.core.query.model import Measure, Series, Source
from chatnation.core.query.store import QueryRefused

Groups = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Runs:
    """Groups whose rows lie together: group i has those from `bounds[i]` up to `bounds[i + 1]`."""

    bounds: Rows

    @property
    def each(self) -> Groups:
        """The group of each row."""
        return np.repeat(np.arange(len(self.bounds) - 1, dtype=np.int32), np.diff(self.bounds))


Meter = Callable[[Groups | Runs, int], Floats]
"""Takes the group of each row, from 0, and the number of groups; tells the measure of each, NaN where it has none."""

PERCENTILES = {"p50": 0.50, "p75": 0.75, "p90": 0.90, "p95": 0.95, "p99": 0.99}
NUMERIC = frozenset({"sum", "avg", "min", "max", *PERCENTILES})
"""Measures of the numbers of a field."""

_CELLS = 1 << 26
"""At most so many marks, a byte each, to tell different values apart; beyond that they are sorted."""


def check_measure(series: Series, source: Source) -> None:
    """Refuses a measure without the field that it needs, or with one that it has no use for."""
    kind, name = series.measure.kind, series.measure.field
    if (kind in NUMERIC or kind == "distinct") and name is None:
        raise QueryRefused(f"Series {series.name!r}: the measure {kind} needs a field.")
    if name is not None:
        if kind not in NUMERIC and kind != "distinct":
            raise QueryRefused(f"Series {series.name!r}: the measure {kind} takes no field.")
        field_of(name, source)


def need_of_measure(measure: Measure, source: Source) -> Need:
    """The columns that a measure reads."""
    if measure.field is not None:
        fields = frozenset({field_of(measure.field, source)})
        return loadable(Need(numbers=fields) if measure.kind in NUMERIC else Need(columns=fields))
    if measure.kind == "sessions":
        return Need(actors=frozenset({"session"}))
    return Need(actors=frozenset({"person"})) if measure.kind in ("persons", "new_persons") else Need()


def meter(picked: Picked, measure: Measure, source: Source) -> Meter:
    """A meter of some rows. Of `new_persons` they are the first rows, so that these only have to be counted."""
    kind, frame, rows = measure.kind, picked.frame, picked.rows
    if kind in ("count", "new_persons"):
        return _count
    if kind in NUMERIC:
        return _of_numbers(kind, frame.numbers(field_of(measure.field or "", source)).values[rows])
    if kind == "distinct":
        column = frame.column(field_of(measure.field or "", source))
        return _distinct(column.codes[rows], len(column.values))
    actors = frame.actors("person" if kind == "persons" else "session")
    return _distinct(actors.codes[rows], len(actors.names))


def _count(groups: Groups | Runs, size: int) -> Floats:
    counts = np.diff(groups.bounds) if isinstance(groups, Runs) else np.bincount(groups, minlength=size)
    return counts.astype(np.float64)


def _distinct(codes: Codes, values: int) -> Meter:
    known = codes >= 0
    everyone = bool(known.all())
    if not everyone:
        codes = codes[known]

    def read(groups: Groups | Runs, size: int) -> Floats:
        keys = codes.astype(np.int64)
        if size > 1:
            each = groups.each if isinstance(groups, Runs) else groups
            keys += (each if everyone else each[known]) * np.int64(values)
        cells = size * values
        # Marks are faster than sorting unless most of them stay empty.
        if cells <= min(_CELLS, max(1 << 20, 16 * len(keys))):
            marks = np.zeros(cells, np.bool_)
            marks[keys] = True
            found: Floats = np.count_nonzero(marks.reshape(size, values), axis=1).astype(np.float64)
            return found
        keys.sort()
        firsts = np.ones(len(keys), np.bool_)
        firsts[1:] = keys[1:] != keys[:-1]
        return _count(keys[firsts] // max(values, 1), size)

    return read


def _of_numbers(kind: str, numbers: Floats) -> Meter:
    usable = ~np.isnan(numbers)
    numbers = numbers[usable]

    def read(groups: Groups | Runs, size: int) -> Floats:
        groups = (groups.each if isinstance(groups, Runs) else groups)[usable]
        if kind in PERCENTILES:
            return percentiles(numbers, groups, size, PERCENTILES[kind])
        if kind in ("min", "max"):
            return _extremes(kind, numbers, groups, size)
        with np.errstate(all="ignore"):
            found = np.bincount(groups, weights=numbers, minlength=size).astype(np.float64)
            if kind == "avg":
                found = found / np.bincount(groups, minlength=size)
        return np.where(np.isfinite(found), found, np.nan)

    return read


def _extremes(kind: str, numbers: Floats, groups: Groups, size: int) -> Floats:
    found = np.full(size, np.inf if kind == "min" else -np.inf)
    (np.minimum if kind == "min" else np.maximum).at(found, groups, numbers)
    return np.where(np.isfinite(found), found, np.nan)


def percentiles(numbers: Floats, groups: Groups, size: int, share: float) -> Floats:
    """A percentile of each group, linear between the two nearest ranks; NaN where a group is empty."""
    if len(groups) and (groups[1:] < groups[:-1]).any():
        # Sixteen bits are sorted by counting, which is several times as fast.
        order = np.argsort(groups.astype(np.int16) if size < 1 << 15 else groups, kind="stable")
        groups, numbers = groups[order], numbers[order]
    else:
        numbers = numbers.copy()
    bounds = np.searchsorted(groups, np.arange(size + 1))
    counts = np.diff(bounds)
    for group in np.flatnonzero(counts > 1):
        numbers[bounds[group] : bounds[group + 1]].sort()
    found = np.full(size, np.nan)
    filled = counts > 0
    ranks = share * (counts[filled] - 1)
    below = np.floor(ranks).astype(np.intp)
    low = bounds[:-1][filled] + below
    high = np.minimum(low + 1, bounds[1:][filled] - 1)
    part = ranks - below
    # Not low + part * (high - low), which may overflow.
    found[filled] = numbers[low] * (1 - part) + numbers[high] * part
    return found
