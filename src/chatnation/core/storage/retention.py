"""Deletes what is older than it may be: events by the month, everything else by the row."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Self
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.plugin.boundary import CORE
from chatnation.core.storage.erasure import forget_leafs
from chatnation.core.storage.locks import lock_identity
from chatnation.core.storage.models import tenants
from chatnation.core.storage.partitions import drop_before
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.clock import Clock
    from chatnation.core.jobs.definitions import Retention
    from chatnation.core.plugin.boundary import Boundary
    from chatnation.core.plugin.resources import Registered
    from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

EVENTS = "events"
_TABLE = re.compile(r"(?:[a-z_][a-z0-9_]*\.)?[a-z_][a-z0-9_]*")
_COLUMN = re.compile(r"[a-z_][a-z0-9_]*")
_PERSONS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Period:
    """Days that the rows of one table are kept: `by_tenant` for tenants named there, else `days` (None: for ever)."""

    days: int | None
    by_tenant: Mapping[int, int]

    def longest(self) -> int | None:
        """Days after which no tenant may have such a row; None when somebody keeps them for ever."""
        return None if self.days is None else max((self.days, *self.by_tenant.values()))


class Retainer:
    """Applies what was registered, the settings of the instance and those of tenants."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        boundary: Boundary,
        retention: Sequence[Registered[Retention]],
        event_days: int | None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._boundary = boundary
        self._retention = retention
        self._event_days = event_days

    @classmethod
    def of(cls, app: App) -> Self:
        return cls(app.storage, app.clock, app.boundary, app.resources.retention, app.settings.retention_days)

    async def apply(self) -> None:
        """Delete once. A table of a plugin that cannot be cleaned is skipped; failures of the core's are raised."""
        settings = await self._tenant_settings()
        outcomes = [await self._boundary.acall(CORE, f"retention:{EVENTS}", partial(self._clean_events, settings))]
        for entry in self._retention:
            clean = partial(self._clean_table, entry.item, settings)
            outcomes.append(await self._boundary.acall(entry.plugin, f"retention:{entry.item.table}", clean))
        for outcome in outcomes:
            if outcome.plugin == CORE:
                outcome.unwrap()

    async def _tenant_settings(self) -> dict[int, Mapping[str, int]]:
        """What each tenant says in its settings, in days by table."""
        async with self._storage.system("how long tenants keep what they have") as connection:
            rows = await connection.execute(select(tenants.c.id, tenants.c.settings["retention_days"]))
            return {
                tenant_id: {table: days for table, days in said.items() if isinstance(days, int) and days > 0}
                for tenant_id, said in rows
                if isinstance(said, dict)
            }

    def _period(self, table: str, days: int | None, settings: Mapping[int, Mapping[str, int]]) -> Period:
        return Period(days, {tenant: said[table] for tenant, said in settings.items() if table in said})

    def _before(self, days: int) -> datetime:
        return self._clock.now() - timedelta(days=days)

    async def _clean_events(self, settings: Mapping[int, Mapping[str, int]]) -> None:
        """Whole months that nobody keeps are dropped; tenants that keep less than others lose their rows to the day."""
        period = self._period(EVENTS, self._event_days, settings)
        longest = period.longest()
        if longest is not None:
            async with self._storage.system("drop months of events") as connection:
                dropped = await drop_before(connection, self._before(longest))
            if dropped:
                logger.info("dropped %d months of events", dropped)
        shorter = Period(period.days if period.days != longest else None, period.by_tenant)
        for table in (EVENTS, "event_keys"):
            await self._delete(table, "timestamp", shorter)
        for tenant_id in await self._tenants():
            days = period.by_tenant.get(tenant_id, period.days)
            if days is not None:
                await self._forget_persons(tenant_id, self._before(days))

    async def _clean_table(self, retention: Retention, settings: Mapping[int, Mapping[str, int]]) -> None:
        if retention.days == "events":
            as_events = self._period(EVENTS, self._event_days, settings)
            said = self._period(retention.table, None, settings)
            period = Period(as_events.days, {**as_events.by_tenant, **said.by_tenant})
        else:
            period = self._period(retention.table, retention.days, settings)
        await self._delete(retention.table, retention.column, period)

    async def _delete(self, table: str, column: str, period: Period) -> None:
        if not _TABLE.fullmatch(table) or not _COLUMN.fullmatch(column):
            raise ValueError(f"{table}.{column} is no name of a column")
        conditions = {f"tenant_id = {tenant} AND {column} < :before": days for tenant, days in period.by_tenant.items()}
        if period.days is not None:
            others = f"tenant_id <> ALL('{{{','.join(map(str, period.by_tenant))}}}') AND " if period.by_tenant else ""
            conditions[f"{others}{column} < :before"] = period.days
        for condition, days in conditions.items():
            async with self._storage.system(f"old rows of {table}") as connection:
                # Whatever else is copied marks by itself what changes.
                delete = _DELETE_EVENTS if table == EVENTS else _DELETE
                query = text(delete.format(table=table, condition=condition))
                deleted = await connection.scalar(query, {"before": self._before(days)})
            if deleted:
                logger.info("deleted %d rows of %s older than %d days", deleted, table, days)

    async def _tenants(self) -> list[int]:
        async with self._storage.system("every tenant") as connection:
            return list(await connection.scalars(select(tenants.c.id)))

    async def _forget_persons(self, tenant_id: int, before: datetime) -> None:
        """Forget persons of whom nothing is left; should they come back, they start anew."""
        while True:
            async with self._storage.tenant(tenant_id) as connection:
                await lock_identity(await raw(connection), tenant_id)
                leafs = await _last_seen_before(connection, tenant_id, before)
                if not leafs:
                    return
                await forget_leafs(connection, tenant_id, leafs)
            logger.info("forgot %d ids that were last seen before %s", len(leafs), before)


_DELETE = "WITH gone AS (DELETE FROM {table} WHERE {condition} RETURNING 1) SELECT count(*) FROM gone"
_DELETE_EVENTS = """
WITH gone AS (DELETE FROM events WHERE {condition} RETURNING tenant_id, timestamp), marked AS (
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT DISTINCT tenant_id, 'events', date_bin('15 minutes', timestamp, 'epoch') FROM gone
)
SELECT count(*) FROM gone
"""


async def _last_seen_before(connection: AsyncConnection, tenant_id: int, before: datetime) -> list[UUID]:
    """The ids of some persons of whom no id was seen since."""
    rows = await connection.scalars(_FORGOTTEN, {"tenant": tenant_id, "before": before, "limit": _PERSONS_AT_ONCE})
    return [leaf for leafs in rows for leaf in leafs]


_FORGOTTEN = text(
    """
    SELECT array_agg(i.leaf_id)
      FROM identities i
      LEFT JOIN person_merges m ON m.tenant_id = i.tenant_id AND m.leaf_id = i.leaf_id
     WHERE i.tenant_id = :tenant
     GROUP BY coalesce(m.person_id, i.leaf_id)
    HAVING max(i.last_seen) < :before
     LIMIT :limit
    """
)
