"""Selections of only the first row of each actor, and actors that are the first known of several kinds.

Both are held to a recount for which plain Python writes down on each event beforehand what is meant.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.model import (
    Breakdown,
    Condition,
    Distribution,
    Filter,
    First,
    Funnel,
    Intervals,
    Measure,
    NamedSet,
    Outcome,
    Outcomes,
    Range,
    Selection,
    Series,
    Step,
    Timeseries,
    Uniques,
)
from chatnation.core.query.reach import names_in, reach_of
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import approximately, random_case, random_frame, random_selection
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

ACTORS = ("person", "session", "country_code", "first_of:properties.x|properties.kind|session|person")
NOON = datetime(2025, 3, 24, 12, tzinfo=UTC)
HOUR = Range(NOON, NOON + timedelta(hours=1))
LATER = NOON + timedelta(days=30)


def random_first(random: Random) -> Selection:
    among: tuple[Condition, ...] = random.choice(((), (Filter("properties.x", "is_set"),)))
    return replace(random_selection(random), first=First(random.choice(ACTORS), among, random.random() < 0.3))


@pytest.mark.parametrize("first", range(0, 150, 50))
async def test_only_the_rows_that_first_means_are_selected(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        common = random_frame(random, beginning)
        one, other = random_first(random), random_first(random)
        for make in (series, breakdown, sets, spread, times, outcomes):
            question = make(common, one, other)
            found = await evaluate(question, PlainLoader(events), now)
            assert approximately(found, recounted(question, events, now)), (number, question)


def series(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    told = (Series("one", one), Series("other", other, Measure("avg", "properties.x")), Series("all"))
    return Timeseries(**common, series=told, compare=True)


def breakdown(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    told = (Series("one", one), Series("new", other, Measure("new_persons")))
    return Breakdown(**common, series=told, by=("country_code",))


def sets(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    return Uniques(**common, sets=(NamedSet("one", one), NamedSet("other", other)))


def spread(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    return Distribution(**common, select=one, per="person", edges=(1, 2, 3))


def times(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    return Intervals(**common, start=one, end=other, starts="first", by="event_name", granularity="day")


def outcomes(common: dict[str, Any], one: Selection, other: Selection) -> Any:
    return Outcomes(**common, start=one, outcomes=(Outcome("other", other),), granularity="week", compare=True)


@pytest.mark.parametrize("seed", range(60))
async def test_of_several_kinds_of_actors_the_first_known_one_acts(seed: int) -> None:
    random, beginning, events, now = random_case(seed)
    actor = random.choice((ACTORS[-1], "first_of:country_code|person", "first_of:session|properties.kind|country_code"))
    common = random_frame(random, beginning)
    one, other = random_selection(random), random_selection(random)
    for make in (
        lambda whose: Uniques(**common, sets=(NamedSet("one", one), NamedSet("other", other)), actor=whose),
        lambda whose: Intervals(**common, start=one, end=other, actor=whose, by="country_code"),
        lambda whose: Distribution(**common, select=one, per=whose),
        lambda whose: Funnel(**common, steps=(Step("one", one), Step("other", other)), actor=whose),
    ):
        question = make(actor)
        found = await evaluate(question, PlainLoader(events), now)
        assert approximately(found, recounted(question, events, now)), question


async def test_the_first_may_have_come_long_before_the_range() -> None:
    events = [
        PlainEvent(NOON - timedelta(days=300), "rated", "ann", message_id=1),
        *(PlainEvent(NOON + timedelta(minutes=n), "rated", name, message_id=n) for n, name in ((2, "ann"), (3, "bob"))),
    ]
    told = (
        Series("first", Selection(("rated",), first=First("person"))),
        Series("again", Selection(("rated",), first=First("person", later=True))),
    )
    question = Timeseries(range=HOUR, series=told, granularity="hour")

    answer: Any = await evaluate(question, PlainLoader(events), LATER)

    assert [line.total for line in answer.lines] == [1, 1]
    assert reach_of(question) == (None, HOUR.end)


def test_what_actors_are_made_of_is_among_the_names_of_a_question() -> None:
    select = Selection(first=First("first_of:properties.chat|session"))
    assert {"properties.chat", "session"} <= names_in(Distribution(range=HOUR, select=select, per="person"))


async def test_a_part_of_the_time_is_no_actor_and_steps_of_funnels_take_no_first() -> None:
    timely = Selection(first=First("first_of:person|time.date"))
    with pytest.raises(QueryRefused):
        await evaluate(Distribution(range=HOUR, select=timely, field="properties.x"), PlainLoader([]), LATER)
    funnel = Funnel(range=HOUR, steps=(Step("one", Selection(first=First("person"))),))
    with pytest.raises(QueryRefused):
        await evaluate(funnel, PlainLoader([]), LATER)
