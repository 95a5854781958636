"""Distributions against a recount of plain events."""

from __future__ import annotations

import statistics
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
from tests.core.query.histories import PlainEvent, PlainLoader

NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)
DAY = Range(NOW - timedelta(days=1), NOW)


@pytest.mark.parametrize("seed", range(300))
async def test_a_distribution_equals_a_recount(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    query = Distribution(
        **plain.random_frame(random, events),
        select=plain.random_selection(random),
        field=random.choice(("properties.x", "person.age")),
        edges=random.choice(((), (0,), (1, 2.5, 3), (-5, 0, 50), (100, 200))),
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    rows = plain.inside(plain.about(events, query, query.select), query.range)
    found = plain.numbers(rows, query.field)

    assert answer.spread.count == len(found)
    assert answer.spread.mean == pytest.approx(plain.of_numbers(found, "avg"))
    for figure in ("min", "max", "p50", "p75", "p90", "p95", "p99"):
        assert getattr(answer.spread, figure) == pytest.approx(plain.of_numbers(found, figure))
    unusable = plain.unusable(rows, query.field)
    assert answer.unusable == ({query.field: unusable} if unusable else {})

    edges = list(query.edges)
    if not edges and found:
        width = (max(found) - min(found)) / 10
        edges = [min(found) + place * width for place in range(10)] if width else [min(found)]
    bounds: list[tuple[float | None, float | None]] = list(zip([None, *edges], [*edges, None], strict=True))
    if not edges or min(found, default=edges[0]) >= edges[0]:
        bounds = bounds[1:]
    assert [bucket.low for bucket in answer.buckets] == pytest.approx([low for low, _ in bounds])
    assert [bucket.high for bucket in answer.buckets] == pytest.approx([high for _, high in bounds])
    for bucket in answer.buckets:
        inside = [
            number
            for number in found
            if (bucket.low is None or number >= bucket.low) and (bucket.high is None or number < bucket.high)
        ]
        assert bucket.count == len(inside)
        assert bucket.mean == pytest.approx(statistics.fmean(inside) if inside else None)
    assert sum(bucket.count for bucket in answer.buckets) == len(found)


@pytest.mark.parametrize("seed", range(100))
async def test_rows_per_actor_equal_a_recount(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    per = random.choice(("person", "session", "properties.x"))
    query = Distribution(
        **plain.random_frame(random, events), select=plain.random_selection(random), per=per, edges=(1, 2, 4)
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    rows = plain.inside(plain.about(events, query, query.select), query.range)
    actors = [getattr(event, per) if per in ("person", "session") else event.value(per) for event in rows]
    counts = [actors.count(actor) for actor in set(actors) - {None}]

    assert answer.spread.count == len(counts)
    assert answer.spread.mean == pytest.approx(plain.of_numbers(counts, "avg"))
    assert answer.spread.p95 == pytest.approx(plain.of_numbers(counts, "p95"))
    sizes = (sum(count == 1 for count in counts), sum(count in (2, 3) for count in counts))
    assert [bucket.count for bucket in answer.buckets] == [*sizes, sum(count > 3 for count in counts)]
    assert answer.unusable == {}


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
