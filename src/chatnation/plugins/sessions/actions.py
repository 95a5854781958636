"""Writes of the sessions plugin that are not its projection."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.sessions.models import sessions


async def erase_person(connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]) -> int:
    """Delete the sessions of a person; returns how many."""
    result = await connection.execute(
        delete(sessions).where(sessions.c.tenant_id == tenant_id, sessions.c.person_id.in_(leaf_ids))
    )
    return result.rowcount


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete the sessions of a tenant; returns how many."""
    result = await connection.execute(delete(sessions).where(sessions.c.tenant_id == tenant_id))
    return result.rowcount
