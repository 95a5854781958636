"""The projection that keeps `sessions.sessions` in step with stored events."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import EventBatch
from chatnation.plugins.sessions.clusters import clusters
from chatnation.plugins.sessions.merging import LOCK_VISITORS, MERGE_CLUSTERS
from chatnation.plugins.sessions.settings import SessionsTenantSettings

LOCK_BUCKETS = 32
"""Visitors share this many locks. Full batches of two workers have visitors in common anyway, and each lock costs."""


class SessionBuilder:
    """Merges the clusters of a batch with the sessions that they touch.

    Two workers that hold events of one visitor take turns: the visitors' locks are held until the transaction ends,
    and are taken in one order, so that no two workers wait for each other.
    """

    def __init__(self, settings: Callable[[int], Awaitable[SessionsTenantSettings]]) -> None:
        self._settings = settings

    async def __call__(self, connection: AsyncConnection, batch: EventBatch) -> None:
        settings = await self._settings(batch.tenant_id)
        gap = timedelta(minutes=settings.inactivity_minutes)
        found = clusters(batch, gap, frozenset(settings.conversion_events))
        if not found:
            return
        buckets = sorted({cluster.visitor.int % LOCK_BUCKETS for cluster in found})
        await connection.exec_driver_sql(LOCK_VISITORS, (batch.tenant_id, buckets))
        await connection.exec_driver_sql(MERGE_CLUSTERS, (batch.tenant_id, gap, found))
