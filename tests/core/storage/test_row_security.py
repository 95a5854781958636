"""What a transaction of a tenant reaches, tried on every table of the composed app without naming a tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ids import uuid7
from chatnation.core.jobs.definitions import Job
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.storage import tenant_role
from chatnation.core.storage.migrations import (
    History,
    core_history,
    downgrade,
    global_tables,
    histories,
    upgrade,
)
from chatnation.core.storage.partitions import make_month
from chatnation.core.storage.row_security import Gap, gaps
from chatnation.core.storage.storage import Storage, enter_tenant, raw
from chatnation.core.storage.tenant_role import NoTenantRole
from chatnation.core.storage.tenant_tables import TenantTable, tenant_tables
from chatnation.testing.apps import AppMaker, MakeApp, RunningApp
from chatnation.testing.events import page_view
from chatnation.testing.servers import SharedServers

pytestmark = pytest.mark.anyio

A, B = 1_000_001, 1_000_002
NEVER_CHANGED = {"erasures"}
"""Tables whose rows a tenant adds and reads, and that is all."""
SHARED = {"cache_versions", "clients"}
ITS_OWN = {"tenants", "users"}

_VALUES = {
    "bool": "false",
    "bytea": "'x{tenant}'",
    "inet": "'10.0.0.1'",
    "json": "'{{}}'",
    "jsonb": "'{{}}'",
    "text": "'x{tenant}'",
    "varchar": "'x{tenant}'",
    "uuid": "md5('{tenant}')::uuid",
    "date": "'2026-11-22'",
    "timestamptz": "'2026-11-22T09:00Z'",
}
_COLUMNS = text(
    """
    SELECT a.attname AS name, t.typname AS type
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
       AND (a.attnotnull AND NOT a.atthasdef OR a.attname = 'tenant_id') AND a.attidentity = ''
    """
)
_CONSTRAINTS = text(
    """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
      FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
     WHERE contype IN ('f', 'c') AND conrelid <> 0 AND coninhcount = 0
    """
)


@dataclass(frozen=True, slots=True)
class House:
    """An app with every bundled plugin, and a row of two tenants in each table."""

    storage: Storage
    tables: list[TenantTable]
    inserts: dict[str, Callable[[int], str]]
    global_tables: dict[str, frozenset[str]]


@pytest.fixture(scope="module")
async def running(chatnation_servers: SharedServers, anyio_backend: str) -> AsyncIterator[RunningApp]:
    async with AppMaker(chatnation_servers) as make_app:
        yield await make_app()


@pytest.fixture(scope="module")
async def house(running: RunningApp) -> House:
    """Rows alone, without what they refer to: what is tried here is who may see them."""
    storage, inserts = running.app.storage, {}
    async with storage.system("rows of two tenants") as connection:
        await make_month(connection, date(2026, 11, 1))
        for statement in list(await connection.scalars(_CONSTRAINTS)):
            await connection.execute(text(statement))
        tables = await tenant_tables(connection)
        for table in tables:
            await connection.execute(text(f"ALTER TABLE {table.quoted} DISABLE TRIGGER USER"))
            insert = inserts[table.label] = await _insert_of(connection, table)
            for tenant_id in (A, B):
                await connection.execute(text(insert(tenant_id)))
    plugins = [record.plugin_class for record in running.app.inventory.active() if record.plugin_class]
    return House(storage, tables, inserts, global_tables(histories(plugins)))


async def _insert_of(connection: AsyncConnection, table: TenantTable) -> Callable[[int], str]:
    """Something for each column that wants a value; another tenant gets other values."""
    columns = {row.name: row.type for row in await connection.execute(_COLUMNS, {"table": table.quoted})}
    names = ", ".join(f'"{name}"' for name in columns)

    def insert(tenant_id: int) -> str:
        values = ", ".join(
            str(tenant_id)
            if name == "tenant_id"
            else _VALUES.get(kind, "'{{}}'" if kind.startswith("_") else "'{tenant}'").format(tenant=tenant_id % 1000)
            for name, kind in columns.items()
        )
        return f"INSERT INTO {table.quoted} ({names}) VALUES ({values})"

    return insert


async def refused(
    connection: AsyncConnection, statement: str, why: str = "row-level security|permission denied"
) -> None:
    with pytest.raises(DBAPIError, match=why):
        async with connection.begin_nested():
            await connection.execute(text(statement))


async def test_a_query_without_any_filter_sees_the_rows_of_its_tenant_only(house: House) -> None:
    assert len(house.tables) > 20
    async with house.storage.tenant(A) as connection:
        for table in house.tables:
            query = text(f"SELECT DISTINCT tenant_id FROM {table.quoted}")
            assert list(await connection.scalars(query)) == [A], table.label


async def test_a_row_of_another_tenant_cannot_be_written(house: House) -> None:
    async with house.storage.tenant(A) as connection:
        for table in house.tables:
            await refused(connection, house.inserts[table.label](B))
            await refused(connection, f"UPDATE {table.quoted} SET tenant_id = {B}")


async def test_a_change_without_any_filter_reaches_the_rows_of_its_tenant_only(house: House) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone):
        async with house.storage.system("undone in the end") as connection:
            await enter_tenant(connection, A)
            for table in house.tables:
                if table.label not in NEVER_CHANGED:
                    await connection.execute(text(f"DELETE FROM {table.quoted}"))
            await connection.execute(text("SELECT set_config('role', 'none', true)"))
            for table in house.tables:
                left = {B} if table.label not in NEVER_CHANGED else {A, B}
                found = await connection.scalars(text(f"SELECT DISTINCT tenant_id FROM {table.quoted}"))
                assert set(found) & {A, B} == left, table.label
            raise Undone


async def test_without_a_tenant_no_row_is_there(house: House) -> None:
    async with house.storage.tenant(A) as connection:
        for nobody in ("''", "'0'"):
            await connection.execute(text(f"SELECT set_config('chatnation.tenant_id', {nobody}, true)"))
            for table in house.tables:
                assert await connection.scalar(text(f"SELECT count(*) FROM {table.quoted}")) == 0, table.label


async def test_a_connection_that_was_never_told_of_a_tenant_sees_no_row(house: House) -> None:
    async with house.storage.engine.connect() as connection:
        role = await tenant_role.look_up(connection)
        await connection.execute(text(f"SET LOCAL ROLE {role.quoted}"))
        for table in house.tables:
            assert await connection.scalar(text(f"SELECT count(*) FROM {table.quoted}")) == 0, table.label


async def test_partitions_cannot_be_read_around_their_parent(house: House) -> None:
    async with house.storage.tenant(A) as connection:
        parts = list(
            await connection.scalars(
                text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")
            )
        )
        assert {"events_default", "events_2026_11"} <= set(parts)
        for part in parts:
            await refused(connection, f"SELECT FROM {part}")
            await refused(connection, f"DELETE FROM {part}")
        walled = text("SELECT bool_and(relrowsecurity) FROM pg_class WHERE oid = ANY(CAST(:parts AS regclass[]))")
        assert await connection.scalar(walled, {"parts": parts})


async def test_tables_without_a_tenant_are_closed_but_for_the_few_that_are_needed(house: House) -> None:
    async with house.storage.tenant(A) as connection:
        others = await connection.execute(
            text(
                """
                SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')
                """
            )
        )
        tables = [(schema, name) for schema, name in others if name not in ITS_OWN]
        assert ("jobs", "queue") in tables
        for schema, name in tables:
            if name in SHARED if schema == "public" else name in house.global_tables.get(schema, ()):
                await connection.execute(text(f'SELECT FROM "{schema}"."{name}"'))
                await refused(connection, f'DELETE FROM "{schema}"."{name}"')
            else:
                await refused(connection, f'SELECT FROM "{schema}"."{name}"')


async def test_a_tenant_sees_itself_and_its_members_without_their_passwords(make_app: MakeApp) -> None:
    running = await make_app()
    ours, theirs = await running.source(), await running.source()
    me = await running.person(ours.tenant)
    await running.person(theirs.tenant)
    async with running.app.storage.tenant(ours.tenant.id) as connection:
        assert list(await connection.scalars(text("SELECT id FROM tenants"))) == [ours.tenant.id]
        assert list(await connection.scalars(text("SELECT email FROM users"))) == [me.email]
        await refused(connection, "SELECT password_hash FROM users")
        await refused(connection, "UPDATE users SET name = 'x'")
        await refused(connection, "INSERT INTO tenants (slug, name, timezone) VALUES ('x', 'x', 'UTC')")


async def test_a_view_shows_what_its_tables_do(make_app: MakeApp) -> None:
    running = await make_app()
    ours, theirs = await running.source(), await running.source()
    for source in (ours, theirs):
        await running.ingest_and_drain([page_view("/")], source)
    async with running.app.storage.tenant(ours.tenant.id) as connection:
        seen = await connection.scalars(text("SELECT tenant_id FROM events_expanded"))
        assert list(seen) == [ours.tenant.id]


async def test_the_role_goes_with_its_transaction(house: House) -> None:
    storage = Storage(house.storage.engine.url.render_as_string(hide_password=False), pool_size=1)
    who = text("SELECT current_user = session_user")
    async with storage.tenant(A) as connection:
        assert await connection.scalar(who) is False
    async with storage.engine.connect() as connection:
        assert await connection.scalar(who) is True
    with pytest.raises(LookupError):
        async with storage.tenant(A):
            raise LookupError
    async with storage.system("who am I") as connection:
        assert await connection.scalar(who) is True
    # Somebody who takes a role on for good does it to the connection; the doors do not fall for it.
    async with storage.system("left behind") as connection:
        role = await tenant_role.look_up(connection)
        await connection.execute(text(f"SET ROLE {role.quoted}"))
    async with storage.system("who am I now") as connection:
        assert await connection.scalar(who) is True
    await storage.dispose()


class Errands(Plugin):
    """Errands"""

    name = "errands"
    done: ClassVar[list[dict[str, object]]] = []

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("errands.run", self.run)]

    async def run(self, payload: dict[str, object]) -> None:
        self.done.append(payload)


async def test_a_transaction_of_a_tenant_enqueues_jobs_and_reads_none(make_app: MakeApp) -> None:
    running = await make_app(Errands)
    async with running.app.storage.tenant(A) as connection:
        assert await running.app.jobs.enqueue(connection, "errands.run", {"secret": 1}, dedupe_key="x")
        assert not await running.app.jobs.enqueue(connection, "errands.run", {"secret": 2}, dedupe_key="x")
        await refused(connection, "SELECT payload FROM jobs.queue")
        await refused(connection, "SELECT id FROM jobs.queue")
        await refused(connection, "SELECT job_id FROM jobs.log")
    await running.run_jobs()
    assert Errands.done == [{"secret": 1}]


async def test_copying_is_refused_at_the_tenants_door_and_possible_before_one_enters(storage: Storage) -> None:
    async with storage.system("a copy") as connection:
        await (await raw(connection)).copy_records_to_table("identities", records=[], columns=["tenant_id"])
        await enter_tenant(connection, A)
        with pytest.raises(Exception, match="COPY FROM not supported with row-level security"):
            await (await raw(connection)).copy_records_to_table("identities", records=[], columns=["tenant_id"])


# --- how it gets there -----------------------------------------------------------------------------


MAKE_TABLES = '''"""Make tables."""

from alembic import op

revision = "{number}"
down_revision = {after!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("{statement}")


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS outsider.notes, outsider.countries, outsider.forgotten")
'''


def outsider(folder: Path, *statements: str, shared: Iterable[str] = ()) -> History:
    folder.mkdir(exist_ok=True)
    for number, statement in enumerate(statements, 1):
        after = f"{number - 1:04}" if number > 1 else None
        source = MAKE_TABLES.format(number=f"{number:04}", after=after, statement=statement)
        (folder / f"{number:04}_x.py").write_text(source)
    return History("outsider", "outsider", folder, None, frozenset(shared))


NOTES = "CREATE TABLE outsider.notes (id serial, tenant_id int, note text)"


async def test_a_plugins_table_is_protected_as_soon_as_it_is_made(storage: Storage, tmp_path: Path) -> None:
    await upgrade(storage, [outsider(tmp_path / "v", NOTES)], Boundary())
    for tenant_id in (A, B):
        async with storage.tenant(tenant_id) as connection:
            await connection.execute(text(f"INSERT INTO outsider.notes (tenant_id, note) VALUES ({tenant_id}, 'x')"))
    async with storage.tenant(A) as connection:
        assert list(await connection.scalars(text("SELECT tenant_id FROM outsider.notes"))) == [A]


async def test_a_table_of_a_plugin_without_a_tenant_is_closed_unless_it_is_named_as_global(
    storage: Storage, tmp_path: Path
) -> None:
    tables = (
        "CREATE TABLE outsider.countries AS SELECT 'KE' AS code",
        "CREATE TABLE outsider.forgotten AS SELECT 'of some tenant' AS note",
    )
    await upgrade(storage, [outsider(tmp_path / "v", *tables, shared=["countries"])], Boundary())
    async with storage.tenant(A) as connection:
        assert await connection.scalar(text("SELECT code FROM outsider.countries")) == "KE"
        await refused(connection, "INSERT INTO outsider.countries VALUES ('UG')")
        await refused(connection, "SELECT note FROM outsider.forgotten")
    async with storage.system("what a revision may do, so that no tenant reads a global table") as connection:
        await connection.execute(text("ALTER TABLE outsider.countries ENABLE ROW LEVEL SECURITY"))
    await upgrade(storage, [core_history()], Boundary())
    async with storage.tenant(A) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM outsider.countries")) == 0


async def test_what_somebody_took_away_is_seen_and_comes_back_with_the_next_upgrade(
    storage: Storage, tmp_path: Path
) -> None:
    history = outsider(tmp_path / "v", NOTES)
    await upgrade(storage, [core_history(), history], Boundary())
    assert await _gaps(storage, [history]) == []
    async with storage.system("meddle") as connection:
        role = await tenant_role.look_up(connection)
        for statement in (
            "ALTER TABLE events_default DISABLE ROW LEVEL SECURITY",
            "DROP POLICY tenant ON projects",
            "ALTER POLICY tenant ON identities USING (true)",
            "ALTER TABLE outsider.notes DISABLE ROW LEVEL SECURITY",
            "CREATE POLICY everybody ON outsider.notes USING (true)",
            f"GRANT SELECT ON processed_deliveries, events_default TO {role.quoted}",
            f"GRANT SELECT ON users TO {role.quoted}",
            "GRANT INSERT ON users TO PUBLIC",
            f"REVOKE INSERT ON tenants, outsider.notes FROM {role.quoted}",
        ):
            await connection.execute(text(statement))
    found = {gap.relation for gap in await _gaps(storage, [history])}
    assert found == {"events_default", "projects", "identities", "outsider.notes", "processed_deliveries", "users"}
    await upgrade(storage, [core_history(), history], Boundary())
    assert await _gaps(storage, [history]) == []


async def test_what_an_uninstalled_plugin_left_is_protected_too(storage: Storage, tmp_path: Path) -> None:
    await upgrade(storage, [outsider(tmp_path / "v", NOTES)], Boundary())
    async with storage.system("a table from before there was protection") as connection:
        await connection.execute(text("DROP POLICY tenant ON outsider.notes"))
    await upgrade(storage, [core_history()], Boundary())
    assert await _gaps(storage, []) == []


async def test_tables_that_come_back_after_a_downgrade_are_protected_again(storage: Storage, tmp_path: Path) -> None:
    history = outsider(tmp_path / "v", NOTES)
    await upgrade(storage, [history], Boundary())
    await downgrade(storage, history)
    await upgrade(storage, [history], Boundary())
    assert await _gaps(storage, [history]) == []


async def test_the_composed_app_has_no_gap(make_app: MakeApp) -> None:
    app = (await make_app()).app
    plugins = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
    assert await _gaps(app.storage, histories(plugins)) == []


async def _gaps(storage: Storage, targets: Iterable[History]) -> list[Gap]:
    async with storage.system("look for gaps") as connection:
        return await gaps(connection, await tenant_role.look_up(connection), global_tables(targets))


@asynccontextmanager
async def owned_by(servers: SharedServers, owner: str, may: str = "") -> AsyncIterator[tuple[Storage, Storage]]:
    """An empty database of a role of its own, opened by it and by an administrator."""
    url, admin = await servers.create_database(), Storage(servers.admin_url)
    name = make_url(url).database
    async with admin.system("a database of somebody else") as connection:
        await connection.execute(text(f"CREATE ROLE {owner} LOGIN PASSWORD '{owner}' {may}"))
        await connection.execute(text(f'ALTER DATABASE "{name}" OWNER TO {owner}'))
    login = make_url(url).set(username=owner, password=owner)
    storage = Storage(login.render_as_string(hide_password=False))
    try:
        yield storage, admin
    finally:
        await storage.dispose()
        await servers.drop_database(url)
        async with admin.system("clean up") as connection:
            for role in (f"{owner}_tenant", owner):
                await connection.execute(text(f"DROP ROLE IF EXISTS {role}"))
        await admin.dispose()


async def test_a_role_that_may_not_be_made_is_asked_for_in_sql(servers: SharedServers) -> None:
    owner = f"cn_{uuid7().hex[-12:]}"
    async with owned_by(servers, owner) as (storage, admin):
        with pytest.raises(NoTenantRole) as refusal:
            await upgrade(storage, [core_history()], Boundary())
        async with storage.system("nothing was made") as connection:
            assert await connection.scalar(text("SELECT to_regclass('public.tenants')")) is None
        wanted = str(refusal.value).partition("run: ")[2]
        assert wanted == f'CREATE ROLE "{owner}_tenant" NOLOGIN; GRANT "{owner}_tenant" TO "{owner}";'
        async with admin.system("what the sentence says") as connection:
            for statement in wanted.rstrip(";").split("; "):
                await connection.execute(text(statement))
        await upgrade(storage, [core_history()], Boundary())
        async with storage.tenant(A) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM events")) == 0


async def test_an_owner_that_may_make_roles_makes_it(servers: SharedServers) -> None:
    async with owned_by(servers, f"cn_{uuid7().hex[-12:]}", "CREATEROLE") as (storage, _):
        await upgrade(storage, [core_history()], Boundary())
        await upgrade(storage, [core_history()], Boundary())
        async with storage.tenant(A) as connection:
            assert await connection.scalar(text("SELECT count(*) FROM events")) == 0
            await refused(connection, "SELECT FROM events_default")


async def test_a_role_above_row_level_security_is_refused(servers: SharedServers) -> None:
    owner = f"cn_{uuid7().hex[-12:]}"
    async with owned_by(servers, owner) as (storage, admin):
        async with admin.system("a mighty role") as connection:
            await connection.execute(text(f"CREATE ROLE {owner}_tenant NOLOGIN BYPASSRLS"))
            await connection.execute(text(f"GRANT {owner}_tenant TO {owner}"))
        with pytest.raises(NoTenantRole, match=f'run: ALTER ROLE "{owner}_tenant" NOSUPERUSER NOBYPASSRLS;'):
            await upgrade(storage, [core_history()], Boundary())
