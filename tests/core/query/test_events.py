"""Pages of events, put together, are the list that a naive reader makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID, uuid4

import pytest

from chatnation.core.query.answers import EventRow, EventsAnswer
from chatnation.core.query.model import AnyOf, Condition, Events, Filter, Range, Selection
from chatnation.core.query.postgres import PostgresEventStore
from chatnation.core.query.store import QueryRefused
from chatnation.testing.apps import MakeApp
from tests.core.query import plain
from tests.core.query.stored import BEGINNING, NAMES, RECEIVED, History, PlainRow, start_history

pytestmark = pytest.mark.anyio

ALL = Range(BEGINNING - timedelta(days=3), BEGINNING + timedelta(days=5), "Europe/Berlin")
FILTERS: tuple[Condition, ...] = (
    Filter("properties.x", "is_set"),
    Filter("properties.x", "gt", (2.0,)),
    Filter("properties.kind", "is_not", ("p",)),
    Filter("device_type", "is", ("mobile",)),
    Filter("person.county", "is", ("Nairobi", "Kisumu")),
    Filter("session.entry_page", "contains", ("FILE",)),
    Filter("session.duration_seconds", "lt", (600.0,)),
    Filter("time.hour", "is", ("0", "1", "21")),
    AnyOf((Filter("user_id", "is_set"), Filter("page_path", "is", ("/",)))),
)


@pytest.mark.parametrize("seed", range(3))
async def test_pages_are_parts_of_the_naive_list(make_app: MakeApp, seed: int) -> None:
    history = await start_history(make_app, Random(seed))
    store = PostgresEventStore(history.app)
    for _ in range(6):
        for _ in range(8):
            await history.step()
        await history.build_sometimes()
        rows = await history.events()
        for _ in range(6):
            query = random_listing(history.random, rows)
            wanted = [row.columns["message_id"] for row in rows if is_wanted(row, query, rows)]
            found = await all_pages(store, history, query)
            assert [row.message_id for row in found] == (wanted if query.oldest_first else wanted[::-1])
            assert_equal(found, rows)


def random_listing(random: Random, rows: list[PlainRow]) -> Events:
    persons = [row.columns["leaf_id"] for row in rows if row.columns["leaf_id"]]
    start, end = sorted(random.sample([row.time for row in rows], 2)) if len(rows) > 1 else (ALL.start, ALL.end)
    return Events(
        range=random.choice((ALL, replace(ALL, start=start, end=end + timedelta(microseconds=1)))),
        filters=tuple(random.sample(FILTERS, random.choice((0, 0, 1, 2)))),
        select=Selection(
            tuple(random.sample(NAMES, random.choice((0, 0, 1, 3)))),
            tuple(random.sample(FILTERS, random.choice((0, 0, 1)))),
        ),
        include_bots=random.random() < 0.5,
        person_id=random.choice((None, *random.sample(persons, min(1, len(persons))))),
        oldest_first=random.random() < 0.5,
        limit=random.choice((1, 3, 50)),
    )


def is_wanted(row: PlainRow, query: Events, rows: list[PlainRow]) -> bool:
    zone = query.range.zone
    asked = {each.columns["person_id"] for each in rows if query.person_id == each.columns["leaf_id"]}
    return (
        query.range.start <= row.time < query.range.end
        and (query.include_bots or not row.columns["is_bot"])
        and (not query.select.events or row.name in query.select.events)
        and (query.person_id is None or row.columns["person_id"] in asked)
        and all(plain.meets(row.plain, each, zone) for each in (*query.filters, *query.select.filters))
    )


async def all_pages(store: PostgresEventStore, history: History, query: Events) -> list[EventRow]:
    found: list[EventRow] = []
    while True:
        page = await store.answer(history.tenant_id, query, RECEIVED)
        assert isinstance(page, EventsAnswer)
        assert len(page.events) <= query.limit
        found += page.events
        if page.next_cursor is None:
            return found
        assert len(page.events) == query.limit
        query = replace(query, after=page.next_cursor)


def assert_equal(found: list[EventRow], rows: list[PlainRow]) -> None:
    by_id = {row.columns["message_id"]: row.columns for row in rows}
    for event in found:
        columns = by_id[event.message_id]
        assert all(getattr(event, name) == columns[name] for name in EventRow.__slots__)


async def test_a_listing_of_nothing_is_empty(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(0))
    store = PostgresEventStore(history.app)
    for query in (Events(range=ALL), Events(range=ALL, person_id=uuid4()), Events(range=ALL, filters=FILTERS)):
        assert await store.answer(history.tenant_id, query, RECEIVED) == EventsAnswer((), None)


@pytest.mark.parametrize("cursor", ["", "x", "1-2", "-1-0-" + UUID(int=1).hex, "1-0-zz", "f" * 30 + "-0-" + "0" * 32])
async def test_a_cursor_that_was_made_up_is_refused(make_app: MakeApp, cursor: str) -> None:
    history = await start_history(make_app, Random(0))
    store = PostgresEventStore(history.app)
    with pytest.raises(QueryRefused):
        await store.answer(history.tenant_id, Events(range=ALL, after=cursor), RECEIVED)


async def test_only_events_are_listed(make_app: MakeApp) -> None:
    history = await start_history(make_app, Random(0))
    with pytest.raises(QueryRefused):
        await PostgresEventStore(history.app).answer(history.tenant_id, Events(range=ALL, source="sessions"), RECEIVED)
