"""Writing the archive."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Actor, Doomed
from chatnation.plugins.danger_zone.models import archive


async def put(connection: AsyncConnection, actor: Actor, entity: str, doomed: Doomed, now: datetime) -> int:
    """Keep a copy; gives its number."""
    added = await connection.execute(
        insert(archive)
        .values(
            archived_at=now,
            tenant_id=actor.tenant.id,
            archived_by=actor.user_id,
            archived_by_name=actor.email or actor.name,
            entity=entity,
            key=doomed.key,
            name=doomed.name,
            snapshot=dict(doomed.snapshot),
        )
        .returning(archive.c.id)
    )
    return int(added.scalar_one())


async def note_restored(connection: AsyncConnection, actor: Actor, entry_id: int, now: datetime) -> None:
    """Remember who restored a copy, which stays."""
    this = (archive.c.tenant_id == actor.tenant.id) & (archive.c.id == entry_id)
    await connection.execute(
        update(archive).where(this).values(restored_at=now, restored_by_name=actor.email or actor.name)
    )


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete the archive of a tenant."""
    return (await connection.execute(delete(archive).where(archive.c.tenant_id == tenant_id))).rowcount
