"""The job that keeps the columnar copy up to date: quarter hours once they are over, days once they are."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import asyncpg
from sqlalchemy import text

from chatnation.core.query.instants import SECOND, micros
from chatnation.core.query.segments.building import build_day
from chatnation.core.query.segments.encoding import FORMAT
from chatnation.core.query.segments.sources import FactSource
from chatnation.core.query.segments.spans import QUARTER, Span, day_of, instant
from chatnation.core.query.segments.stored import Segments
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.locks import lock_segments, try_lock_segments
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.clock import Clock
    from chatnation.core.storage.storage import Storage

logger = logging.getLogger(__name__)

LATE = 30 * 60 * SECOND
"""How long after the end of a day its quarters are put together, when most of what comes late has come."""
SPLICE_EVERY = 15 * 60 * SECOND
"""How long a day's segment stays as it is although late rows came; until then their quarters are read as rows."""
LARGEST_DAY = 1_000_000
"""Rows of the largest day that is put into one segment."""
CROWDED = 20
"""Marks of one quarter that are put together into one while it is not built yet."""


@dataclass(frozen=True, slots=True)
class Due:
    """A day with something to build; `whole`: it is to be one segment."""

    day: Span
    whole: bool


class SegmentBuilder:
    """Builds what is due, tenant by tenant. Of one tenant only one builds at a time, in short transactions.

    Readers never wait for it, nor do those who store. Where it is stopped in the middle nothing is lost: what was not
    committed is still marked.
    """

    def __init__(self, storage: Storage, clock: Clock, sources: Sequence[FactSource]) -> None:
        self._storage = storage
        self._clock = clock
        self.sources = sources

    @classmethod
    def of(cls, app: App) -> Self:
        return cls(app.storage, app.clock, [entry.item for entry in app.resources.fact_sources])

    async def run(self) -> None:
        """Build everything that is due. Where a tenant cannot be built the others are, and then its error is raised."""
        async with self._storage.system("whose rows have changed") as connection:
            today = instant(day_of(self._now()).start)
            tenants = list(await connection.scalars(_TENANTS, {"today": today, "format": FORMAT}))
        failed: Exception | None = None
        for tenant_id in tenants:
            try:
                await self.build(tenant_id)
            except DatabaseUnavailable:
                raise
            except Exception as error:
                logger.exception("the segments of tenant %d could not be built", tenant_id)
                failed = error
        if failed is not None:
            raise failed

    async def build(self, tenant_id: int) -> int:
        """Build what is due of a tenant; gives how many rows were read. Stops where somebody else builds it."""
        rows = 0
        for source in self.sources:
            for due in await self._due(tenant_id, source):
                built = await self._build(tenant_id, source, due)
                if built is None:
                    return rows
                rows += built
        await self._thin_marks(tenant_id)
        return rows

    async def rebuild_day(self, tenant_id: int, source: FactSource, day: Span) -> int:
        """Build a day anew from all of its rows, of which it gives the number."""
        now = self._now()
        whole = await self._is_whole(tenant_id, source, day, now)
        async with self._alone(tenant_id), self._segments(tenant_id, source) as segments:
            return await build_day(segments, day, now, whole=whole, until=now // QUARTER * QUARTER, anew=True)

    def _now(self) -> int:
        return micros(self._clock.now())

    async def _due(self, tenant_id: int, source: FactSource) -> list[Due]:
        now = self._now()
        about = {
            "tenant": tenant_id,
            "source": source.name,
            "over": instant(now // QUARTER * QUARTER),
            "days_over": instant(day_of(now - LATE).start),
            "spliced": instant(now - SPLICE_EVERY),
            "largest": LARGEST_DAY,
            "format": FORMAT,
        }
        async with self._storage.tenant(tenant_id) as connection:
            days = [day_of(micros(day)) for day in await connection.scalars(_DUE, about)]
        return [Due(day, await self._is_whole(tenant_id, source, day, now)) for day in days]

    async def _is_whole(self, tenant_id: int, source: FactSource, day: Span, now: int) -> bool:
        if day.end + LATE > now:
            return False
        async with self._storage.tenant(tenant_id) as connection:
            bounds = (tenant_id, instant(day.start), instant(day.end))
            rows = await (await raw(connection)).fetchval(source.count(LARGEST_DAY + 1), *bounds)
            return bool(rows <= LARGEST_DAY)

    async def _build(self, tenant_id: int, source: FactSource, due: Due) -> int | None:
        """The rows read; None where somebody else is building, or deletes segments."""
        async with self._alone(tenant_id, wait=False) as alone:
            if not alone:
                return None
            now = self._now()
            try:
                async with self._segments(tenant_id, source) as segments:
                    return await build_day(segments, due.day, now, whole=due.whole, until=now // QUARTER * QUARTER)
            except asyncpg.SerializationError:
                logger.info("rows of tenant %d were deleted meanwhile; its segments are built later", tenant_id)
                return None

    @asynccontextmanager
    async def _alone(self, tenant_id: int, *, wait: bool = True) -> AsyncIterator[bool]:
        """Hold the lock, taken before the snapshot is: who waited for another sees what that one did."""
        async with self._storage.system("one builder of segments at a time") as connection:
            database = await raw(connection)
            if wait:
                await lock_segments(database, tenant_id)
                yield True
            else:
                yield await try_lock_segments(database, tenant_id)

    @asynccontextmanager
    async def _segments(self, tenant_id: int, source: FactSource) -> AsyncIterator[Segments]:
        async with self._storage.snapshot(tenant_id, writes=True) as connection:
            yield Segments(await raw(connection), tenant_id, source)

    async def _thin_marks(self, tenant_id: int) -> None:
        """Make one mark of many. It is a new one, so that nobody takes the quarter for one that they know."""
        async with self._alone(tenant_id, wait=False) as alone:
            if alone:
                async with self._storage.tenant(tenant_id) as connection:
                    await connection.execute(_THIN, {"tenant": tenant_id, "crowded": CROWDED})


_TENANTS = text(
    """
    SELECT id FROM tenants
     WHERE EXISTS (SELECT FROM segment_markers m WHERE m.tenant_id = tenants.id)
        OR EXISTS (SELECT FROM segments s WHERE s.tenant_id = tenants.id AND s.starts_at < :today
                      AND s.ends_at < s.starts_at + interval '1 day')
        OR EXISTS (SELECT FROM segments s WHERE s.tenant_id = tenants.id AND s.format <> :format)
     ORDER BY id
    """
)
_DUE = text(
    """
    WITH marked AS (
        SELECT date_bin('1 day', quarter, 'epoch') AS day, false AS at_once FROM segment_markers
         WHERE tenant_id = :tenant AND source = :source AND quarter < :over
    ), parts AS (
        SELECT date_bin('1 day', starts_at, 'epoch') AS day, true AS at_once FROM segments
         WHERE tenant_id = :tenant AND source = :source AND starts_at < :days_over
           AND ends_at < starts_at + interval '1 day'
         GROUP BY 1 HAVING sum(size) <= :largest
    ), outdated AS (
        SELECT date_bin('1 day', starts_at, 'epoch') AS day, true AS at_once FROM segments
         WHERE tenant_id = :tenant AND source = :source AND format <> :format
    )
    SELECT DISTINCT day
      FROM (SELECT * FROM marked UNION ALL SELECT * FROM parts UNION ALL SELECT * FROM outdated) AS changed
     WHERE at_once OR NOT EXISTS (
        SELECT FROM segments s
         WHERE s.tenant_id = :tenant AND s.source = :source AND s.starts_at = day
           AND s.ends_at = s.starts_at + interval '1 day' AND s.built_at > :spliced
     )
     ORDER BY day
    """
)
_THIN = text(
    """
    WITH gone AS (
        DELETE FROM segment_markers m USING (
            SELECT source, quarter FROM segment_markers WHERE tenant_id = :tenant
             GROUP BY source, quarter HAVING count(*) > :crowded
        ) AS crowd
         WHERE m.tenant_id = :tenant AND m.source = crowd.source AND m.quarter = crowd.quarter
        RETURNING m.source, m.quarter
    )
    INSERT INTO segment_markers (tenant_id, source, quarter) SELECT DISTINCT :tenant, source, quarter FROM gone
    """
)
