"""Breakdowns against a recount of plain events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from chatnation.core.query.evaluate.dispatch import evaluate
from chatnation.core.query.evaluate.ranking import Keyed, _different, _first_by_text, _places
from chatnation.core.query.model import Breakdown, Formula, Measure, Range, Selection, Series
from tests.core.query import plain
from tests.core.query.asking import approximately
from tests.core.query.histories import PlainEvent, PlainLoader
from tests.core.query.recount.by_kind import recounted

NOW = datetime(2025, 4, 2, 12, tzinfo=UTC)


def random_question(random: Random, events: Sequence[PlainEvent]) -> Breakdown:
    fields = (
        "country_code",
        "properties.x",
        "properties.kind",
        "time.weekday",
        "time.hour",
        "time.week",
        "person.plan",
    )
    return Breakdown(
        **plain.random_frame(random, events),
        series=tuple(
            Series(f"s{number}", plain.random_selection(random), plain.random_measure(random))
            for number in range(random.choice((1, 1, 2, 3)))
        ),
        formulas=random.choice(((), (Formula("f", "({s0} + 1) / {s0} - -2"),))),
        by=tuple(random.sample(fields, random.choice((1, 1, 2)))),
        limit=random.choice((1, 2, 5, 100)),
        compare=random.random() < 0.4,
    )


@pytest.mark.parametrize("seed", range(160))
async def test_a_breakdown_equals_a_recount(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    if seed % 2:
        plain.as_if_large(monkeypatch)
    events = plain.random_events(random)
    query = random_question(random, events)

    assert approximately(await evaluate(query, PlainLoader(events), NOW), recounted(query, events, NOW))


@pytest.mark.parametrize("seed", range(60))
async def test_rows_and_others_add_up_to_the_total_also_in_the_range_before(seed: int) -> None:
    random = Random(seed)
    events = plain.random_events(random)
    query = Breakdown(
        **plain.random_frame(random, events),
        series=(Series("count"), Series("sum", measure=Measure("sum", "properties.x"))),
        by=("properties.kind", "time.date"),
        limit=3,
        compare=True,
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    parts = [*answer.rows, *([answer.other] if answer.other else [])]
    for place in range(2):
        assert sum(row.measures[place] for row in parts) == pytest.approx(answer.total.measures[place])
        assert sum(row.previous[place] for row in parts) == pytest.approx(answer.total.previous[place])


async def test_without_events_there_are_no_rows() -> None:
    query = Breakdown(range=Range(NOW - timedelta(days=1), NOW), by=("city", "time.hour"), compare=True)
    answer: Any = await evaluate(query, PlainLoader([]), NOW)
    assert (answer.rows, answer.other) == ((), None)
    assert (answer.total.measures, answer.total.previous) == ((0,), (0,))


async def test_a_value_that_only_the_second_series_has_is_in_a_row() -> None:
    events = [
        PlainEvent(NOW - timedelta(hours=1), name, "p", message_id=number, columns={"city": city})
        for number, (name, city) in enumerate((("visit", "Nairobi"), ("visit", "Kisumu"), ("pay", "Nairobi")))
    ]
    query = Breakdown(
        range=Range(NOW - timedelta(days=1), NOW),
        by=("city",),
        series=(Series("pay", Selection(("pay",))), Series("visit", Selection(("visit",)))),
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    assert [(row.values, row.measures) for row in answer.rows] == [(("Nairobi",), (1, 1)), (("Kisumu",), (0, 1))]


async def test_the_same_person_in_two_rows_is_one_person_in_total() -> None:
    events = [
        PlainEvent(NOW - timedelta(hours=1), "a", "p", message_id=number, columns={"city": city})
        for number, city in enumerate(("Nairobi", "Kisumu", "Mombasa", "Nakuru"))
    ]
    query = Breakdown(
        range=Range(NOW - timedelta(days=1), NOW),
        by=("city",),
        series=(Series("persons", measure=Measure("persons")),),
        limit=2,
    )
    answer: Any = await evaluate(query, PlainLoader(events), NOW)
    assert [row.measures for row in answer.rows] == [(1,), (1,)]
    assert answer.other.measures == (1,)
    assert answer.total.measures == (1,)


@pytest.mark.parametrize("few", [0, 20_000])
def test_keys_are_found_alike_by_table_and_by_search(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatnation.core.query.evaluate.ranking._FEW", few)
    random = Random(7)
    for _ in range(50):
        keys = np.array([random.randrange(60) for _ in range(random.randrange(40))], np.int64)
        wanted = np.array(random.sample(range(60), random.randrange(20)), np.int64)
        assert _different([keys, keys[:3]], 60).tolist() == _different([keys, keys[:3]], 1 << 40).tolist()
        assert _places(wanted, keys, 60).tolist() == _places(wanted, keys, 1 << 40).tolist()


def test_of_very_many_equal_values_the_first_by_text_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatnation.core.query.evaluate.ranking._FEW", 0)
    texts = (["c", "a", "b"], ["z", "y"])
    keyed = Keyed({}, texts)
    everything = list(product((*sorted(texts[0]), None), (*sorted(texts[1]), None)))
    present = np.arange(keyed.domain, dtype=np.int64)
    for limit in range(1, 12):
        found = _first_by_text(keyed, present, np.arange(len(present)), limit)
        assert {keyed.values(int(key)) for key in found} == set(everything[:limit])
