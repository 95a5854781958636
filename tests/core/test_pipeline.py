"""Commands under way on one connection, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError

from chatnation.core.queue.pipeline import Pipeline, packed
from chatnation.testing.servers import SharedServers


@pytest.fixture
async def url(servers: SharedServers) -> str:
    return await servers.redis_database()


@pytest.fixture
async def pipeline(url: str) -> AsyncIterator[Pipeline]:
    pipeline = Pipeline(url, timeout=5)
    yield pipeline
    await pipeline.close()


@pytest.fixture
async def redis(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url) as client:
        yield client


async def test_replies_belong_to_their_commands_also_while_the_connection_is_made(pipeline: Pipeline) -> None:
    first = await asyncio.gather(*(pipeline.send("ECHO", f"first {number}") for number in range(20)))
    then = await asyncio.gather(*(pipeline.send("ECHO", f"then {number}") for number in range(200)))

    assert first == [b"first %d" % number for number in range(20)]
    assert then == [b"then %d" % number for number in range(200)]


async def test_a_command_is_under_way_before_its_reply_is_awaited(pipeline: Pipeline, redis: Redis) -> None:
    await pipeline.send("PING")
    reply = pipeline.send("SET", "key", "value")

    async with asyncio.timeout(5):
        while await redis.get("key") != b"value":
            await asyncio.sleep(0)
    assert await reply == b"OK"


async def test_a_refused_command_costs_the_others_nothing(pipeline: Pipeline) -> None:
    await pipeline.send("SET", "text", "no number")
    replies = [pipeline.send(*command) for command in (("PING",), ("INCR", "text"), ("ECHO", b"x"))]

    assert await replies[0] == b"PONG"
    with pytest.raises(ResponseError, match="not an integer"):
        await replies[1]
    assert await replies[2] == b"x"


async def test_a_command_that_nobody_waits_for_any_more_costs_the_others_nothing(pipeline: Pipeline) -> None:
    await pipeline.send("PING")
    given_up = asyncio.ensure_future(pipeline.send("ECHO", "a"))
    other = pipeline.send("ECHO", "b")
    await asyncio.sleep(0)
    given_up.cancel()

    assert await other == b"b"
    assert await pipeline.send("ECHO", "c") == b"c"


async def test_all_that_is_under_way_fails_with_the_connection_and_the_next_is_a_new_one(
    pipeline: Pipeline, redis: Redis
) -> None:
    identity = await pipeline.send("CLIENT", "ID")
    replies = [asyncio.ensure_future(pipeline.send(*command)) for command in (("BLPOP", "nothing", 0), ("PING",))]
    await redis.client_kill_filter(_id=identity)

    for reply in replies:
        with pytest.raises((ConnectionLost, OSError)):
            await reply
    assert await pipeline.send("CLIENT", "ID") > identity


async def test_a_server_that_is_silent_for_too_long_is_given_up(url: str) -> None:
    pipeline = Pipeline(url, timeout=0.2)
    identity = await pipeline.send("CLIENT", "ID")
    replies = [asyncio.ensure_future(pipeline.send(*command)) for command in (("BLPOP", "nothing", 0), ("PING",))]

    for reply in replies:
        with pytest.raises((TimeoutError, ConnectionLost)):
            await reply
    assert await pipeline.send("CLIENT", "ID") > identity
    await pipeline.close()


async def test_what_is_under_way_at_the_end_is_told_so(pipeline: Pipeline) -> None:
    await pipeline.send("PING")
    reply = asyncio.ensure_future(pipeline.send("BLPOP", "nothing", 0))
    await asyncio.sleep(0)

    await pipeline.close()

    with pytest.raises(ConnectionLost):
        await reply


def test_a_command_is_packed_without_copying_what_is_large() -> None:
    large = b"x" * 100_000

    buffers = packed(("SET", b"key", large, "EX", 5))

    assert b"".join(buffers) == b"*5\r\n$3\r\nSET\r\n$3\r\nkey\r\n$100000\r\n%b\r\n$2\r\nEX\r\n$1\r\n5\r\n" % large
    assert any(buffer is large for buffer in buffers)
