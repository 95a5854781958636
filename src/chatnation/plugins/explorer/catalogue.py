"""What is known of the events of a tenant: as seen, and as plugins describe them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chatnation import EventType
from chatnation.query import (
    Breakdown,
    Catalogue,
    CataloguedEvent,
    Condition,
    Range,
    Series,
    Timeseries,
    TimeseriesAnswer,
)

MOST_NAMES = 500
MOST_LINES = 50
"""Names for which a trend is drawn."""


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An event name: what was seen of it, None if nothing; what is said of it, and how it went over time."""

    name: str
    seen: CataloguedEvent | None
    known: EventType | None
    trend: Sequence[float | None] = ()

    @property
    def count(self) -> int:
        return self.seen.count if self.seen else 0

    @property
    def persons(self) -> int:
        return self.seen.persons if self.seen else 0

    @property
    def first_seen(self) -> datetime | None:
        return self.seen.first_seen if self.seen else None

    @property
    def last_seen(self) -> datetime | None:
        return self.seen.last_seen if self.seen else None

    @property
    def senders(self) -> list[str]:
        return list(self.seen.senders) if self.seen else []


def catalogue_question(range_: Range, conditions: Sequence[Condition], event_name: str | None = None) -> Catalogue:
    """Every event name, or one in more detail."""
    return Catalogue(range=range_, filters=tuple(conditions), event_name=event_name, limit=MOST_NAMES)


def trends_question(range_: Range, conditions: Sequence[Condition]) -> Timeseries:
    """The most frequent names by day."""
    return Timeseries(
        range=range_,
        filters=tuple(conditions),
        series=(Series("events"),),
        by="event_name",
        limit=MOST_LINES,
        granularity="day",
    )


def names_question(range_: Range) -> Breakdown:
    """The names, the most frequent first."""
    return Breakdown(range=range_, by=("event_name",), limit=MOST_NAMES)


def described(types: Iterable[EventType]) -> dict[str, EventType]:
    """Descriptions by name; of several the first."""
    found: dict[str, EventType] = {}
    for each in types:
        found.setdefault(each.name, each)
    return found


def entries(
    seen: Sequence[CataloguedEvent], known: Mapping[str, EventType], trends: TimeseriesAnswer | None = None
) -> list[CatalogueEntry]:
    """What was seen, the most frequent first; then what is described and was not."""
    lines = {line.value: line.values for line in trends.lines if not line.other} if trends else {}
    found = [
        CatalogueEntry(each.event_name, each, known.get(each.event_name), lines.get(each.event_name, ()))
        for each in seen
    ]
    names = {each.event_name for each in seen}
    return found + [CatalogueEntry(name, None, each) for name, each in known.items() if name not in names]
