"""The rules that every plugin keeps, as tests: `TestMine = compliance.suite(MyPlugin)`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, cast

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.app import App
from chatnation.core.compose import assemble
from chatnation.core.hookspecs import data
from chatnation.core.plugin import discovery, manifest, review
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.plugin.conflicts import page_path, route_path
from chatnation.core.plugin.inventory import State
from chatnation.core.plugin.loader import PluginSettings
from chatnation.core.settings import Settings
from chatnation.core.storage.migrations import differences, downgrade, global_tables, plugin_history, upgrade
from chatnation.core.storage.row_security import gaps
from chatnation.core.storage.tenant_role import look_up
from chatnation.core.web.routing import PUBLIC
from chatnation.testing.apps import AppMaker, MakeApp, RunningApp, Source
from chatnation.testing.events import Wire, identify, page_view, track, whatsapp_message
from chatnation.testing.servers import SharedServers

_PARAMETER = re.compile(r"\{\w+(?::(?P<type>\w+))?\}")
_EXAMPLES = {"uuid": "01890000-0000-7000-8000-000000000000"}

_OPEN_SECONDS = 5.0

_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
_GLOBAL_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'alembic_version'
  AND NOT EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
  )
"""
_TENANT_TABLES = """
SELECT format('%I.%I', table_schema, table_name) FROM information_schema.columns
WHERE table_schema = :schema AND column_name = 'tenant_id' ORDER BY 1
"""


def suite(plugin: type[Plugin], *, plugin_settings: PluginSettings | None = None) -> type[Compliance]:
    """A class of tests for `plugin`, to be given a name that starts with `Test`.

    `plugin_settings` are needed where a setting has no default. What the plugin requires must be installed.
    """
    attributes = {
        "__doc__": f"The rules, held against {plugin.__name__}.",
        "plugin": plugin,
        "plugin_settings": dict(plugin_settings or {}),
    }
    return type(f"Test{plugin.__name__}", (Compliance,), attributes)


def with_requirements(plugin: type[Plugin]) -> list[type[Plugin]]:
    """`plugin` and the installed plugins that it requires, theirs included."""
    installed = {candidate.name: candidate for candidate in discovery.find()}
    found: dict[str, type[Plugin]] = {}

    def add(needed: type[Plugin]) -> None:
        if needed.name in found:
            return
        found[needed.name] = needed
        for name in needed.requires:
            add(cast("type[Plugin]", installed[name].load()))

    add(plugin)
    return list(found.values())


def _filled(parameter: re.Match[str]) -> str:
    """Something in the place of a parameter, of the type that it wants."""
    return _EXAMPLES.get(parameter["type"] or "str", "1")


class Compliance:
    """The rules. `suite` makes a class for each plugin."""

    plugin: type[Plugin]
    plugin_settings: dict[str, Any]

    def test_the_manifest_is_sound(self) -> None:
        assert manifest.problems(self.plugin, self.plugin.name) == []

    @pytest.fixture(scope="class")
    async def running(self, chatnation_servers: SharedServers) -> AsyncIterator[RunningApp]:
        """The plugin with what it requires, for the tests that can share an app."""
        async with AppMaker(chatnation_servers) as make_app:
            yield await self._app(make_app)

    @pytest.mark.parametrize("rule", review.RULES, ids=lambda rule: rule.__name__)
    def test_the_plugin(self, rule: Callable[[type[Plugin]], Iterator[str]]) -> None:
        assert list(rule(self.plugin)) == []

    async def test_it_runs_alone_with_what_it_requires(self, running: RunningApp) -> None:
        assert {
            record.name: record.reason for record in running.app.inventory if record.state is not State.ACTIVE
        } == {}

    async def test_everything_else_runs_without_it(self, make_app: MakeApp) -> None:
        broken = {record.name for record in assemble(Settings()).inventory if record.state is not State.ACTIVE}
        running = await make_app(settings={"plugins_disabled": self.plugin.name})
        affected = {record.name for record in running.app.inventory if record.state is not State.ACTIVE} - broken
        assert affected <= _dependents(running.app, self.plugin.name)
        await running.ingest_and_drain(_sample())

    async def test_batches_of_every_kind_pass_it(self, running: RunningApp) -> None:
        await running.ingest_and_drain(_sample())
        await running.run_jobs()
        assert self._failures(running) == {}

    async def test_strangers_reach_only_what_is_public(self, running: RunningApp) -> None:
        client = await running.client()
        for method, path, permission in self._addresses(running):
            if permission != PUBLIC:
                response = await client.request(method, path)
                assert response.status_code == 401, f"{method} {path} answered {response.status_code} to a stranger"

    async def test_nothing_that_an_admin_can_look_at_breaks(self, running: RunningApp) -> None:
        source = await running.source()
        await running.ingest_and_drain(_sample(), source)
        client = await running.client(await running.person(source.tenant))
        for method, path, _ in self._addresses(running):
            if method == "GET":
                response = await _look(running, client, path)
                assert response.status_code < 500, f"GET {path} answered {response.status_code}"
        assert self._failures(running) == {}

    async def test_another_tenant_sees_nothing_of_it(self, running: RunningApp) -> None:
        await running.ingest_and_drain(_sample(), await running.source())
        stranger = await running.client(await running.person((await running.source()).tenant))
        for method, path, _ in self._addresses(running):
            if method == "GET":
                response = await _look(running, stranger, path)
                told = [secret for secret in _TELLING if secret in response.text]
                assert told == [], f"GET {path} tells another tenant {told}"

    async def test_a_tenant_can_do_without_it(self, running: RunningApp) -> None:
        source = await running.source()
        await running.app.switches.switch(source.tenant.id, self.plugin.name, enabled=False)
        client = await running.client(await running.person(source.tenant))
        for method, path, _ in self._addresses(running):
            response = await client.request(method, path)
            assert response.status_code == 404, f"{method} {path} answered {response.status_code}"
        await running.ingest_and_drain(_sample(), source)

    async def test_its_failure_to_start_is_its_own(self, make_app: MakeApp) -> None:
        async def fail(self: Plugin, app: App) -> None:
            raise RuntimeError("does not start, for this test")

        attributes = {"__doc__": self.plugin.__doc__, "__module__": self.plugin.__module__, "startup": hookimpl(fail)}
        broken = type(self.plugin.__name__, (self.plugin,), attributes)
        running = await self._app(make_app, broken)
        assert running.app.inventory[self.plugin.name].state is State.DEGRADED
        await running.ingest_and_drain(_sample())
        client = await running.client()
        for method, path, _ in self._addresses(running):
            assert (await client.request(method, path)).status_code == 503

    async def test_its_revisions_lead_to_its_models_and_back_and_touch_nothing_else(self, running: RunningApp) -> None:
        history = plugin_history(self.plugin)
        if history is None:
            pytest.skip("it keeps no tables")
        storage, schema = running.app.storage, f"{self.plugin.name}."
        before = await _rows(running, _TABLES)
        assert await differences(storage, history) == []
        await downgrade(storage, history)
        left = await _rows(running, _TABLES)
        assert [table for table in left if table.startswith(schema)] == [f"{schema}alembic_version"]
        assert [table for table in left if not table.startswith(schema)] == [
            table for table in before if not table.startswith(schema)
        ]
        (done,) = await upgrade(storage, [history], Boundary())
        assert done.error is None
        assert await _rows(running, _TABLES) == before

    async def test_each_of_its_tables_belongs_to_a_tenant_or_is_named_as_global(self, running: RunningApp) -> None:
        without = set(await _rows(running, _GLOBAL_TABLES, schema=self.plugin.name))
        unnamed = without - set(self.plugin.global_tables)
        assert unnamed == set(), f"without tenant_id, and not in `global_tables` of the manifest: {sorted(unnamed)}"
        imagined = set(self.plugin.global_tables) - without
        assert imagined == set(), f"`global_tables` names what is no such table: {sorted(imagined)}"

    async def test_the_database_keeps_tenants_to_their_rows_of_its_tables(self, running: RunningApp) -> None:
        history = plugin_history(self.plugin)
        async with running.app.storage.system("look at the tables of a test") as connection:
            role = await look_up(connection)
            found = await gaps(connection, role, global_tables([history] if history else []))
        ours = [gap for gap in found if gap.relation.partition(".")[0] == self.plugin.name]
        assert ours == [], "; ".join(f"{gap.relation}: {gap.lacks}" for gap in ours)

    async def test_nothing_of_an_erased_tenant_is_left(self, running: RunningApp) -> None:
        source = await running.source()
        await running.ingest_and_drain(_sample(), source)
        async with running.app.storage.tenant(source.tenant.id) as connection:
            for outcome in await running.app.hooks.gather(data.summarize_tenant, connection, source.tenant.id):
                assert all(isinstance(count, int) for count in outcome.unwrap().values())
            for erased in await running.app.hooks.gather(data.erase_tenant, connection, source.tenant.id):
                erased.unwrap()
            for table in await connection.scalars(text(_TENANT_TABLES), {"schema": self.plugin.name}):
                assert await _count(connection, table, source) == 0, f"{table} keeps rows of an erased tenant"

    async def test_a_person_can_be_exported_and_erased(self, running: RunningApp) -> None:
        source = await running.source()
        await running.ingest_and_drain(_sample(), source)
        async with running.app.storage.tenant(source.tenant.id) as connection:
            found = await connection.scalars(
                text("SELECT DISTINCT person_id FROM events WHERE tenant_id = :tenant AND person_id IS NOT NULL"),
                {"tenant": source.tenant.id},
            )
            leaf_ids = list(found)
            hooks = running.app.hooks
            for exported in await hooks.gather(data.export_person, connection, source.tenant.id, leaf_ids):
                exported.unwrap()
            for erased in await hooks.gather(data.erase_person, connection, source.tenant.id, leaf_ids):
                erased.unwrap()
            for exported in await hooks.gather(data.export_person, connection, source.tenant.id, leaf_ids):
                rows = [row for rows in exported.unwrap().values() for row in rows]
                assert rows == [], f"{exported.plugin} exports what it should have erased"

    async def _app(self, make_app: MakeApp, instead: type[Plugin] | None = None) -> RunningApp:
        required = with_requirements(self.plugin)[1:]
        return await make_app(instead or self.plugin, *required, plugin_settings=self.plugin_settings)

    def _addresses(self, running: RunningApp) -> list[tuple[str, str, str]]:
        """(method, path, permission) of every route and page, with something in the place of parameters."""
        items, prefix = running.app.resources.of(self.plugin.name), self.plugin.prefix()
        routes = [(route.method, route_path(route, prefix), route.permission) for route in items.get("routes", ())]
        pages = [
            (method, page_path(page, prefix), page.permission)
            for page in items.get("pages", ())
            for method in page.methods
        ]
        return [(method, _PARAMETER.sub(_filled, path), permission) for method, path, permission in (*routes, *pages)]

    def _failures(self, running: RunningApp) -> dict[tuple[str, str], int]:
        """Failures of the plugin so far, by where."""
        failures = running.app.boundary.failures
        return {key: count for key, count in failures.items() if key[0] == self.plugin.name}


async def _look(running: RunningApp, client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer to a GET. One that stays open, such as a live stream, is ended after a moment."""
    asking = asyncio.create_task(client.get(path, headers={"Accept": "*/*"}))
    done, _ = await asyncio.wait({asking}, timeout=_OPEN_SECONDS)
    if not done:
        running.app.web.drain()
    return await asking


_TELLING = ("visitor-1", "A001234567Z", "Wanjiku", "254700000001", "Habari")


def _sample() -> Iterable[Wire]:
    """Events of every channel and kind, with more and with less in them."""
    return [
        page_view("/file?utm_source=sms", referrer="https://www.example.com/", visitor="visitor-1", session="visit-1"),
        track("filing_started", {"obligation_type": "mri"}, visitor="visitor-1", session="visit-1", journey_start=True),
        identify("A001234567Z", {"name": "Wanjiku", "phone": "254700000001"}, visitor="visitor-1"),
        track(
            "return_filed", {"amount": "12.50", "obligation": None, "Ünïcode 🎉": [1, {"a": None}]}, user="A001234567Z"
        ),
        whatsapp_message("254700000001", "Habari"),
        whatsapp_message("254700000001", "How can I help?", sent=True),
        track("ai.classification", {"detected_intent": "greeting", "confidence": 0.9, "latency_ms": 120}),
        track("csat_submitted", {"rating": "5", "feedback": ""}, user="254700000001"),
        track("x" * 100),
    ]


def _dependents(app: App, name: str) -> set[str]:
    """The plugins that require `name`, directly or through others; those that were not loaded count too."""
    found = {name}
    before: set[str] = set()
    while found != before:
        before = set(found)
        found |= {record.name for record in app.inventory if found.intersection(record.requires)}
    return found


async def _rows(running: RunningApp, query: str, **parameters: str) -> list[str]:
    async with running.app.storage.system("look at the tables of a test") as connection:
        return list(await connection.scalars(text(query), parameters))


async def _count(connection: AsyncConnection, table: str, source: Source) -> int:
    counted = text(f"SELECT count(*) FROM {table} WHERE tenant_id = :tenant")
    return int(await connection.scalar(counted, {"tenant": source.tenant.id}) or 0)
