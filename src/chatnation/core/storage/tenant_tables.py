"""Every table that holds rows of a tenant, of the core and of any plugin, whether it runs or not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.models import metadata

_TABLES = text(
    """
    SELECT c.oid, n.nspname AS schema, c.relname AS name
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND (n.nspname = 'public' AND c.relname = ANY(:core) OR n.nspname = ANY(:plugins))
     ORDER BY n.nspname, c.relname
    """
)
_REFERENCES = text(
    "SELECT conrelid, confrelid FROM pg_constraint"
    " WHERE contype = 'f' AND conrelid <> confrelid AND conrelid = ANY(:oids) AND confrelid = ANY(:oids)"
)
_PLUGIN_SCHEMAS = text(
    "SELECT schemaname FROM pg_tables"
    " WHERE tablename = 'alembic_version' AND schemaname <> 'public' ORDER BY schemaname"
)


_COPIES = frozenset({"segments", "segment_columns", "segment_markers"})


@dataclass(frozen=True, slots=True)
class TenantTable:
    """A table with a column `tenant_id`. `plugin` is None for the core's."""

    plugin: str | None
    name: str

    @property
    def label(self) -> str:
        """How it is called in summaries and receipts: `events`, `sessions.sessions`."""
        return f"{self.plugin}.{self.name}" if self.plugin else self.name

    @property
    def is_copy(self) -> bool:
        """Whether all that is in it can be made anew from other tables."""
        return self.plugin is None and self.name in _COPIES

    @property
    def quoted(self) -> str:
        return f'"{self.plugin or "public"}"."{self.name}"'


async def plugin_schemas(connection: AsyncConnection) -> list[str]:
    """Schemas that plugins keep in the database, those included that are not installed any more."""
    return list(await connection.scalars(_PLUGIN_SCHEMAS))


async def tenant_tables(connection: AsyncConnection) -> list[TenantTable]:
    """Every table of the core and of plugins that has a tenant's rows; one that refers to another comes before it."""
    core = [table.name for table in metadata.tables.values()]
    plugins = await plugin_schemas(connection)
    rows = await connection.execute(_TABLES, {"core": core, "plugins": plugins})
    tables = {row.oid: TenantTable(None if row.schema == "public" else row.schema, row.name) for row in rows}
    needs: defaultdict[int, set[int]] = defaultdict(set, {oid: set() for oid in tables})
    for referring, referred in await connection.execute(_REFERENCES, {"oids": list(tables)}):
        needs[referred].add(referring)
    return [tables[oid] for oid in TopologicalSorter(needs).static_order()]


async def count_rows(connection: AsyncConnection, tables: Sequence[TenantTable], tenant_id: int) -> dict[str, int]:
    """How many rows a tenant has in each table, by label; tables without any are left out."""
    counts = {}
    for table in tables:
        query = text(f"SELECT count(*) FROM {table.quoted} WHERE tenant_id = :tenant")
        if count := await connection.scalar(query, {"tenant": tenant_id}):
            counts[table.label] = count
    return counts
