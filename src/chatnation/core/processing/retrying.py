"""Tries projections again that failed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chatnation.core.ingestion.event import EventBatch
from chatnation.core.processing.event_rows import read_events, with_extras
from chatnation.core.processing.projecting import Projections, describe, kept_keys
from chatnation.core.storage.storage import Storage, raw

if TYPE_CHECKING:
    import asyncpg

logger = logging.getLogger(__name__)

_DUE = "SELECT tenant_id, id FROM projection_failures WHERE next_attempt_at <= now() ORDER BY next_attempt_at LIMIT 100"
_TAKE = """
SELECT plugin, projection, attempts, event_keys FROM projection_failures
WHERE tenant_id = $1 AND id = $2 AND next_attempt_at <= now() FOR UPDATE SKIP LOCKED
"""
_DONE = "DELETE FROM projection_failures WHERE tenant_id = $1 AND id = $2"
_AGAIN = """
UPDATE projection_failures SET attempts = attempts + 1, error = $3,
    next_attempt_at = now() + least(interval '10 seconds' * 2 ^ least(attempts, 20), interval '1 hour')
WHERE tenant_id = $1 AND id = $2
"""
_NOT_NOW = "UPDATE projection_failures SET next_attempt_at = now() + interval '1 hour' WHERE tenant_id = $1 AND id = $2"


class Retries:
    """Shows events again to a projection that failed on them, with growing pauses of up to an hour, without end.

    While a plugin is off, its failures wait.
    """

    def __init__(self, storage: Storage, projections: Projections, enabled: Callable[[int], frozenset[str]]) -> None:
        self._storage = storage
        self._projections = projections
        self._enabled = enabled

    async def run_due(self) -> int:
        """Try what is due; gives how many batches went through. Several processes may do this at once."""
        async with self._storage.system("find projections to be tried again") as connection:
            due = await (await raw(connection)).fetch(_DUE)
        return sum([await self._try(row["tenant_id"], row["id"]) for row in due])

    async def _try(self, tenant_id: int, failure_id: int) -> bool:
        async with self._storage.tenant(tenant_id) as connection:
            database = await raw(connection)
            failure = await database.fetchrow(_TAKE, tenant_id, failure_id)
            if failure is None:
                return False
            entry = self._projections.find(failure["plugin"], failure["projection"])
            if entry is None or entry.plugin not in self._enabled(tenant_id):
                await database.execute(_NOT_NOW, tenant_id, failure_id)
                return False
            batch = await _batch(database, tenant_id, failure["event_keys"])
            error = await self._projections.run(connection, entry, batch) if len(batch) else None
            if error is not None:
                await database.execute(_AGAIN, tenant_id, failure_id, describe(error))
                return False
            await database.execute(_DONE, tenant_id, failure_id)
            logger.info("the projection %s caught up with %d events", entry.item.name, len(batch))
            return True


async def _batch(database: asyncpg.Connection[Any], tenant_id: int, kept: list[object]) -> EventBatch:
    """The events that are still there; of erased ones nothing is left to project."""
    keys = {(key.timestamp, key.message_id): key.extras for key in kept_keys(kept)}
    events = await read_events(database, tenant_id, keys)
    found = [with_extras(event, keys.get((event.timestamp, event.message_id))) for event in events]
    return EventBatch(tenant_id, sorted(found, key=lambda event: event.received_at))
