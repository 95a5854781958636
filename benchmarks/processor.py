"""Events stored per second, from the stream to committed rows, against COPY into the same indexed table.

Ours are the worker processes of `chatnation serve`, every bundled plugin on: one, as shipped, and two. Both sides meet
the same server with the same settings, so every commit of both waits for the disk; both tables are partitioned, have
the same columns and indexes, and grow alike; both commit as many events at once. COPY gets rows that went through our
own decoding and stages beforehand, so they hold what we store, byte for byte, and uses our codecs. It does nothing
else: it reads no stream, knows no duplicates, keeps no sessions, persons or ledger.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from operator import attrgetter
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.figures import Figure
from benchmarks.servers import SECRET, own_servers
from benchmarks.traffic import Visitors
from chatnation.core.app import App
from chatnation.core.auth.tenancy import create_project, create_tenant
from chatnation.core.compose import compose
from chatnation.core.garbage import collect_garbage_rarely
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.processing.event_rows import COLUMNS
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.codecs import set_codecs
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.testing.servers import plain_url

EVENTS_PER_DELIVERY = 10
DELIVERIES_PER_ENTRY = 20
KNOWN_VISITORS = 0.3
WARM_UP_EVENTS = 10_000
LOOK_SECONDS = 0.01
ENOUGH_LEFT = 0.1
"""Share of the events at which the clock stops, so that no worker idles while another stores the last of them."""
ROW = attrgetter(*COLUMNS)
BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bare_events (LIKE events INCLUDING ALL) PARTITION BY RANGE (timestamp);
CREATE TABLE IF NOT EXISTS bare_events_all PARTITION OF bare_events DEFAULT;
"""


async def run(quick: bool) -> list[Figure]:
    """Rounds of both, in turns, so that they meet the same machine; the middle of the ratios counts."""
    events, rounds = (50_000, 2) if quick else (150_000, 5)
    collect_garbage_rarely()
    figures: list[Figure] = []
    async with _instance() as bench:
        for workers in (1, 2):
            async with bench.working(workers):
                await bench.process(WARM_UP_EVENTS)
                await bench.copy(WARM_UP_EVENTS)
                rates = [(await bench.process(events), await bench.copy(events)) for _ in range(rounds)]
            figures += _figures(workers, rates)
    return figures


def _figures(workers: int, rates: list[tuple[float, float]]) -> list[Figure]:
    shipped = workers == Settings.model_fields["processors"].default
    name = f"{workers} worker process{'es' if workers > 1 else ''}"
    return [
        Figure(f"{name}: stored", median(ours for ours, _ in rates), "events/s", goal=15_000 if shipped else None),
        Figure(f"{name}: COPY in turns with it", median(theirs for _, theirs in rates), "events/s"),
        Figure(f"{name}: ratio", median(ours / theirs for ours, theirs in rates), "", goal=0.5 if shipped else None),
    ]


class _Traffic:
    """Deliveries of a busy site; some visitors are logged in."""

    def __init__(self, tenant_id: int, project_id: int) -> None:
        self._visitors = Visitors()
        self.tenant_id = tenant_id
        self._project_id = project_id

    def deliveries(self, events: int) -> list[Delivery]:
        return [self._delivery() for _ in range(events // EVENTS_PER_DELIVERY)]

    def _delivery(self) -> Delivery:
        batch: dict[str, Any] = msgspec.json.decode(self._visitors.batch(EVENTS_PER_DELIVERY, "key"))
        visitor = UUID(batch["batch"][0]["anonymous_id"]).int
        if visitor % 100 < KNOWN_VISITORS * 100:
            for event in batch["batch"]:
                event["user_id"] = f"A{visitor % 1_000_000_000:09}Z"
        address = f"102.{visitor % 200}.{visitor % 251}.0"
        return Delivery(
            id=uuid7().bytes,
            tenant_id=self.tenant_id,
            project_id=self._project_id,
            received_ms=time.time_ns() // 1_000_000,
            count=EVENTS_PER_DELIVERY,
            body=msgspec.json.encode(batch),
            ip=address,
            geo_ip=address,
        )


class _Bench:
    """An app of the role `process`, and beside it a connection of its own."""

    def __init__(self, app: App, traffic: _Traffic, connection: asyncpg.Connection[Any]) -> None:
        self._app = app
        self._traffic = traffic
        self._connection = connection
        self._pipeline = Pipeline.of(app)

    @asynccontextmanager
    async def working(self, count: int) -> AsyncIterator[None]:
        """So many worker processes at work."""
        settings = self._app.settings
        environment = {
            "CHATNATION_DATABASE_URL": settings.database_url or "",
            "CHATNATION_REDIS_URL": settings.redis_url or "",
            "CHATNATION_SECRET_KEY": SECRET,
        }
        module = ("-m", "chatnation.core.supervisor.worker")
        async with AsyncExitStack() as stack:
            for _ in range(count):
                worker = await asyncio.create_subprocess_exec(
                    sys.executable, *module, env={**os.environ, **environment}, stdout=asyncio.subprocess.DEVNULL
                )
                stack.push_async_callback(worker.wait)
                stack.callback(worker.terminate)
            yield

    async def process(self, events: int) -> float:
        """Events a second that the workers take from the stream and store, while more of them wait there."""
        queue, deliveries = self._app.queue, self._traffic.deliveries(events)
        for start in range(0, len(deliveries), DELIVERIES_PER_ENTRY):
            await queue.publish(0, deliveries[start : start + DELIVERIES_PER_ENTRY])
        started, before = time.perf_counter(), await self._waiting()
        left = before
        while left > events * ENOUGH_LEFT:
            await asyncio.sleep(LOOK_SECONDS)
            left = await self._waiting()
        rate = (before - left) / (time.perf_counter() - started)
        while await self._waiting():  # noqa: ASYNC110 - the stream is outside of this process
            await asyncio.sleep(LOOK_SECONDS)
        return rate

    async def _waiting(self) -> int:
        return sum((await self._app.queue.depth()).values())

    async def copy(self, events: int) -> float:
        """Rows a second that COPY puts, ready as they are, into a table like `events`."""
        prepared = await self._pipeline.prepare(self._traffic.tenant_id, self._traffic.deliveries(events))
        rows = [ROW(event) for part in prepared for event in part.batch]
        at_once = self._app.settings.process_batch_events
        started = time.perf_counter()
        for start in range(0, len(rows), at_once):
            await self._connection.copy_records_to_table(
                "bare_events", records=rows[start : start + at_once], columns=COLUMNS
            )
        return events / (time.perf_counter() - started)


@asynccontextmanager
async def _instance() -> AsyncIterator[_Bench]:
    """Servers of our own, with an app and a project."""
    with own_servers() as settings:
        app = compose(settings, role=Role.PROCESS)
        classes = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
        await upgrade(app.storage, histories(classes), Boundary())
        async with app.lifespan():
            async with app.storage.system("make a project for a benchmark") as made:
                tenant = await create_tenant(made, "Benchmark")
                project = await create_project(made, tenant.id, "Site")
            connection = await asyncpg.connect(plain_url(settings.database_url or ""))
            await set_codecs(connection)
            await connection.execute(BARE_TABLE)
            yield _Bench(app, _Traffic(tenant.id, project.id), connection)
            await connection.close()
