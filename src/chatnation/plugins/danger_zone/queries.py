"""Reading the archive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Slice, after_cursor, slice_rows
from chatnation.plugins.danger_zone.models import archive


class ArchiveQuery(BaseModel):
    """Which entries to list."""

    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(50, ge=1, le=100, description="Entries in a page.")


class ArchiveEntry(BaseModel):
    """Something that was deleted, as it was."""

    id: int
    entity: str = Field(description="The kind of thing: role, user, ...")
    key: str = Field(description="What named it in requests.")
    name: str
    snapshot: dict[str, Any]
    archived_at: datetime
    archived_by_name: str
    restored_at: datetime | None
    restored_by_name: str | None


_ENTRY = [archive.c[name] for name in ArchiveEntry.model_fields]


async def page(connection: AsyncConnection, tenant_id: int, query: ArchiveQuery) -> Slice[ArchiveEntry]:
    """A page of a tenant's archive, the latest first."""
    statement = select(*_ENTRY).where(archive.c.tenant_id == tenant_id)
    statement = after_cursor(statement, [archive.c.id], query.after, limit=query.limit)
    rows = [ArchiveEntry.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()]
    return slice_rows(rows, query.limit, lambda row: (row.id,))


async def locked(connection: AsyncConnection, tenant_id: int, entry_id: int) -> ArchiveEntry | None:
    """One entry, held until the transaction ends."""
    statement = select(*_ENTRY).where(archive.c.tenant_id == tenant_id, archive.c.id == entry_id).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return ArchiveEntry.model_validate(dict(row)) if row else None


async def count(connection: AsyncConnection, tenant_id: int) -> int:
    """How many entries a tenant has."""
    query = select(func.count()).select_from(archive).where(archive.c.tenant_id == tenant_id)
    return await connection.scalar(query) or 0
