"""Marks of quarter hours whose rows are others than the segments say.

Whoever adds, changes or deletes rows of a source marks the quarters of their times, those before and those after the
change, in the same transaction. A quarter that is neither marked nor in a segment has no rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chatnation.core.query.segments.spans import quarters_of

if TYPE_CHECKING:
    import asyncpg

_MARK = """
INSERT INTO segment_markers (tenant_id, source, quarter)
SELECT $1, $2, quarter FROM unnest($3::timestamptz[]) AS quarter
"""


async def mark(connection: asyncpg.Connection[Any], tenant_id: int, source: str, times: Iterable[datetime]) -> None:
    """Mark the quarters of the times of some rows, at least one."""
    await connection.execute(_MARK, tenant_id, source, quarters_of(times))
