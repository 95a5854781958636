"""What timeseries and breakdowns have in common: the rows of each series, measures of them, and formulas."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from chatnation.core.query.model import Breakdown, Formula, Range, Series, Timeseries
from tests.core.query import plain
from tests.core.query.histories import PlainEvent

Values = tuple[str | None, ...]


class Counted:
    """The events of each series of a question, of all times and in order."""

    def __init__(self, query: Timeseries | Breakdown, events: Sequence[PlainEvent]) -> None:
        self.query = query
        self._events = {series.name: self._found(series, events) for series in query.series}

    def _found(self, series: Series, events: Sequence[PlainEvent]) -> list[PlainEvent]:
        found = plain.about(events, self.query, series.select)
        return plain.newcomers(found) if series.measure.kind == "new_persons" else found

    def measures(
        self, stretch: Range, key: Callable[[PlainEvent], Any], keys: Iterable[Any]
    ) -> list[list[float | None]]:
        """For each series and formula, the measure of the events of each key."""
        keys = list(keys)
        told: list[list[float | None]] = []
        for series in self.query.series:
            by_key: dict[Any, list[PlainEvent]] = {one: [] for one in keys}
            for event in plain.inside(self._events[series.name], stretch):
                if (its := key(event)) in by_key:
                    by_key[its].append(event)
            told.append([plain.told(by_key[one], series.measure, stretch.zone) for one in keys])
        names = [series.name for series in self.query.series]
        by_place = [dict(zip(names, each, strict=True)) for each in zip(*told, strict=True)]
        return told + [[computed(formula, each) for each in by_place] for formula in self.query.formulas]

    def ranked(self, key: Callable[[PlainEvent], Values]) -> list[Values]:
        """All values of the range, the greatest of the first series first."""
        stretch = self.query.range
        values = list({key(event): None for some in self._events.values() for event in plain.inside(some, stretch)})
        scores = dict(zip(values, self.measures(stretch, key, values)[0], strict=True)) if values else {}

        def place(value: Values) -> tuple[Any, ...]:
            score = scores[value]
            return score is None, -(score or 0), [(text is None, text or "") for text in value]

        return sorted(values, key=place)

    def beyond(self, kept: Sequence[Values], key: Callable[[PlainEvent], Values]) -> bool:
        """Whether an event of the range, or of the one before where that is asked for, has another value."""
        stretches = [self.query.range, *([self.query.range.previous()] if self.query.compare else [])]
        return any(
            key(event) not in kept
            for some in self._events.values()
            for stretch in stretches
            for event in plain.inside(some, stretch)
        )

    def unusable(self) -> dict[str, int]:
        """By field, how many events of the range that are measured by it have a value that is no number."""
        numeric = [series for series in self.query.series if series.measure.kind in plain.NUMERIC]
        found: dict[str, dict[int, PlainEvent]] = {}
        for series in numeric:
            some = plain.inside(self._events[series.name], self.query.range)
            found.setdefault(series.measure.field or "", {}).update({id(event): event for event in some})
        counts = {field: plain.unusable(some.values(), field) for field, some in found.items()}
        return {field: count for field, count in counts.items() if count}


def computed(formula: Formula, series: Mapping[str, float | None]) -> float | None:
    """What a formula makes of measures: nothing if one is missing, of a division by zero, and beyond all numbers."""
    if any(series[name] is None for name in re.findall(r"\{([^{}]*)\}", formula.expression)):
        return None
    written = re.sub(r"\{([^{}]*)\}", lambda match: f"({float(series[match[1]] or 0)!r})", formula.expression)
    try:
        found = float(eval(written, {"__builtins__": {}}))
    except (ZeroDivisionError, OverflowError):
        return None
    return found if math.isfinite(found) else None
