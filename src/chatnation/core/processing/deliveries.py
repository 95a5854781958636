"""Deliveries in the storing transaction: taken once, and every event of them accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ids import hashed_uuid
from chatnation.core.ingestion.event import Delivery, Event
from chatnation.core.ingestion.ledger import DEAD, Tally, add_to_ledger, minute_of

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
_FORGET = "DELETE FROM processed_deliveries WHERE processed_at < $1"

_delivery = attrgetter("delivery")

SUPPRESSED = "suppressed"
"""Why events of erased persons are rejected."""


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
    """Counts what became of the events of some deliveries."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self._deliveries = deliveries
        self._counts: Counter[tuple[int, str, str]] = Counter()

    def add(self, outcome: str, events: Iterable[Event], reason: str = "") -> None:
        """These events came out as `outcome`, a word of the ledger."""
        for place, count in Counter(map(_delivery, events)).items():
            self._counts[place, outcome, reason] += count

    def add_dead(self, place: int, count: int) -> None:
        """So many events of the delivery at `place` were taken out, because they cannot be stored."""
        self._counts[place, DEAD, ""] += count

    def total(self, outcome: str) -> int:
        """Events that came out as `outcome`."""
        return sum(count for (_, found, _), count in self._counts.items() if found == outcome)

    async def write(self, connection: AsyncConnection) -> None:
        """Add the counts to the ledger. Its rows are shared by all workers, so this comes last in the transaction."""
        await add_to_ledger(
            connection,
            (
                Tally(delivery.tenant_id, delivery.project_id, minute_of(delivery.received_ms), outcome, count, reason)
                for (place, outcome, reason), count in self._counts.items()
                for delivery in (self._deliveries[place],)
            ),
        )


async def forget_deliveries(connection: asyncpg.Connection[Any], before: datetime) -> None:
    """Delete the marks of deliveries stored before a time so long ago that none can still be in the stream."""
    await connection.execute(_FORGET, before)
