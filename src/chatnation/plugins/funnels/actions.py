"""What the funnels plugin writes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.funnels.models import saved


async def insert_saved(connection: AsyncConnection, **values: Any) -> None:
    """Keep a funnel. Raises IntegrityError where the tenant has one of that name."""
    await connection.execute(insert(saved).values(**values))


async def update_saved(connection: AsyncConnection, tenant_id: int, funnel_id: UUID, **values: Any) -> None:
    """Change a funnel. Raises IntegrityError where the tenant has another one of that name."""
    mine = (saved.c.tenant_id == tenant_id) & (saved.c.id == funnel_id)
    await connection.execute(update(saved).where(mine).values(**values, updated_at=func.now()))


async def delete_saved(connection: AsyncConnection, tenant_id: int, funnel_id: UUID) -> str | None:
    """Delete a funnel; gives its name, None if there was none."""
    gone = await connection.execute(
        delete(saved).where(saved.c.tenant_id == tenant_id, saved.c.id == funnel_id).returning(saved.c.name)
    )
    return gone.scalar_one_or_none()


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete all funnels of a tenant."""
    return (await connection.execute(delete(saved).where(saved.c.tenant_id == tenant_id))).rowcount
