"""Who came back, against histories by hand and an oracle."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import RetentionAnswer
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.retention import answer
from chatnation.core.query.model import Range, Retention, RetentionActors, Selection
from chatnation.core.query.store import QueryRefused
from tests.core.query.asking import (
    GRANULARITIES,
    check_list,
    random_case,
    random_frame,
    random_selection,
)
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.retention import behind, recount

MONDAY = datetime(2025, 3, 3, tzinfo=UTC)


def number_of(asked: RetentionActors, found: RetentionAnswer) -> int:
    """The number that a list is behind, as the answer has it."""
    cohorts = [cohort for cohort in found.cohorts if asked.cohort in (None, cohort.bucket.label)]
    if asked.outcome == "began":
        return sum(cohort.size for cohort in cohorts)
    shown = [cohort for cohort in cohorts if asked.cohort or not cohort.cells[asked.column].open]
    back = sum(cohort.cells[asked.column].actors for cohort in shown)
    return back if asked.outcome == "back" else sum(cohort.size for cohort in shown) - back


def random_question(random: Random, beginning: datetime) -> Retention:
    periods = random.choice((1, 2, 4, 8))
    rule = random.choice(("on", "on", "on_or_after", "bracket"))
    return Retention(
        **random_frame(random, beginning),
        start=random_selection(random),
        back=random_selection(random),
        granularity=random.choice(GRANULARITIES),
        periods=periods,
        rule=rule,
        brackets=tuple(sorted(random.sample(range(periods), random.randint(1, periods)))) if rule == "bracket" else (),
        first_time=random.random() < 0.5,
        actor=random.choice(("person", "person", "country_code")),
    )


@pytest.mark.parametrize("first", range(0, 250, 50))
async def test_every_answer_equals_a_recount(first: int) -> None:
    for number in range(first, first + 50):
        random, beginning, events, now = random_case(number)
        query = random_question(random, beginning)
        found = await answer(query, PlainLoader(events), now)
        assert found == recount(query, events, now), (number, query)
        asked = RetentionActors(
            retention=query,
            cohort=random.choice([None, *(cohort.bucket.label for cohort in found.cohorts if cohort.size)]),
            column=random.randrange(len(found.periods)),
            outcome=random.choice(("began", "back", "back", "lost")),
        )
        await check_list(asked, events, now, behind(asked, events, now), number_of(asked, found))


async def test_a_list_of_a_cohort_or_column_that_there_is_not_is_refused() -> None:
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), periods=2)
    wrongs: tuple[dict[str, Any], ...] = ({"cohort": "2025-03-04"}, {"column": 2})
    for wrong in wrongs:
        with pytest.raises(QueryRefused):
            await evaluate(RetentionActors(retention=query, **wrong), weekly(ann=(0,)), MONDAY)


def weekly(**weeks: tuple[float, ...]) -> PlainLoader:
    """Visits of persons, by weeks after the first Monday."""
    return PlainLoader(
        PlainEvent(MONDAY + timedelta(weeks=week), "visit", person) for person, some in weeks.items() for week in some
    )


def shown(found: RetentionAnswer) -> list[tuple[int, list[int]]]:
    return [(cohort.size, [cell.actors for cell in cohort.cells]) for cohort in found.cohorts]


async def test_a_first_time_cohort_is_of_the_first_start_ever() -> None:
    loader = weekly(ann=(0.1, 1.2, 3.1), bob=(0.5, 2.5), cem=(1.3, 2.2), old=(-5, 0.3, 1.3))
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=2)), periods=4)

    found = await answer(query, loader, MONDAY + timedelta(weeks=4, days=1))

    assert shown(found) == [(2, [2, 1, 1, 1]), (1, [1, 1, 0, 0])]
    assert [[cell.open for cell in cohort.cells] for cohort in found.cohorts] == [
        [False, False, False, False],
        [False, False, False, True],
    ]
    assert found.average == (1, 2 / 3, 1 / 3, 1 / 2)


async def test_without_first_time_an_actor_is_in_each_cohort_that_they_took_part_in() -> None:
    loader = weekly(ann=(0.1, 1.2, 3.1), old=(-5, 0.3, 1.3))
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=2)), periods=3, first_time=False)

    found = await answer(query, loader, MONDAY + timedelta(weeks=9))

    assert shown(found) == [(2, [2, 2, 0]), (2, [2, 0, 1])]


async def test_on_or_after_counts_all_who_ever_came_back_later() -> None:
    loader = weekly(ann=(0.1, 9), bob=(0.2, 1.5), cem=(0.3,))
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), periods=3, rule="on_or_after")

    found = await answer(query, loader, MONDAY + timedelta(weeks=10))

    assert found.periods == ("0+", "1+", "2+")
    assert shown(found) == [(3, [3, 2, 1])]


async def test_brackets_put_periods_together() -> None:
    loader = weekly(ann=(0.1, 1.1, 2.1, 6), bob=(0.2, 4.5), cem=(0.3,))
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), rule="bracket", brackets=(0, 1, 3))

    found = await answer(query, loader, MONDAY + timedelta(weeks=10))

    assert found.periods == ("0", "1-2", "3-7")
    assert shown(found) == [(3, [3, 1, 2])]


@pytest.mark.parametrize("brackets", [(), (2, 1), (0, 0), (-1, 2), (0, 8)])
async def test_brackets_that_do_not_rise_within_the_periods_are_refused(brackets: tuple[int, ...]) -> None:
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), rule="bracket", brackets=brackets)

    with pytest.raises(QueryRefused):
        await answer(query, PlainLoader([]), MONDAY)


async def test_what_comes_before_the_start_is_no_return() -> None:
    events = [PlainEvent(MONDAY, name, "ann", sequence=place) for place, name in enumerate(("read", "sign_up"))]
    query = Retention(
        range=Range(MONDAY, MONDAY + timedelta(weeks=1)),
        start=Selection(("sign_up",)),
        back=Selection(("read",)),
        periods=1,
    )

    assert shown(await answer(query, PlainLoader(events), MONDAY + timedelta(weeks=2))) == [(1, [0])]


async def test_a_period_that_has_not_begun_has_no_share() -> None:
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), periods=3)

    found = await answer(query, weekly(ann=(0,)), MONDAY + timedelta(days=9))

    assert [cell.share for cell in found.cohorts[0].cells] == [1, 0, None]
    assert [cell.open for cell in found.cohorts[0].cells] == [False, True, True]
    assert found.average == (1, None, None)


async def test_a_period_that_begins_at_this_moment_has_no_share_yet() -> None:
    query = Retention(range=Range(MONDAY, MONDAY + timedelta(weeks=1)), periods=2)

    found = await answer(query, weekly(ann=(0,)), MONDAY + timedelta(days=7))

    assert [(cell.share, cell.open) for cell in found.cohorts[0].cells] == [(1, False), (None, True)]
