"""What a collector rejected, for pages that are open: told about a second after it happened."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from chatnation.core import live
from chatnation.core.ingestion.ledger import MINUTE_MS, REJECTED
from chatnation.core.ingestion.times import from_milliseconds

logger = logging.getLogger(__name__)

LIVE_KIND = "events.rejected"
MOST_REASONS = 20
"""Of a tenant in one message; the count is of all."""


def rejection_summaries(
    counts: Mapping[tuple[int, str], int], samples: Mapping[str, bytes]
) -> dict[int, dict[str, Any]]:
    """By tenant: how many events were rejected, and by project and reason the latest sample.

    `counts` by minute and `<tenant>/<project>/rejected/<reason>`; `samples`, as JSON, by `<minute>/` and the same.
    """
    told: dict[int, dict[str, Any]] = {}
    for (minute, field), count in counts.items():
        tenant, project, outcome, *reason = field.split("/", 3)
        if outcome != REJECTED:
            continue
        summary = told.setdefault(int(tenant), {"count": 0, "reasons": []})
        summary["count"] += count
        if len(summary["reasons"]) < MOST_REASONS:
            sample = msgspec.json.decode(samples.get(f"{minute}/{field}", b"{}"))
            summary["reasons"].append(
                {
                    "project_id": int(project),
                    "reason": "".join(reason),
                    "count": count,
                    "minute": from_milliseconds(minute * MINUTE_MS),
                    "sample": sample,
                }
            )
    return told


async def tell_rejections(redis: Redis, told: Mapping[int, Mapping[str, Any]]) -> None:
    """Let the open pages of each tenant know. Nothing depends on it, so nothing here raises."""
    for tenant_id, summary in told.items():
        try:
            await live.publish(redis, tenant_id, LIVE_KIND, dict(summary))
        except (RedisError, OSError) as error:
            logger.info("open pages were not told of rejected events: %s", error)
