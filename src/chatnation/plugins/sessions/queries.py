"""Reads of the sessions plugin."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.sessions.models import sessions

BOOKKEEPING = frozenset({"user_key", "landing_key", "exit_key", "device_key", "place_key", "conversion_key"})
"""Columns that only the projection needs."""


async def count_sessions(connection: AsyncConnection, tenant_id: int) -> int:
    """How many sessions the tenant has."""
    return (
        await connection.scalar(select(func.count()).select_from(sessions).where(sessions.c.tenant_id == tenant_id))
    ) or 0


async def sessions_of_person(
    connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]
) -> list[dict[str, object]]:
    """The sessions of a person, oldest first, as JSON-ready rows."""
    columns = [column for column in sessions.c if column.name not in BOOKKEEPING and column.name != "tenant_id"]
    rows = await connection.execute(
        select(*columns)
        .where(sessions.c.tenant_id == tenant_id, sessions.c.person_id.in_(leaf_ids))
        .order_by(sessions.c.started_at, sessions.c.session_id)
    )
    return [
        {
            name: str(value) if isinstance(value, UUID) else value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in row._mapping.items()
        }
        for row in rows
    ]
