"""New, returning, resurrecting and dormant actors, against a history by hand and an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.lifecycle import answer
from chatnation.core.query.model import Lifecycle, LifecycleActors, Range, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    GRANULARITIES,
    check_list,
    listed,
    periods_of,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.lifecycle import STATES, recount, states_of

MONDAY = datetime(2025, 3, 3, tzinfo=UTC)
NOW = MONDAY + timedelta(days=60)


@pytest.mark.parametrize("first", range(0, 200, 50))
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
        assert found == recount(query, events, now), (number, query)
        shown = random.choice(found.buckets)
        state = random.choice(STATES)
        asked = LifecycleActors(lifecycle=query, bucket=shown.bucket.label, state=state)
        place = periods_of(query.range, query.granularity)[found.buckets.index(shown)]
        behind = listed(states_of(query, events, now, place)[state], query.actor)
        await check_list(asked, events, now, behind, getattr(shown, state))


async def test_a_list_of_a_period_that_there_is_not_is_refused() -> None:
    query = Lifecycle(range=Range(MONDAY, MONDAY + timedelta(weeks=1)))
    with pytest.raises(QueryRefused, match="2025-03-03"):
        await evaluate(LifecycleActors(lifecycle=query, bucket="2025-03-04", state="new"), PlainLoader([]), NOW)


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
