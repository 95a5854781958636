from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import text

from chatnation.core.app import App
from chatnation.core.identity import queries
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.jobs.definitions import Retention
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.storage.retention import Retainer
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.clock import FakeClock
from chatnation.testing.events import Wire, page_view

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Notes(Plugin):
    """Notes"""

    name = "notes"

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        return [
            Retention("notes.broken", "created_at", days=1),
            Retention("notes.notes", "created_at", days=10),
            Retention("notes.visits", "created_at", days="events"),
        ]


class House:
    """A tenant whose events and notes have every age."""

    def __init__(self, running: RunningApp, source: Source) -> None:
        self.running = running
        self.source = source

    @property
    def app(self) -> App:
        return self.running.app

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    async def store(self, *events: Wire) -> None:
        """Store events; each is received when it happened."""
        pipeline = Pipeline.of(self.app)
        for event in events:
            happened = datetime.fromisoformat(event["timestamp"])
            delivery = Delivery(
                id=uuid7().bytes,
                tenant_id=self.tenant_id,
                project_id=self.source.project.id,
                received_ms=int(happened.timestamp() * 1000),
                count=1,
                body=msgspec.json.encode({"batch": [event], "sent_at": None}),
            )
            await pipeline.run(self.tenant_id, [delivery])

    async def keep(self, **days: int) -> None:
        """Set the tenant's own periods, by table; a double underscore stands for the dot."""
        said = {table.replace("__", "."): number for table, number in days.items()}
        async with self.app.storage.system("settings") as connection:
            await connection.execute(
                text("UPDATE tenants SET settings = CAST(:settings AS jsonb) WHERE id = :tenant"),
                {"settings": msgspec.json.encode({"retention_days": said}).decode(), "tenant": self.tenant_id},
            )

    async def ages(self, table: str = "events", column: str = "timestamp") -> list[int]:
        """Ages of the tenant's rows in days."""
        query = text(f"SELECT {column} FROM {table} WHERE tenant_id = :tenant ORDER BY 1 DESC")
        async with self.app.storage.system("look what is left") as connection:
            return [(NOW - time).days for time in await connection.scalars(query, {"tenant": self.tenant_id})]

    async def apply(self, days: int | None = None) -> None:
        app = self.app
        await Retainer(app.storage, app.clock, app.boundary, app.resources.retention, days).apply()


@pytest.fixture
async def house(make_app: MakeApp) -> House:
    running = await make_app(Notes, clock=FakeClock(NOW))
    async with running.app.storage.system("the plugin's tables") as connection:
        await connection.execute(text("CREATE SCHEMA notes"))
        for table in ("notes", "visits"):
            await connection.execute(text(f"CREATE TABLE notes.{table} (tenant_id int, created_at timestamptz)"))
    return House(running, await running.source())


def old(days: int, visitor: str | None = None) -> Wire:
    return page_view("/", at=NOW - timedelta(days=days), visitor=visitor)


async def fill(house: House, table: str, *ages: int) -> None:
    async with house.app.storage.system("rows for a test") as connection:
        for days in ages:
            await connection.execute(
                text(f"INSERT INTO {table} VALUES (:tenant, :time)"),
                {"tenant": house.tenant_id, "time": NOW - timedelta(days=days)},
            )


async def test_without_a_period_everything_stays(house: House) -> None:
    await house.store(old(0), old(400))
    await house.apply()
    assert await house.ages() == [0, 400]


async def test_whole_months_are_dropped_and_the_month_of_the_limit_stays(house: House) -> None:
    await house.store(old(0), old(20), old(31), old(60), old(400), old(4000))
    await house.apply(days=30)
    # The limit is 23 October: October stays until its last day is old enough.
    assert await house.ages() == [0, 20, 31]


async def test_a_tenant_that_keeps_less_loses_its_events_to_the_day_and_others_keep_theirs(house: House) -> None:
    await house.store(old(1), old(6), old(8), old(40))
    await house.keep(events=7)
    neighbour = House(house.running, await house.running.source())
    await neighbour.store(old(1), old(40))
    await house.apply()
    assert await house.ages() == [1, 6]
    assert await neighbour.ages() == [1, 40]


async def test_a_tenant_that_keeps_more_keeps_it_while_others_lose_theirs(house: House) -> None:
    await house.store(old(1), old(100), old(300))
    await house.keep(events=200)
    neighbour = House(house.running, await house.running.source())
    await neighbour.store(old(1), old(100))
    await house.apply(days=30)
    assert await house.ages() == [1, 100]
    assert await neighbour.ages() == [1]


async def test_persons_of_whom_nothing_is_left_are_forgotten_and_the_others_are_not(house: House) -> None:
    gone, regular = str(uuid7()), str(uuid7())
    await house.store(old(400, gone), old(400, regular), old(1, regular))
    await house.apply(days=90)
    async with house.app.storage.tenant(house.tenant_id) as connection:
        assert await queries.find(connection, house.tenant_id, gone) == []
        assert len(await queries.find(connection, house.tenant_id, regular)) == 1


async def test_a_person_who_was_forgotten_may_come_back(house: House) -> None:
    visitor = str(uuid7())
    await house.store(old(400, visitor))
    await house.apply(days=90)
    await house.store(old(0, visitor))
    assert await house.ages() == [0]
    async with house.app.storage.tenant(house.tenant_id) as connection:
        assert len(await queries.find(connection, house.tenant_id, visitor)) == 1


async def test_rows_of_a_plugin_go_after_its_days_or_the_tenants(house: House) -> None:
    await fill(house, "notes.notes", 1, 9, 11)
    await house.apply()
    assert await house.ages("notes.notes", "created_at") == [1, 9]
    await house.keep(notes__notes=5)
    await house.apply()
    assert await house.ages("notes.notes", "created_at") == [1]


async def test_rows_that_are_kept_as_long_as_events_go_with_them(house: House) -> None:
    await fill(house, "notes.visits", 1, 40, 100)
    await house.apply()
    assert await house.ages("notes.visits", "created_at") == [1, 40, 100]
    await house.apply(days=50)
    assert await house.ages("notes.visits", "created_at") == [1, 40]
    await house.keep(events=7)
    await house.apply(days=50)
    assert await house.ages("notes.visits", "created_at") == [1]


async def test_a_table_that_cannot_be_cleaned_is_counted_and_the_others_are_cleaned(house: House) -> None:
    await fill(house, "notes.notes", 11)
    await house.apply()
    assert await house.ages("notes.notes", "created_at") == []
    assert house.app.boundary.failures["notes", "retention:notes.broken"] == 1


async def test_retention_is_a_job_of_the_core(make_app: MakeApp) -> None:
    running = await make_app(Notes)
    async with running.app.storage.system("old accounts") as connection:
        await connection.execute(
            text(
                "INSERT INTO ingest_ledger (tenant_id, project_id, minute, outcome, count)"
                " VALUES (1, 1, now() - interval '500 days', 'stored', 1), (1, 1, now(), 'stored', 1)"
            )
        )
        await running.app.jobs.enqueue(connection, "core.apply_retention", {})
    await running.run_jobs()
    async with running.app.storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM ingest_ledger")) == 1
