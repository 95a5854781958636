"""On how many periods actors came, against a count by hand and an oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chatnation.core.query.answers import StickinessAnswer
from chatnation.core.query.evaluate.stickiness import answer
from chatnation.core.query.model import Range, Selection, Stickiness, StickinessActors
from tests.core.query.asking import (
    GRANULARITIES,
    check_list,
    listed,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.stickiness import comers, periods_of_one, recount

NOW = datetime(2025, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize("first", range(0, 200, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = Stickiness(
            **random_frame(random, beginning),
            select=random_selection(random),
            granularity=random.choice(GRANULARITIES),
            actor=random.choice(("person", "session", "country_code")),
        )
        found = await answer(query, PlainLoader(events), now)
        assert found == recount(query, events), (number, query)
        often = random.choice([place for place, count in enumerate(found.actors, 1) if count] or [1])
        behind = listed(
            (
                (actor, came[-1].time)
                for actor, came in comers(query, events).items()
                if periods_of_one(query, came) == often
            ),
            query.actor,
        )
        asked = StickinessActors(stickiness=query, periods=often)
        await check_list(asked, events, now, behind, found.actors[often - 1])


async def test_an_actor_who_comes_twice_on_a_day_came_on_one_day() -> None:
    monday = datetime(2025, 3, 24, 12, tzinfo=UTC)
    times = {"ann": (0, 1, 25), "bob": (2,), "cem": (0, 24, 48)}
    events = [
        PlainEvent(monday + timedelta(hours=hours), "visit", person) for person, some in times.items() for hours in some
    ]
    query = Stickiness(range=Range(monday, monday + timedelta(days=3)), select=Selection(("visit",)))

    assert await answer(query, PlainLoader(events), NOW) == StickinessAnswer(4, (1, 1, 1, 0), 3)
    assert await answer(query, PlainLoader([]), NOW) == StickinessAnswer(4, (0, 0, 0, 0), 0)


async def test_a_local_day_may_be_two_days_of_utc() -> None:
    evening = datetime(2025, 3, 24, 22, tzinfo=UTC)
    events = [PlainEvent(evening + timedelta(hours=hours), "visit", "ann") for hours in (0, 4)]
    query = Stickiness(range=Range(evening - timedelta(hours=4), evening + timedelta(hours=5), "Africa/Nairobi"))
    utc = replace(query, range=replace(query.range, timezone="UTC"))

    assert (await answer(query, PlainLoader(events), NOW)).actors == (1, 0)
    assert (await answer(utc, PlainLoader(events), NOW)).actors == (0, 1)
