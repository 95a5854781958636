"""What the keywords plugin writes from stored events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation import EventBatch
from chatnation_keywords import matching
from chatnation_keywords.models import hourly_counts

INBOUND = "message.received"


class KeywordCounter:
    """Adds the messages of a batch to the counts, in one statement. `keywords_of(tenant_id)` gives what to look for."""

    def __init__(self, keywords_of: Callable[[int], Awaitable[tuple[str, ...]]], longest_text: int) -> None:
        self._keywords_of = keywords_of
        self._longest_text = longest_text

    async def __call__(self, connection: AsyncConnection, batch: EventBatch) -> None:
        messages = [event for event in batch if event.event_name == INBOUND and event.channel_type == "whatsapp"]
        if not messages:
            return
        keywords = await self._keywords_of(batch.tenant_id)
        counts: Counter[tuple[datetime, str]] = Counter()
        for event in messages:
            text = matching.text_of(batch.properties(event))[: self._longest_text]
            hour = event.timestamp.replace(minute=0, second=0, microsecond=0)
            counts.update((hour, keyword) for keyword in matching.find(text, keywords))
        if not counts:
            return
        # Sorted, so that two workers take the locks of rows in the same order.
        rows = [
            {"tenant_id": batch.tenant_id, "hour": hour, "keyword": keyword, "messages": number}
            for (hour, keyword), number in sorted(counts.items())
        ]
        statement = insert(hourly_counts).values(rows)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "hour", "keyword"],
                set_={"messages": hourly_counts.c.messages + statement.excluded.messages},
            )
        )
