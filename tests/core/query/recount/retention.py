"""Who came back, and who is behind a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from chatnation.core.query.answers import Cohort, FoundActor, RetentionAnswer, RetentionCell
from chatnation.core.query.model import Retention, RetentionActors
from tests.core.query.asking import (
    bucket,
    by_actor,
    inside,
    listed,
    matches,
    period,
    period_start,
    periods_of,
)
from tests.core.query.histories import PlainEvent


def columns_of(query: Retention) -> list[tuple[int, int]]:
    """The first and the last period of each column, after that of the cohort."""
    if query.rule == "bracket":
        ends = [*query.brackets[1:], query.periods]
        return [(first, end - 1) for first, end in zip(query.brackets, ends, strict=True)]
    return [(number, number) for number in range(query.periods)]


def cohorts_of(query: Retention, theirs: list[PlainEvent]) -> list[tuple[int, PlainEvent]]:
    """The cohorts that an actor is in, each with the event that began it."""
    zone = query.range.zone
    starts = [event for event in theirs if matches(event, query.start)]
    if query.first_time:
        starts = [event for event in starts[:1] if inside(event, query.range)]
    found: dict[int, PlainEvent] = {}
    for event in starts:
        if inside(event, query.range):
            found.setdefault(period(event.time, query.granularity, zone), event)
    return list(found.items())


@dataclass(frozen=True)
class Entry:
    """An actor in a cohort: with what they began, and with what they were back."""

    actor: str
    cohort: int
    start: PlainEvent
    backs: list[PlainEvent]

    def back_in(self, query: Retention, column: int) -> list[PlainEvent]:
        """What makes them be back in a column, in order."""
        first, last = columns_of(query)[column]
        reach = math.inf if query.rule == "on_or_after" else last
        numbers = [period(event.time, query.granularity, query.range.zone) - self.cohort for event in self.backs]
        return [event for event, number in zip(self.backs, numbers, strict=True) if first <= number <= reach]


def entries_of(query: Retention, events: list[PlainEvent], now: datetime) -> list[Entry]:
    zone, granularity = query.range.zone, query.granularity
    last_end = period_start(periods_of(query.range, granularity)[-1] + query.periods, granularity, zone)
    seen_until = max(query.range.end, now if query.rule == "on_or_after" else min(now, last_end))
    return [
        Entry(
            actor,
            cohort,
            start,
            [
                event
                for event in theirs
                if matches(event, query.back) and event.place >= start.place and event.time < seen_until
            ],
        )
        for actor, theirs in by_actor(events, query, query.actor).items()
        for cohort, start in cohorts_of(query, theirs)
    ]


def is_open(query: Retention, cohort: int, column: int, now: datetime) -> bool:
    _, last = columns_of(query)[column]
    return period_start(cohort + last + 1, query.granularity, query.range.zone) > now


def recount(query: Retention, events: list[PlainEvent], now: datetime) -> RetentionAnswer:
    zone, granularity = query.range.zone, query.granularity
    columns = columns_of(query)
    entries = entries_of(query, events, now)

    def cell(cohort: int, size: int, place: int) -> RetentionCell:
        back = sum(bool(entry.back_in(query, place)) for entry in entries if entry.cohort == cohort)
        begun = period_start(cohort + columns[place][0], granularity, zone) < now
        return RetentionCell(back, back / size if begun and size else None, is_open(query, cohort, place, now))

    cohorts = []
    for cohort in periods_of(query.range, granularity):
        size = sum(entry.cohort == cohort for entry in entries)
        cells = tuple(cell(cohort, size, place) for place in range(len(columns)))
        cohorts.append(Cohort(bucket(cohort, granularity, zone, now), size, cells))
    average = []
    for place in range(len(columns)):
        closed = [cohort for cohort in cohorts if not cohort.cells[place].open]
        size = sum(cohort.size for cohort in closed)
        average.append(sum(cohort.cells[place].actors for cohort in closed) / size if size else None)
    return RetentionAnswer(tuple(name_of(query, column) for column in columns), tuple(cohorts), tuple(average))


def behind(asked: RetentionActors, events: list[PlainEvent], now: datetime) -> tuple[FoundActor, ...]:
    """Who is behind a cell, one entry after the other."""
    query, rows = asked.retention, []
    for entry in entries_of(query, events, now):
        if asked.cohort is not None:
            counts = bucket(entry.cohort, query.granularity, query.range.zone, now).label == asked.cohort
        else:
            counts = asked.outcome == "began" or not is_open(query, entry.cohort, asked.column, now)
        back = entry.back_in(query, asked.column)
        if counts and (asked.outcome == "began" or (asked.outcome == "back") == bool(back)):
            rows.append((entry.actor, back[-1].time if asked.outcome == "back" else entry.start.time))
    return listed(rows, query.actor)


def name_of(query: Retention, column: tuple[int, int]) -> str:
    first, last = column
    if query.rule == "on_or_after":
        return f"{first}+"
    return str(first) if first == last else f"{first}-{last}"
