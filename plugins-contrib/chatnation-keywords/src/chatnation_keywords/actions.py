"""What the keywords plugin writes, apart from its projection."""

from __future__ import annotations

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation_keywords.models import hourly_counts


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete the counts of a tenant; gives how many there were."""
    done = await connection.execute(delete(hourly_counts).where(hourly_counts.c.tenant_id == tenant_id))
    return done.rowcount
