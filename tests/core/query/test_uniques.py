"""Actors in sets against a recount of plain events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.model import NamedSet, Range, Selection, Uniques
from chatnation.core.query.store import QueryRefused
from tests.core.query import plain
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)
DAY = Range(NOW - timedelta(days=1), NOW)


@pytest.mark.parametrize("seed", range(120))
async def test_sets_of_actors_equal_a_recount(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    query = Uniques(
        **plain.random_frame(random, events),
        sets=tuple(
            NamedSet(name, plain.random_selection(random)) for name in "hgfedcba"[: random.choice((1, 2, 3, 8))]
        ),
        actor=random.choice(("person", "person", "session", "properties.x", "country_code")),
    )

    assert await evaluate(query, PlainLoader(events), NOW) == recounted(query, events, NOW)


async def test_the_largest_combination_comes_first() -> None:
    events = [
        PlainEvent(NOW - timedelta(hours=1), name, person, message_id=number)
        for number, (person, names) in enumerate({"p": "ab", "q": "b", "r": "b", "s": "a"}.items())
        for name in names
    ]
    sets = (NamedSet("web", Selection(("a",))), NamedSet("chat", Selection(("b",))))
    answer: Any = await evaluate(Uniques(range=DAY, sets=sets), PlainLoader(events), NOW)
    assert [(combination.sets, combination.actors) for combination in answer.combinations] == [
        (("chat",), 2),
        (("web",), 1),
        (("web", "chat"), 1),
    ]
    assert answer.sizes == {"web": 2, "chat": 3}


async def test_without_events_every_set_is_empty() -> None:
    answer: Any = await evaluate(Uniques(range=DAY, sets=(NamedSet("a", Selection()),)), PlainLoader([]), NOW)
    assert (answer.sizes, answer.combinations, answer.total) == ({"a": 0}, (), 0)


@pytest.mark.parametrize(("actor", "words"), [("time.hour", "cannot be an actor"), ("nobody", "no field 'nobody'")])
async def test_what_cannot_be_an_actor_is_refused(actor: str, words: str) -> None:
    with pytest.raises(QueryRefused, match=words):
        await evaluate(Uniques(range=DAY, sets=(NamedSet("a", Selection()),), actor=actor), PlainLoader([]), NOW)


async def test_two_sets_of_one_name_are_refused() -> None:
    sets = (NamedSet("a", Selection()), NamedSet("a", Selection(("b",))))
    with pytest.raises(QueryRefused, match="'a' is used twice"):
        await evaluate(Uniques(range=DAY, sets=sets), PlainLoader([]), NOW)
