"""Measures by bucket of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chatnation.core.query.answers import Line, TimeseriesAnswer
from chatnation.core.query.model import Range, Timeseries
from tests.core.query.asking import bucket, period, periods_of
from tests.core.query.histories import PlainEvent
from tests.core.query.recount.series import Counted, Values

Group = tuple[Values, bool]


def recount(query: Timeseries, events: Sequence[PlainEvent], now: datetime) -> TimeseriesAnswer:
    counted = Counted(query, events)
    zone = query.range.zone

    def value(event: PlainEvent) -> Values:
        return (event.value(query.by),) if query.by is not None else (None,)

    kept: list[Values] = [(None,)] if query.by is None else counted.ranked(value)[: query.limit]
    groups: list[Group] = [(one, False) for one in kept]
    if query.by is not None and counted.beyond(kept, value):
        groups.append(((None,), True))

    def group(event: PlainEvent) -> Group:
        its = value(event)
        return (its, False) if its in kept else ((None,), True)

    def lines(stretch: Range) -> tuple[Line, ...]:
        numbers = periods_of(stretch, query.granularity)
        cells = [(each, number) for each in groups for number in numbers]
        told = counted.measures(
            stretch, lambda event: (group(event), period(event.time, query.granularity, zone)), cells
        )
        totals = counted.measures(stretch, group, groups)
        names = [series.name for series in query.series] + [formula.name for formula in query.formulas]
        return tuple(
            Line(name, tuple(cells[at * len(numbers) : (at + 1) * len(numbers)]), total[at], values[0], other)
            for name, cells, total in zip(names, told, totals, strict=True)
            for at, (values, other) in enumerate(groups)
        )

    before = query.range.previous()
    return TimeseriesAnswer(
        tuple(bucket(number, query.granularity, zone, now) for number in periods_of(query.range, query.granularity)),
        lines(query.range),
        tuple(bucket(number, query.granularity, zone, now) for number in periods_of(before, query.granularity))
        if query.compare
        else (),
        lines(before) if query.compare else (),
        counted.unusable(),
    )
