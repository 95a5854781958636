"""Events as rows of `events`: put in, each once, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from chatnation.core.ingestion.event import Event

if TYPE_CHECKING:
    import asyncpg

COLUMNS = (
    "timestamp",
    "received_at",
    "claimed_at",
    "skew_ms",
    "tenant_id",
    "project_id",
    "sequence",
    "client_id",
    "message_id",
    "event_id",
    "anonymous_id",
    "session_id",
    "person_id",
    "is_bot",
    "journey_start",
    "journey_end",
    "event_name",
    "event_type",
    "channel_type",
    "message_ref",
    "user_id",
    "external_id",
    "handshake_token",
    "page_path",
    "page_url",
    "page_title",
    "referrer",
    "country_code",
    "city",
    "ip_address",
    "properties",  # stays last, see `_row`
)

# These travel as text, because the driver would make an object of each address, and call us for each JSON value.
_AS_TEXT = {"ip_address": "inet", "properties": "jsonb"}
_NAMES = ", ".join(COLUMNS)
_STAGED = ", ".join(f"{name}::text" if name in _AS_TEXT else name for name in COLUMNS)
_UNSTAGED = ", ".join(f"{name}::{_AS_TEXT[name]}" if name in _AS_TEXT else name for name in COLUMNS)
_STAGE = f"""
CREATE TEMP TABLE IF NOT EXISTS staged_events ON COMMIT DELETE ROWS AS
SELECT {_STAGED}, false AS keyed FROM events WITH NO DATA
"""
# In one order, so that two workers with copies of the same events wait for each other instead of for a deadlock.
_INSERT = f"""
INSERT INTO events ({_NAMES})
SELECT {_UNSTAGED} FROM staged_events AS staged
WHERE NOT EXISTS (
    SELECT FROM event_keys AS known
    WHERE known.tenant_id = staged.tenant_id AND known.message_id = staged.message_id AND NOT staged.keyed
)
ORDER BY staged.timestamp, staged.message_id
ON CONFLICT DO NOTHING
RETURNING message_id
"""
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

_row = attrgetter(*(name for name in COLUMNS if name != "properties"))

Key = tuple[datetime, UUID]


def is_keyed(event: Event) -> bool:
    """Whether a repetition of the event may come under another time, so that its message id is kept apart."""
    return event.claimed_at is not None or not event.has_claim


async def insert_events(connection: asyncpg.Connection[Any], tenant_id: int, events: Sequence[Event]) -> list[Event]:
    """Store the events of a tenant that are not stored yet; gives those, in order.

    Of equal message ids the first wins. The caller holds the storing lock, alone if any event `is_keyed`.
    """
    candidates = _first_of_each(events)
    keyed = [event for event in candidates if is_keyed(event)]
    if keyed:
        old = {event.message_id.int for event in keyed} - await _insert_keys(connection, tenant_id, keyed)
        candidates = [event for event in candidates if event.message_id.int not in old]
    if not candidates:
        return []
    await connection.execute(_STAGE)
    await connection.copy_records_to_table(
        "staged_events",
        records=[(*_row(event), event.properties.decode(), is_keyed(event)) for event in candidates],
        columns=(*COLUMNS, "keyed"),
    )
    inserted = await connection.fetch(_INSERT)
    if len(inserted) == len(candidates):
        return candidates
    new = {row["message_id"].int for row in inserted}
    return [event for event in candidates if event.message_id.int in new]


async def read_events(connection: asyncpg.Connection[Any], tenant_id: int, keys: Iterable[Key]) -> list[Event]:
    """Stored events by time and message id, as the stages left them; those that are gone are missing."""
    timestamps, message_ids = zip(*keys, strict=True)
    rows = await connection.fetch(_READ, tenant_id, timestamps, message_ids)
    return [_event(dict(row)) for row in rows]


async def _insert_keys(connection: asyncpg.Connection[Any], tenant_id: int, keyed: Sequence[Event]) -> set[int]:
    rows = await connection.fetch(
        _INSERT_KEYS,
        tenant_id,
        [event.message_id for event in keyed],
        [event.timestamp for event in keyed],
        [event.claimed_at for event in keyed],
    )
    return {row["message_id"].int for row in rows}


def _first_of_each(events: Sequence[Event]) -> list[Event]:
    seen: dict[int, Event] = {}
    for event in events:
        seen.setdefault(event.message_id.int, event)
    return list(seen.values())


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
