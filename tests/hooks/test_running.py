"""Starting and stopping: what a plugin that breaks on the way takes down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from chatnation import App, DomainEvent, Listener, Plugin, Problem, Service, Storage, TenantSettings, hookimpl
from chatnation.core.errors import PluginError
from chatnation.core.hookspecs.data import erase_tenant
from chatnation.core.plugin.base import hookspec
from chatnation.core.storage.migrations import plugin_schemas
from chatnation.testing.apps import MakeApp
from tests.hooks.assembling import plugin

MIGRATION = '''"""Make a table."""

from alembic import op

revision = "{revision}"
down_revision = {down_revision!r}


def upgrade() -> None:
    op.execute("CREATE TABLE {schema}.things_{revision} (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE {schema}.things_{revision}")
'''


class Diary(Plugin):
    """Notes when it is started and stopped."""

    name = "diary"

    def __init__(self, settings: object = None) -> None:
        super().__init__()
        self.notes: list[str] = []

    @hookimpl
    async def startup(self, app: App) -> None:
        self.notes.append("started")

    @hookimpl
    async def shutdown(self, app: App) -> None:
        self.notes.append("stopped")


def states(app: App) -> dict[str, str]:
    return {record.name: str(record.state) for record in app.inventory}


async def fail(self: Plugin, app: App) -> None:
    raise RuntimeError("secret words")


async def test_plugins_start_in_load_order_and_stop_in_reverse(make_app: MakeApp) -> None:
    seen: list[str] = []

    def noting(word: str) -> object:
        async def note(self: Plugin, app: App) -> None:
            seen.append(f"{self.name} {word}")

        return hookimpl(note)

    def notes() -> dict[str, object]:
        return {"startup": noting("starts"), "shutdown": noting("stops")}

    running = await make_app(plugin("b", **notes()), plugin("a", requires=("b",), **notes()))
    assert seen == ["b starts", "a starts"]
    async with running.app.lifespan():
        pass
    assert seen[2:] == ["b starts", "a starts", "a stops", "b stops"]


async def test_a_startup_that_raises_degrades_the_plugin_and_its_dependents_only(make_app: MakeApp) -> None:
    broken = plugin("broken", startup=hookimpl(fail))
    app = (await make_app(Diary, broken, plugin("dependent", requires=("broken",)))).app
    assert states(app) == {"broken": "degraded", "dependent": "degraded", "diary": "active"}
    assert app.inventory["dependent"].reason == "it requires broken, which is degraded"
    assert app.enabled(1) == {"core", "diary"}


async def test_the_reason_of_a_failure_holds_no_text_of_an_exception(make_app: MakeApp) -> None:
    app = (await make_app(plugin("broken", startup=hookimpl(fail)))).app
    record = app.inventory["broken"]
    assert record.reason == "start-up failed: RuntimeError; `chatnation plugins list` shows the text"
    assert record.detail == "secret words"


async def test_a_plugin_that_did_not_start_is_not_stopped(make_app: MakeApp) -> None:
    stopped: list[str] = []

    async def stop(self: Plugin, app: App) -> None:
        stopped.append(self.name)

    app = (await make_app(plugin("broken", startup=hookimpl(fail), shutdown=hookimpl(stop)))).app
    async with app.lifespan():
        pass
    assert stopped == []


async def test_a_shutdown_that_raises_does_not_keep_others_from_stopping(make_app: MakeApp) -> None:
    app = (await make_app(Diary, plugin("zebra", shutdown=hookimpl(fail)))).app
    async with app.lifespan():
        pass
    diary = app.inventory["diary"].plugin
    assert isinstance(diary, Diary)
    assert diary.notes[-1] == "stopped"
    assert app.boundary.failures == {("zebra", "shutdown"): 1}


async def test_a_strict_instance_does_not_start_with_a_broken_plugin(make_app: MakeApp) -> None:
    with pytest.raises(PluginError, match="broken: secret words"):
        await make_app(plugin("broken", startup=hookimpl(fail)), settings={"strict": True})


async def test_a_plugin_whose_schema_is_behind_is_degraded_and_names_the_command(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "0001_things.py").write_text(MIGRATION.format(revision="0001", down_revision=None, schema="tables"))
    tables = plugin("tables", migrations=tmp_path)
    first = await make_app(Diary, tables)
    assert states(first.app) == {"diary": "active", "tables": "active"}
    (tmp_path / "0002_more.py").write_text(MIGRATION.format(revision="0002", down_revision="0001", schema="tables"))
    second = await make_app(Diary, tables, like=first)
    assert states(second.app) == {"diary": "active", "tables": "degraded"}
    assert "run `chatnation db upgrade`" in second.app.inventory["tables"].reason


async def test_upgrades_go_on_after_a_plugin_was_uninstalled(make_app: MakeApp, tmp_path: Path) -> None:
    from chatnation.core.storage.migrations import compare, histories, upgrade

    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "0001_a.py").write_text(MIGRATION.format(revision="0001", down_revision=None, schema="one"))
    (tmp_path / "two" / "0001_a.py").write_text(MIGRATION.format(revision="0001", down_revision=None, schema="two"))
    one, two = plugin("one", migrations=tmp_path / "one"), plugin("two", migrations=tmp_path / "two")
    first = await make_app(one, two)
    (tmp_path / "two" / "0002_b.py").write_text(MIGRATION.format(revision="0002", down_revision="0001", schema="two"))
    left = histories([two])
    await upgrade(first.app.storage, left, first.app.boundary)
    assert not any(state.behind for state in await compare(first.app.storage, left))
    second = await make_app(two, like=first)
    assert states(second.app) == {"two": "active"}
    assert await plugin_schemas(second.app.storage) == ["one", "two"]


async def test_two_apps_run_in_one_process_and_share_nothing(make_app: MakeApp) -> None:
    first = await make_app(Diary)
    second = await make_app(Diary, plugin("broken", startup=hookimpl(fail)))
    assert states(first.app) == {"diary": "active"}
    assert states(second.app) == {"broken": "degraded", "diary": "active"}
    assert first.app.inventory["diary"].plugin is not second.app.inventory["diary"].plugin
    assert first.app.metrics.registry is not second.app.metrics.registry
    async with first.app.storage.system("look around") as connection:
        ours = await connection.scalar(text("SELECT current_database()"))
    async with second.app.storage.system("look around") as connection:
        theirs = await connection.scalar(text("SELECT current_database()"))
    assert ours != theirs


@dataclass(frozen=True, slots=True)
class ThingHappened(DomainEvent):
    """For this test."""

    what: str


def listening(name: str, heard: list[tuple[str, str]], **body: object) -> type[Plugin]:
    async def hear(event: ThingHappened) -> None:
        heard.append((name, event.what))
        if event.what == "trouble":
            raise RuntimeError("cannot bear it")

    return plugin(name, register_listeners=hookimpl(lambda self: [Listener(ThingHappened, hear)]), **body)


async def test_domain_events_reach_every_listener_after_the_commit_and_only_then(make_app: MakeApp) -> None:
    heard: list[tuple[str, str]] = []
    running = await make_app(listening("a", heard), listening("b", heard))
    tenant = (await running.source()).tenant
    async with running.app.storage.tenant(tenant.id) as connection:
        running.app.signals.publish(connection, ThingHappened(tenant.id, "trouble"))
        assert heard == []
    assert heard == [("a", "trouble"), ("b", "trouble")]
    assert running.domain_events == [ThingHappened(tenant.id, "trouble")]
    assert running.app.boundary.failures == {("a", "listener:ThingHappened"): 1, ("b", "listener:ThingHappened"): 1}


async def test_a_domain_event_of_a_transaction_that_rolls_back_is_never_heard(make_app: MakeApp) -> None:
    heard: list[tuple[str, str]] = []
    running = await make_app(listening("a", heard))
    tenant = (await running.source()).tenant
    with pytest.raises(Problem):
        async with running.app.storage.tenant(tenant.id) as connection:
            running.app.signals.publish(connection, ThingHappened(tenant.id, "nothing"))
            raise Problem(409, "conflict", "no")
    async with running.app.storage.tenant(tenant.id):
        pass
    assert heard == []


async def test_a_tenant_can_switch_a_plugin_off_for_itself_and_every_process_follows(make_app: MakeApp) -> None:
    heard: list[tuple[str, str]] = []
    plugins = (listening("a", heard), plugin("b", requires=("a",)), plugin("c"))
    one = await make_app(*plugins)
    other = await make_app(*plugins, like=one)
    mine, theirs = (await one.source()).tenant, (await one.source()).tenant
    await one.app.switches.switch(mine.id, "a", enabled=False)
    assert one.app.enabled(mine.id) == {"core", "c"}
    assert one.app.enabled(theirs.id) == {"core", "a", "b", "c"}
    await other.app.versions.poll()
    assert other.app.enabled(mine.id) == {"core", "c"}
    await one.app.signals.deliver(ThingHappened(mine.id, "unheard"), ThingHappened(theirs.id, "heard"))
    assert heard == [("a", "heard")]
    await one.app.switches.switch(mine.id, "a", enabled=True)
    assert one.app.enabled(mine.id) is one.app.enabled(theirs.id)


async def test_the_core_offers_its_storage_and_settings_as_services(make_app: MakeApp) -> None:
    app = (await make_app(Diary)).app
    diary = app.inventory["diary"].plugin
    assert diary is not None
    assert diary.services.get(Storage) is app.storage
    assert diary.services.get(TenantSettings) is app.tenant_settings


async def test_an_erasure_that_one_plugin_cannot_do_rolls_back_that_of_all(make_app: MakeApp) -> None:
    async def erase(self: Plugin, connection: object, tenant_id: int) -> int:
        result = await connection.execute(text("DELETE FROM api_keys WHERE tenant_id = :id"), {"id": tenant_id})  # type: ignore[attr-defined]
        return int(result.rowcount)

    async def refuse(self: Plugin, tenant_id: int) -> int:
        raise RuntimeError("not now")

    running = await make_app(plugin("a", erase_tenant=hookimpl(erase)), plugin("b", erase_tenant=hookimpl(refuse)))
    tenant = (await running.source()).tenant
    with pytest.raises(RuntimeError, match="not now"):
        async with running.app.storage.tenant(tenant.id) as connection:
            outcomes = await running.app.hooks.gather(erase_tenant, connection, tenant.id)
            assert [outcome.value for outcome in outcomes] == [1, None]
            [outcome.unwrap() for outcome in outcomes]
    async with running.app.storage.tenant(tenant.id) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM api_keys")) == 1


class Greeter:
    """Protocol and implementation of this test."""

    def greet(self) -> str:
        return "jambo"


class Polite:
    """Hooks that the plugin `polite` asks."""

    @staticmethod
    @hookspec
    async def polite_filter_greeting(text: str) -> str:  # type: ignore[empty-body]
        """Change a greeting."""


async def test_a_plugin_asks_another_through_its_own_hook_and_calls_it_through_a_service(make_app: MakeApp) -> None:
    async def shout(self: Plugin, text: str) -> str:
        return text.upper()

    polite = plugin("polite", hookspecs=Polite)
    loud = plugin(
        "loud",
        requires=("polite",),
        polite_filter_greeting=hookimpl(shout),
        register_services=hookimpl(lambda self: [Service(Greeter, Greeter())]),
    )
    app = (await make_app(polite, loud)).app
    greeting = app.services.get(Greeter).greet()
    assert await app.hooks.chain(Polite.polite_filter_greeting, greeting) == "JAMBO"
