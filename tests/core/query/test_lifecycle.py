"""New, returning, resurrecting and dormant actors, against a history by hand and an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatnation.core.query.answers import LifecycleBucket
from chatnation.core.query.evaluate.lifecycle import answer
from chatnation.core.query.model import Lifecycle, Range, Selection
from tests.core.query.asking import (
    GRANULARITIES,
    bucket,
    by_actor,
    inside,
    matches,
    period,
    period_start,
    periods_of,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader

MONDAY = datetime(2025, 3, 3, tzinfo=UTC)
NOW = MONDAY + timedelta(days=60)


def recount(query: Lifecycle, events: list[PlainEvent], now: datetime) -> tuple[LifecycleBucket, ...]:
    zone, granularity = query.range.zone, query.granularity
    found = []
    for number in periods_of(query.range, granularity):
        counts = dict.fromkeys(("new", "returning", "resurrecting", "dormant"), 0)
        for theirs in by_actor(events, query, query.actor).values():
            acts = [event for event in theirs if matches(event, query.select) and event.time < query.range.end]
            seen = {period(event.time, granularity, zone) for event in acts}
            here = [
                event
                for event in acts
                if period(event.time, granularity, zone) == number and inside(event, query.range)
            ]
            if here:
                if min(seen) == number:
                    counts["new"] += 1
                elif number - 1 in seen:
                    counts["returning"] += 1
                else:
                    counts["resurrecting"] += 1
            begun = period_start(number, granularity, zone) < now
            if number - 1 in seen and number not in seen and begun:
                counts["dormant"] += 1
        found.append(LifecycleBucket(bucket(number, granularity, zone, now), **counts))
    return tuple(found)


@pytest.mark.parametrize("first", range(0, 400, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = Lifecycle(
            **random_frame(random, beginning),
            select=random_selection(random),
            granularity=random.choice(GRANULARITIES[1:]),
            actor=random.choice(("person", "person", "country_code")),
        )
        found = await answer(query, PlainLoader(events), now)
        assert found.buckets == recount(query, events, now), (number, query)


async def test_whoever_stays_away_for_a_week_is_dormant_once_and_then_resurrects() -> None:
    weeks = {"ann": (0, 1, 2, 3), "bob": (0, 2), "cem": (1,)}
    events = [
        PlainEvent(MONDAY + timedelta(weeks=week, days=day), "visit", person)
        for person, some in weeks.items()
        for week in some
        for day in (1, 3)
    ]
    query = Lifecycle(range=Range(MONDAY, MONDAY + timedelta(weeks=5)), select=Selection(("visit",)))

    found = await answer(query, PlainLoader(events), NOW)

    assert [(week.new, week.returning, week.resurrecting, week.dormant) for week in found.buckets] == [
        (2, 0, 0, 0),
        (1, 1, 0, 1),
        (0, 1, 1, 1),
        (0, 1, 0, 1),
        (0, 0, 0, 1),
    ]


async def test_history_before_the_range_decides_who_is_new() -> None:
    events = [
        PlainEvent(MONDAY - timedelta(weeks=10), "visit", "old"),
        PlainEvent(MONDAY - timedelta(days=1), "visit", "away"),
        *(PlainEvent(MONDAY + timedelta(days=1), "visit", person) for person in ("old", "fresh")),
    ]
    query = Lifecycle(range=Range(MONDAY, MONDAY + timedelta(weeks=1)))

    (week,) = (await answer(query, PlainLoader(events), NOW)).buckets

    assert (week.new, week.returning, week.resurrecting, week.dormant) == (1, 0, 1, 1)


async def test_nobody_is_dormant_in_a_week_that_has_not_begun() -> None:
    events = [PlainEvent(MONDAY, "visit", "ann")]
    query = Lifecycle(range=Range(MONDAY, MONDAY + timedelta(weeks=3)))

    found = await answer(query, PlainLoader(events), MONDAY + timedelta(days=8))

    at_its_begin = await answer(query, PlainLoader(events), MONDAY + timedelta(days=7))

    assert [week.dormant for week in found.buckets] == [0, 1, 0]
    assert [week.dormant for week in at_its_begin.buckets] == [0, 0, 0]
    assert [week.bucket.complete for week in found.buckets] == [True, False, False]
