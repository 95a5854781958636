"""Server-sent events over a real connection: they arrive, they resume, they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from chatnation.core import live
from chatnation.core.live import live_key, publish
from chatnation.core.web.application import WebApplication
from chatnation.testing.apps import MakeApp, RunningApp
from tests.core.web.conftest import Street
from tests.core.web.shop import Shop

SECONDS = 10


@asynccontextmanager
async def listening(client: httpx.AsyncClient, **options: Any) -> AsyncIterator[AsyncIterator[dict[str, str]]]:
    """An open stream and its messages. It is entered once the server has begun to listen for this client."""
    async with client.stream("GET", "/api/live", timeout=SECONDS, **options) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        assert (await anext(lines)).startswith("retry:")
        yield messages(lines)


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, str]]:
    message: dict[str, str] = {}
    async for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value
        elif message:
            yield message
            message = {}


async def listeners(app: RunningApp, tenant_id: int, count: int) -> None:
    """Wait until the process hands the tenant's messages to so many."""
    channels = cast("WebApplication", app.app.web).live._channels
    async with asyncio.timeout(SECONDS):
        while tenant_id not in channels or len(channels[tenant_id]._queues) != count:
            await asyncio.sleep(0.01)


async def test_a_message_reaches_every_open_page_of_its_tenant_and_no_other(street: Street) -> None:
    tenant_id = street.source.tenant.id
    other = await street.app.source("Soko")
    client = await street.app.network_client(street.admin)
    elsewhere = await street.app.network_client(await street.app.person(other.tenant))
    async with listening(client) as first, listening(client) as second, listening(elsewhere) as foreign:
        await listeners(street.app, tenant_id, 2)
        await listeners(street.app, other.tenant.id, 1)
        await publish(street.app.app.redis, tenant_id, "greeting", {"text": "habari\nyako"})
        await publish(street.app.app.redis, other.tenant.id, "greeting", {"text": "elsewhere"})
        for stream, text in ((first, "habari\nyako"), (second, "habari\nyako"), (foreign, "elsewhere")):
            message = await anext(stream)
            assert message["event"] == "greeting"
            assert json.loads(message["data"]) == {"text": text}


async def test_a_page_that_lost_its_connection_gets_what_it_missed(street: Street) -> None:
    redis, tenant_id = street.app.app.redis, street.source.tenant.id
    client = await street.app.network_client(street.admin)
    async with listening(client) as stream:
        await listeners(street.app, tenant_id, 1)
        await publish(redis, tenant_id, "step", {"number": 1})
        last = (await anext(stream))["id"]
    for number in (2, 3):
        await publish(redis, tenant_id, "step", {"number": number})
    for way in ({"headers": {"Last-Event-ID": last}}, {"params": {"after": last}}):
        async with listening(client, **way) as stream:
            assert [json.loads((await anext(stream))["data"])["number"] for _ in range(2)] == [2, 3]
            await publish(redis, tenant_id, "step", {"number": 4})
            assert json.loads((await anext(stream))["data"])["number"] == 4
        newest = (await redis.xrevrange(live_key(tenant_id), count=1))[0][0]
        await redis.xdel(live_key(tenant_id), newest)


async def test_a_page_is_told_when_what_it_missed_is_no_longer_kept(street: Street) -> None:
    redis, tenant_id = street.app.app.redis, street.source.tenant.id
    for number in range(3):
        await publish(redis, tenant_id, "step", {"number": number})
    first = (await redis.xrange(live_key(tenant_id), count=1))[0][0].decode()
    await redis.xtrim(live_key(tenant_id), maxlen=1, approximate=False)
    client = await street.app.network_client(street.admin)
    async with listening(client, headers={"Last-Event-ID": first}) as stream:
        assert (await anext(stream))["event"] == "gap"
        assert json.loads((await anext(stream))["data"])["number"] == 2


async def test_nonsense_as_the_last_id_starts_from_now(street: Street) -> None:
    client = await street.app.network_client(street.admin)
    async with listening(client, headers={"Last-Event-ID": "'; drop"}) as stream:
        await listeners(street.app, street.source.tenant.id, 1)
        await publish(street.app.app.redis, street.source.tenant.id, "step", {"number": 1})
        assert json.loads((await anext(stream))["data"])["number"] == 1


async def test_streams_end_when_the_server_is_told_to_stop(street: Street) -> None:
    client = await street.app.network_client(street.admin)
    async with listening(client) as stream:
        await listeners(street.app, street.source.tenant.id, 1)
        cast("WebApplication", street.app.app.web).drain()
        async with asyncio.timeout(SECONDS):
            assert [message async for message in stream] == []


async def test_the_process_stops_reading_when_the_last_page_is_closed(street: Street) -> None:
    client = await street.app.network_client(street.admin)
    async with listening(client):
        await listeners(street.app, street.source.tenant.id, 1)
    await listeners(street.app, street.source.tenant.id, 0)
    channel = cast("WebApplication", street.app.app.web).live._channels[street.source.tenant.id]
    assert channel._reading is None


async def test_a_stranger_hears_nothing(street: Street) -> None:
    assert (await street.stranger.get("/api/live")).status_code == 401


async def test_the_stream_of_a_tenant_stays_short(make_app: MakeApp) -> None:
    app = await make_app(Shop)
    for number in range(live.KEPT_MESSAGES + 500):
        await publish(app.app.redis, 1, "step", {"number": number})
    assert await app.app.redis.xlen(live_key(1)) < live.KEPT_MESSAGES + 300
