"""What the keywords plugin reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Date, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation_keywords.models import hourly_counts


@dataclass(frozen=True, slots=True)
class KeywordCount:
    """In how many messages a keyword occurred, and on which day, in the tenant's timezone, it last did."""

    keyword: str
    messages: int
    last_day: date


async def counts_since(
    connection: AsyncConnection, tenant_id: int, since: datetime, timezone: str
) -> list[KeywordCount]:
    """The counts of a tenant from `since` on, the most frequent first."""
    table = hourly_counts.c
    messages = func.sum(table.messages)
    query = (
        select(table.keyword, messages, cast(func.max(table.hour).op("AT TIME ZONE")(timezone), Date))
        .where(table.tenant_id == tenant_id, table.hour >= since)
        .group_by(table.keyword)
        .order_by(messages.desc(), table.keyword)
    )
    return [KeywordCount(keyword, int(number), day) for keyword, number, day in await connection.execute(query)]


async def count_rows(connection: AsyncConnection, tenant_id: int) -> int:
    """How many counts a tenant has."""
    query = select(func.count()).select_from(hourly_counts).where(hourly_counts.c.tenant_id == tenant_id)
    return int(await connection.scalar(query) or 0)
