"""Reading the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import Slice, after_cursor, slice_rows
from chatnation.plugins.email.models import outbox

State = Literal["waiting", "sent", "given_up"]


class OutboxQuery(BaseModel):
    """Which mails to list."""

    state: State | None = Field(None, description="Only those in this state.")
    after: str | None = Field(None, max_length=200, description="Cursor of the page before.")
    limit: int = Field(50, ge=1, le=100, description="Mails in a page.")


class OutboxEntry(BaseModel):
    """A mail, without a word of what it says."""

    id: UUID
    created_at: datetime
    template: str
    recipient: str
    state: State
    attempts: int
    due_at: datetime
    ended_at: datetime | None
    error: str | None = Field(description="Why the last try failed.")


_ENTRY = tuple(outbox.c[name] for name in OutboxEntry.model_fields)


async def page(connection: AsyncConnection, tenant_id: int, query: OutboxQuery) -> Slice[OutboxEntry]:
    """A page of a tenant's mails, the newest first."""
    statement = select(*_ENTRY).where(outbox.c.tenant_id == tenant_id)
    if query.state is not None:
        statement = statement.where(outbox.c.state == query.state)
    statement = after_cursor(statement, [outbox.c.created_at, outbox.c.id], query.after, limit=query.limit)
    rows = [OutboxEntry.model_validate(dict(row)) for row in (await connection.execute(statement)).mappings()]
    return slice_rows(rows, query.limit, lambda row: (row.created_at, row.id))
