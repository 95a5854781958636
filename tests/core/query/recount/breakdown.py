"""Measures by the values of fields."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chatnation.core.query.answers import BreakdownAnswer, BreakdownRow
from chatnation.core.query.model import Breakdown, Range
from tests.core.query.histories import PlainEvent
from tests.core.query.recount.series import Counted, Values

OTHER, TOTAL = "other", "total"


def recount(query: Breakdown, events: Sequence[PlainEvent], now: datetime) -> BreakdownAnswer:
    counted = Counted(query, events)

    def values(event: PlainEvent) -> Values:
        return tuple(map(event.value, query.by))

    kept = counted.ranked(values)[: query.limit]

    def told(stretch: Range) -> list[tuple[float | None, ...]]:
        """The measures of each value, of all others, and of everything."""
        rows = counted.measures(stretch, lambda event: its if (its := values(event)) in kept else OTHER, [*kept, OTHER])
        total = counted.measures(stretch, lambda event: TOTAL, [TOTAL])
        return list(zip(*([*each, *all_of_it] for each, all_of_it in zip(rows, total, strict=True)), strict=True))

    current = told(query.range)
    before = told(query.range.previous()) if query.compare else [None] * len(current)
    none = (None,) * len(query.by)
    rows = [BreakdownRow(*each) for each in zip([*kept, none, none], current, before, strict=True)]
    return BreakdownAnswer(
        tuple(each.name for each in (*query.series, *query.formulas)),
        tuple(rows[: len(kept)]),
        rows[-2] if counted.beyond(kept, values) else None,
        rows[-1],
        counted.unusable(),
    )
