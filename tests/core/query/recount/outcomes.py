"""What became of attempts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatnation.core.query.answers import Attempt, OutcomeCounts, OutcomesAnswer, OutcomesBucket, OutcomesGroup, Spread
from chatnation.core.query.model import Outcomes, Range, Tell
from tests.core.query.asking import (
    actor_of,
    bucket,
    by_actor,
    frequent,
    inside,
    matches,
    meets,
    period,
    periods_of,
    seconds,
    spread_of,
)
from tests.core.query.histories import PlainEvent


@dataclass(frozen=True)
class Fate:
    """An attempt in the oracle: its start, the name of what became of it, and the event that was that."""

    start: PlainEvent
    name: str
    event: PlainEvent | None = None


def fates_of(query: Outcomes, events: list[PlainEvent], stretch: Range, now: datetime) -> list[Fate]:
    """What became of each attempt that counts."""
    found = []
    for theirs in by_actor(events, query, query.actor).values():
        for place, start in enumerate(theirs):
            if matches(start, query.start) and inside(start, stretch) and counts(start, query):
                found.append(fate_of(query, start, theirs[place + 1 :], now))
    return found


def counts(event: PlainEvent, query: Outcomes) -> bool:
    return all(meets(event, condition) for condition in query.where)


def fate_of(query: Outcomes, start: PlainEvent, later: list[PlainEvent], now: datetime) -> Fate:
    attempt: list[PlainEvent] = []
    cut = False
    for event in later:
        if seconds(event.time, start.time) > query.window:
            break
        if matches(event, query.start):
            cut = True
            break
        attempt.append(event)
    for outcome in query.outcomes:
        for event in attempt:
            if matches(event, outcome.select):
                return Fate(start, outcome.name, event)
    last = [start, *attempt][-1]
    active = query.grace is None or seconds(now, last.time) < query.grace
    return Fate(start, "open" if active and not cut and seconds(now, start.time) < query.window else "none")


def outside_of(query: Outcomes, events: list[PlainEvent], stretch: Range) -> dict[str, int]:
    """By outcome the events that are in no attempt of anybody."""
    if not query.outside:
        return {}
    attempts = []
    for theirs in by_actor(events, query, query.actor).values():
        for place, start in enumerate(theirs):
            if matches(start, query.start):
                attempts.append(start)
                for event in theirs[place + 1 :]:
                    if seconds(event.time, start.time) > query.window or matches(event, query.start):
                        break
                    attempts.append(event)
    loose = [
        event
        for event in events
        if inside(event, stretch)
        and (query.include_bots or not event.is_bot)
        and all(meets(event, condition) for condition in query.filters)
        and counts(event, query)
        and not matches(event, query.start)
        and not any(event is other for other in attempts)
    ]
    return {outcome.name: sum(matches(event, outcome.select) for event in loose) for outcome in query.outcomes}


def took_of(query: Outcomes, fates: list[Fate]) -> dict[str, Spread]:
    return {
        outcome.name: spread_of(
            [seconds(fate.event.time, fate.start.time) for fate in fates if fate.name == outcome.name and fate.event]
        )
        for outcome in query.outcomes
    }


def told_of(query: Outcomes, fates: list[Fate]) -> list[Attempt]:
    if query.tell is None:
        return []
    value = (lambda event: event.value(query.by)) if query.by else (lambda event: None)
    told = [
        Attempt(
            str(actor_of(fate.start, query.actor)),
            UUID(fate.start.person) if query.actor == "person" and fate.start.person else None,
            fate.start.time,
            value(fate.start),
            fate.name,
            fate.event.time if fate.event else None,
        )
        for fate in sorted(fates, key=lambda fate: fate.start.place, reverse=True)
        if not query.tell.outcomes or fate.name in query.tell.outcomes
    ]
    return [one for one in told if query.tell.value is None or one.value == query.tell.value]


def counts_of(query: Outcomes, fates: list[str]) -> OutcomeCounts:
    return OutcomeCounts(
        len(fates),
        {outcome.name: fates.count(outcome.name) for outcome in query.outcomes},
        fates.count("none"),
        fates.count("open"),
    )


def recount(query: Outcomes, events: list[PlainEvent], now: datetime) -> OutcomesAnswer:
    fates = fates_of(query, events, query.range, now)
    before = fates_of(query, events, query.range.previous(), now) if query.compare else None
    told = told_of(query, fates)
    tell = query.tell or Tell()
    return OutcomesAnswer(
        counts_of(query, [fate.name for fate in fates]),
        tuple(trend_of(query, fates, now)),
        tuple(groups_of(query, fates)),
        None if before is None else counts_of(query, [fate.name for fate in before]),
        took_of(query, fates),
        {} if before is None else took_of(query, before),
        outside_of(query, events, query.range),
        {} if before is None else outside_of(query, events, query.range.previous()),
        tuple(told[tell.offset : tell.offset + tell.limit]),
        len(told),
    )


def trend_of(query: Outcomes, fates: list[Fate], now: datetime) -> Any:
    if query.granularity is None:
        return
    zone = query.range.zone
    for number in periods_of(query.range, query.granularity):
        theirs = [fate.name for fate in fates if period(fate.start.time, query.granularity, zone) == number]
        yield OutcomesBucket(bucket(number, query.granularity, zone, now), counts_of(query, theirs))


def groups_of(query: Outcomes, fates: list[Fate]) -> Any:
    if query.by is None:
        return
    by_value: dict[str | None, list[str]] = defaultdict(list)
    for fate in fates:
        by_value[fate.start.value(query.by)].append(fate.name)
    for value in frequent({value: len(some) for value, some in by_value.items()}, query.limit):
        yield OutcomesGroup(value, counts_of(query, by_value.pop(value)))
    if by_value:
        yield OutcomesGroup(None, counts_of(query, [fate for some in by_value.values() for fate in some]), other=True)
