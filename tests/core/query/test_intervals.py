"""Times from one event to the next, against histories by hand and an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import IntervalsAnswer, NumberBucket, Spread
from chatnation.core.query.evaluate.intervals import answer
from chatnation.core.query.model import Intervals, Range, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    approximately,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.intervals import recount

NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
HOUR = Range(NOON, NOON + timedelta(hours=1))
LATER = NOON + timedelta(days=30)


def random_question(random: Random, beginning: datetime) -> Intervals:
    return Intervals(
        **random_frame(random, beginning),
        start=random_selection(random),
        end=random_selection(random),
        within=random.choice((0.001, 0.5, 3600.0, 86_400.0, 5 * 86_400.0)),
        starts=random.choice(("every", "first")),
        actor=random.choice(("person", "person", "session", "country_code")),
        edges=random.choice(((0,), (0, 0.5, 60, 3600, 86_400), (0, 7200))),
        granularity=random.choice((None, "hour", "day", "week", "month")),
        by=random.choice((None, "country_code", "properties.x", "event_name")),
        attribution=random.choice(("start", "end")),
        limit=random.choice((1, 2, 10)),
    )


@pytest.mark.parametrize("first", range(0, 250, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        assert approximately(found, recount(query, events, now)), (number, query)


def chat(text: str, person: str = "ann") -> list[PlainEvent]:
    """Questions (q), answers (a) and both in one (b), by the minute after noon, as in `q0 a3`."""
    names = {"q": "question", "a": "answer", "b": "both"}
    return [
        PlainEvent(NOON + timedelta(minutes=float(word[1:])), names[word[0]], person, message_id=number)
        for number, word in enumerate(text.split())
    ]


async def lengths(history: list[PlainEvent], **options: Any) -> tuple[float, ...]:
    """Count, least and greatest minutes, unanswered and open."""
    query = Intervals(
        **{"range": HOUR, "start": Selection(("question", "both")), "end": Selection(("answer", "both")), **options}
    )
    found = await answer(query, PlainLoader(history), LATER)
    return found.spread.count, (found.spread.min or 0) / 60, (found.spread.max or 0) / 60, found.unanswered, found.open


async def test_every_question_waits_for_the_next_answer() -> None:
    assert await lengths(chat("q0 q2 a5 q10 a11 q30")) == (3, 1, 5, 1, 0)


async def test_of_questions_in_a_row_only_the_first_may_count() -> None:
    assert await lengths(chat("q0 q2 a5 q10 a11 q30"), starts="first") == (2, 1, 5, 1, 0)


async def test_a_question_from_before_the_range_makes_one_in_it_no_first() -> None:
    assert await lengths(chat("q-5 q2 a5"), starts="first") == (0, 0, 0, 0, 0)
    assert await lengths(chat("q-5 a-1 q2 a5"), starts="first") == (1, 3, 3, 0, 0)


async def test_a_question_that_waited_too_long_hides_none_that_follow() -> None:
    assert await lengths(chat("q0 q30 a31"), starts="first", within=600) == (1, 1, 1, 1, 0)


async def test_an_answer_may_come_after_the_range_but_not_too_late() -> None:
    assert await lengths(chat("q59 a69"), within=600) == (1, 10, 10, 0, 0)
    assert await lengths(chat("q59 a69.01"), within=600) == (0, 0, 0, 1, 0)


async def test_an_event_may_answer_one_question_and_ask_the_next() -> None:
    assert await lengths(chat("b0 b4 b5")) == (2, 1, 4, 1, 0)
    assert await lengths(chat("q0 b4 q6 a7"), starts="first") == (2, 3, 4, 0, 0)


async def test_of_equal_times_the_order_of_events_decides() -> None:
    assert await lengths(chat("q0 a0 q1")) == (1, 0, 0, 1, 0)
    assert await lengths(chat("a0 q0 a1")) == (1, 1, 1, 0, 0)


async def test_others_do_not_answer() -> None:
    assert await lengths([*chat("q0"), *chat("a1", person="bob")]) == (0, 0, 0, 1, 0)


async def test_a_question_whose_time_is_not_over_is_open() -> None:
    query = Intervals(range=HOUR, start=Selection(("question",)), end=Selection(("answer",)), within=600)
    loader = PlainLoader(chat("q0 q20 q21"))

    found = await answer(query, loader, NOON + timedelta(minutes=30))

    assert (found.starts, found.unanswered, found.open) == (3, 2, 1)


async def test_who_waits_and_who_answers_can_be_told_apart() -> None:
    events = [
        PlainEvent(NOON, "question", "ann", message_id=1, properties={"topic": "tax"}),
        PlainEvent(NOON + timedelta(minutes=2), "answer", "ann", message_id=2, properties={"agent": "wanjiru"}),
        PlainEvent(NOON + timedelta(minutes=3), "question", "ann", message_id=3, properties={"topic": "pin"}),
    ]
    start, end = Selection(("question",)), Selection(("answer",))

    topics = await answer(
        Intervals(range=HOUR, start=start, end=end, by="properties.topic"), PlainLoader(events), LATER
    )
    agents = await answer(
        Intervals(range=HOUR, start=start, end=end, by="properties.agent", attribution="end"),
        PlainLoader(events),
        LATER,
    )

    assert [(group.value, group.starts, group.unanswered) for group in topics.groups] == [("pin", 1, 1), ("tax", 1, 0)]
    assert [(group.value, group.spread.p50, group.starts) for group in agents.groups] == [("wanjiru", 120, 1)]


async def test_without_edges_buckets_suit_seconds_and_minutes_up_to_the_limit() -> None:
    query = Intervals(range=HOUR, start=Selection(("question",)), end=Selection(("answer",)), within=600)

    found = await answer(query, PlainLoader(chat("q0 a0.2 q1 a8")), LATER)

    assert [bucket.low for bucket in found.buckets] == [0, 5, 15, 30, 60, 120, 300]
    assert [bucket.count for bucket in found.buckets] == [0, 1, 0, 0, 0, 0, 1]


async def test_no_events_are_no_intervals() -> None:
    query = Intervals(range=HOUR, start=Selection(("question",)), end=Selection(), edges=(0, 5), by="event_name")

    found = await answer(query, PlainLoader([]), LATER)

    assert found == IntervalsAnswer(Spread(0), 0, 0, 0, (NumberBucket(0, 5, 0), NumberBucket(5, None, 0)))


async def test_edges_that_fall_are_refused() -> None:
    with pytest.raises(QueryRefused):
        await answer(Intervals(range=HOUR, start=Selection(), end=Selection(), edges=(5, 0)), PlainLoader([]), LATER)
