"""Funnels against an oracle: random histories under random options."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chatnation.core.query.evaluate.funnel import answer
from chatnation.core.query.evaluate.funnel_actors import answer as actors_answer
from chatnation.core.query.evaluate.funnel_walk import answer as walk_answer
from chatnation.core.query.model import DAY, Exclusion, Funnel, FunnelActors, FunnelWalk, Range, Step
from tests.core.query.asking import (
    approximately,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.funnel_oracle import Chain, counted_chains
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

WINDOWS = (0.001, 0.5, 3600, DAY, 7 * DAY, 30 * DAY, 30 * DAY)
FIELDS = ("country_code", "properties.kind", "properties.x")


def random_funnel(random: Random, beginning: datetime) -> Funnel:
    """Options that go together, all of them now and then."""
    order: Any = random.choice(("ordered", "ordered", "strict", "any"))
    count = random.choice((1, 2, 2, 3, 3, 4, 6))
    steps = [random_step(random, place, order) for place in range(count)]
    backbone = [place for place, step in enumerate(steps) if not step.optional]
    exclusions: tuple[Exclusion, ...] = ()
    if order != "any" and len(backbone) > 1 and random.random() < 0.4:
        exclusions = tuple(
            Exclusion(random_selection(random), random.choice(backbone[:-1])) for _ in range(random.choice((1, 1, 2)))
        )
    frame = random_frame(random, beginning)
    if random.random() < 0.6:
        frame["range"] = Range(beginning, beginning + timedelta(days=random.choice((1, 20))), frame["range"].timezone)
    return Funnel(
        **frame,
        steps=tuple(steps),
        window=random.choice(WINDOWS),
        order=order,
        anchor_first=random.random() < 0.5,
        anchor_last=random.random() < 0.5,
        exclusions=exclusions,
        constant=random.choice(((), (), (), (), (), ("properties.kind",), ("country_code", "properties.x"))),
        entry=random.choice(("best", "best", "first", "totals")),
        journey_flags=random.random() < 0.2,
        actor=random.choice(("person", "person", "session", "country_code")),
        by=random.choice((None, *FIELDS)),
        attribution=random.choice(("first", "last", "step", "any")),
        attribution_step=random.randrange(count),
        limit=random.choice((1, 2, 10)),
        granularity=random.choice((None, "hour", "day", "week", "month")),
        compare=random.random() < 0.2,
    )


def random_step(random: Random, place: int, order: str) -> Step:
    free = order != "any"
    return Step(
        f"Step {place}",
        random_selection(random),
        within=random.choice((0.5, 3600, DAY, 5 * DAY)) if free and random.random() < 0.2 else None,
        optional=free and place > 0 and random.random() < 0.25,
    )


async def check_actors(events: list[PlainEvent], query: Funnel, now: datetime, chains: list[Chain]) -> None:
    random = Random(len(events))
    step = random.randrange(len(query.steps))
    outcome: Any = random.choice(("reached", "dropped", "open"))
    values = sorted({value for chain in chains if query.by and (value := chain.value()) is not None})
    rows: list[dict[str, Any]] = [{"missing": True}, {"other": True}, *({"value": value} for value in values)]
    asked = FunnelActors(funnel=query, step=step, outcome=outcome, limit=10_000)
    asked = replace(asked, **random.choice(rows)) if query.by and random.random() < 0.7 else asked
    found = await actors_answer(asked, PlainLoader(events), now)
    expected: Any = recounted(asked, events, now)
    if query.entry == "totals":  # several entries of an actor at one instant come in any order
        place = attrgetter("entered_at", "actor", "last_at", "reached")
        assert sorted(found.actors, key=place) == sorted(expected.actors, key=place)
        assert found.total == expected.total
    else:
        assert found == expected
    page = await actors_answer(replace(asked, offset=1, limit=2), PlainLoader(events), now)
    assert (page.actors, page.total) == (found.actors[1:3], found.total)


async def check_walk(events: list[PlainEvent], query: Funnel, now: datetime, chains: list[Chain]) -> None:
    person = str(UUID(int=1))
    found = await walk_answer(FunnelWalk(funnel=query, person_id=UUID(person)), PlainLoader(events), now)
    theirs = [chain for chain in chains if chain.actor == person]
    if query.actor == "person":
        theirs.sort(key=lambda chain: (-len(chain.came), chain.came[0].place))
        served = [(event.time, event.name, step) for step, event in theirs[0].served.items()] if theirs else []
        assert found.reached == (theirs[0].backbone[len(theirs[0].came) - 1] + 1 if theirs else 0)
        told = [(event.timestamp, event.event_name, event.served) for event in found.events]
        assert sorted(row for row in told if row[2] is not None) == sorted(served)
    assert found.verdict.endswith(".")
    assert not found.truncated


async def check(events: list[PlainEvent], query: Funnel, now: datetime) -> int:
    """Holds an answer to the oracle; how many chains converted."""
    found = await answer(query, PlainLoader(events), now)
    assert approximately(found, recounted(query, events, now)), query
    chains = counted_chains(events, query)
    await check_actors(events, query, now, chains)
    await check_walk(events, query, now, chains)
    return sum(chain.done for chain in chains)


@pytest.mark.parametrize("block", range(20))
async def test_answers_are_those_of_the_oracle(block: int) -> None:
    converted = 0
    for number in range(80):
        random, beginning, events, now = random_case(block * 1000 + number)
        query = random_funnel(random, beginning)
        converted += await check(events, query, now)
    assert converted > 20
