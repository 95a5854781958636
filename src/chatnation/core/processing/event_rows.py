"""Events as rows of `events`: put in, each once, and read back.

Nearly every batch is new as a whole, so it is copied straight into the table, and only when the key of the table
objects is it staged and compared row by row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from chatnation.core.ingestion.event import Event
from chatnation.core.storage.copying import Group, RowWriter

GROUPS = (
    Group(  # Events of one delivery share these.
        {
            "received_at": "timestamptz",
            "skew_ms": "int4",
            "tenant_id": "int4",
            "project_id": "int4",
            "client_id": "int4",
            "anonymous_id": "uuid",
            "session_id": "uuid",
            "person_id": "uuid",
            "is_bot": "bool",
            "user_id": "text",
            "external_id": "text",
            "handshake_token": "text",
            "country_code": "text",
            "city": "text",
            "ip_address": "inet",
        }
    ),
    Group(  # Those of one page, these.
        {
            "channel_type": "text",
            "page_path": "text",
            "page_url": "text",
            "page_title": "text",
            "referrer": "text",
        }
    ),
    Group({"event_name": "text", "event_type": "text", "journey_start": "bool", "journey_end": "bool"}),
    Group({"claimed_at": "timestamptz", "event_id": "uuid", "message_ref": "text"}),  # Mostly null.
    Group({"timestamp": "timestamptz", "message_id": "uuid", "sequence": "int4", "properties": "jsonb"}, alike=False),
)
_writer = RowWriter(GROUPS)
COLUMNS = _writer.columns

_NAMES = ", ".join(COLUMNS)
_STAGE = f"""
CREATE TEMP TABLE IF NOT EXISTS staged_events ON COMMIT DELETE ROWS AS SELECT {_NAMES} FROM events WITH NO DATA
"""
_INSERT_STAGED = f"""
INSERT INTO events ({_NAMES}) SELECT {_NAMES} FROM staged_events ORDER BY timestamp, message_id
ON CONFLICT DO NOTHING
RETURNING message_id
"""
_KEPT_APART = "SELECT message_id FROM event_keys WHERE tenant_id = $1 AND message_id = ANY ($2)"
_INSERT_KEYS = """
INSERT INTO event_keys (tenant_id, message_id, timestamp, claimed_at)
SELECT $1::int4, given.* FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
    AS given (message_id, timestamp, claimed_at)
WHERE NOT EXISTS (
    SELECT FROM events
    WHERE events.tenant_id = $1 AND events.timestamp = given.claimed_at AND events.message_id = given.message_id
)
ORDER BY given.message_id
ON CONFLICT DO NOTHING
RETURNING message_id
"""
_READ = f"""
SELECT {", ".join(f"events.{name}" for name in COLUMNS if name not in ("ip_address", "properties", "is_bot"))},
    events.is_bot, host(events.ip_address) AS ip_address, events.properties::text AS properties,
    clients.sdk_name, clients.sdk_version, clients.user_agent, clients.device_type, clients.os_name, clients.os_version,
    clients.browser_name, clients.browser_version
FROM unnest($2::timestamptz[], $3::uuid[]) AS wanted (timestamp, message_id)
JOIN events ON events.tenant_id = $1
    AND events.timestamp = wanted.timestamp AND events.message_id = wanted.message_id
LEFT JOIN clients ON clients.id = events.client_id
"""

_time = attrgetter("timestamp")

Key = tuple[datetime, UUID]


def is_keyed(event: Event) -> bool:
    """Whether a repetition of the event may come under another time, so that its message id is kept apart."""
    return event.claimed_at is not None or not event.has_claim


async def insert_events(connection: asyncpg.Connection[Any], tenant_id: int, events: Sequence[Event]) -> list[Event]:
    """Store the events of a tenant that are not stored yet; gives those, in order.

    Of equal message ids the first wins. The caller holds the storing lock, alone if any event `is_keyed`.
    """
    candidates = _first_of_each(events)
    await _leave_out_stored_under_another_time(connection, tenant_id, candidates)
    if not candidates:
        return []
    rows = _in_one_order(candidates)
    try:
        async with connection.transaction():
            await _writer.copy(connection, "events", rows)
    except asyncpg.UniqueViolationError:
        new = await _insert_missing(connection, rows)
        candidates = {key: event for key, event in candidates.items() if key in new}
    return list(candidates.values())


async def read_events(connection: asyncpg.Connection[Any], tenant_id: int, keys: Iterable[Key]) -> list[Event]:
    """Stored events by time and message id, as the stages left them; those that are gone are missing."""
    timestamps, message_ids = zip(*keys, strict=True)
    rows = await connection.fetch(_READ, tenant_id, timestamps, message_ids)
    return [_event(dict(row)) for row in rows]


async def _leave_out_stored_under_another_time(
    connection: asyncpg.Connection[Any], tenant_id: int, candidates: dict[bytes, Event]
) -> None:
    """Take out the events that are there already, but where the key of the table does not find them."""
    keyed = [event for event in candidates.values() if is_keyed(event)]
    new = await _insert_keys(connection, tenant_id, keyed) if keyed else set()
    for event in keyed:
        if event.message_id.bytes not in new:
            del candidates[event.message_id.bytes]
    plain = [event.message_id for key, event in candidates.items() if key not in new]
    for row in await connection.fetch(_KEPT_APART, tenant_id, plain):
        del candidates[row["message_id"].bytes]


async def _insert_keys(connection: asyncpg.Connection[Any], tenant_id: int, keyed: Sequence[Event]) -> set[bytes]:
    rows = await connection.fetch(
        _INSERT_KEYS,
        tenant_id,
        [event.message_id for event in keyed],
        [event.timestamp for event in keyed],
        [event.claimed_at for event in keyed],
    )
    return {row["message_id"].bytes for row in rows}


async def _insert_missing(connection: asyncpg.Connection[Any], rows: Sequence[Event]) -> set[bytes]:
    """Insert those that are not there, which takes twice as long as copying; gives their message ids."""
    await connection.execute(_STAGE)
    await _writer.copy(connection, "staged_events", rows)
    return {row["message_id"].bytes for row in await connection.fetch(_INSERT_STAGED)}


def _first_of_each(events: Iterable[Event]) -> dict[bytes, Event]:
    """The events by message id."""
    first: dict[bytes, Event] = {}
    for event in events:
        first.setdefault(event.message_id.bytes, event)
    return first


def _in_one_order(candidates: Mapping[bytes, Event]) -> list[Event]:
    """By time and message id, so that two workers with copies of the same events do not wait for each other in a ring.

    In the order of the key, which makes its index grow at the end. Two cheap sorts take less than one by both.
    """
    return sorted((candidates[key] for key in sorted(candidates)), key=_time)


def _event(columns: dict[str, Any]) -> Event:
    return Event(**{**columns, "properties": columns["properties"].encode()})


def extras(event: Event) -> dict[str, Any] | None:
    """What stages and projections may want of an event and no column keeps, JSON-ready; None when there is nothing."""
    found = {name: value for name in ("campaign", "previous_id") if (value := getattr(event, name)) is not None}
    if not event.has_claim:
        found["has_claim"] = False
    return found or None


def with_extras(event: Event, kept: Mapping[str, Any] | None) -> Event:
    """`event` with what `extras` gave for it."""
    return msgspec.structs.replace(event, **kept) if kept else event
