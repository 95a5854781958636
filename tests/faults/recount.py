"""What the database should hold, counted again from its events by the plainest means."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

GAP = timedelta(minutes=30)

Session = tuple[UUID, datetime, datetime, int]
"""Visitor, first and last event, number of events."""


async def stored_ids(connection: asyncpg.Connection[Any]) -> Counter[UUID]:
    """How often each message id is in the events."""
    return Counter(row["message_id"] for row in await connection.fetch("SELECT message_id FROM events"))


async def sessions_kept(connection: asyncpg.Connection[Any]) -> Counter[Session]:
    rows = await connection.fetch("SELECT visitor, started_at, ended_at, event_count FROM sessions.sessions")
    return Counter(tuple(row) for row in rows)


async def sessions_recounted(connection: asyncpg.Connection[Any]) -> Counter[Session]:
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for visitor, at in await connection.fetch("SELECT anonymous_id, timestamp FROM events ORDER BY timestamp"):
        times[visitor].append(at)
    found: Counter[Session] = Counter()
    for visitor, ordered in times.items():
        first = last = ordered[0]
        count = 0
        for at in ordered:
            if at - last > GAP:
                found[visitor, first, last, count] += 1
                first, count = at, 0
            last = at
            count += 1
        found[visitor, first, last, count] += 1
    return found


async def persons_kept(connection: asyncpg.Connection[Any]) -> set[frozenset[UUID]]:
    """The visitors of each person."""
    rows = await connection.fetch(
        "SELECT DISTINCT e.anonymous_id, coalesce(m.person_id, e.person_id) AS person FROM events e"
        " LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id"
    )
    persons: dict[UUID, set[UUID]] = defaultdict(set)
    visitors: dict[UUID, set[UUID]] = defaultdict(set)
    for visitor, person in rows:
        persons[person].add(visitor)
        visitors[visitor].add(person)
    torn = {visitor for visitor, found in visitors.items() if len(found) > 1}
    assert not torn, f"{len(torn)} visitors are more than one person"
    return {frozenset(found) for found in persons.values()}


async def persons_recounted(connection: asyncpg.Connection[Any]) -> set[frozenset[UUID]]:
    """Visitors that logged in as the same user are one person; the others are one each."""
    rows = await connection.fetch("SELECT anonymous_id, max(user_id) AS user_id FROM events GROUP BY anonymous_id")
    persons: dict[object, set[UUID]] = defaultdict(set)
    for visitor, user in rows:
        persons[user or visitor].add(visitor)
    return {frozenset(found) for found in persons.values()}


async def ledger(connection: asyncpg.Connection[Any]) -> Counter[str]:
    """Events by what became of them."""
    rows = await connection.fetch("SELECT outcome, sum(count)::int AS count FROM ingest_ledger GROUP BY outcome")
    return Counter({row["outcome"]: row["count"] for row in rows})


async def stored_by_minute(connection: asyncpg.Connection[Any]) -> tuple[dict[Any, int], dict[Any, int]]:
    """Events stored in each minute of receipt: as the ledger has it, and counted."""
    told = await connection.fetch(
        "SELECT minute, sum(count)::int FROM ingest_ledger WHERE outcome = 'stored' GROUP BY 1 HAVING sum(count) > 0"
    )
    counted = await connection.fetch("SELECT date_trunc('minute', received_at), count(*)::int FROM events GROUP BY 1")
    return dict(map(tuple, told)), dict(map(tuple, counted))
