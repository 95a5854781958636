"""What became of attempts, against histories by hand and an oracle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from chatnation.core.query.answers import OutcomeCounts
from chatnation.core.query.evaluate.outcomes import answer
from chatnation.core.query.model import Filter, Outcome, Outcomes, Range, Selection, Tell
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    approximately,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.outcomes import recount

NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
HOUR = Range(NOON, NOON + timedelta(hours=1))
LATER = NOON + timedelta(days=30)


def random_question(random: Random, beginning: datetime) -> Outcomes:
    names = ("x", "y", "z")[: random.randint(1, 3)]
    by = random.choice((None, "country_code", "properties.x", "event_name"))
    return Outcomes(
        **random_frame(random, beginning),
        start=random_selection(random),
        outcomes=tuple(Outcome(name, random_selection(random)) for name in names),
        window=random.choice((0.001, 0.5, 3600.0, 86_400.0, 5 * 86_400.0)),
        actor=random.choice(("person", "person", "session", "country_code")),
        granularity=random.choice((None, "hour", "day", "week", "month")),
        by=by,
        limit=random.choice((1, 2, 20)),
        compare=random.random() < 0.3,
        grace=random.choice((None, None, 0.5, 3600.0, 86_400.0)),
        where=random_selection(random).filters,
        outside=random.random() < 0.3,
        tell=random_tell(random, (*names, "none", "open"), by) if random.random() < 0.3 else None,
    )


def random_tell(random: Random, names: tuple[str, ...], by: str | None) -> Tell:
    return Tell(
        random.choice(((), tuple(random.sample(names, 2)))),
        random.choice((None, "KE", "a")) if by else None,
        random.choice((1, 3, 1000)),
        random.choice((0, 0, 2)),
    )


@pytest.mark.parametrize("first", range(0, 250, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        assert approximately(found, recount(query, events, now)), (number, query)


async def fates(text: str, now: datetime = LATER, *, grace: float | None = None) -> tuple[int, int, int, int]:
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
        grace=grace,
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


async def test_with_grace_an_attempt_is_open_only_while_its_actor_does_something() -> None:
    minutes = NOON + timedelta(minutes=10)
    assert await fates("ask0", now=minutes, grace=600) == (0, 0, 1, 0)
    assert await fates("ask0", now=minutes, grace=601) == (0, 0, 0, 1)
    assert await fates("ask0 look5", now=minutes, grace=301) == (0, 0, 0, 1)
    assert await fates("ask0 look5", now=minutes, grace=300) == (0, 0, 1, 0)


async def test_what_happens_after_the_window_keeps_no_attempt_open() -> None:
    assert await fates("ask0 look31", now=NOON + timedelta(minutes=32), grace=600) == (0, 0, 1, 0)


async def test_conditions_on_starts_leave_the_ends_of_attempts_where_they_are() -> None:
    events = [
        PlainEvent(NOON, "ask", "ann", columns={"city": "Nairobi"}, message_id=1),
        PlainEvent(NOON + timedelta(minutes=1), "ask", "ann", columns={"city": "Mombasa"}, message_id=2),
        PlainEvent(NOON + timedelta(minutes=2), "solve", "ann", message_id=3),
        PlainEvent(NOON + timedelta(minutes=40), "solve", "ann", message_id=4),
        PlainEvent(NOON + timedelta(minutes=41), "solve", None, message_id=5),
    ]
    query = Outcomes(
        range=HOUR, start=Selection(("ask",)), outcomes=(Outcome("solved", Selection(("solve",))),), window=1800,
        outside=True,
    )  # fmt: skip

    for city, solved in (("Nairobi", 0), ("Mombasa", 1)):
        where = (Filter("city", "is", (city,)),)
        found = await answer(replace(query, where=where), PlainLoader(events), LATER)
        assert found.total == OutcomeCounts(1, {"solved": solved}, 1 - solved, 0)
    assert (await answer(query, PlainLoader(events), LATER)).outside == {"solved": 2}


async def test_only_outcomes_that_there_are_can_be_told() -> None:
    query = Outcomes(range=HOUR, start=Selection(), outcomes=(Outcome("x", Selection()),))

    for tell in (Tell(("y",)), Tell(value="KE")):
        with pytest.raises(QueryRefused):
            await answer(replace(query, tell=tell), PlainLoader([]), LATER)


async def test_what_begins_an_attempt_is_no_outcome() -> None:
    query = Outcomes(range=HOUR, start=Selection(("ask",)), outcomes=(Outcome("any", Selection()),))
    events = [PlainEvent(NOON + timedelta(minutes=minute), "ask", "ann") for minute in range(3)]

    assert (await answer(query, PlainLoader(events), LATER)).total == OutcomeCounts(3, {"any": 0}, 3, 0)


async def test_two_outcomes_of_one_name_are_refused() -> None:
    query = Outcomes(range=HOUR, start=Selection(), outcomes=(Outcome("x", Selection()), Outcome("x", Selection())))

    with pytest.raises(QueryRefused):
        await answer(query, PlainLoader([]), LATER)
