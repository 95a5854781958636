"""What happens to the columnar copy when rows are deleted: whatever was copied of them goes in the same transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def latest_mark(connection: AsyncConnection, tenant_id: int) -> int:
    """The newest mark of a tenant; those that are made later have greater numbers."""
    return await connection.scalar(_LATEST, {"tenant": tenant_id}) or 0


async def drop_marked_since(connection: AsyncConnection, tenant_id: int, mark: int) -> None:
    """Delete the segments with quarters that were marked later than `mark`, and mark all of their quarters.

    The caller holds the lock of segments, so that nobody builds one of what is deleted.
    """
    await connection.execute(_DROP_MARKED, {"tenant": tenant_id, "mark": mark})


async def drop_before(connection: AsyncConnection, source: str, end: datetime) -> None:
    """Delete the segments of all tenants that end by then.

    What they covered is marked, and what was marked is so again: whoever builds of an older snapshot meanwhile takes
    away the marks that it sees, and no others.
    """
    await connection.execute(_MARK_AGAIN, {"source": source, "end": end})
    await connection.execute(_DROP_BEFORE, {"source": source, "end": end})


async def drop_other_sources(connection: AsyncConnection, sources: Collection[str]) -> None:
    """Delete the segments of all sources but these, and mark what they covered, should one of them come back."""
    await connection.execute(_DROP_OTHERS, {"sources": list(sources)})


_LATEST = text("SELECT max(id) FROM segment_markers WHERE tenant_id = :tenant")
_DROP_MARKED = text(
    """
    WITH gone AS (
        DELETE FROM segments s
         WHERE s.tenant_id = :tenant AND EXISTS (
            SELECT FROM segment_markers m
             WHERE m.tenant_id = :tenant AND m.source = s.source AND m.id > :mark
               AND m.quarter >= s.starts_at AND m.quarter < s.ends_at
         )
        RETURNING source, starts_at, ends_at
    )
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT :tenant, source, quarter
      FROM gone, generate_series(starts_at, ends_at - interval '15 minutes', interval '15 minutes') AS quarter
    """
)
_DROP_OTHERS = text(
    """
    WITH gone AS (
        DELETE FROM segments WHERE source <> ALL(:sources) RETURNING tenant_id, source, starts_at, ends_at
    )
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT tenant_id, source, quarter
      FROM gone, generate_series(starts_at, ends_at - interval '15 minutes', interval '15 minutes') AS quarter
    """
)
_MARK_AGAIN = text(
    """
    INSERT INTO segment_markers (tenant_id, source, quarter)
    SELECT tenant_id, source, quarter
      FROM segments, generate_series(starts_at, ends_at - interval '15 minutes', interval '15 minutes') AS quarter
     WHERE source = :source AND ends_at <= :end
     UNION
    SELECT tenant_id, source, quarter FROM segment_markers WHERE source = :source AND quarter < :end
    """
)
_DROP_BEFORE = text("DELETE FROM segments WHERE source = :source AND ends_at <= :end")
