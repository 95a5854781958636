"""Persons are found by a part of what is known of them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from chatnation import Persons, Problem
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import identify, page_view, track


async def search(app: RunningApp, source: Source, wanted: str, limit: int = 10) -> list[UUID]:
    async with app.app.storage.tenant(source.tenant.id) as connection:
        return await app.app.services.get(Persons).search(connection, source.tenant.id, wanted, limit)


async def test_a_part_of_an_id_name_mail_or_number_finds_the_person_once(make_app: MakeApp) -> None:
    app = await make_app()
    source, other = await app.source(), await app.source()
    visitor = str(uuid4())
    traits = {"name": "Wanjiru Kamau", "email": "wanjiru@example.org", "phone": "254700000001", "county": "Nakuru"}
    events = [page_view("/", visitor=visitor), identify("A001234567Z", traits, visitor=visitor)]
    await app.ingest_and_drain(events, source)
    await app.ingest_and_drain([identify("B1", {"name": "100% sure_thing"})], source)
    await app.ingest_and_drain([identify("A001234567Z", {"name": "Wanjiru of another tenant"})], other)
    found = {
        wanted: await search(app, source, wanted)
        for wanted in ("a0012", "WANJIRU", "@example", visitor[:13], "0700 000 001", "+254 700-000-001", "700000")
    }
    assert {len(persons) for persons in found.values()} == {1}, found
    assert len({person for persons in found.values() for person in persons}) == 1
    assert len(await search(app, source, "0% sure_")) == 1
    for nobody in ("Nakuru", "%%", "__", "w", " ", "another tenant", "0\0"):
        assert await search(app, source, nobody) == [], nobody


async def test_the_exact_id_comes_first_and_the_limit_holds(make_app: MakeApp) -> None:
    app = await make_app()
    source = await app.source()
    await app.ingest_and_drain([identify(user) for user in ("AB", "AB1", "AB2", "AB3")], source)
    found = await search(app, source, "AB", 3)
    async with app.app.storage.tenant(source.tenant.id) as connection:
        exact = await app.app.services.get(Persons).find(connection, source.tenant.id, "AB")
    assert len(found) == 3
    assert found[:1] == exact


async def test_activity_counts_the_events_of_everything_that_was_joined(make_app: MakeApp) -> None:
    app = await make_app()
    source = await app.source()
    visitor = str(uuid4())
    events = [
        page_view("/", visitor=visitor),
        identify("A1", visitor=visitor),
        track("x", visitor=str(uuid4()), user="A1"),
    ]
    await app.ingest_and_drain([*events, track("y", user="A2")], source)
    persons = app.app.services.get(Persons)
    async with app.app.storage.tenant(source.tenant.id) as connection:
        (one,) = await persons.find(connection, source.tenant.id, "A1")
        (two,) = await persons.find(connection, source.tenant.id, "A2")
        found = await persons.activity(connection, source.tenant.id, [one, two, uuid4()])
        assert {person: each.events for person, each in found.items()} == {one: 3, two: 1}
        assert found[one].first_seen <= found[one].last_seen
        view = await persons.view(connection, source.tenant.id, one)
        assert view is not None
        (merge,) = [entry for entry in view.log if entry.action == "merge"][:1]
        await persons.undo_merge(connection, source.tenant.id, merge.id, by="test")
        with pytest.raises(Problem):
            await persons.undo_merge(connection, source.tenant.id, merge.id, by="test")
        assert await persons.issues(connection, source.tenant.id, [one]) == []
