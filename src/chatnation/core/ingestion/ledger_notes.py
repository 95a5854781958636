"""What a collector rejects, on its way into the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chatnation.core.ingestion.ledger import MINUTE_MS, RECEIVED, REJECTED, TURNED_AWAY
from chatnation.core.ingestion.rejection_feed import rejection_summaries, tell_rejections
from chatnation.core.queue import keys

WRITE_SECONDS = 1.0
PARTITION = 0
"""Rejected events belong to no partition; their counts are kept with the first one's."""


class LedgerNotes:
    """What a collector rejected, kept in memory for a second and then added to Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._counts: dict[tuple[int, str], int] = {}
        self._samples: dict[Any, Any] = {}

    def reject(
        self, tenant_id: int, project_id: int, received_ms: int, reason: str, sample: Mapping[str, Any], count: int = 1
    ) -> None:
        """Count events that were not accepted."""
        self._note(tenant_id, project_id, received_ms, f"{REJECTED}/{reason}", sample, count)
        self._add(received_ms // MINUTE_MS, f"{tenant_id}/{project_id}/{RECEIVED}", count)

    def turn_away(
        self, tenant_id: int, project_id: int, received_ms: int, reason: str, sample: Mapping[str, Any]
    ) -> None:
        """Count a request that its client will repeat."""
        self._note(tenant_id, project_id, received_ms, f"{TURNED_AWAY}/{reason}", sample, 1)

    async def run(self) -> None:
        """Write the notes every second until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(WRITE_SECONDS)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Add the notes to Redis, and tell open pages what was rejected; while it is away they are kept."""
        counts, self._counts = self._counts, {}
        noted, self._samples = self._samples, {}
        if not counts:
            return
        pipeline = self._redis.pipeline(transaction=True)
        for (minute, field), count in counts.items():
            pipeline.hincrby(f"{keys.ledger(PARTITION)}{minute}", field, count)
        pipeline.sadd(keys.changed_minutes(PARTITION), *{minute for minute, _ in counts})
        if noted:
            pipeline.hset(keys.samples(PARTITION), mapping=noted)
        try:
            await pipeline.execute()
        except (RedisError, OSError):
            for key, count in counts.items():
                self._add(*key, count)
            self._samples = {**noted, **self._samples}
        else:
            await tell_rejections(self._redis, rejection_summaries(counts, noted))

    def _note(
        self, tenant_id: int, project_id: int, received_ms: int, what: str, sample: Mapping[str, Any], count: int
    ) -> None:
        minute, field = received_ms // MINUTE_MS, f"{tenant_id}/{project_id}/{what}"
        self._add(minute, field, count)
        self._samples[f"{minute}/{field}"] = msgspec.json.encode(sample)

    def _add(self, minute: int, field: str, count: int) -> None:
        self._counts[minute, field] = self._counts.get((minute, field), 0) + count
