"""The series of a timeseries or breakdown: checked, then loaded at once, then the rows of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chatnation.core.query.evaluate.conditions import field_of
from chatnation.core.query.evaluate.formulas import Program, program
from chatnation.core.query.evaluate.local import LocalFrame, loadable
from chatnation.core.query.evaluate.measures import NUMERIC, Meter, check_measure, meter, need_of_measure
from chatnation.core.query.evaluate.rows import Picked, check_names, load, picked, relevant
from chatnation.core.query.fields import Field
from chatnation.core.query.frame import Floats, Loader, Mask, Need
from chatnation.core.query.model import Breakdown, Measure, Range, Series, Source, Timeseries


@dataclass(frozen=True, slots=True)
class Plan:
    """A question about series that makes sense: the fields that it is broken down by, and its formulas as programs."""

    query: Timeseries | Breakdown
    by: tuple[Field, ...]
    programs: tuple[Program, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What is told, in order: series, then formulas."""
        return tuple(names_of(self.query))

    def with_formulas(self, measures: Sequence[Floats]) -> list[Floats]:
        """Equally long measures of the series, and what the formulas make of them."""
        by_name = {series.name: found for series, found in zip(self.query.series, measures, strict=True)}
        return [*measures, *(found.run(by_name, len(measures[0])) for found in self.programs)]


@dataclass(frozen=True, slots=True)
class Measured:
    """The rows of a series, those of the range before included where the question compares, and their measure."""

    picked: Picked
    measure: Measure
    source: Source

    def within(self, stretch: Range) -> Measured:
        return Measured(self.picked.within(stretch), self.measure, self.source)

    def meter(self) -> Meter:
        return meter(self.picked, self.measure, self.source)


@dataclass(frozen=True, slots=True)
class Frames:
    """What a question needs: rows of its range, and for new persons everything since the beginning."""

    recent: LocalFrame | None
    ever: LocalFrame | None


def names_of(query: Timeseries | Breakdown) -> list[str]:
    """The names of series and formulas."""
    return [series.name for series in query.series] + [formula.name for formula in query.formulas]


def plan(query: Timeseries | Breakdown, by: Iterable[str]) -> Plan:
    """Checks a question before anything is loaded. Raises QueryRefused."""
    check_names(names_of(query))
    for series in query.series:
        check_measure(series, query.source)
    names = {series.name for series in query.series}
    programs = tuple(program(formula, names) for formula in query.formulas)
    return Plan(query, tuple(field_of(name, query.source) for name in by), programs)


async def frames(planned: Plan, loader: Loader) -> Frames:
    """Loads what a question needs."""
    query = planned.query
    start = query.range.previous().start if query.compare else query.range.start
    recent = [series for series in query.series if series.measure.kind != "new_persons"]
    ever = [series for series in query.series if series.measure.kind == "new_persons"]
    by = loadable(Need(columns=frozenset(planned.by)))

    async def loaded(some: Sequence[Series], *, since: bool) -> LocalFrame | None:
        if not some:
            return None
        need = by
        for series in some:
            need |= need_of_measure(series.measure, query.source)
        stretch = (start if since else None, query.range.end)
        return await load(query, loader, need, (series.select for series in some), stretch)

    return Frames(await loaded(recent, since=True), await loaded(ever, since=False))


def measured(query: Timeseries | Breakdown, loaded: Frames) -> list[Measured]:
    """The rows of each series."""
    masks: dict[int, Mask] = {}
    found: dict[str, Picked] = {}

    def rows(series: Series) -> Picked:
        new = series.measure.kind == "new_persons"
        frame = loaded.ever if new else loaded.recent
        assert frame is not None
        # By its text: of two conditions that only differ in True and 1, Python says that they are equal.
        key = f"{new} {series.select!r}"
        if key not in found:
            if id(frame) not in masks:
                masks[id(frame)] = relevant(frame, query)
            some = picked(frame, masks[id(frame)], series.select, query.source)
            found[key] = _first_rows(some) if new else some
        return found[key]

    return [Measured(rows(series), series.measure, query.source) for series in query.series]


def unusable(series: Iterable[Measured]) -> Mapping[str, int]:
    """By field, how many rows of any of the series that measure its numbers have a value that is no number."""
    rows: dict[str, Mask] = {}
    for some in series:
        name, frame = some.measure.field, some.picked.frame
        if name is None or some.measure.kind not in NUMERIC:
            continue
        bad = frame.numbers(field_of(name, some.source)).unusable
        rows.setdefault(name, np.zeros(frame.size, np.bool_))[some.picked.rows[bad[some.picked.rows]]] = True
    return {name: count for name, bad in rows.items() if (count := int(np.count_nonzero(bad)))}


def _first_rows(some: Picked) -> Picked:
    """The first row of each person."""
    persons = some.frame.actors("person")
    codes = persons.codes[some.rows]
    first = np.full(len(persons.names), some.frame.size, np.intp)
    np.minimum.at(first, codes[codes >= 0], some.rows[codes >= 0])
    return Picked(some.frame, np.sort(first[first < some.frame.size]))
