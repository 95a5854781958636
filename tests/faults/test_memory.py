"""A stream server without memory to spare: it must refuse new events, and let those it has be taken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chatnation import Delivery, uuid7
from chatnation.core.embedded import EmbeddedServers
from chatnation.core.errors import QueueUnavailable
from chatnation.core.queue.redis import RedisQueue

pytestmark = pytest.mark.faults


def large_delivery() -> Delivery:
    return Delivery(
        id=uuid7().bytes, tenant_id=1, project_id=1, received_ms=1_790_000_000_000, count=5, body=os.urandom(50_000)
    )


async def publish_until_refused(queue: RedisQueue) -> int:
    for published in range(10_000):
        try:
            await queue.publish(0, [large_delivery()])
        except QueueUnavailable:
            return published
    raise AssertionError("the stream took everything")


async def drain(queue: RedisQueue) -> int:
    taken = 0
    while entries := await queue.read(0, max_events=50, wait_ms=10):
        await queue.acknowledge(entries)
        taken += len(entries)
    return taken


async def test_a_stream_that_filled_its_memory_is_emptied_by_a_worker_that_comes_later(tmp_path: Path) -> None:
    with EmbeddedServers(tmp_path / "data", durable=False) as urls:
        collector = RedisQueue(urls.redis_url, max_events=10**9, base_name="collector")
        worker = RedisQueue(urls.redis_url, max_events=10**9, base_name="worker")
        async with Redis.from_url(urls.redis_url) as redis:
            await redis.config_set("maxmemory", 20_000_000)
        published = await publish_until_refused(collector)
        assert published > 10
        assert await drain(worker) == published
        assert await publish_until_refused(collector) > 10
        await worker.close()
        await collector.close()
