"""Putting work into the queue, in the transaction that makes it necessary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.errors import ChatnationError
from chatnation.core.jobs.schema import jobs_queries
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    from chatnation.core.jobs.definitions import Job
    from chatnation.core.plugin.resources import Registered


class Jobs:
    """Enqueues the jobs that were registered."""

    def __init__(self, jobs: Iterable[Registered[Job]]) -> None:
        self._names = frozenset(registered.item.name for registered in jobs)

    async def enqueue(
        self,
        connection: AsyncConnection,
        job: str,
        payload: Mapping[str, Any],
        *,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> bool:
        """Have `job` run with `payload` once the transaction of `connection` has committed; never, if it rolls back.

        `payload` is a JSON object. The job runs at `run_at` or later, by default at once. While a job with the same
        `dedupe_key` waits or runs, another one is not enqueued, and the answer is False.

        Raises ChatnationError when nobody registered `job`.
        """
        if job not in self._names:
            raise ChatnationError(f"No plugin registered the job {job}.")
        delay = max(run_at - datetime.now(UTC), timedelta(0)) if run_at else None
        queries = jobs_queries(AsyncpgDriver(await raw(connection)))
        ids = await queries.enqueue(
            job,
            msgspec.json.encode(payload),
            execute_after=delay,
            # pgqueuer compares keys across jobs; ours belong to one.
            dedupe_key=f"{job}:{dedupe_key}" if dedupe_key is not None else None,
            on_conflict="skip",
        )
        return ids[0] is not None
