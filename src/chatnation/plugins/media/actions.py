"""What the media plugin writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.media.models import doomed, files

Place = tuple[str, str]
"""A store and a key in it."""


async def doom(connection: AsyncConnection, place: Place, due_at: datetime) -> None:
    """Have a file removed from its store at `due_at`, unless it is spared before."""
    store, key = place
    await connection.execute(upsert(doomed).values(store=store, key=key, due_at=due_at).on_conflict_do_nothing())


async def spare(connection: AsyncConnection, place: Place) -> None:
    """Leave a file in its store after all, or forget it once it was removed."""
    store, key = place
    await connection.execute(delete(doomed).where(doomed.c.store == store, doomed.c.key == key))


async def doomed_places(connection: AsyncConnection, now: datetime, limit: int) -> list[Place]:
    """Some of what is to be removed, held until the transaction ends."""
    query = (
        select(doomed.c.store, doomed.c.key)
        .where(doomed.c.due_at <= now)
        .order_by(doomed.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [(store, key) for store, key in await connection.execute(query)]


async def put_off(connection: AsyncConnection, places: list[Place], until: datetime) -> None:
    """Try again later what could not be removed."""
    await connection.execute(
        update(doomed).where(tuple_(doomed.c.store, doomed.c.key).in_(places)).values(due_at=until)
    )


async def insert_file(connection: AsyncConnection, **values: Any) -> None:
    """Name a file that its store has."""
    await connection.execute(insert(files).values(**values))


async def delete_file(connection: AsyncConnection, tenant_id: int, file_id: UUID) -> str | None:
    """Delete a file; a trigger dooms its bytes. Gives its name, None if there was none."""
    gone = await connection.execute(
        delete(files).where(files.c.tenant_id == tenant_id, files.c.id == file_id).returning(files.c.filename)
    )
    return gone.scalar_one_or_none()


async def delete_older(connection: AsyncConnection, tenant_id: int, before: datetime) -> int:
    """Delete what the tenant does not want to keep any longer."""
    older = (files.c.tenant_id == tenant_id) & (files.c.created_at < before)
    return (await connection.execute(delete(files).where(older))).rowcount


async def delete_expired(connection: AsyncConnection, now: datetime) -> int:
    """Delete files whose time is over, of all tenants."""
    return (await connection.execute(delete(files).where(files.c.expires_at < now))).rowcount


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete all files of a tenant."""
    return (await connection.execute(delete(files).where(files.c.tenant_id == tenant_id))).rowcount


async def note_opened(connection: AsyncConnection, file_id: UUID, now: datetime) -> None:
    """Count that a file was opened."""
    await connection.execute(_OPENED, {"id": file_id, "now": now})


_OPENED = text(
    "UPDATE media.files SET times_opened = times_opened + 1, last_opened_at = greatest(last_opened_at, :now)"
    " WHERE id = :id"
)
