from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.app import App
from chatnation.core.errors import NotFound
from chatnation.core.identity import queries
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.jobs.definitions import Job
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.inventory import State
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.core.storage.erasure import Eraser, ErasureIncomplete, Receipt, list_receipts
from chatnation.core.storage.export import ExportIncomplete, export_person
from chatnation.core.storage.keepers import CannotBeAsked
from chatnation.core.storage.tenant_tables import count_rows, tenant_tables
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import Wire, identify, page_view, whatsapp_message

pytestmark = pytest.mark.anyio

AMINA, OTIENO = "A001234567P", "A007654321Q"
LAPTOP, TABLET, SHARED = (str(uuid7()) for _ in range(3))


class Diary(Plugin):
    """Diary

    Asked like any plugin that keeps something; fails when it is told to.
    """

    name = "diary"
    broken: ClassVar[bool] = False

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("diary.write", self._write)]

    async def _write(self, payload: dict[str, Any]) -> None: ...

    @hookimpl
    async def erase_person(self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]) -> int:
        if self.broken:
            raise RuntimeError("the pages stick")
        return len(leaf_ids)

    @hookimpl
    async def erase_tenant(self, connection: AsyncConnection, tenant_id: int) -> int:
        if self.broken:
            raise RuntimeError("the pages stick")
        return 1

    @hookimpl
    async def summarize_tenant(self, connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
        if self.broken:
            raise RuntimeError("the pages stick")
        return {"pages": 3}

    @hookimpl
    async def export_person(
        self, connection: AsyncConnection, tenant_id: int, leaf_ids: list[UUID]
    ) -> dict[str, list[dict[str, object]]]:
        if self.broken:
            raise RuntimeError("the pages stick")
        return {"pages": [{"text": "Dear diary"}]}


@pytest.fixture(autouse=True)
def _mended() -> None:
    Diary.broken = False


class House:
    """An app with people in it: Amina on two devices and on WhatsApp, Otieno on a third one."""

    def __init__(self, running: RunningApp, source: Source) -> None:
        self.running = running
        self.source = source
        self.eraser = Eraser(self.app.storage, self.app.hooks, self.app.inventory)
        self._pipeline = Pipeline.of(self.app)

    @property
    def app(self) -> App:
        return self.running.app

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    def delivery(self, *events: Wire) -> Delivery:
        return Delivery(
            id=uuid7().bytes,
            tenant_id=self.tenant_id,
            project_id=self.source.project.id,
            received_ms=int(datetime.now(UTC).timestamp() * 1000),
            count=len(events),
            body=msgspec.json.encode({"batch": events, "sent_at": None}),
        )

    async def send(self, *events: Wire) -> int:
        """Store events; gives how many were new."""
        stored = await self._pipeline.run(self.tenant_id, [self.delivery(*events)])
        return len(stored.events)

    async def move_in(self) -> None:
        long_ago = datetime.now(UTC) - timedelta(days=3)
        await self.send(
            page_view("/", visitor=LAPTOP, at=long_ago),
            page_view("/file", visitor=LAPTOP),
            identify(AMINA, {"name": "Amina"}, visitor=LAPTOP),
            identify(AMINA, visitor=TABLET),
            page_view("/pay", visitor=TABLET, at=datetime.now(UTC) + timedelta(days=2)),
            page_view("/", visitor=SHARED),
            identify(OTIENO, {"name": "Otieno"}, visitor=SHARED),
        )

    async def person(self, text: str) -> UUID:
        async with self.app.storage.tenant(self.tenant_id) as connection:
            (found,) = await queries.find(connection, self.tenant_id, text)
        return found

    async def is_known(self, text: str) -> bool:
        async with self.app.storage.tenant(self.tenant_id) as connection:
            return bool(await queries.find(connection, self.tenant_id, text))

    async def erase(self, text: str) -> Receipt:
        return await self.eraser.erase_person(self.source.tenant, await self.person(text), by="a test")

    async def export(self, person_id: UUID) -> dict[str, Any]:
        app = self.app
        return await export_person(app.storage, app.hooks, app.inventory, self.source.tenant, person_id)

    async def rows(self) -> dict[str, int]:
        """Rows of the tenant by table."""
        async with self.app.storage.tenant(self.tenant_id) as connection:
            return await count_rows(connection, await tenant_tables(connection), self.tenant_id)

    async def everything(self) -> str:
        """All rows of all tables that a tenant can have, as text."""
        async with self.app.storage.system("read everything") as connection:
            found = []
            for table in await tenant_tables(connection):
                if table.name != "suppressions":
                    rows = await connection.scalars(text(f"SELECT to_jsonb(t) FROM {table.quoted} t"))
                    found += [json.dumps(row, default=str) for row in rows]
        return "\n".join(found)


@pytest.fixture
async def house(make_app: MakeApp) -> House:
    running = await make_app(SessionsPlugin, Diary)
    house = House(running, await running.source())
    await house.move_in()
    return house


async def test_nothing_is_left_of_an_erased_person_and_others_keep_everything(house: House) -> None:
    ids = (AMINA, LAPTOP, TABLET, "Amina", str(await house.person(AMINA)))
    receipt = await house.erase(AMINA)
    left = await house.everything()
    assert [found for found in ids if found in left.replace(json.dumps(str(receipt.person_id)), "")] == []
    assert OTIENO in left
    assert "Otieno" in left
    assert await house.is_known(OTIENO)
    rows = await house.rows()
    assert (rows["events"], rows["sessions.sessions"]) == (2, 1)
    assert not await house.is_known(LAPTOP)


async def test_the_receipt_counts_what_was_deleted_and_says_nothing_of_it(house: House) -> None:
    before = await house.rows()
    receipt = await house.erase(LAPTOP)
    after = await house.rows()
    assert receipt.counts["events"] == before["events"] - after["events"] == 5
    assert receipt.counts["event_keys"] == 1
    assert receipt.counts["sessions"] == before["sessions.sessions"] - after["sessions.sessions"]
    assert receipt.counts["identities"] == 3
    assert receipt.counts["diary"] == 3
    async with house.app.storage.system("look") as connection:
        (kept,) = await list_receipts(connection)
    assert kept == receipt
    assert AMINA not in repr(kept)


async def test_events_of_an_erased_person_are_not_stored_again_by_any_of_their_ids(house: House) -> None:
    await house.erase(AMINA)
    assert await house.send(page_view("/", visitor=LAPTOP), page_view("/", visitor=str(uuid7()), user=AMINA)) == 0
    assert await house.send(page_view("/", visitor=SHARED)) == 1
    assert not await house.is_known(AMINA)


async def test_what_was_on_its_way_while_a_person_was_erased_is_not_stored_either(house: House) -> None:
    await house.running.capture([page_view("/late", visitor=LAPTOP)], house.source)
    await house.erase(AMINA)
    await house.running.drain()
    assert "/late" not in await house.everything()


async def test_ids_that_led_to_an_erased_person_leave_the_others_of_a_shared_device_together(house: House) -> None:
    phone = "254712345678"
    await house.send(
        identify(AMINA, visitor=SHARED),
        whatsapp_message(phone, "Habari"),
        identify(OTIENO, visitor=SHARED, context={"externalId": phone}),
    )
    otieno = await house.person(OTIENO)
    assert await house.person(phone) == otieno
    await house.erase(AMINA)
    assert await house.person(OTIENO) == await house.person(phone) == otieno


async def test_a_plugin_that_fails_keeps_the_whole_person(house: House) -> None:
    before = await house.rows()
    Diary.broken = True
    with pytest.raises(ErasureIncomplete, match="diary"):
        await house.erase(AMINA)
    assert await house.rows() == before
    assert await house.send(page_view("/", visitor=LAPTOP)) == 1


async def test_a_person_is_neither_erased_nor_exported_while_a_plugin_that_keeps_rows_cannot_be_asked(
    house: House, make_app: MakeApp
) -> None:
    without = await make_app(Diary, like=house.running)
    eraser = Eraser(without.app.storage, without.app.hooks, without.app.inventory)
    person = await house.person(AMINA)
    with pytest.raises(CannotBeAsked, match="sessions"):
        await eraser.erase_person(house.source.tenant, person, by="a test")
    assert await house.is_known(AMINA)
    with pytest.raises(CannotBeAsked, match="sessions"):
        await export_person(without.app.storage, without.app.hooks, without.app.inventory, house.source.tenant, person)


async def test_a_degraded_plugin_is_asked_all_the_same(house: House) -> None:
    house.app.inventory.settle("sessions", State.DEGRADED, "out of order")
    receipt = await house.erase(AMINA)
    assert receipt.counts["sessions"] > 0


async def test_somebody_who_was_never_seen_cannot_be_erased(house: House) -> None:
    with pytest.raises(NotFound):
        await house.eraser.erase_person(house.source.tenant, uuid7(), by="a test")


async def test_a_person_of_another_tenant_is_nobody_here(house: House) -> None:
    other = await house.running.source()
    with pytest.raises(NotFound):
        await house.eraser.erase_person(other.tenant, await house.person(AMINA), by="a test")
    assert await house.is_known(AMINA)


async def test_dead_letters_that_name_an_erased_person_are_dropped_and_accounted_for(house: House) -> None:
    letters = DeadLetters(house.app)
    hers, his = house.delivery(page_view("/", visitor=TABLET)), house.delivery(page_view("/", visitor=SHARED))
    await letters.bury(hers, "poison")
    await letters.bury(his, "poison")
    receipt = await house.erase(AMINA)
    assert receipt.counts["dead_letters"] == 1
    (left,) = await letters.list(None)
    assert left.delivery_id == UUID(bytes=his.id)
    async with house.app.storage.system("look at the ledger") as connection:
        rows = await connection.execute(
            text("SELECT outcome, sum(count) FROM ingest_ledger WHERE outcome IN ('dead', 'rejected') GROUP BY 1")
        )
        assert dict(rows.all()) == {"dead": -1, "rejected": 1}


async def test_a_projection_that_is_still_owed_forgets_an_erased_person(house: House) -> None:
    async with house.app.storage.tenant(house.tenant_id) as connection:
        rows = await connection.execute(text("SELECT timestamp, message_id, user_id FROM events ORDER BY message_id"))
        keys = [[row.timestamp, row.message_id, {"previous_id": row.user_id}] for row in rows]
        await connection.execute(
            text(
                "INSERT INTO projection_failures (tenant_id, plugin, projection, error, event_keys)"
                " VALUES (:tenant, 'diary', 'write', 'x', CAST(:keys AS jsonb))"
            ),
            {"tenant": house.tenant_id, "keys": msgspec.json.encode(keys).decode()},
        )
    await house.erase(AMINA)
    async with house.app.storage.tenant(house.tenant_id) as connection:
        left = await connection.scalar(text("SELECT event_keys FROM projection_failures"))
    assert left is not None
    assert len(left) == 2
    assert AMINA not in json.dumps(left)


async def test_an_export_holds_what_the_core_and_every_plugin_keep(house: House) -> None:
    exported = await house.export(await house.person(TABLET))
    decoded = json.loads(msgspec.json.encode(exported))
    assert {each["value"] for each in decoded["person"]["ids"]} == {AMINA, LAPTOP, TABLET}
    assert decoded["person"]["traits"] == {"name": "Amina"}
    paths = [event["page_path"] for event in decoded["events"] if "page_path" in event]
    assert sorted(paths) == ["/", "/file", "/pay"]
    assert decoded["diary"] == {"pages": [{"text": "Dear diary"}]}
    assert decoded["sessions"]["sessions"]
    assert OTIENO not in json.dumps(decoded)


async def test_an_export_that_lacks_a_plugin_is_no_export(house: House) -> None:
    Diary.broken = True
    with pytest.raises(ExportIncomplete, match="diary"):
        await house.export(await house.person(AMINA))
    with pytest.raises(NotFound):
        await house.export(uuid7())


async def test_nothing_is_left_of_an_erased_tenant_but_its_receipt_and_others_keep_everything(house: House) -> None:
    neighbour = House(house.running, await house.running.source())
    await neighbour.move_in()
    await house.running.person(house.source.tenant)
    async with house.app.storage.system("a job") as connection:
        await house.app.jobs.enqueue(connection, "diary.write", {"tenant_id": house.tenant_id})
        await house.app.jobs.enqueue(connection, "diary.write", {"tenant_id": neighbour.tenant_id})
    kept = await neighbour.rows()
    receipt = await house.eraser.erase_tenant(house.source.tenant, by="a test")
    assert await house.rows() == {"erasures": 1}
    assert await neighbour.rows() == kept
    assert receipt.counts["events"] == 7
    assert receipt.counts["users"] == 1
    assert receipt.counts["jobs"] == 1
    async with house.app.storage.system("look") as connection:
        (found,) = await list_receipts(connection, tenant=house.source.tenant.slug)
        assert house.tenant_id not in set(await connection.scalars(text("SELECT id FROM tenants")))
    assert (found.subject, found.counts) == ("tenant", receipt.counts)


async def test_a_tenant_is_erased_also_where_a_plugin_does_not_run_any_more(house: House, make_app: MakeApp) -> None:
    without = await make_app(Diary, like=house.running)
    eraser = Eraser(without.app.storage, without.app.hooks, without.app.inventory)
    receipt = await eraser.erase_tenant(house.source.tenant, by="a test")
    assert receipt.counts["sessions.sessions"] > 0
    assert await house.rows() == {"erasures": 1}


async def test_a_plugin_that_fails_keeps_the_whole_tenant(house: House) -> None:
    before = await house.rows()
    Diary.broken = True
    with pytest.raises(ErasureIncomplete, match="diary"):
        await house.eraser.erase_tenant(house.source.tenant, by="a test")
    assert await house.rows() == before


async def test_events_of_an_erased_tenant_that_were_on_their_way_are_not_stored(house: House) -> None:
    await house.running.capture([page_view("/late")], house.source)
    await house.eraser.erase_tenant(house.source.tenant, by="a test")
    await house.running.drain()
    assert await house.rows() == {"erasures": 1}
    with pytest.raises(NotFound):
        await house.eraser.erase_tenant(house.source.tenant, by="a test")


async def test_a_summary_counts_and_says_where_it_cannot(house: House) -> None:
    summary = await house.eraser.summarize_tenant(house.tenant_id)
    assert (summary["events"], summary["pages"]) == (7, 3)
    Diary.broken = True
    assert (await house.eraser.summarize_tenant(house.tenant_id))["diary"] is None
