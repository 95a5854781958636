"""Jobs that were given up, with their errors; to be seen, and tried again or dropped by an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.jobs.schema import SCHEMA


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job whose last attempt failed. `payload` is the JSON object it was enqueued with."""

    id: int
    job: str
    payload: dict[str, Any]
    attempts: int
    enqueued_at: datetime
    failed_at: datetime
    error: str
    traceback: str


async def list_failed(connection: AsyncConnection, *, limit: int = 100) -> list[FailedJob]:
    """Jobs that were given up, the latest first."""
    rows = await connection.execute(_LIST, {"limit": limit})
    return [FailedJob(**row) for row in rows.mappings()]


async def retry_failed(connection: AsyncConnection, ids: Sequence[int] | None = None) -> int:
    """Enqueue given-up jobs again, all of them or those of `ids`, with all their attempts; gives how many."""
    return (await connection.execute(_RETRY, {"ids": None if ids is None else list(ids)})).rowcount


async def drop_failed(connection: AsyncConnection, ids: Sequence[int] | None = None) -> int:
    """Forget given-up jobs, all of them or those of `ids`; gives how many."""
    return (await connection.execute(_DROP, {"ids": None if ids is None else list(ids)})).rowcount


_LIST = text(
    f"""
    SELECT q.id, q.entrypoint AS job, convert_from(q.payload, 'UTF8')::jsonb AS payload, q.attempts + 1 AS attempts,
           q.created AS enqueued_at, q.updated AS failed_at,
           coalesce(l.traceback ->> 'exception_message', '') AS error,
           coalesce(l.traceback ->> 'traceback', '') AS traceback
      FROM {SCHEMA}.queue q
      LEFT JOIN LATERAL (
           SELECT traceback FROM {SCHEMA}.log
            WHERE job_id = q.id AND status = 'failed' ORDER BY created DESC LIMIT 1
      ) l ON true
     WHERE q.status = 'failed'
     ORDER BY q.updated DESC, q.id DESC
     LIMIT :limit
    """
)
_CHOSEN = "status = 'failed' AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))"
_RETRY = text(
    f"UPDATE {SCHEMA}.queue SET status = 'queued', attempts = 0, execute_after = now(), updated = now() WHERE {_CHOSEN}"
)
_DROP = text(f"DELETE FROM {SCHEMA}.queue WHERE {_CHOSEN}")
