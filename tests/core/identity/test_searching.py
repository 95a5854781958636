"""Persons are found by a part of what is known of them."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

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
    assert await search(app, source, "ka") == found["WANJIRU"], "of two letters the beginning of a word"
    for nobody in ("iru Ka!", "ma", "Nakuru", "%%", "__", "w", " ", "another tenant", "0\0"):
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
    async with app.app.storage.system("who may search") as connection:
        of_nobody = await connection.execute(text("SELECT * FROM persons_matching(ARRAY['AB'], 10)"))
        assert of_nobody.all() == [], "the tenant is that of the transaction"
        allowed = "SELECT has_function_privilege('public', 'persons_matching(text[], int)', 'EXECUTE')"
        assert await connection.scalar(text(allowed)) is False


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


async def test_briefs_say_what_the_views_of_persons_do(make_app: MakeApp) -> None:
    app = await make_app()
    source = await app.source()
    visitors = [str(uuid4()) for _ in range(3)]
    await app.ingest_and_drain(
        [
            identify("A1", {"name": "Wanjiru", "county": "Nakuru"}, visitor=visitors[0]),
            identify("A1", {"name": "Wanjiru Kamau", "county": None}, visitor=visitors[1]),
            identify("B1", {"name": "Otieno"}, visitor=visitors[2]),
            page_view("/"),
        ],
        source,
    )
    persons = app.app.services.get(Persons)
    async with app.app.storage.tenant(source.tenant.id) as connection:
        found = [(await persons.find(connection, source.tenant.id, each))[0] for each in ("A1", "B1")]
        briefs = await persons.briefs(connection, source.tenant.id, [*found, uuid4()])
        assert briefs.keys() == set(found)
        for person, brief in briefs.items():
            view = await persons.view(connection, source.tenant.id, person)
            assert view is not None
            assert (brief.person_id, brief.identities, brief.traits) == (view.person_id, view.identities, view.traits)
