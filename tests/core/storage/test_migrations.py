from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from chatnation.core.plugin.base import Plugin
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.storage import migrations
from chatnation.core.storage.migrations import History, MigrationError, compare, core_history, plugin_history, upgrade
from chatnation.core.storage.storage import Storage

pytestmark = pytest.mark.anyio

REVISION = '''"""{message}"""

from alembic import op

revision = "{number}"
down_revision = {after!r}


def upgrade() -> None:
    op.execute("{statement}")


def downgrade() -> None:
    pass
'''

PluginFactory = Callable[..., type[Plugin]]


@pytest.fixture
async def empty(empty_database: str) -> Storage:
    return Storage(empty_database)


@pytest.fixture
def write_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFactory]:
    """Writes a package with a plugin whose revisions run the statements given, and imports it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written: set[str] = set()

    def write(name: str, *statements: str, models: str = "") -> type[Plugin]:
        package = tmp_path / f"outsider_{name}"
        (package / "migrations").mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "plugin.py").write_text(
            f"from chatnation.core.plugin.base import Plugin\nclass P(Plugin):\n    name = {name!r}\n"
        )
        (package / "models.py").write_text(models)
        for number, statement in enumerate(statements, 1):
            after = f"{number - 1:04}" if number > 1 else None
            source = REVISION.format(message="x", number=f"{number:04}", after=after, statement=statement)
            (package / "migrations" / f"{number:04}_x.py").write_text(source)
        written.add(package.name)
        __import__(f"{package.name}.plugin")
        return sys.modules[f"{package.name}.plugin"].P  # type: ignore[no-any-return]

    yield write
    for name in list(sys.modules):
        if name.partition(".")[0] in written:
            del sys.modules[name]


def history_of(plugin: type[Plugin]) -> History:
    history = plugin_history(plugin)
    assert history is not None
    return history


async def test_an_empty_database_is_behind_and_an_upgraded_one_is_not(empty: Storage) -> None:
    (state,) = await compare(empty, [core_history()])
    assert (state.current, state.behind) == (None, True)
    (done,) = await upgrade(empty, [core_history()], Boundary())
    assert (done.before, done.after) == (None, state.head)
    (state,) = await compare(empty, [core_history()])
    assert not state.behind
    await empty.dispose()


async def test_the_tables_of_the_core_are_what_its_models_say(storage: Storage) -> None:
    assert await migrations.differences(storage, core_history()) == []


async def test_a_difference_between_tables_and_models_is_found(storage: Storage) -> None:
    async with storage.system("meddle") as connection:
        await connection.execute(text("ALTER TABLE projects ADD COLUMN colour text"))
    assert "colour" in " ".join(await migrations.differences(storage, core_history()))


async def test_upgrades_of_two_processes_wait_for_each_other(empty: Storage, empty_database: str) -> None:
    other = Storage(empty_database)
    first, second = await asyncio.gather(*(upgrade(each, [core_history()], Boundary()) for each in (empty, other)))
    assert {first[0].before, second[0].before} == {None, migrations.head(core_history())}
    await other.dispose()
    await empty.dispose()


async def test_a_plugin_keeps_its_tables_and_its_version_in_its_own_schema(
    storage: Storage, write_plugin: PluginFactory
) -> None:
    history = history_of(write_plugin("keywords", "CREATE TABLE keywords.found (word text)"))
    await upgrade(storage, [core_history(), history], Boundary())
    async with storage.system("look") as connection:
        tables = await connection.scalars(
            text("SELECT tablename::text FROM pg_tables WHERE schemaname = 'keywords' ORDER BY 1")
        )
        assert list(tables) == ["alembic_version", "found"]


async def test_upgrades_go_on_after_a_plugin_with_tables_was_uninstalled(
    storage: Storage, write_plugin: PluginFactory
) -> None:
    gone = history_of(write_plugin("gone", "CREATE TABLE gone.rows (id int)"))
    stays = history_of(write_plugin("stays", "CREATE TABLE stays.rows (id int)"))
    await upgrade(storage, [core_history(), gone, stays], Boundary())
    stays = history_of(
        write_plugin("stays", "CREATE TABLE stays.rows (id int)", "ALTER TABLE stays.rows ADD COLUMN word text")
    )
    done = await upgrade(storage, [core_history(), stays], Boundary())
    assert (done[1].before, done[1].after, done[1].error) == ("0001", "0002", None)
    assert await migrations.plugin_schemas(storage) == ["gone", "stays"]


async def test_a_plugin_whose_revision_fails_keeps_its_schema_and_the_others_go_on(
    storage: Storage, write_plugin: PluginFactory
) -> None:
    broken = history_of(write_plugin("broken", "CREATE TABLE broken.rows (id int)", "SELECT 1/0"))
    fine = history_of(write_plugin("fine", "CREATE TABLE fine.rows (id int)"))
    boundary = Boundary()
    core, failed, done = await upgrade(storage, [core_history(), broken, fine], boundary)
    assert "division by zero" in str(failed.error)
    assert (core.error, failed.after, done.error, done.after) == (None, None, None, "0001")
    assert [plugin for plugin, _ in boundary.failures] == ["broken"]


async def test_dropping_a_plugin_removes_its_schema_and_nothing_else(
    storage: Storage, write_plugin: PluginFactory
) -> None:
    history = history_of(write_plugin("keywords", "CREATE TABLE keywords.found (word text)"))
    await upgrade(storage, [core_history(), history], Boundary())
    await migrations.drop(storage, "keywords")
    assert await migrations.plugin_schemas(storage) == []
    assert await migrations.differences(storage, core_history()) == []
    for name in ("keywords", "public", "jobs", 'x"; DROP SCHEMA public CASCADE; --'):
        with pytest.raises(MigrationError, match="No plugin"):
            await migrations.drop(storage, name)


async def test_a_new_revision_leads_to_the_models(storage: Storage, write_plugin: PluginFactory) -> None:
    models = (
        "import sqlalchemy as sa\n"
        "metadata = sa.MetaData(schema='words')\n"
        "found = sa.Table('found', metadata, sa.Column('word', sa.Text, primary_key=True))\n"
    )
    history = history_of(write_plugin("words", models=models))
    async with storage.system("a schema to compare with") as connection:
        await connection.execute(text("CREATE SCHEMA words"))
    path = await migrations.revision(storage, history, "Keep found words")
    assert path.name == "0001_keep_found_words.py"
    with pytest.raises(MigrationError, match="db upgrade"):
        await migrations.revision(storage, history, "Too early")
    (_, done) = await upgrade(storage, [core_history(), history], Boundary())
    assert (done.after, done.error) == ("0001", None)
    assert await migrations.differences(storage, history) == []


def test_a_plugin_without_revisions_has_no_history(write_plugin: PluginFactory) -> None:
    class InOneFile(Plugin):
        name = "in_one_file"

    assert plugin_history(InOneFile) is None


def test_a_history_with_two_ends_is_refused(write_plugin: PluginFactory) -> None:
    history = history_of(write_plugin("forked", "SELECT 1"))
    (history.folder / "0009_x.py").write_text(
        REVISION.format(message="x", number="0009", after=None, statement="SELECT 1")
    )
    with pytest.raises(MigrationError, match="two ends"):
        migrations.head(history)
