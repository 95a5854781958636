"""What is erased, or too old, is gone from the columnar copy too."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from chatnation.core.storage.copies import drop_other_sources
from chatnation.core.storage.erasure import Eraser
from chatnation.core.storage.retention import Retainer
from chatnation.core.storage.tenant_tables import count_rows, tenant_tables
from chatnation.testing.apps import MakeApp
from chatnation.testing.events import page_view, track
from tests.core.query.segment_world import NOW, VISITORS, World, open_world

pytestmark = pytest.mark.anyio

YESTERDAY = NOW - timedelta(days=1)


async def assert_exact(world: World) -> None:
    assert await world.verify() == []
    for source in ("events", "sessions"):
        assert (await world.copy(source)).time.tolist() == (await world.chunk(source)).time.tolist()


async def person_of(world: World, visitor: str) -> UUID:
    found = await world.scalar(
        "SELECT person_id FROM events WHERE anonymous_id = CAST(:visitor AS uuid)", visitor=visitor
    )
    assert isinstance(found, UUID)
    return found


async def bytes_with(world: World, word: bytes) -> int:
    return int(await world.scalar("SELECT count(*) FROM segment_columns WHERE position(:word IN data) > 0", word=word))


async def test_nothing_of_a_person_is_in_the_copy_once_they_are_erased(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    amina, otieno = VISITORS[:2]
    for at in (NOW - timedelta(hours=1), YESTERDAY, NOW - timedelta(days=3)):
        await world.store([page_view("/amina", at=at, visitor=amina), page_view("/otieno", at=at, visitor=otieno)])
    await world.store([page_view("/otieno", at=NOW - timedelta(days=2), visitor=otieno)])
    await world.build()
    assert len(await world.spans()) == 4
    leaf = await person_of(world, amina)
    assert await bytes_with(world, b"/amina") == 9
    assert await bytes_with(world, leaf.bytes) == 6
    await Eraser(world.app.storage, world.app.hooks, world.app.inventory).erase_person(
        world.source.tenant, leaf, by="test"
    )
    assert await bytes_with(world, b"/amina") == 0
    assert await bytes_with(world, leaf.bytes) == 0
    assert len(await world.spans()) == len(await world.spans("sessions")) == 1
    await assert_exact(world)
    await world.build()
    await assert_exact(world)
    assert len(await world.spans()) == len(await world.spans("sessions")) == 4


async def test_nothing_of_a_tenant_is_in_the_copy_once_it_is_erased(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    await world.build()
    await world.store([page_view(at=YESTERDAY)])
    receipt = await Eraser(world.app.storage, world.app.hooks, world.app.inventory).erase_tenant(
        world.source.tenant, by="test"
    )
    assert receipt.counts["segments"] == 2
    async with world.app.storage.system("what is left") as connection:
        tables = [table for table in await tenant_tables(connection) if table.label != "erasures"]
        assert await count_rows(connection, tables, world.tenant_id) == {}


async def test_a_copy_is_in_no_export_and_in_no_summary(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    await world.build()
    summary = await Eraser(world.app.storage, world.app.hooks, world.app.inventory).summarize_tenant(world.tenant_id)
    assert summary["events"] == 1
    assert not [name for name in summary if name.startswith("segment")]


@pytest.mark.parametrize("kept", [None, 1, 40], ids=["as others", "one day", "forty days"])
async def test_what_is_too_old_goes_from_the_copy(make_app: MakeApp, kept: int | None) -> None:
    world = await open_world(make_app)
    app = world.app
    ages = (
        timedelta(hours=5),
        timedelta(days=1, hours=2),
        timedelta(days=35),
        timedelta(days=100),
        timedelta(days=1500),
    )
    for age in ages:
        world.clock.set(NOW - age)
        await world.store([page_view("/old", at=world.clock.now()), track("x", at=world.clock.now())])
    world.clock.set(NOW)
    await world.build()
    assert len(await world.spans()) == 5
    if kept is not None:
        said = text(
            "UPDATE tenants SET settings = jsonb_build_object('retention_days', jsonb_build_object('events', :kept))"
        )
        async with app.storage.system("settings") as connection:
            await connection.execute(said.bindparams(kept=kept))
    await Retainer(app.storage, app.clock, app.boundary, app.resources.retention, 60).apply()
    await assert_exact(world)
    await world.build()
    await assert_exact(world)
    world.clock.move(timedelta(minutes=16))
    await world.build()
    await assert_exact(world)
    assert await world.marks() == await world.marks("sessions") == 0
    assert len(await world.spans()) == (1 if kept == 1 else 3)


async def test_the_copy_of_a_source_that_is_gone_goes_too(make_app: MakeApp) -> None:
    world = await open_world(make_app)
    await world.store([page_view(at=YESTERDAY)])
    await world.build()
    async with world.app.storage.system("a source has gone") as connection:
        await drop_other_sources(connection, ["events"])
    assert len(await world.spans()) == 1
    assert await world.spans("sessions") == []
    await assert_exact(world)
    await world.build()
    assert len(await world.spans("sessions")) == 1
