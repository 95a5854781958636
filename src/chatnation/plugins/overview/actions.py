"""Writes of the overview plugin that are not its projection."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.plugins.overview.models import page_counts


async def settle(connection: AsyncConnection) -> int:
    """Add up what batches have added since, for every tenant; gives how many rows that were."""
    return (await connection.scalar(_SETTLE)) or 0


async def erase_tenant(connection: AsyncConnection, tenant_id: int) -> int:
    """Delete the counts of a tenant; returns how many rows."""
    result = await connection.execute(delete(page_counts).where(page_counts.c.tenant_id == tenant_id))
    return result.rowcount


async def erase_person(connection: AsyncConnection, tenant_id: int, leaf_ids: Sequence[UUID]) -> None:
    """Take the page views of a person, whose events are still there, out of the counts."""
    await connection.execute(_TAKE_AWAY, {"tenant": tenant_id, "leafs": list(leaf_ids)})


_SETTLE = text(
    """
    WITH gone AS (
        DELETE FROM overview.page_counts WHERE NOT settled RETURNING *
    ), sums AS (
        INSERT INTO overview.page_counts AS kept (tenant_id, whole_day, bucket, path, settled, views)
        SELECT tenant_id, whole_day, bucket, path, true, sum(views)
          FROM gone
         GROUP BY tenant_id, whole_day, bucket, path
         ORDER BY tenant_id, whole_day, bucket, md5(path)
            ON CONFLICT (tenant_id, whole_day, bucket, md5(path)) WHERE settled
            DO UPDATE SET views = kept.views + excluded.views
    )
    SELECT count(*) FROM gone
    """
)
_TAKE_AWAY = text(
    """
    INSERT INTO overview.page_counts (tenant_id, whole_day, bucket, path, views)
    SELECT tenant_id, span = '1 day', date_bin(span, timestamp, 'epoch') AS bucket, page_path, -count(*)
      FROM events, (VALUES (interval '15 minutes'), (interval '1 day')) AS spans (span)
     WHERE tenant_id = :tenant AND person_id = ANY(CAST(:leafs AS uuid[])) AND event_name = 'page_view'
       AND page_path IS NOT NULL AND NOT is_bot
     GROUP BY tenant_id, span, bucket, page_path
    """
)
