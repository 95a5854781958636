"""The catalogue tells what there is, counted from plain rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from chatnation.core.query.answers import CatalogueAnswer, CataloguedEvent
from chatnation.core.query.catalogue import EXAMPLES, EXAMPLES_OF_ONE, SAMPLED, SAMPLED_OF_ONE
from chatnation.core.query.model import Catalogue, Filter, Range
from chatnation.core.query.postgres import PostgresEventStore
from chatnation.core.query.store import QueryRefused
from chatnation.testing.apps import MakeApp
from tests.core.query.stored import BEGINNING, NAMES, RECEIVED, History, PlainRow, start_history

pytestmark = pytest.mark.anyio

ALL = Range(BEGINNING - timedelta(days=3), BEGINNING + timedelta(days=5), "Europe/Berlin")
QUESTIONS = (
    Catalogue(range=ALL),
    Catalogue(range=ALL, include_bots=True),
    Catalogue(range=replace(ALL, start=BEGINNING, end=BEGINNING + timedelta(days=1))),
    Catalogue(range=ALL, filters=(Filter("properties.kind", "is_set"),)),
    *(Catalogue(range=ALL, event_name=name) for name in NAMES),
    Catalogue(range=ALL, limit=2),
)


@pytest.mark.parametrize("seed", range(2))
async def test_the_catalogue_is_what_plain_rows_say(make_app: MakeApp, seed: int) -> None:
    history = await start_history(make_app, Random(seed))
    for _ in range(4):
        for _ in range(12):
            await history.step()
        await history.build_sometimes()
        rows = await history.events()
        for query in QUESTIONS:
            found = (await ask(history, query)).events
            wanted = by_name([row for row in rows if is_wanted(row, query)])
            ranked = sorted(wanted, key=lambda name: (-len(wanted[name]), name))
            assert [each.event_name for each in found] == ranked[: query.limit]
            for each in found:
                check(each, wanted[each.event_name], one=query.event_name is not None)


async def ask(history: History, query: Catalogue) -> CatalogueAnswer:
    answer = await PostgresEventStore(history.app).answer(history.tenant_id, query, RECEIVED)
    assert isinstance(answer, CatalogueAnswer)
    return answer


def is_wanted(row: PlainRow, query: Catalogue) -> bool:
    return (
        query.range.start <= row.time < query.range.end
        and (query.include_bots or not row.columns["is_bot"])
        and (query.event_name is None or row.name == query.event_name)
        and (not query.filters or row.text("properties.kind") is not None)
    )


def by_name(rows: Sequence[PlainRow]) -> dict[str, list[PlainRow]]:
    found: dict[str, list[PlainRow]] = {}
    for row in rows:
        found.setdefault(row.name, []).append(row)
    return found


def check(event: CataloguedEvent, rows: Sequence[PlainRow], *, one: bool) -> None:
    """What the catalogue says of an event is true of its rows, which are in order."""
    assert event.count == len(rows)
    assert event.persons == len({row.columns["person_id"] for row in rows} - {None})
    assert (event.first_seen, event.last_seen) == (rows[0].time, rows[-1].time)
    assert event.senders == counted(rows, "sdk_name")
    assert event.channels == counted(rows, "channel_type")
    sample = rows[::-1][: SAMPLED_OF_ONE if one else SAMPLED]
    assert event.sampled == len(sample)
    values: dict[str, list[Any]] = {}
    for row in sample:
        for path, value in paths(row.columns["properties"]):
            values.setdefault(path, []).append(value)
    assert {each.name for each in event.properties} == values.keys()
    for each in event.properties:
        assert each.types == Counter(kind(value) for value in values[each.name])
        assert each.count == len(values[each.name])
        scalars = list(dict.fromkeys(json.dumps(value) for value in values[each.name] if not isinstance(value, dict)))
        limit = EXAMPLES_OF_ONE if one else EXAMPLES
        assert [json.dumps(json.loads(example)) for example in each.examples] == scalars[:limit]
    counts = [each.count for each in event.properties]
    assert counts == sorted(counts, reverse=True)


def counted(rows: Sequence[PlainRow], column: str) -> dict[str, int]:
    return dict(Counter(row.columns[column] for row in rows if row.columns[column] is not None))


def paths(found: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in found.items():
        yield prefix + key, value
        if isinstance(value, dict):
            yield from paths(value, f"{prefix}{key}.")


def kind(value: object) -> str:
    for types, name in ((bool, "flag"), (str, "text"), (int | float, "number"), (dict, "object"), (list, "list")):
        if isinstance(value, types):
            return name
    return "null"


async def test_long_examples_are_cut_and_stay_json(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(0))
    await history.store_one("rating", {"comment": "x" * 5_000, "words": ["y" * 400]})
    (event,) = (await ask(history, QUESTIONS[0])).events
    examples = {each.name: json.loads(each.examples[0]) for each in event.properties}
    assert examples == {"comment": "x" * 200 + "…", "words": ["…"]}


async def test_there_is_a_catalogue_of_events_only(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(0))
    with pytest.raises(QueryRefused):
        await ask(history, replace(QUESTIONS[0], source="sessions"))
