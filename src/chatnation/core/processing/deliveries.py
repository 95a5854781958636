"""Deliveries in the storing transaction: taken once, and every event of them accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chatnation.core.ids import hashed_uuid
from chatnation.core.ingestion.event import Delivery, Event
from chatnation.core.ingestion.times import from_milliseconds

if TYPE_CHECKING:
    import asyncpg

# A tenant that was erased meanwhile gets nothing: its deliveries count as dealt with.
_TAKE = """
INSERT INTO processed_deliveries (delivery_id)
SELECT delivery_id FROM unnest($2::uuid[]) AS delivery_id WHERE EXISTS (SELECT FROM tenants WHERE id = $1)
ORDER BY delivery_id
ON CONFLICT DO NOTHING
RETURNING delivery_id
"""
_COUNT = """
INSERT INTO ingest_ledger AS ledger (tenant_id, project_id, minute, outcome, reason, count)
SELECT $1::int4, * FROM unnest($2::int4[], $3::timestamptz[], $4::text[], $5::text[], $6::int8[])
ON CONFLICT (tenant_id, project_id, minute, outcome, reason) DO UPDATE SET count = ledger.count + excluded.count
"""
_FORGET = "DELETE FROM processed_deliveries WHERE processed_at < $1"

STORED = ("stored", "")
DUPLICATE = ("duplicate", "")
DEAD = ("dead", "")
SUPPRESSED = ("rejected", "suppressed")

Outcome = tuple[str, str]


def guard_id(delivery: Delivery) -> UUID:
    """The id under which a delivery is known to have been stored. Each replay from the dead letters has its own."""
    delivery_id = UUID(bytes=delivery.id)
    return hashed_uuid("replay", delivery_id.hex, delivery.replays) if delivery.replays else delivery_id


async def take_deliveries(
    connection: asyncpg.Connection[Any], tenant_id: int, deliveries: Sequence[Delivery]
) -> set[UUID]:
    """Mark deliveries as stored by this transaction; gives the guard ids of those that nobody stored before."""
    rows = await connection.fetch(_TAKE, tenant_id, [guard_id(delivery) for delivery in deliveries])
    return {row["delivery_id"] for row in rows}


class Account:
    """Counts what became of the events of a batch, by project and minute of receipt."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = deliveries
        self._counts: Counter[tuple[int, Outcome]] = Counter()

    def add(self, outcome: Outcome, events: Iterable[Event]) -> None:
        """These events came out as `outcome`."""
        for delivery, count in Counter(event.delivery for event in events).items():
            self._counts[delivery, outcome] += count

    def add_number(self, outcome: Outcome, delivery: int, count: int) -> None:
        """So many events of a delivery, by its place, came out as `outcome`."""
        self._counts[delivery, outcome] += count

    def total(self, outcome: Outcome) -> int:
        """Events that came out as `outcome`."""
        return sum(count for (_, found), count in self._counts.items() if found == outcome)

    async def write(self, connection: asyncpg.Connection[Any], tenant_id: int) -> None:
        """Add the counts to the ledger. Rows are shared by all workers, so this comes last in the transaction."""
        rows: Counter[tuple[int, datetime, str, str]] = Counter()
        for (place, (outcome, reason)), count in self._counts.items():
            delivery = self._deliveries[place]
            minute = from_milliseconds(delivery.received_ms // 60_000 * 60_000)
            rows[delivery.project_id, minute, outcome, reason] += count
        if rows:
            ordered = sorted(rows.items())
            projects, minutes, outcomes, reasons = zip(*(key for key, _ in ordered), strict=True)
            counts = [count for _, count in ordered]
            await connection.execute(_COUNT, tenant_id, projects, minutes, outcomes, reasons, counts)


async def forget_deliveries(connection: asyncpg.Connection[Any], before: datetime) -> None:
    """Delete the marks of deliveries stored before a time so long ago that none can still be in the stream."""
    await connection.execute(_FORGET, before)
