"""Brings the part of the ledger that Redis counts into PostgreSQL.

The figures are absolute, so that copying twice changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text

from chatnation.core.ingestion.ledger import MINUTE_MS, QUEUED, minute_of
from chatnation.core.ingestion.ledger_notes import PARTITION
from chatnation.core.queue import keys
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

COPY_SECONDS = 2.0
_KEPT_SECONDS = 7 * 86_400
_LOCK = 0x6C656467


class LedgerCopier:
    """Copies what Redis counts to PostgreSQL. Any number may run; one at a time copies."""

    def __init__(self, redis: Redis, storage: Storage, partitions: int) -> None:
        self._redis = redis
        self._storage = storage
        self._partitions = range(partitions)

    async def run(self) -> None:
        """Copy every two seconds until cancelled."""
        while True:
            await asyncio.sleep(COPY_SECONDS)
            try:
                await self.copy()
            except (DatabaseUnavailable, RedisError, OSError):
                continue
            except Exception:
                logger.exception("the ledger could not be copied; it is tried again")

    async def copy(self) -> bool:
        """Copy every minute that changed. False when another process is at it."""
        async with self._storage.system("copy the ledger") as connection:
            locked = await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            if not locked:
                return False
            minutes = await self._take_changed()
            rows, waiting = await self._read(minutes)
            samples = await self._read_samples()
            for row in rows:
                row["sample"] = samples.get(row.pop("name"))
            if rows:
                await connection.execute(_COPY, {"rows": msgspec.json.encode(rows).decode()})
        await self._settle(minutes, waiting, samples)
        return True

    async def _take_changed(self) -> list[int]:
        """The minutes to copy. They stay noted as being copied, for the next one to find should this process die."""
        minutes: set[int] = set()
        for partition in self._partitions:
            changed, copied = keys.changed_minutes(partition), keys.copied_minutes(partition)
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.sunionstore(copied, [copied, changed])
            pipeline.delete(changed)
            pipeline.smembers(copied)
            minutes.update(map(int, (await pipeline.execute())[-1]))
        return sorted(minutes)

    async def _read(self, minutes: Sequence[int]) -> tuple[list[dict[str, Any]], set[int]]:
        """Rows to write, partitions added up, and the minutes of which events still wait."""
        totals: dict[tuple[int, str], int] = {}
        for partition in self._partitions:
            pipeline = self._redis.pipeline(transaction=False)
            for minute in minutes:
                pipeline.hgetall(f"{keys.ledger(partition)}{minute}")
            for minute, fields in zip(minutes, await pipeline.execute(), strict=True):
                for name, count in fields.items():
                    key = (minute, name.decode())
                    totals[key] = totals.get(key, 0) + int(count)
        rows = [
            {"name": f"{minute}/{name}", **_row(minute, name), "count": count}
            for (minute, name), count in totals.items()
        ]
        return rows, {minute for (minute, name), count in totals.items() if count and name.endswith(f"/{QUEUED}")}

    async def _read_samples(self) -> dict[str, Any]:
        found: Any = await self._redis.hgetall(keys.samples(PARTITION))
        return {name.decode(): msgspec.json.decode(value) for name, value in found.items()}

    async def _settle(self, minutes: Sequence[int], waiting: set[int], samples: Mapping[str, Any]) -> None:
        """Forget what was copied: the notes at once, the counts once nothing can change them any more."""
        for partition in self._partitions:
            pipeline = self._redis.pipeline(transaction=True)
            pipeline.delete(keys.copied_minutes(partition))
            for minute in minutes:
                key = f"{keys.ledger(partition)}{minute}"
                pipeline.persist(key) if minute in waiting else pipeline.expire(key, _KEPT_SECONDS)
            await pipeline.execute()
        if samples:
            await self._redis.hdel(keys.samples(PARTITION), *samples)


def _row(minute: int, name: str) -> dict[str, Any]:
    tenant, project, outcome, *reason = name.split("/", 3)
    return {
        "minute": minute_of(minute * MINUTE_MS),
        "tenant_id": int(tenant),
        "project_id": int(project),
        "outcome": outcome,
        "reason": reason[0] if reason else "",
    }


_COPY = text(
    """
    INSERT INTO ingest_ledger AS l (tenant_id, project_id, minute, outcome, reason, count, sample)
    SELECT r.*
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r
           (tenant_id int, project_id int, minute timestamptz, outcome text, reason text, count bigint, sample jsonb)
     ORDER BY r.tenant_id, r.project_id, r.minute, r.outcome, r.reason
        ON CONFLICT (tenant_id, project_id, minute, outcome, reason)
           DO UPDATE SET count = excluded.count, sample = coalesce(excluded.sample, l.sample)
    """
)
