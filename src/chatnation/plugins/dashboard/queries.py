"""Reads of the dashboard's own pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Arrival:
    """The latest event of a project."""

    event_name: str
    page_path: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One event of a person, as their page shows it. `properties` is the client's JSON object."""

    timestamp: datetime
    message_id: UUID
    event_name: str
    channel_type: str
    page_path: str | None
    page_title: str | None
    country_code: str | None
    city: str | None
    session_id: UUID | None
    properties: dict[str, Any]


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


async def timeline(
    connection: AsyncConnection,
    tenant_id: int,
    leaf_ids: Sequence[UUID],
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[TimelineEvent]:
    """The events of a person, newest first, from the one after `before`; one more than `limit`."""
    rows = await connection.execute(
        _TIMELINE if before is None else _TIMELINE_BEFORE,
        {
            "tenant": tenant_id,
            "leafs": list(leaf_ids),
            "limit": limit + 1,
            **({"time": before[0], "message": before[1]} if before else {}),
        },
    )
    return [TimelineEvent(*row) for row in rows]


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
_COLUMNS = """
    SELECT timestamp, message_id, event_name, channel_type, page_path, page_title, country_code, city, session_id,
           properties
      FROM events
     WHERE tenant_id = :tenant AND person_id = ANY(CAST(:leafs AS uuid[]))
"""
_ORDER = " ORDER BY timestamp DESC, message_id DESC LIMIT :limit"
_TIMELINE = text(_COLUMNS + _ORDER)
_TIMELINE_BEFORE = text(
    _COLUMNS + " AND (timestamp, message_id) < (CAST(:time AS timestamptz), CAST(:message AS uuid))" + _ORDER
)
