"""The projection that keeps `overview.page_counts` in step with stored events."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import EventBatch
from chatnation.plugins.overview.models import page_counts

PAGE_VIEW = "page_view"
QUARTER_SECONDS, DAY_SECONDS = 15 * 60, 86_400


async def count_pages(connection: AsyncConnection, batch: EventBatch) -> None:
    """Add the page views of `batch`. It only inserts, so workers do not wait for each other."""
    views: Counter[tuple[int, float, str]] = Counter()
    for event in batch:
        if event.event_name == PAGE_VIEW and event.page_path is not None and not event.is_bot:
            at = event.timestamp.timestamp()
            for span in (QUARTER_SECONDS, DAY_SECONDS):
                views[span, at // span * span, event.page_path] += 1
    if views:
        rows = [
            {
                "tenant_id": batch.tenant_id,
                "whole_day": span == DAY_SECONDS,
                "bucket": datetime.fromtimestamp(bucket, UTC),
                "path": path,
                "views": count,
            }
            for (span, bucket, path), count in views.items()
        ]
        await connection.execute(insert(page_counts), rows)
