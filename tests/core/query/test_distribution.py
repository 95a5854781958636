"""Distributions against a recount of plain events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from chatnation.core.query.answers import Spread
from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.spread import number_buckets, spread
from chatnation.core.query.model import Distribution, Range
from chatnation.core.query.store import QueryRefused
from tests.core.query import plain
from tests.core.query.asking import approximately
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)
DAY = Range(NOW - timedelta(days=1), NOW)


@pytest.mark.parametrize("seed", range(120))
async def test_a_distribution_equals_a_recount(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    query = Distribution(
        **plain.random_frame(random, events),
        select=plain.random_selection(random),
        field=random.choice(("properties.x", "person.age")),
        edges=random.choice(((), (0,), (1, 2.5, 3), (-5, 0, 50), (100, 200))),
    )

    assert approximately(await evaluate(query, PlainLoader(events), NOW), recounted(query, events, NOW))


@pytest.mark.parametrize("seed", range(100))
async def test_rows_per_actor_equal_a_recount(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    per = random.choice(("person", "session", "properties.x"))
    query = Distribution(
        **plain.random_frame(random, events), select=plain.random_selection(random), per=per, edges=(1, 2, 4)
    )

    assert approximately(await evaluate(query, PlainLoader(events), NOW), recounted(query, events, NOW))


@pytest.mark.parametrize("of", [{}, {"field": "properties.x", "per": "person"}])
async def test_a_distribution_is_of_one_thing(of: dict[str, Any]) -> None:
    with pytest.raises(QueryRefused, match="one of the two"):
        await evaluate(Distribution(range=DAY, **of), PlainLoader([]), NOW)


async def test_without_numbers_given_buckets_are_empty_and_no_others_are_made() -> None:
    empty: Any = await evaluate(Distribution(range=DAY, field="properties.x"), PlainLoader([]), NOW)
    assert (empty.spread, empty.buckets) == (Spread(0), ())
    given: Any = await evaluate(Distribution(range=DAY, field="properties.x", edges=(0, 10)), PlainLoader([]), NOW)
    assert [(bucket.low, bucket.high, bucket.count, bucket.mean) for bucket in given.buckets] == [
        (0, 10, 0, None),
        (10, None, 0, None),
    ]


async def test_one_number_makes_one_bucket() -> None:
    events = [PlainEvent(NOW - timedelta(hours=1), "a", properties={"x": "4"})]
    answer: Any = await evaluate(Distribution(range=DAY, field="properties.x"), PlainLoader(events), NOW)
    assert [(bucket.low, bucket.high, bucket.count, bucket.mean) for bucket in answer.buckets] == [(4, None, 1, 4)]
    assert answer.spread == Spread(1, 4, 4, 4, 4, 4, 4, 4, 4)


def test_numbers_as_large_as_can_be_have_buckets_and_no_infinite_figure() -> None:
    huge = np.array([-1.7e308, 1.7e308, 1.7e308])
    buckets = number_buckets(huge)
    assert sum(bucket.count for bucket in buckets) == 3
    assert len(buckets) == 10
    assert spread(np.array([1.7e308, 1.7e308])).mean is None


def test_numbers_too_close_for_ten_buckets_are_all_counted() -> None:
    close = np.array([1.0, np.nextafter(1.0, 2.0)])
    assert sum(bucket.count for bucket in number_buckets(close)) == 2


@pytest.mark.parametrize("edges", [(1.0, 1.0), (2.0, 1.0), (float("nan"),), (0.0, float("inf"))])
async def test_edges_that_do_not_rise_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(QueryRefused, match="each greater than the one before"):
        await evaluate(Distribution(range=DAY, field="properties.x", edges=edges), PlainLoader([]), NOW)
