"""Events stored per second, from the stream to committed rows, against COPY into the same indexed table.

Both sides meet the same server with the same settings, so every commit of both waits for the disk; both tables are
partitioned, have the same columns and indexes, and grow alike; both commit as many events at once. COPY gets rows that
went through our own decoding and stages beforehand, so they hold what we store, byte for byte, and uses our codecs. It
does nothing else: it reads no stream, knows no duplicates, keeps no sessions, persons or ledger.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from pydantic import SecretStr

from benchmarks.figures import Figure
from benchmarks.traffic import Visitors
from chatnation.core.app import App
from chatnation.core.auth.tenancy import create_project, create_tenant
from chatnation.core.compose import compose
from chatnation.core.embedded import EmbeddedServers
from chatnation.core.garbage import collect_garbage_rarely
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.processing.event_rows import COLUMNS
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.processing.processor import Processor
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.codecs import set_codecs
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.plugins.geoip.plugin import GeoipPlugin
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.plugins.useragent.plugin import UseragentPlugin
from chatnation.testing.servers import plain_url

PLUGINS = (GeoipPlugin, UseragentPlugin, SessionsPlugin)
EVENTS_PER_DELIVERY = 10
DELIVERIES_PER_ENTRY = 20
KNOWN_VISITORS = 0.3
WARM_UP_EVENTS = 10_000
LOOK_SECONDS = 0.01
"""Between two looks at whether the stream is empty, which cost the worker's own process some time."""
ROW = attrgetter(*COLUMNS)
BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bare_events (LIKE events INCLUDING ALL) PARTITION BY RANGE (timestamp);
CREATE TABLE IF NOT EXISTS bare_events_all PARTITION OF bare_events DEFAULT;
"""


async def run(quick: bool) -> list[Figure]:
    """Rounds of both, in turns, so that they meet the same machine; the middle of the ratios counts."""
    events, rounds = (40_000, 3) if quick else (150_000, 5)
    collect_garbage_rarely()
    async with _instance() as bench:
        await bench.process(WARM_UP_EVENTS)
        await bench.copy(WARM_UP_EVENTS)
        copied, processed, cpu = [], [], []
        for _ in range(rounds):
            copied.append(events / await bench.copy(events))
            seconds, busy = await bench.process(events)
            processed.append(events / seconds)
            cpu.append(busy / events)
    ratios = [ours / theirs for ours, theirs in zip(processed, copied, strict=True)]
    return [
        Figure("stored by one worker, all plugins on", statistics.median(processed), "events/s", goal=15_000),
        Figure("COPY into the same indexed table", statistics.median(copied), "events/s"),
        Figure("ratio", statistics.median(ratios), "", goal=0.5),
        Figure("processor time of the worker", statistics.median(cpu) * 1e6, "µs/event"),
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

    async def process(self, events: int) -> tuple[float, float]:
        """Seconds in which a worker stores so many events that wait in the stream, and its processor time in them."""
        app, deliveries = self._app, self._traffic.deliveries(events)
        for start in range(0, len(deliveries), DELIVERIES_PER_ENTRY):
            await app.queue.publish(0, deliveries[start : start + DELIVERIES_PER_ENTRY])
        processor = Processor(
            queue=app.queue,
            pipeline=self._pipeline,
            dead_letters=DeadLetters(app),
            redis=app.redis,
            metrics=app.metrics,
            settings=app.settings,
        )
        started, busy_before = time.perf_counter(), time.process_time()
        running = asyncio.create_task(processor.run())
        while sum((await app.queue.depth()).values()):  # noqa: ASYNC110 - the stream is outside of this process
            await asyncio.sleep(LOOK_SECONDS)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy_before
        processor.stop()
        await running
        return seconds, busy

    async def copy(self, events: int) -> float:
        """Seconds in which COPY puts so many rows, ready as they are, into a table like `events`."""
        prepared = await self._pipeline.prepare(self._traffic.tenant_id, self._traffic.deliveries(events))
        rows = [ROW(event) for part in prepared for event in part.batch]
        at_once = self._app.settings.process_batch_events
        started = time.perf_counter()
        for start in range(0, len(rows), at_once):
            await self._connection.copy_records_to_table(
                "bare_events", records=rows[start : start + at_once], columns=COLUMNS
            )
        return time.perf_counter() - started


@asynccontextmanager
async def _instance() -> AsyncIterator[_Bench]:
    """Servers of our own, with an app and a project."""
    with (
        tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedServers(Path(folder) / "data") as urls,
    ):
        settings = Settings(
            database_url=urls.database_url, redis_url=urls.redis_url, secret_key=SecretStr("0123456789abcdef" * 3)
        )
        app = compose(settings, role=Role.PROCESS, plugins=PLUGINS)
        await upgrade(app.storage, histories(PLUGINS), Boundary())
        async with app.lifespan():
            async with app.storage.system("make a project for a benchmark") as made:
                tenant = await create_tenant(made, "Benchmark")
                project = await create_project(made, tenant.id, "Site")
            connection = await asyncpg.connect(plain_url(urls.database_url))
            await set_codecs(connection)
            await connection.execute(BARE_TABLE)
            yield _Bench(app, _Traffic(tenant.id, project.id), connection)
            await connection.close()
