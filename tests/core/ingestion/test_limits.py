"""Rate limits: a sliding window in each process, added up through Redis."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from chatnation.core.ingestion.limits import RateLimit, SharedLimits
from chatnation.testing.servers import SharedServers

START = 60.0 * 1_000_000


def passed(limit: RateLimit, times: int, now: float, who: str = "a") -> int:
    return sum(limit.hit(who, now).allowed for _ in range(times))


def test_no_more_than_the_limit_pass_in_a_window() -> None:
    limit = RateLimit("test", 10)

    assert passed(limit, 25, START) == 10
    assert passed(limit, 5, START, who="b") == 5


def test_the_window_slides_so_that_a_burst_at_its_edge_is_not_doubled() -> None:
    limit = RateLimit("test", 10)
    assert passed(limit, 10, START + 59) == 10

    assert passed(limit, 10, START + 61) == 1, "all but a sixtieth of the burst still counts"
    assert passed(limit, 10, START + 90) == 4
    assert passed(limit, 20, START + 240) == 10


def test_whoever_waits_as_told_may_go_on() -> None:
    limit = RateLimit("test", 10)
    for moment in (START, START + 30, START + 59):
        limit = RateLimit("test", 10)
        passed(limit, 10, moment)
        refused = limit.hit("a", moment)
        assert not refused.allowed
        assert not limit.hit("a", moment + refused.reset_seconds / 3).allowed
        assert limit.hit("a", moment + refused.reset_seconds).allowed


def test_what_is_left_is_told() -> None:
    limit = RateLimit("test", 3)

    assert [limit.hit("a", START).remaining for _ in range(4)] == [2, 1, 0, 0]


def test_zero_means_no_limit() -> None:
    assert passed(RateLimit("test", 0), 10_000, START) == 10_000


@pytest.fixture
async def url(servers: SharedServers) -> str:
    return await servers.redis_database()


async def test_processes_add_up_what_they_counted(url: str) -> None:
    async with Redis.from_url(url) as redis:
        limits = [RateLimit("test", 100) for _ in range(3)]
        sharers = [SharedLimits(redis, limit) for limit in limits]
        for limit in limits:
            assert passed(limit, 30, START) == 30

        for sharer in [*sharers, *sharers]:
            await sharer.share()

        assert [passed(limit, 100, START) for limit in limits] == [10, 10, 10]
        assert await redis.ttl("analytics:limit:test:a:1000000") > 0


async def test_an_idle_counter_is_not_shared(url: str) -> None:
    async with Redis.from_url(url) as redis:
        limit = RateLimit("test", 100_000)
        passed(limit, 50, START)

        await SharedLimits(redis, limit).share()

        assert await redis.dbsize() == 0
