"""What became of attempts, against histories by hand and an oracle."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import OutcomeCounts, OutcomesAnswer, OutcomesBucket, OutcomesGroup
from chatnation.core.query.evaluate.outcomes import answer
from chatnation.core.query.model import Outcome, Outcomes, Range, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    bucket,
    by_actor,
    frequent,
    inside,
    matches,
    period,
    periods_of,
    random_case,
    random_frame,
    random_selection,
    seconds,
)
from tests.core.query.histories import PlainEvent, PlainLoader

NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
HOUR = Range(NOON, NOON + timedelta(hours=1))
LATER = NOON + timedelta(days=30)

Fates = list[tuple[PlainEvent, str]]


def fates_of(query: Outcomes, events: list[PlainEvent], stretch: Range, now: datetime) -> Fates:
    """What became of each attempt; attempts by their start events."""
    found = []
    for theirs in by_actor(events, query, query.actor).values():
        for place, start in enumerate(theirs):
            if matches(start, query.start) and inside(start, stretch):
                found.append((start, fate_of(query, start, theirs[place + 1 :], now)))
    return found


def fate_of(query: Outcomes, start: PlainEvent, later: list[PlainEvent], now: datetime) -> str:
    attempt = []
    cut = False
    for event in later:
        if seconds(event.time, start.time) > query.window:
            break
        if matches(event, query.start):
            cut = True
            break
        attempt.append(event)
    for outcome in query.outcomes:
        if any(matches(event, outcome.select) for event in attempt):
            return outcome.name
    return "open" if not cut and seconds(now, start.time) < query.window else "none"


def counts_of(query: Outcomes, fates: list[str]) -> OutcomeCounts:
    return OutcomeCounts(
        len(fates),
        {outcome.name: fates.count(outcome.name) for outcome in query.outcomes},
        fates.count("none"),
        fates.count("open"),
    )


def recount(query: Outcomes, events: list[PlainEvent], now: datetime) -> OutcomesAnswer:
    fates = fates_of(query, events, query.range, now)
    before = fates_of(query, events, query.range.previous(), now)
    return OutcomesAnswer(
        counts_of(query, [fate for _, fate in fates]),
        tuple(trend_of(query, fates, now)),
        tuple(groups_of(query, fates)),
        counts_of(query, [fate for _, fate in before]) if query.compare else None,
    )


def trend_of(query: Outcomes, fates: Fates, now: datetime) -> Any:
    if query.granularity is None:
        return
    zone = query.range.zone
    for number in periods_of(query.range, query.granularity):
        theirs = [fate for start, fate in fates if period(start.time, query.granularity, zone) == number]
        yield OutcomesBucket(bucket(number, query.granularity, zone, now), counts_of(query, theirs))


def groups_of(query: Outcomes, fates: Fates) -> Any:
    if query.by is None:
        return
    by_value: dict[str | None, list[str]] = defaultdict(list)
    for start, fate in fates:
        by_value[start.value(query.by)].append(fate)
    for value in frequent({value: len(some) for value, some in by_value.items()}, query.limit):
        yield OutcomesGroup(value, counts_of(query, by_value.pop(value)))
    if by_value:
        yield OutcomesGroup(None, counts_of(query, [fate for some in by_value.values() for fate in some]), other=True)


def random_question(random: Random, beginning: datetime) -> Outcomes:
    return Outcomes(
        **random_frame(random, beginning),
        start=random_selection(random),
        outcomes=tuple(Outcome(name, random_selection(random)) for name in ("x", "y", "z")[: random.randint(1, 3)]),
        window=random.choice((0.001, 0.5, 3600.0, 86_400.0, 5 * 86_400.0)),
        actor=random.choice(("person", "person", "session", "country_code")),
        granularity=random.choice((None, "hour", "day", "week", "month")),
        by=random.choice((None, "country_code", "properties.x", "event_name")),
        limit=random.choice((1, 2, 20)),
        compare=random.random() < 0.3,
    )


@pytest.mark.parametrize("first", range(0, 500, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        assert found == recount(query, events, now), (number, query)


async def fates(text: str, now: datetime = LATER) -> tuple[int, int, int, int]:
    """Solved, handed over, none and open of a history such as `ask0 solve3`, in minutes after noon."""
    events = []
    for number, word in enumerate(text.split()):
        name = word.rstrip("0123456789.")
        minute = timedelta(minutes=float(word.removeprefix(name)))
        events.append(PlainEvent(NOON + minute, name, "ann", message_id=number))
    query = Outcomes(
        range=HOUR,
        start=Selection(("ask",)),
        outcomes=(Outcome("handed", Selection(("hand",))), Outcome("solved", Selection(("solve",)))),
        window=1800,
    )
    total = (await answer(query, PlainLoader(events), now)).total
    assert total.attempts == sum(total.outcomes.values()) + total.none + total.open
    return total.outcomes["solved"], total.outcomes["handed"], total.none, total.open


async def test_an_attempt_has_the_outcome_that_is_listed_first_not_the_earliest() -> None:
    assert await fates("ask0 solve1 hand2") == (0, 1, 0, 0)


async def test_an_attempt_ends_where_the_next_begins() -> None:
    assert await fates("ask0 ask1 solve2 ask3 hand4 hand5") == (1, 1, 1, 0)


async def test_the_window_includes_its_last_moment_and_reaches_beyond_the_range() -> None:
    assert await fates("ask59 solve89") == (1, 0, 0, 0)
    assert await fates("ask59 solve89.01") == (0, 0, 1, 0)


async def test_an_attempt_is_open_only_while_something_may_still_come_of_it() -> None:
    assert await fates("ask0 ask1", now=NOON + timedelta(minutes=10)) == (0, 0, 1, 1)
    assert await fates("ask0 ask1", now=NOON + timedelta(minutes=31)) == (0, 0, 2, 0)


async def test_what_begins_an_attempt_is_no_outcome() -> None:
    query = Outcomes(range=HOUR, start=Selection(("ask",)), outcomes=(Outcome("any", Selection()),))
    events = [PlainEvent(NOON + timedelta(minutes=minute), "ask", "ann") for minute in range(3)]

    assert (await answer(query, PlainLoader(events), LATER)).total == OutcomeCounts(3, {"any": 0}, 3, 0)


async def test_two_outcomes_of_one_name_are_refused() -> None:
    query = Outcomes(range=HOUR, start=Selection(), outcomes=(Outcome("x", Selection()), Outcome("x", Selection())))

    with pytest.raises(QueryRefused):
        await answer(query, PlainLoader([]), LATER)
