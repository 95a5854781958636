"""In how many periods actors came."""

from __future__ import annotations

from collections import Counter

from chatnation.core.query.answers import StickinessAnswer
from chatnation.core.query.model import Stickiness
from tests.core.query.asking import (
    by_actor,
    inside,
    matches,
    period,
    periods_of,
)
from tests.core.query.histories import PlainEvent


def comers(query: Stickiness, events: list[PlainEvent]) -> dict[str, list[PlainEvent]]:
    """Who came in the range, and what they did there."""
    found = {}
    for actor, theirs in by_actor(events, query, query.actor).items():
        came = [event for event in theirs if inside(event, query.range) and matches(event, query.select)]
        if came:
            found[actor] = came
    return found


def periods_of_one(query: Stickiness, came: list[PlainEvent]) -> int:
    return len({period(event.time, query.granularity, query.range.zone) for event in came})


def recount(query: Stickiness, events: list[PlainEvent]) -> StickinessAnswer:
    periods = len(periods_of(query.range, query.granularity))
    counts = Counter(periods_of_one(query, came) for came in comers(query, events).values())
    actors = tuple(counts[number] for number in range(1, periods + 1))
    return StickinessAnswer(periods, actors, sum(actors))
