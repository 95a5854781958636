"""Schema histories: the core's in `public`, each plugin's in a schema of its own; compared and brought up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError
from chatnation.core.jobs.schema import upgrade_jobs_schema
from chatnation.core.plugin.base import Plugin
from chatnation.core.plugin.boundary import CORE, Boundary
from chatnation.core.storage import tenant_tables
from chatnation.core.storage.models import metadata as core_metadata
from chatnation.core.storage.person_search import provide_search
from chatnation.core.storage.row_security import protect
from chatnation.core.storage.storage import Storage, raw
from chatnation.core.storage.tenant_role import TenantRole, provide

_UPGRADE_LOCK = 0x636E_0001

T = TypeVar("T")


class MigrationError(ChatnationError):
    """A history cannot be found, or does not fit the database. The text says what to do."""


@dataclass(frozen=True, slots=True)
class History:
    """The revisions of one owner. `folder` holds them, `schema` is theirs (None: public), `metadata` their outcome.

    `global_tables` of the schema belong to no tenant.
    """

    owner: str
    schema: str | None
    folder: Path
    metadata: MetaData | None = None
    global_tables: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where the database stands in a history. `current` is None before the first upgrade."""

    owner: str
    current: str | None
    head: str | None

    @property
    def behind(self) -> bool:
        return self.current != self.head


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What became of one history in an upgrade; `error` is set when its revisions failed and were rolled back."""

    owner: str
    before: str | None
    after: str | None
    error: BaseException | None = None


def core_history() -> History:
    return History(CORE, None, environment_folder() / "versions", core_metadata)


def plugin_history(plugin: type[Plugin]) -> History | None:
    """The history of `plugin`, or None if it keeps no tables.

    Its revisions are in `migrations/` of its package, unless the class names another folder; the tables they lead to
    are `metadata` of its package's module `models`, if there is one.
    """
    if plugin.migrations is not None:
        folder = Path(plugin.migrations)
        if not folder.is_dir():
            raise MigrationError(f"The plugin {plugin.name} names a migrations folder that is not there: {folder}")
    else:
        module = sys.modules[plugin.__module__]
        if not module.__package__ or not module.__file__:
            return None
        folder = Path(module.__file__).parent / "migrations"
        if not folder.is_dir():
            return None
    return History(plugin.name, plugin.name, folder, _plugin_metadata(plugin), frozenset(plugin.global_tables))


def histories(plugins: Iterable[type[Plugin]]) -> list[History]:
    """The core's history and those of `plugins`, in the order given, which is the order of upgrades."""
    found = [plugin_history(plugin) for plugin in plugins]
    return [core_history(), *(history for history in found if history is not None)]


def global_tables(targets: Iterable[History]) -> dict[str, frozenset[str]]:
    """The tables that belong to no tenant, of each plugin in `targets`, by its schema."""
    return {history.schema: history.global_tables for history in targets if history.schema is not None}


def environment_folder() -> Path:
    """The folder of the shared Alembic environment: in the wheel inside the package, in a checkout at its root."""
    package = Path(__file__).parents[2]
    for folder in (package / "migrations", package.parents[1] / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise MigrationError(f"The schema history is missing from this installation (looked beside {package}).")


async def upgrade(storage: Storage, targets: Sequence[History], boundary: Boundary) -> list[Upgrade]:
    """Bring every history to its head, the core first; one process at a time, the others wait.

    A plugin whose revisions fail keeps the schema it had, and the rest goes on. Errors of the core's are raised. Tables
    that hold rows of tenants are protected with row-level security; raises NoTenantRole when that is not possible.
    """
    done = []
    async with _exclusive(storage) as connection:
        role = await provide(connection)
        await connection.commit()
        for history in targets:
            before = await connection.run_sync(_current, history)
            await connection.rollback()
            if history.schema is None:
                await connection.run_sync(_upgrade, history)
                await protect(connection, role, global_tables(targets))
                await provide_search(connection, role)
                await connection.commit()
                await upgrade_jobs_schema(await raw(connection), role)
                error = None
            else:
                apply = partial(_upgrade_plugin, connection, history, role)
                error = (await boundary.acall(history.owner, "upgrade of its schema", apply)).error
            after = await connection.run_sync(_current, history)
            await connection.rollback()
            done.append(Upgrade(history.owner, before, after, error))
    return done


async def downgrade(storage: Storage, history: History) -> None:
    """Undo every revision of `history`, and with them what the tables held. Meant for the tests of authors."""
    async with _exclusive(storage) as connection:
        await connection.run_sync(_downgrade, history)
        await connection.commit()


async def compare(storage: Storage, targets: Sequence[History]) -> list[SchemaState]:
    """Where the database stands in each history; changes nothing."""
    async with storage.system("compare schemas") as connection:
        return [
            SchemaState(history.owner, await connection.run_sync(_current, history), head(history))
            for history in targets
        ]


async def differences(storage: Storage, history: History) -> list[str]:
    """What the tables of a database at the head of `history` lack or have beyond its metadata, one line each.

    Empty for a history without metadata.
    """
    if history.metadata is None:
        return []
    async with storage.system("compare tables with their models") as connection:
        return await connection.run_sync(_differences, history)


async def revision(storage: Storage, history: History, message: str) -> Path:
    """Write a new revision that leads from the database, which must be at the head, to the history's metadata.

    Meant for authors. Returns the path of the file, which wants to be read and corrected.
    """
    state = (await compare(storage, [history]))[0]
    if state.behind:
        raise MigrationError(
            f"The database is at {state.current or 'nothing'} and the history of {history.owner} at {state.head}: "
            "run `chatnation db upgrade` first."
        )
    async with storage.system("write a revision") as connection:
        return await connection.run_sync(_revision, history, message)


async def plugin_schemas(storage: Storage) -> list[str]:
    """Schemas that plugins left in the database, those included that are not installed any more."""
    async with storage.system("list plugin schemas") as connection:
        return await tenant_tables.plugin_schemas(connection)


async def drop(storage: Storage, plugin: str) -> None:
    """Delete the schema of a plugin and everything in it. Raises MigrationError when it has none."""
    if plugin not in await plugin_schemas(storage):
        raise MigrationError(f"No plugin {plugin} keeps tables in this database.")
    async with storage.system("uninstall a plugin") as connection:
        await connection.execute(text(f'DROP SCHEMA "{plugin}" CASCADE'))


def head(history: History) -> str | None:
    """The last revision of `history`. Raises MigrationError when it has two ends."""
    heads = ScriptDirectory.from_config(_config(history)).get_heads()
    if len(heads) > 1:
        raise MigrationError(
            f"The history of {history.owner} has two ends ({', '.join(heads)}); make one follow the other."
        )
    return heads[0] if heads else None


@asynccontextmanager
async def _exclusive(storage: Storage) -> AsyncIterator[AsyncConnection]:
    """A connection that holds the upgrade lock, which is the session's and so outlives the transactions in between."""
    async with storage.engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
        await connection.commit()
        try:
            yield connection
        finally:
            await connection.rollback()
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _UPGRADE_LOCK})
            await connection.commit()


async def _upgrade_plugin(connection: AsyncConnection, history: History, role: TenantRole) -> None:
    try:
        await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{history.schema}"'))
        await connection.run_sync(_upgrade, history)
        await protect(connection, role, global_tables([history]))
        await connection.commit()
    except BaseException:
        await connection.rollback()
        raise


def _upgrade(connection: Connection, history: History) -> None:
    command.upgrade(_config(history, connection), "head")


def _downgrade(connection: Connection, history: History) -> None:
    command.downgrade(_config(history, connection), "base")


def _current(connection: Connection, history: History) -> str | None:
    return _context(connection, history).get_current_revision()


def _revision(connection: Connection, history: History, message: str) -> Path:
    numbers = [int(found[1]) for path in history.folder.glob("*.py") if (found := re.match(r"(\d+)_", path.name))]
    script = command.revision(
        _config(history, connection),
        message=message,
        autogenerate=history.metadata is not None,
        rev_id=f"{max(numbers, default=0) + 1:04}",
    )
    if script is None or isinstance(script, list):
        raise MigrationError(f"Alembic wrote no revision for {history.owner}.")
    return Path(script.path)


def _differences(connection: Connection, history: History) -> list[str]:
    context = _context(connection, history, **scope(history))
    return [str(difference) for difference in compare_metadata(context, history.metadata)]  # type: ignore[arg-type]


def scope(history: History) -> dict[str, Any]:
    """Options that make Alembic compare what is the history's own.

    Left alone are other schemas, tables that no model names (partitions, an operator's own), and foreign keys that
    leave the schema: a plugin's models cannot name the core's tables, its revisions do.
    """
    tables = set(history.metadata.tables) if history.metadata is not None else set()

    def is_ours(name: str | None, kind: str, parents: Any) -> bool:
        if kind == "schema":
            return name == history.schema
        return kind != "table" or parents["schema_qualified_table_name"] in tables

    def stays_inside(item: Any, name: str | None, kind: str, reflected: bool, other: Any) -> bool:
        return kind != "foreign_key_constraint" or item.referred_table.fullname in tables

    return {
        "include_schemas": history.schema is not None,
        "include_name": is_ours,
        "include_object": stays_inside,
        "compare_type": True,
        "compare_server_default": True,
    }


def _context(connection: Connection, history: History, **options: Any) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table_schema": history.schema, **options})


def _config(history: History, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", _literal(environment_folder()))
    config.set_main_option("version_locations", _literal(history.folder))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["history"] = history
    return config


def _literal(path: Path) -> str:
    """A path for Alembic's configuration, where a percent sign starts a placeholder."""
    return str(path).replace("%", "%%")


def _plugin_metadata(plugin: type[Plugin]) -> MetaData | None:
    package = sys.modules[plugin.__module__].__package__
    name = f"{package}.models"
    if not package or find_spec(name) is None:
        return None
    found = getattr(import_module(name), "metadata", None)
    return found if isinstance(found, MetaData) else None
