"""Funnels against an oracle: random histories under random options."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from chatnation.core.query.answers import FunnelAnswer, FunnelStep
from chatnation.core.query.evaluate.funnel import answer
from chatnation.core.query.evaluate.funnel_actors import answer as actors_answer
from chatnation.core.query.evaluate.funnel_walk import answer as walk_answer
from chatnation.core.query.model import DAY, Exclusion, Funnel, FunnelActors, FunnelWalk, Range, Step
from tests.core.query.asking import (
    frequent,
    period_start,
    random_case,
    random_frame,
    random_selection,
    seconds,
    spread_of,
)
from tests.core.query.funnel_oracle import Chain, counted_chains, trend
from tests.core.query.histories import PlainEvent, PlainLoader

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


def check_steps(found: FunnelAnswer, chains: list[Chain], query: Funnel, now: datetime) -> None:
    optional = [step.optional for step in query.steps]
    backbone = [place for place, branch in enumerate(optional) if not branch]
    for place, step in enumerate(query.steps):
        there = [chain for chain in chains if chain.at(place)]
        here = [chain for chain in there if not optional[place] and len(chain.came) == backbone.index(place) + 1]
        here = [chain for chain in here if not chain.done]
        before = max((number for number in backbone if number < place), default=None)
        came_before = [chain for chain in chains if before is not None and chain.at(before)]
        told = found.steps[place]
        expected = FunnelStep(
            step.name,
            reached=len(there),
            of_first=len(there) / len(chains) if chains else None,
            of_previous=len(there) / len(came_before) if came_before else None,
            dropped=sum(not chain.may_go_on(now) for chain in here),
            open=sum(chain.may_go_on(now) for chain in here),
            low=told.low,
            high=told.high,
            from_previous=told.from_previous,
            from_first=told.from_first,
            optional=step.optional,
        )
        assert told == expected
        for since, spread in ((before, told.from_previous), (0 if place else None, told.from_first)):
            times = [took(chain, place, since) for chain in there] if since is not None else []
            numbers = spread_of(times)
            assert spread.count == numbers.count
            assert [
                spread.mean,
                spread.min,
                spread.max,
                spread.p50,
                spread.p75,
                spread.p90,
                spread.p95,
            ] == pytest.approx(
                [numbers.mean, numbers.min, numbers.max, numbers.p50, numbers.p75, numbers.p90, numbers.p95]
            )


def took(chain: Chain, place: int, since: int) -> float:
    until, start = chain.at(place), chain.at(since)
    assert until is not None
    assert start is not None
    return seconds(until.time, start.time)


def check_groups(found: FunnelAnswer, chains: list[Chain], query: Funnel) -> None:
    reached: dict[str | None, list[int]] = {}
    for chain in chains:
        row = reached.setdefault(chain.value(), [0] * len(query.steps))
        for place in range(len(query.steps)):
            row[place] += chain.at(place) is not None
    ordered = sorted(reached, key=lambda value: (-reached[value][0], value is None, value or ""))
    rows = [(value, tuple(reached[value]), False) for value in ordered[: query.limit]]
    if rest := ordered[query.limit :]:
        rows.append((None, tuple(map(sum, zip(*(reached[value] for value in rest), strict=True))), True))
    assert [(group.value, group.reached, group.other) for group in found.groups] == rows
    for place, step in enumerate(found.steps):
        assert sum(group.reached[place] for group in found.groups) == step.reached


def check_trend(found: FunnelAnswer, chains: list[Chain], query: Funnel, now: datetime) -> None:
    assert query.granularity
    by_start = {
        period_start(number, query.granularity, query.range.zone).timestamp(): entered
        for number, entered in trend(chains, query).items()
    }
    for bucket in found.trend:
        entered = by_start.pop(bucket.bucket.start.timestamp(), [])
        assert (bucket.entered, bucket.converted) == (len(entered), sum(chain.done for chain in entered))
        assert bucket.open == sum(chain.may_go_on(now) for chain in entered)
        assert bucket.mature == (seconds(now, bucket.bucket.end) >= query.window)
        assert not (bucket.mature and bucket.open)
    assert not by_start


async def check_actors(events: list[PlainEvent], query: Funnel, now: datetime, chains: list[Chain]) -> None:
    random = Random(len(events))
    step = random.randrange(len(query.steps))
    outcome: Any = random.choice(("reached", "dropped", "open"))
    values = sorted({value for chain in chains if query.by and (value := chain.value()) is not None})
    rows: list[dict[str, Any]] = [{"missing": True}, {"other": True}, *({"value": value} for value in values)]
    asked = FunnelActors(funnel=query, step=step, outcome=outcome, limit=10_000)
    asked = replace(asked, **random.choice(rows)) if query.by and random.random() < 0.7 else asked
    found = await actors_answer(asked, PlainLoader(events), now)
    expected = sorted(
        (-chain.came[0].time.timestamp(), chain.actor, chain.came[0].time, chain.came[-1].time, len(chain.came))
        for chain in chains
        if is_among(chain, asked, now) and is_of_row(chain, asked, chains)
    )
    told = [(actor.actor, actor.entered_at, actor.last_at, actor.reached) for actor in found.actors]
    backbone = chains[0].backbone if chains else []
    if query.entry == "totals":  # several entries of an actor at one instant come in any order
        told.sort(key=lambda row: (-row[1].timestamp(), row[0], *row[2:]))
    assert told == [(*row[1:4], backbone[row[4] - 1] + 1) for row in expected]
    assert found.total == len(told)
    page = await actors_answer(replace(asked, offset=1, limit=2), PlainLoader(events), now)
    assert (page.actors, page.total) == (found.actors[1:3], found.total)


def is_among(chain: Chain, asked: FunnelActors, now: datetime) -> bool:
    if asked.outcome == "reached":
        return chain.at(asked.step) is not None
    if asked.funnel.steps[asked.step].optional or chain.done:
        return False
    may = chain.may_go_on(now)
    return chain.backbone.index(asked.step) + 1 == len(chain.came) and may == (asked.outcome == "open")


def is_of_row(chain: Chain, asked: FunnelActors, chains: list[Chain]) -> bool:
    if asked.value is not None:
        return chain.value() == asked.value
    if asked.missing:
        return chain.value() is None
    if asked.other:
        entries = Counter(chain.value() for chain in chains if chain.at(0) is not None)
        return chain.value() not in frequent(dict(entries), asked.funnel.limit)
    return True


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
    chains = counted_chains(events, query)
    check_steps(found, chains, query, now)
    converted = sum(chain.done for chain in chains)
    assert found.conversion == (converted / len(chains) if chains else None)
    if chains and len(chains[0].backbone) > 1:
        assert sum(bucket.count for bucket in found.histogram) == converted
    if query.by:
        check_groups(found, chains, query)
    if query.granularity:
        check_trend(found, chains, query, now)
    await check_actors(events, query, now, chains)
    await check_walk(events, query, now, chains)
    if query.compare:
        before = replace(query, range=query.range.previous(), compare=False)
        assert found.previous == await answer(before, PlainLoader(events), now)
    return converted


@pytest.mark.parametrize("block", range(20))
async def test_answers_are_those_of_the_oracle(block: int) -> None:
    converted = 0
    for number in range(200):
        random, beginning, events, now = random_case(block * 1000 + number)
        query = random_funnel(random, beginning)
        converted += await check(events, query, now)
    assert converted > 50
