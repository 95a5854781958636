"""Reads of the sessions plugin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.sessions.models import sessions

BOOKKEEPING = frozenset({"user_key", "landing_key", "exit_key", "device_key", "place_key", "conversion_key"})
"""Columns that only the projection needs."""


@dataclass(frozen=True, slots=True)
class RecentPerson:
    """A person and their sessions, bots left out. `started_at` and `session_id` are those of the latest one."""

    person_id: UUID
    started_at: datetime
    session_id: UUID
    name: str | None
    user_id: str | None
    last_seen: datetime
    sessions: int
    channels: list[str]


async def recent_persons(
    connection: AsyncConnection, tenant_id: int, before: tuple[datetime, UUID] | None, limit: int
) -> list[RecentPerson]:
    """Persons by the beginning of their latest session, the latest first; one more than `limit`.

    `before` is `started_at` and `session_id` of the last person of the page before. `name` is the trait of that name.
    """
    time, session = before or (None, None)
    parameters = {"tenant": tenant_id, "time": time, "session": session, "limit": limit + 1}
    return [RecentPerson(*row) for row in await connection.execute(_RECENT_PERSONS, parameters)]


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


# Walks back in time and keeps a session where its person has no later one; LATERAL and OFFSET 0 keep it to the indexes.
# The ids of a person are put together before sessions are looked for: a condition that held the subquery itself would
# not count as leakproof, and row-level security would have each session compared with every later one of the tenant.
_RECENT_PERSONS = text(
    """
    WITH latest AS MATERIALIZED (
        SELECT p.person_id, s.started_at, s.session_id
          FROM sessions.sessions s
          LEFT JOIN person_merges m ON m.tenant_id = s.tenant_id AND m.leaf_id = s.person_id
         CROSS JOIN LATERAL (SELECT coalesce(m.person_id, s.person_id) AS person_id OFFSET 0) AS p
         WHERE s.tenant_id = :tenant AND NOT s.is_bot
           AND (CAST(:time AS timestamptz) IS NULL
                OR s.started_at <= :time AND (s.started_at, s.session_id) < (:time, CAST(:session AS uuid)))
           AND NOT EXISTS (
                SELECT FROM (
                    SELECT ARRAY(
                        SELECT p.person_id
                         UNION ALL
                        SELECT leaf_id FROM person_merges WHERE tenant_id = :tenant AND person_id = p.person_id
                    ) AS ids OFFSET 0
                ) AS leafs
                 CROSS JOIN LATERAL (
                    SELECT started_at, session_id FROM sessions.sessions
                     WHERE tenant_id = :tenant AND NOT is_bot AND person_id = ANY (leafs.ids)
                 ) AS later
                 WHERE (later.started_at, later.session_id) > (s.started_at, s.session_id)
           )
         ORDER BY s.started_at DESC, s.session_id DESC LIMIT :limit
    )
    SELECT l.person_id, l.started_at, l.session_id, named.name, t.user_id, t.last_seen, t.sessions, t.channels
      FROM latest l
     CROSS JOIN LATERAL (
            SELECT ARRAY(
                SELECT l.person_id
                 UNION ALL
                SELECT leaf_id FROM person_merges WHERE tenant_id = :tenant AND person_id = l.person_id
            ) AS ids OFFSET 0
          ) AS leafs
     CROSS JOIN LATERAL (
            SELECT max(user_id) AS user_id, max(ended_at) AS last_seen, count(*) AS sessions,
                   array_agg(DISTINCT channel_type) AS channels
              FROM sessions.sessions
             WHERE tenant_id = :tenant AND person_id = ANY (leafs.ids) AND NOT is_bot
          ) AS t
      LEFT JOIN LATERAL (
            SELECT value #>> '{}' AS name FROM person_traits
             WHERE tenant_id = :tenant AND leaf_id = ANY (leafs.ids) AND key = 'name'
             ORDER BY set_at DESC LIMIT 1
          ) AS named ON true
     ORDER BY l.started_at DESC, l.session_id DESC
    """
)
