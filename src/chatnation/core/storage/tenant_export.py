"""Writes everything that is kept of a tenant into a zip: each table as CSV and as JSON, of the core and of plugins."""

from __future__ import annotations

import asyncio
import json
import re
import zipfile
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.storage.storage import raw
from chatnation.core.storage.tenant_tables import TenantTable, count_rows, tenant_tables

if TYPE_CHECKING:
    from chatnation.core.context import Tenant
    from chatnation.core.plugin.resources import Resources
    from chatnation.core.storage.erasure import Progress
    from chatnation.core.storage.storage import Storage

_SECRET = re.compile(r"(^|_)(hash|secret|password)(_|$)|^sealed|_sealed$")
"""Columns that open something, or tell what does: of no use to whoever moves elsewhere, and of some to thieves."""
_TEXT_TYPES = frozenset({"text", "character varying", "character"})
_ROWS_AT_ONCE = 2_000
_PIECE = 1024 * 1024
_FORMULA = r"^[ ]*[=+\-@\t\r\n]"
_NUMBER = r"^[+-]?\d+(\.\d+)?$"
_ABOUT = """\
Everything that is kept of {name} ({slug}), as of {at}.

Each table is there twice. The .json files are exact: a list of rows. In the .csv files, text that a spreadsheet would
run as a formula has an apostrophe before it. manifest.json says how many rows each table has, and which columns were
left out because they hold hashes of keys and passwords, or sealed secrets.
"""


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table in an export: its name in receipts, its rows, and the columns that were left out."""

    table: str
    rows: int
    withheld: Sequence[str]


@dataclass(frozen=True, slots=True)
class TenantExport:
    """What an export holds. `size` is that of the file, in bytes."""

    tenant: str
    exported_at: datetime
    tables: Sequence[ExportedTable]
    size: int

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(table.rows for table in self.tables)


@dataclass(frozen=True, slots=True)
class _Source:
    """A table, and how the tenant's rows in it are found. `folder` is where it is in the zip."""

    label: str
    folder: str
    name: str
    quoted: str
    condition: str


class TenantExporter:
    """Exports tenants. A transaction of the tenant reads, so that row-level security holds here too."""

    def __init__(self, storage: Storage, sealed: Collection[tuple[str, str]]) -> None:
        self._storage = storage
        self._sealed = frozenset(sealed)

    @classmethod
    def of(cls, storage: Storage, resources: Resources) -> Self:
        """An exporter that leaves out what plugins registered as sealed."""
        return cls(storage, [(entry.item.table, entry.item.column) for entry in resources.sealed_columns])

    async def export(self, tenant: Tenant, target: Path, progress: Progress | None = None) -> TenantExport:
        """Write the zip to `target`; `progress` is told of rows. Each table is read as it is when its turn comes."""
        at = datetime.now(UTC)
        exported = []
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
            async with self._storage.tenant(tenant.id) as connection:
                sources = await _sources(connection)
                counts = await _counts(connection, tenant.id)
                done, total = 0, sum(counts.values())
                for source in sources:
                    if progress is not None:
                        await progress(done, total, source.label)
                    exported.append(await self._write(connection, archive, tenant.id, source))
                    done += counts.get(source.label, 0)
            about = _ABOUT.format(name=tenant.name, slug=tenant.slug, at=at.isoformat(timespec="seconds"))
            archive.writestr("README.txt", about)
            manifest = {
                "tenant": tenant.slug,
                "exported_at": at.isoformat(),
                "tables": [asdict(table) for table in exported],
            }
            archive.writestr("manifest.json", json.dumps(manifest, indent=2))
        return TenantExport(tenant.slug, at, exported, await asyncio.to_thread(_size, target))

    async def _write(
        self, connection: AsyncConnection, archive: zipfile.ZipFile, tenant_id: int, source: _Source
    ) -> ExportedTable:
        found = (await connection.execute(_COLUMNS, {"table": source.quoted})).all()
        withheld = [name for name, _ in found if _SECRET.search(name) or (source.label, name) in self._sealed]
        columns = [(name, kind) for name, kind in found if name not in withheld]
        asyncpg_connection = await raw(connection)
        rows = await _write_json(asyncpg_connection, archive, tenant_id, source, [name for name, _ in columns])
        await _write_csv(asyncpg_connection, archive, tenant_id, source, columns)
        return ExportedTable(source.label, rows, withheld)


def _size(path: Path) -> int:
    return path.stat().st_size


async def _sources(connection: AsyncConnection) -> list[_Source]:
    tables = sorted(await _originals(connection), key=lambda table: (table.plugin or "", table.name))
    own = _Source("tenants", "core", "tenants", '"public"."tenants"', "id = $1")
    people = _Source(
        "users",
        "core",
        "users",
        '"public"."users"',
        "id IN (SELECT user_id FROM public.memberships WHERE tenant_id = $1)",
    )
    return [own, people, *map(_source, tables)]


def _source(table: TenantTable) -> _Source:
    return _Source(table.label, table.plugin or "core", table.name, table.quoted, "tenant_id = $1")


async def _counts(connection: AsyncConnection, tenant_id: int) -> dict[str, int]:
    return await count_rows(connection, await _originals(connection), tenant_id)


async def _originals(connection: AsyncConnection) -> list[TenantTable]:
    return [table for table in await tenant_tables(connection) if not table.is_copy]


async def _write_json(
    connection: asyncpg.Connection[Any],
    archive: zipfile.ZipFile,
    tenant_id: int,
    source: _Source,
    columns: Sequence[str],
) -> int:
    query = (
        f"SELECT row_to_json(t)::text FROM (SELECT {_listed(columns)} FROM {source.quoted}"
        f" WHERE {source.condition}) AS t"
    )
    count = 0
    async with _entry(archive, f"{source.folder}/{source.name}.json") as sink:
        await sink.write(b"[")
        cursor = await connection.cursor(query, tenant_id)
        while rows := await cursor.fetch(_ROWS_AT_ONCE):
            joined = ",\n".join(row[0] for row in rows)
            await sink.write(("\n" if not count else ",\n").encode() + joined.encode())
            count += len(rows)
        await sink.write(b"\n]\n" if count else b"]\n")
    return count


async def _write_csv(
    connection: asyncpg.Connection[Any],
    archive: zipfile.ZipFile,
    tenant_id: int,
    source: _Source,
    columns: Sequence[tuple[str, str]],
) -> None:
    listed = ", ".join(_cell(name) if kind in _TEXT_TYPES else f'"{name}"' for name, kind in columns)
    query = f"SELECT {listed} FROM {source.quoted} WHERE {source.condition}"
    async with _entry(archive, f"{source.folder}/{source.name}.csv") as sink:
        await connection.copy_from_query(query, tenant_id, output=sink.write, format="csv", header=True)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _cell(name: str) -> str:
    """A column of text as it is safe in a spreadsheet."""
    return (
        f"CASE WHEN \"{name}\" ~ E'{_escaped(_FORMULA)}' AND \"{name}\" !~ E'{_escaped(_NUMBER)}'"
        f' THEN \'\'\'\' || "{name}" ELSE "{name}" END AS "{name}"'
    )


def _escaped(pattern: str) -> str:
    return pattern.replace("\\", "\\\\")


class _Sink:
    """Writes to an entry of a zip in a thread, some at a time, because packing is work."""

    def __init__(self, entry: IO[bytes]) -> None:
        self._entry = entry
        self._held = bytearray()

    async def write(self, data: bytes) -> None:
        self._held += data
        if len(self._held) >= _PIECE:
            await self.flush()

    async def flush(self) -> None:
        data, self._held = bytes(self._held), bytearray()
        await asyncio.to_thread(self._entry.write, data)


@asynccontextmanager
async def _entry(archive: zipfile.ZipFile, name: str) -> AsyncIterator[_Sink]:
    with archive.open(name, "w", force_zip64=True) as entry:
        sink = _Sink(entry)
        yield sink
        await sink.flush()


# Those that the role of the transaction may read, in their order.
_COLUMNS = text(
    """
    SELECT a.attname, format_type(a.atttypid, NULL)
      FROM pg_attribute a
     WHERE a.attrelid = CAST(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
       AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')
     ORDER BY a.attnum
    """
)
