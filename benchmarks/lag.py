"""How long an event takes from the request to a committed row, at a steady rate over real HTTP."""

from __future__ import annotations

import asyncio
import time

import asyncpg

from benchmarks.figures import Figure, percentile
from benchmarks.instance import Instance, running_instance
from benchmarks.load import Pool, capture_request
from benchmarks.traffic import Visitors
from chatnation.core.embedded import EmbeddedServers
from chatnation.testing.servers import plain_url

EVENTS_PER_SECOND = 2_000
EVENTS_PER_REQUEST = 10
LOOK_SECONDS = 0.02
WARM_UP_SECONDS = 3
STORED = "SELECT coalesce(sum(count), 0)::int8 FROM ingest_ledger WHERE outcome = 'stored'"


async def run(quick: bool) -> list[Figure]:
    """The lag of each event is the time from when it was due until as many events are stored as were sent up to it."""
    seconds = 8 if quick else 60
    async with running_instance(CHATNATION_RATE_LIMIT_PER_IP="0", CHATNATION_RATE_LIMIT_PER_KEY="0") as instance:
        sent: list[float] = []
        looks: list[tuple[float, int]] = []
        looking = asyncio.create_task(_look(instance, looks))
        refused, rate = await _send(instance, seconds + WARM_UP_SECONDS, sent)
        await _until_stored(looks, len(sent))
        looking.cancel()
    lags = _lags(sent, looks)[WARM_UP_SECONDS * EVENTS_PER_SECOND :]
    return [
        Figure("events sent", rate, "events/s", goal=EVENTS_PER_SECOND * 0.95),
        Figure("requests refused", refused, "requests", goal=0, at_most=True),
        Figure("lag, median", percentile(lags, 0.5) * 1000, "ms"),
        Figure("lag, 99 % of events", percentile(lags, 0.99) * 1000, "ms", goal=1000, at_most=True),
    ]


async def _send(instance: Instance, seconds: float, sent: list[float]) -> tuple[int, float]:
    """Send at the steady rate, however long answers take; gives requests refused, and events accepted a second.

    Notes for each event when its request was due, so that a generator that comes late hides no lag.
    """
    visitors = Visitors()
    pool = Pool(instance.url)
    refused = 0
    pending: set[asyncio.Task[None]] = set()
    started = time.perf_counter()

    async def send(due: float) -> None:
        nonlocal refused
        body = visitors.batch(EVENTS_PER_REQUEST, instance.write_key)
        reply = await pool.send(capture_request(body, instance.write_key))
        if reply.status == 200:
            sent.extend([due] * EVENTS_PER_REQUEST)
        else:
            refused += 1

    for number in range(int(seconds * EVENTS_PER_SECOND / EVENTS_PER_REQUEST)):
        due = started + number * EVENTS_PER_REQUEST / EVENTS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(send(due))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)
    took = time.perf_counter() - started
    pool.close()
    sent.sort()
    return refused, len(sent) / took


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
