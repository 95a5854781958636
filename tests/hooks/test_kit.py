"""The kit for authors does what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chatnation import App, DomainEvent, Job, Plugin, hookimpl
from chatnation.testing import FakeClock, MakeApp, RunningApp, compliance, identify, page_view, track, whatsapp_message
from tests.hooks.assembling import plugin

EMPTY = plugin("empty")


async def stored(running: RunningApp, columns: str) -> list[tuple[object, ...]]:
    async with running.app.storage.system("look at the events of a test") as connection:
        rows = await connection.execute(text(f"SELECT {columns} FROM events ORDER BY event_name, timestamp"))
        return [tuple(row) for row in rows]


async def test_every_kind_of_event_is_accepted_and_stored_as_what_it_is(make_app: MakeApp) -> None:
    running = await make_app(EMPTY)
    answer = await running.ingest_and_drain(
        [
            page_view("/file", title="File", referrer="https://example.com/"),
            track("clicked", {"label": "go"}, visitor="v", session="s", user="u"),
            identify("u", {"email": "u@example.org"}),
            whatsapp_message("254700000001", "Habari"),
        ]
    )
    assert answer == {"status": "success", "accepted": 4, "rejected": []}
    assert await stored(running, "event_name, event_type, channel_type, user_id, page_path") == [
        ("clicked", "track", "web", "u", None),
        ("identify", "identify", "web", "u", None),
        ("message.received", "track", "whatsapp", "254700000001", None),
        ("page_view", "page", "web", None, "/file"),
    ]


async def test_the_clock_stands_still_until_it_is_moved(make_app: MakeApp) -> None:
    clock = FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    running = await make_app(EMPTY, clock=clock)
    assert running.app.clock.now() == running.app.clock.now() == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert clock.move(timedelta(hours=1)) == running.app.clock.now()
    clock.set(datetime.fromisoformat("2026-04-01T00:00:00+03:00"))
    assert running.app.clock.now() == datetime(2026, 3, 31, 21, tzinfo=UTC)


async def test_the_clock_decides_when_events_were_received(make_app: MakeApp) -> None:
    clock = FakeClock(datetime(2026, 3, 1, 12, tzinfo=UTC))
    running = await make_app(EMPTY, clock=clock)
    await running.ingest_and_drain([track("bought", at=clock.now())])
    assert await stored(running, "received_at") == [(clock.now(),)]


async def test_a_client_of_a_real_server_gets_the_same_answers(make_app: MakeApp) -> None:
    running = await make_app(EMPTY)
    near, far = await running.client(), await running.network_client()
    assert far.base_url.host == "127.0.0.1"
    assert (await near.get("/-/versions")).json() == (await far.get("/-/versions")).json()


async def test_every_app_has_a_database_and_a_redis_of_its_own_unless_it_is_like_another(make_app: MakeApp) -> None:
    one, other = await make_app(EMPTY), await make_app(EMPTY)
    like_one = await make_app(EMPTY, like=one)
    await one.ingest_and_drain([track("bought")])
    assert len(await stored(one, "event_name")) == len(await stored(like_one, "event_name")) == 1
    assert await stored(other, "event_name") == []
    assert one.app.settings.redis_url == like_one.app.settings.redis_url != other.app.settings.redis_url


@dataclass(frozen=True, slots=True)
class Packed(DomainEvent):
    """For this test."""


class Packing(Plugin):
    """Packs in a job, and tells."""

    name = "packing"

    @hookimpl
    async def startup(self, app: App) -> None:
        self._app = app

    @hookimpl
    def register_jobs(self) -> list[Job]:
        return [Job("packing.pack", self.pack), Job("packing.pack_twice", self.pack_twice)]

    async def pack(self, payload: dict[str, Any]) -> None:
        async with self._app.storage.tenant(payload["tenant_id"]) as connection:
            self._app.signals.publish(connection, Packed(payload["tenant_id"]))

    async def pack_twice(self, payload: dict[str, Any]) -> None:
        async with self._app.storage.tenant(payload["tenant_id"]) as connection:
            for _ in range(2):
                await self._app.jobs.enqueue(connection, "packing.pack", payload)


async def test_jobs_run_with_those_that_they_enqueue_and_domain_events_are_kept(make_app: MakeApp) -> None:
    running = await make_app(Packing)
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        await running.app.jobs.enqueue(connection, "packing.pack_twice", {"tenant_id": tenant.id})
    assert running.domain_events == []
    await running.run_jobs()
    assert running.domain_events == [Packed(tenant.id), Packed(tenant.id)]


REVISION = '''"""Make a table."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE notebook.notes (note text)")


def downgrade() -> None:
    op.execute("DROP TABLE notebook.notes")
'''


async def test_the_rules_refuse_a_table_without_a_tenant_that_the_manifest_does_not_name(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "0001_notes.py").write_text(REVISION)
    careless = type("Notebook", (Plugin,), {"__doc__": "Notebook", "name": "notebook", "migrations": tmp_path})
    running = await make_app(careless)
    with pytest.raises(AssertionError, match="notes"):
        await _rules(careless).test_each_of_its_tables_belongs_to_a_tenant_or_is_named_as_global(running)
    careful = type("Notebook", (careless,), {"__doc__": "Notebook", "global_tables": ("notes",)})
    await _rules(careful).test_each_of_its_tables_belongs_to_a_tenant_or_is_named_as_global(running)
    dreaming = type("Notebook", (careless,), {"__doc__": "Notebook", "global_tables": ("notes", "countries")})
    with pytest.raises(AssertionError, match="countries"):
        await _rules(dreaming).test_each_of_its_tables_belongs_to_a_tenant_or_is_named_as_global(running)


async def test_the_rules_refuse_a_table_that_lacks_row_level_security(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "0001_notes.py").write_text(REVISION.replace("note text", "note text, tenant_id int"))
    notebook = type("Notebook", (Plugin,), {"__doc__": "Notebook", "name": "notebook", "migrations": tmp_path})
    running = await make_app(notebook)
    await _rules(notebook).test_the_database_keeps_tenants_to_their_rows_of_its_tables(running)
    async with running.app.storage.system("meddle") as connection:
        await connection.execute(text("ALTER TABLE notebook.notes DISABLE ROW LEVEL SECURITY"))
    with pytest.raises(AssertionError, match=r"notebook\.notes: row-level security is off"):
        await _rules(notebook).test_the_database_keeps_tenants_to_their_rows_of_its_tables(running)


def _rules(plugin: type[Plugin]) -> compliance.Compliance:
    return compliance.suite(plugin)()
