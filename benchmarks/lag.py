"""How long an event takes from the request to a committed row, at a steady rate over real HTTP."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import httpx

from benchmarks.figures import Figure, percentile
from benchmarks.instance import Instance, running_instance
from benchmarks.traffic import Visitors
from chatnation.core.embedded import EmbeddedServers
from chatnation.testing.servers import plain_url

EVENTS_PER_SECOND = 2_000
EVENTS_PER_REQUEST = 10
LOOK_SECONDS = 0.02
WARM_UP_SECONDS = 3
STORED = "SELECT coalesce(sum(count), 0)::int8 FROM ingest_ledger WHERE outcome = 'stored'"


async def run(quick: bool) -> list[Figure]:
    """The lag of each event is the time from sending it until as many events are stored as were sent up to it."""
    seconds = 15 if quick else 60
    async with running_instance(CHATNATION_RATE_LIMIT_PER_IP="0", CHATNATION_RATE_LIMIT_PER_KEY="0") as instance:
        sent: list[float] = []
        looks: list[tuple[float, int]] = []
        looking = asyncio.create_task(_look(instance, looks))
        refused = await _send(instance, seconds + WARM_UP_SECONDS, sent)
        await _until_stored(looks, len(sent))
        looking.cancel()
    lags = _lags(sent, looks)[WARM_UP_SECONDS * EVENTS_PER_SECOND :]
    rate = len(sent) / (sent[-1] - sent[0])
    return [
        Figure("events sent", rate, "events/s", goal=EVENTS_PER_SECOND * 0.95),
        Figure("requests refused", refused, "requests", goal=0, at_most=True),
        Figure("lag, median", percentile(lags, 0.5) * 1000, "ms"),
        Figure("lag, 99 % of events", percentile(lags, 0.99) * 1000, "ms", goal=1000, at_most=True),
    ]


async def _send(instance: Instance, seconds: float, sent: list[float]) -> int:
    """Send at the steady rate, request by request; gives how many were refused."""
    visitors = Visitors()
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=20)
    refused = 0
    pending: set[asyncio.Task[None]] = set()
    started = time.perf_counter()

    async def send(body: bytes) -> None:
        nonlocal refused
        at = time.perf_counter()
        answer = await client.post(f"{instance.url}/v1/capture", content=body, headers={"content-type": "text/plain"})
        if answer.status_code == 200:
            sent.extend([at] * EVENTS_PER_REQUEST)
        else:
            refused += 1

    async with httpx.AsyncClient(limits=limits, timeout=30) as client:
        for number in range(int(seconds * EVENTS_PER_SECOND / EVENTS_PER_REQUEST)):
            due = started + number * EVENTS_PER_REQUEST / EVENTS_PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(send(visitors.batch(EVENTS_PER_REQUEST, instance.write_key)))
            pending.add(task)
            task.add_done_callback(pending.discard)
        await asyncio.gather(*pending)
    sent.sort()
    return refused


async def _look(instance: Instance, looks: list[tuple[float, int]]) -> None:
    """Note again and again how many events are stored."""
    with EmbeddedServers(instance.data_dir) as urls:
        connection = await asyncpg.connect(plain_url(urls.database_url))
        try:
            while True:
                stored = await connection.fetchval(STORED)
                looks.append((time.perf_counter(), stored))
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await connection.close()


async def _until_stored(looks: list[tuple[float, int]], count: int, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not looks or looks[-1][1] < count:  # noqa: ASYNC110 - the other task looks at a database, not at us
            await asyncio.sleep(LOOK_SECONDS)


def _lags(sent: list[float], looks: list[tuple[float, int]]) -> list[float]:
    """For each event, in order of sending, the seconds until the first look that had counted it."""
    lags = []
    look = iter(looks)
    seen, stored = next(look)
    for number, at in enumerate(sent, 1):
        while stored < number:
            seen, stored = next(look)
        lags.append(max(0.0, seen - at))
    return lags
