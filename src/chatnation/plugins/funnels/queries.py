"""What the funnels plugin reads of its own table."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.funnels.definition import Definition
from chatnation.plugins.funnels.models import saved


class SavedFunnel(BaseModel):
    """A funnel that somebody gave a name. It has no time: whoever looks chooses one."""

    id: UUID
    name: str
    definition: Definition
    created_at: datetime
    updated_at: datetime
    created_by: str | None = Field(description="Name of the user; null for programs, and for somebody who is gone.")


_CREATOR: ColumnElement[str | None] = literal_column(
    "(SELECT u.name FROM users u WHERE u.id = funnels.saved.created_by)"
)
_COLUMNS = [saved.c[name] for name in SavedFunnel.model_fields if name != "created_by"]


async def all_saved(connection: AsyncConnection, tenant_id: int) -> list[SavedFunnel]:
    """The funnels of a tenant, by name."""
    statement = (
        select(*_COLUMNS, _CREATOR.label("created_by"))
        .where(saved.c.tenant_id == tenant_id)
        .order_by(func.lower(saved.c.name))
    )
    return [SavedFunnel.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()]


async def one_saved(connection: AsyncConnection, tenant_id: int, funnel_id: UUID) -> SavedFunnel | None:
    """A funnel of a tenant."""
    statement = select(*_COLUMNS, _CREATOR.label("created_by")).where(
        saved.c.tenant_id == tenant_id, saved.c.id == funnel_id
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return SavedFunnel.model_validate(dict(row)) if row else None


async def count_saved(connection: AsyncConnection, tenant_id: int) -> int:
    """How many funnels a tenant keeps."""
    return await connection.scalar(select(func.count()).where(saved.c.tenant_id == tenant_id)) or 0
