"""Reads of the dashboard's own pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Arrival:
    """The latest event of a project."""

    event_name: str
    page_path: str | None
    received_at: datetime


async def latest_arrival(connection: AsyncConnection, tenant_id: int, project_id: int) -> Arrival | None:
    """The newest stored event of a project, None while there is none.

    The ledger tells when it was received, so that only the last day's events have to be looked at.
    """
    about = {"tenant": tenant_id, "project": project_id}
    minute = await connection.scalar(_LAST_STORED_MINUTE, about)
    if minute is None:
        return None
    row = (await connection.execute(_LATEST, about | {"since": minute - timedelta(days=1)})).first()
    return Arrival(*row) if row else Arrival("an event", None, minute)


_LAST_STORED_MINUTE = text(
    """
    SELECT minute FROM ingest_ledger
     WHERE tenant_id = :tenant AND project_id = :project AND outcome = 'stored' AND count > 0
     ORDER BY minute DESC LIMIT 1
    """
)
_LATEST = text(
    """
    SELECT event_name, page_path, received_at FROM events
     WHERE tenant_id = :tenant AND project_id = :project AND timestamp >= :since
     ORDER BY timestamp DESC LIMIT 1
    """
)
