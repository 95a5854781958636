"""The stream between collector and processor, on a real server."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from chatnation import Delivery, uuid7
from chatnation.core.errors import QueueUnavailable
from chatnation.core.queue import keys
from chatnation.core.queue.redis import ENTRY_EVENTS, RedisQueue
from chatnation.testing.servers import SharedServers

MINUTE = 29_000_000
EVERYTHING = {"max_events": 10_000, "wait_ms": 50}


@pytest.fixture
async def url(servers: SharedServers) -> str:
    return await servers.redis_database()


@pytest.fixture
async def redis(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def queue(url: str) -> AsyncIterator[RedisQueue]:
    queue = make_queue(url)
    yield queue
    await queue.close()


def make_queue(url: str, *, name: str = "here", max_events: int = 100_000) -> RedisQueue:
    return RedisQueue(url, max_events=max_events, base_name=name)


def make_delivery(count: int = 1, *, project_id: int = 7, replays: int = 0) -> Delivery:
    return Delivery(
        id=uuid7().bytes,
        tenant_id=3,
        project_id=project_id,
        received_ms=MINUTE * 60_000,
        count=count,
        body=b'{"batch":[]}',
        ip="10.0.0.0",
        replays=replays,
    )


async def counts(redis: Redis) -> dict[str, int]:
    found = await redis.hgetall(f"{keys.ledger(0)}{MINUTE}")
    return {name: int(value) for name, value in found.items()}


async def test_what_is_published_is_read_once_and_in_order(queue: RedisQueue) -> None:
    deliveries = [make_delivery() for _ in range(5)]
    await queue.publish(0, deliveries[:2])
    await queue.publish(0, deliveries[2:])

    entries = await queue.read(0, **EVERYTHING)

    assert [delivery for entry in entries for delivery in entry.deliveries] == deliveries
    assert [entry.attempts for entry in entries] == [1, 1]
    assert await queue.read(0, **EVERYTHING) == []


async def test_a_read_stops_near_the_number_of_events_that_was_asked_for(queue: RedisQueue) -> None:
    for _ in range(40):
        await queue.publish(0, [make_delivery(100)])

    first = await queue.read(0, max_events=500, wait_ms=50)
    rest = await queue.read(0, **EVERYTHING)

    assert 500 <= sum(entry.events for entry in first) <= 1_500
    assert sum(entry.events for entry in [*first, *rest]) == 4_000


async def test_a_large_group_becomes_several_entries(queue: RedisQueue) -> None:
    deliveries = [make_delivery(400) for _ in range(5)]
    await queue.publish(0, deliveries)

    entries = await queue.read(0, **EVERYTHING)

    assert len(entries) == 3
    assert all(entry.events <= ENTRY_EVENTS for entry in entries)
    assert [delivery for entry in entries for delivery in entry.deliveries] == deliveries


async def test_acknowledged_entries_leave_nothing_behind(queue: RedisQueue, redis: Redis) -> None:
    await queue.publish(0, [make_delivery(2), make_delivery(3)])
    assert await queue.depth() == {0: 5}
    assert await queue.oldest_ms() is not None

    await queue.acknowledge(await queue.read(0, **EVERYTHING))

    assert await queue.depth() == {0: 0}
    assert await queue.oldest_ms() is None
    assert await redis.xlen(keys.stream(0)) == 0
    assert (await redis.xpending(keys.stream(0), keys.GROUP))["pending"] == 0


async def test_the_ledger_follows_each_entry_in_and_out(queue: RedisQueue, redis: Redis) -> None:
    await queue.publish(0, [make_delivery(2), make_delivery(3, project_id=8)])
    await queue.publish(0, [make_delivery(4)])
    assert await counts(redis) == {"3/7/received": 6, "3/7/queued": 6, "3/8/received": 3, "3/8/queued": 3}
    assert await redis.smembers(keys.changed_minutes(0)) == {str(MINUTE)}

    first, second = await queue.read(0, **EVERYTHING)
    await queue.acknowledge([first])

    assert await counts(redis) == {"3/7/received": 6, "3/7/queued": 4, "3/8/received": 3, "3/8/queued": 0}
    await queue.acknowledge([second])
    assert (await counts(redis))["3/7/queued"] == 0


async def test_an_entry_that_is_acknowledged_twice_counts_once(queue: RedisQueue, redis: Redis) -> None:
    await queue.publish(0, [make_delivery(2)])
    await queue.publish(0, [make_delivery(5)])
    first, _ = await queue.read(0, **EVERYTHING)

    await queue.acknowledge([first])
    await queue.acknowledge([first])

    assert await queue.depth() == {0: 5}
    assert (await counts(redis))["3/7/queued"] == 5


async def test_a_replay_waits_but_is_not_received_again(queue: RedisQueue, redis: Redis) -> None:
    await queue.publish(0, [make_delivery(2), make_delivery(5, replays=1)])

    assert await counts(redis) == {"3/7/received": 2, "3/7/queued": 7}


async def test_a_full_stream_refuses_until_there_is_room(url: str) -> None:
    queue = make_queue(url, max_events=10)
    await queue.publish(0, [make_delivery(9)])

    with pytest.raises(QueueUnavailable, match="full") as refused:
        await queue.publish(0, [make_delivery(2)])
    assert refused.value.retry_after > 0
    assert await queue.depth() == {0: 9}

    await queue.acknowledge(await queue.read(0, **EVERYTHING))
    await queue.publish(0, [make_delivery(2)])
    await queue.close()


async def test_what_a_silent_consumer_holds_is_taken_over_with_a_count_of_attempts(url: str) -> None:
    silent, other = make_queue(url, name="silent"), make_queue(url, name="other")
    delivery = make_delivery()
    await silent.publish(0, [delivery])
    assert len(await silent.read(0, **EVERYTHING)) == 1

    assert await other.claim(0, idle_ms=60_000, max_events=100) == []
    (entry,) = await other.claim(0, idle_ms=0, max_events=100)
    assert (entry.deliveries, entry.attempts) == ((delivery,), 2)
    (entry,) = await silent.claim(0, idle_ms=0, max_events=100)
    assert entry.attempts == 3

    await silent.close()
    await other.close()


HOLDER = """
import asyncio, sys
from chatnation.core.queue.redis import RedisQueue

async def main():
    queue = RedisQueue(sys.argv[1], max_events=1000, base_name="here")
    entries = await queue.read(0, max_events=100, wait_ms=5000)
    print(len(entries), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_a_restarted_process_finds_at_once_what_its_killed_predecessor_held(
    url: str, queue: RedisQueue, redis: Redis
) -> None:
    deliveries = [make_delivery() for _ in range(3)]
    for delivery in deliveries:
        await queue.publish(0, [delivery])
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, url, stdout=asyncio.subprocess.PIPE)
    assert holder.stdout is not None
    assert await asyncio.wait_for(holder.stdout.readline(), 20) == b"3\n"
    holder.send_signal(signal.SIGKILL)
    await holder.wait()

    entries = await queue.claim(0, idle_ms=60_000, max_events=100)

    assert [entry.deliveries[0] for entry in entries] == deliveries
    assert [entry.attempts for entry in entries] == [2, 2, 2]
    assert [consumer["name"] for consumer in await redis.xinfo_consumers(keys.stream(0), keys.GROUP)] == ["here-0"]


async def test_processes_of_one_machine_never_share_a_name_and_reuse_it_later(url: str, redis: Redis) -> None:
    first, second = make_queue(url), make_queue(url)
    await first.read(0, max_events=1, wait_ms=1)
    await second.read(0, max_events=1, wait_ms=1)
    await first.close()
    third = make_queue(url)
    await third.read(0, max_events=1, wait_ms=1)

    names = [consumer["name"] for consumer in await redis.xinfo_consumers(keys.stream(0), keys.GROUP)]

    assert names == ["here-0", "here-1"]
    await second.close()
    await third.close()
    assert await redis.keys(keys.consumer("*")) == []


async def test_an_entry_that_cannot_be_read_is_set_aside_and_blocks_nothing(queue: RedisQueue, redis: Redis) -> None:
    for raw in (b"\xc1", b"", b"\x91\x90", b'{"json": true}'):
        await redis.xadd(keys.stream(0), {"d": raw})
    await redis.xadd(keys.stream(0), {"strange": "field"})
    await queue.publish(0, [make_delivery()])

    (entry,) = await queue.read(0, **EVERYTHING)
    await queue.acknowledge([entry])

    assert await redis.xlen(keys.stream(0)) == 0
    assert (await redis.xpending(keys.stream(0), keys.GROUP))["pending"] == 0
    async with Redis.from_url(queue_url(redis)) as raw_client:
        assert await raw_client.xlen(keys.unreadable(0)) == 5


def queue_url(redis: Redis) -> str:
    arguments = redis.connection_pool.connection_kwargs
    return f"unix://{arguments['path']}?db={arguments['db']}"


async def test_a_reader_goes_on_after_the_server_lost_its_data(queue: RedisQueue, redis: Redis) -> None:
    await queue.read(0, max_events=1, wait_ms=1)
    await redis.flushdb()

    with pytest.raises(QueueUnavailable):
        await queue.read(0, max_events=1, wait_ms=1)
    await queue.publish(0, [make_delivery()])

    assert len(await queue.read(0, **EVERYTHING)) == 1


async def test_a_server_that_is_away_is_said_to_be_away() -> None:
    queue = make_queue("unix:///tmp/there-is-no-valkey-here.sock")

    for call in (
        queue.publish(0, [make_delivery()]),
        queue.read(0, max_events=1, wait_ms=1),
        queue.claim(0, idle_ms=1, max_events=1),
        queue.depth(),
    ):
        with pytest.raises(QueueUnavailable, match="out of reach"):
            await call
    await queue.close()


async def test_partitions_are_apart(url: str) -> None:
    queue = RedisQueue(url, max_events=10, base_name="here", partitions=2)
    await queue.publish(0, [make_delivery(8)])
    await queue.publish(1, [make_delivery(9)])

    assert await queue.depth() == {0: 8, 1: 9}
    (entry,) = await queue.read(1, **EVERYTHING)
    await queue.acknowledge([entry])

    assert await queue.depth() == {0: 8, 1: 0}
    await queue.close()
