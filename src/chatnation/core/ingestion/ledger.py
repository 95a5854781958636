"""Nothing vanishes silently: received = stored + duplicate + dead + rejected + queued, per project and minute.

Three hands write it. The stream's scripts count `received` and `queued` in Redis in the step that moves the entry. The
collector adds `rejected` (and as many `received`) with the reason, see `ledger_notes.py`. The processor counts
`stored`, `duplicate`, `dead` and what a suppression list rejects in PostgreSQL, in the transaction that makes them
true. What Redis holds is copied to PostgreSQL, see `ledger_copy.py`. Requests that were turned away and will come again
(`turned_away`) are told beside the sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.ingestion.times import from_milliseconds
from chatnation.core.storage.storage import Storage

RECEIVED, QUEUED, STORED, DUPLICATE, DEAD = "received", "queued", "stored", "duplicate", "dead"
REJECTED, TURNED_AWAY = "rejected", "turned_away"
DROPPED = "dropped_dead_letter"
"""Reason of events that an operator rejected, by dropping their dead letter."""

MINUTE_MS = 60_000


def minute_of(milliseconds: int) -> datetime:
    """The minute in which a delivery was received, from its Unix time in milliseconds."""
    return from_milliseconds(milliseconds // MINUTE_MS * MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of events of one project, received in `minute`, and what became of them."""

    tenant_id: int
    project_id: int
    minute: datetime
    outcome: str
    count: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What became of a project's events. `missing` is what nobody can account for: 0 once nothing moves any more."""

    project_id: int
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    dead: int = 0
    rejected: int = 0
    queued: int = 0
    turned_away: int = 0

    @property
    def missing(self) -> int:
        return self.received - self.stored - self.duplicate - self.dead - self.rejected - self.queued


@dataclass(frozen=True, slots=True)
class RejectionSummary:
    """How many events of a project were not accepted for `reason`, and the latest of them, without its values."""

    project_id: int
    outcome: str
    reason: str
    count: int
    last_minute: datetime
    sample: Mapping[str, Any] | None


class IngestLedger(Protocol):
    """What pages and metrics may ask of the ledger."""

    async def balances(self, tenant_id: int, since: datetime, until: datetime) -> list[Balance]:
        """One balance a project that had traffic in the minutes from `since` up to, not including, `until`."""
        ...

    async def minutes(self, tenant_id: int, since: datetime, until: datetime) -> list[Tally]:
        """Tallies by minute and outcome, reasons added up, oldest first."""
        ...

    async def rejections(self, tenant_id: int, since: datetime, until: datetime) -> list[RejectionSummary]:
        """Why events were not accepted, the most frequent reason first."""
        ...


class Ledger:
    """`IngestLedger` over the table."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def balances(self, tenant_id: int, since: datetime, until: datetime) -> list[Balance]:
        totals: dict[int, dict[str, int]] = {}
        async with self._storage.tenant(tenant_id) as connection:
            for project, outcome, count in await connection.execute(_TOTALS, _span(tenant_id, since, until)):
                totals.setdefault(project, {})[outcome] = int(count)
        return [Balance(project, **counts) for project, counts in totals.items()]

    async def minutes(self, tenant_id: int, since: datetime, until: datetime) -> list[Tally]:
        async with self._storage.tenant(tenant_id) as connection:
            rows = await connection.execute(_MINUTES, _span(tenant_id, since, until))
            return [Tally(tenant_id, project, minute, outcome, int(count)) for minute, project, outcome, count in rows]

    async def rejections(self, tenant_id: int, since: datetime, until: datetime) -> list[RejectionSummary]:
        async with self._storage.tenant(tenant_id) as connection:
            rows = await connection.execute(_REJECTIONS, _span(tenant_id, since, until))
            return [RejectionSummary(project, outcome, reason, int(count), last, sample)
                    for project, outcome, reason, count, last, sample in rows]  # fmt: skip


async def add_to_ledger(connection: AsyncConnection, tallies: Iterable[Tally]) -> None:
    """Add to the figures, in the caller's transaction; a negative count takes away.

    For outcomes that PostgreSQL counts: those that Redis counts would be overwritten by the next copy.
    """
    totals: dict[tuple[Any, ...], int] = {}
    for tally in tallies:
        key = (tally.tenant_id, tally.project_id, tally.minute, tally.outcome, tally.reason)
        totals[key] = totals.get(key, 0) + tally.count
    if totals:
        names = ("tenant_id", "project_id", "minute", "outcome", "reason")
        rows = [{**dict(zip(names, key, strict=True)), "count": totals[key]} for key in sorted(totals)]
        await connection.execute(_ADD, {"rows": msgspec.json.encode(rows).decode()})


def _span(tenant_id: int, since: datetime, until: datetime) -> dict[str, Any]:
    return {"tenant": tenant_id, "since": since, "until": until}


_ADD = text(
    """
    INSERT INTO ingest_ledger AS l (tenant_id, project_id, minute, outcome, reason, count)
    SELECT r.*
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r
           (tenant_id int, project_id int, minute timestamptz, outcome text, reason text, count bigint)
        ON CONFLICT (tenant_id, project_id, minute, outcome, reason) DO UPDATE SET count = l.count + excluded.count
    """
)
_TOTALS = text(
    """
    SELECT project_id, outcome, sum(count) FROM ingest_ledger
     WHERE tenant_id = :tenant AND minute >= :since AND minute < :until
     GROUP BY project_id, outcome ORDER BY project_id
    """
)
_MINUTES = text(
    """
    SELECT minute, project_id, outcome, sum(count) FROM ingest_ledger
     WHERE tenant_id = :tenant AND minute >= :since AND minute < :until
     GROUP BY minute, project_id, outcome ORDER BY minute, project_id, outcome
    """
)
_REJECTIONS = text(
    """
    SELECT project_id, outcome, reason, sum(count), max(minute),
           (array_agg(sample ORDER BY minute DESC) FILTER (WHERE sample IS NOT NULL))[1]
      FROM ingest_ledger
     WHERE tenant_id = :tenant AND minute >= :since AND minute < :until AND outcome IN ('rejected', 'turned_away')
     GROUP BY project_id, outcome, reason ORDER BY sum(count) DESC, reason
    """
)
