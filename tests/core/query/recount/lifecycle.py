"""New, returning, resurrecting and dormant actors."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chatnation.core.query.answers import LifecycleAnswer, LifecycleBucket
from chatnation.core.query.model import Lifecycle
from tests.core.query.asking import (
    bucket,
    by_actor,
    inside,
    matches,
    period,
    period_start,
    periods_of,
)
from tests.core.query.histories import PlainEvent

STATES: tuple[Any, ...] = ("new", "returning", "resurrecting", "dormant")


def states_of(
    query: Lifecycle, events: list[PlainEvent], now: datetime, number: int
) -> dict[str, list[tuple[str, datetime]]]:
    """By state, who is in it in a period, and the last thing that they did there, or just before it."""
    zone, granularity = query.range.zone, query.granularity
    found: dict[str, list[tuple[str, datetime]]] = {state: [] for state in STATES}
    for actor, theirs in by_actor(events, query, query.actor).items():
        acts = [event for event in theirs if matches(event, query.select) and event.time < query.range.end]
        times: dict[int, datetime] = {}
        for event in acts:
            times[period(event.time, granularity, zone)] = event.time
        here = [
            event for event in acts if period(event.time, granularity, zone) == number and inside(event, query.range)
        ]
        if here:
            state = "new" if min(times) == number else "returning" if number - 1 in times else "resurrecting"
            found[state].append((actor, times[number]))
        begun = period_start(number, granularity, zone) < now
        if number - 1 in times and number not in times and begun:
            found["dormant"].append((actor, times[number - 1]))
    return found


def recount(query: Lifecycle, events: list[PlainEvent], now: datetime) -> LifecycleAnswer:
    return LifecycleAnswer(
        tuple(
            LifecycleBucket(
                bucket(number, query.granularity, query.range.zone, now),
                **{state: len(actors) for state, actors in states_of(query, events, now, number).items()},
            )
            for number in periods_of(query.range, query.granularity)
        )
    )
