"""The projection that keeps `overview.page_counts` in step with stored events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import EventBatch, raw

PAGE_VIEW = "page_view"
_QUARTER = 15 * 60
_COUNT = """
INSERT INTO overview.page_counts (tenant_id, whole_day, bucket, path, views)
SELECT $1::int4, span = '1 day', date_bin(span, quarter, 'epoch'), path, sum(views)
  FROM unnest($2::timestamptz[], $3::text[], $4::int8[]) AS seen (quarter, path, views),
       (VALUES (interval '15 minutes'), (interval '1 day')) AS spans (span)
 GROUP BY 2, 3, 4
"""


async def count_pages(connection: AsyncConnection, batch: EventBatch) -> None:
    """Add the page views of `batch`. It only inserts, so workers do not wait for each other."""
    views = Counter(
        (event.timestamp.timestamp() // _QUARTER, event.page_path)
        for event in batch
        if event.event_name == PAGE_VIEW and event.page_path is not None and not event.is_bot
    )
    if views:
        quarters = [datetime.fromtimestamp(quarter * _QUARTER, UTC) for quarter, _ in views]
        paths = [path for _, path in views]
        await (await raw(connection)).execute(_COUNT, batch.tenant_id, quarters, paths, list(views.values()))
