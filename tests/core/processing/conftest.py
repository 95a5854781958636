"""An intake: a tenant's project whose deliveries go straight to the pipeline, or over the stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text

from chatnation.core.app import App
from chatnation.core.identity import queries
from chatnation.core.identity.nodes import Kind, leaf_id
from chatnation.core.ids import client_uuid, uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.plugin.base import Plugin
from chatnation.core.processing.pipeline import Pipeline, Stored
from chatnation.core.processing.processor import Processor
from chatnation.core.queue.deadletters import DeadLetters
from chatnation.testing.apps import MakeApp, RunningApp, Source
from chatnation.testing.events import Wire

RECEIVED = datetime(2026, 11, 10, 9, tzinfo=UTC)


class Nothing(Plugin):
    """A plugin that does nothing, so that an app has the core alone."""

    name = "nothing"


@dataclass
class Intake:
    """Where a test hands in events, and looks at what became of them."""

    running: RunningApp
    source: Source
    pipeline: Pipeline
    dead_letters: DeadLetters

    @property
    def app(self) -> App:
        return self.running.app

    @property
    def tenant_id(self) -> int:
        return self.source.tenant.id

    def delivery(
        self, *events: Wire, received: datetime = RECEIVED, sent: datetime | None = None, **fields: Any
    ) -> Delivery:
        """A request as the collector puts it on the stream."""
        body = {"batch": events, "sent_at": sent.isoformat() if sent else None}
        return Delivery(
            **{
                "id": uuid7().bytes,
                "tenant_id": self.tenant_id,
                "project_id": self.source.project.id,
                "received_ms": int(received.timestamp() * 1000),
                "count": len(events),
                "body": msgspec.json.encode(body),
                **fields,
            }
        )

    async def store(self, *deliveries: Delivery) -> Stored:
        """Store deliveries in one batch."""
        return await self.pipeline.run(self.tenant_id, deliveries)

    async def send(self, *events: Wire) -> Stored:
        """Store events in a delivery of their own."""
        return await self.store(self.delivery(*events))

    async def publish(self, *deliveries: Delivery) -> None:
        """Put deliveries on the stream, each as an entry of its own."""
        for delivery in deliveries:
            await self.app.queue.publish(0, [delivery])

    async def waiting(self) -> int:
        """The number of events in the stream."""
        return sum((await self.app.queue.depth()).values())

    def processor(self, **settings: Any) -> Processor:
        """A processor of the app's stream."""
        return Processor(
            queue=self.app.queue,
            pipeline=self.pipeline,
            dead_letters=self.dead_letters,
            redis=self.app.redis,
            metrics=self.app.metrics,
            settings=self.app.settings.model_copy(update=settings),
        )

    async def rows(self, sql: str, **parameters: Any) -> list[Any]:
        """Rows of a query, which names the tenant by `:tenant`."""
        async with self.app.storage.system("look what a test has done") as connection:
            return list(await connection.execute(text(sql), {"tenant": self.tenant_id, **parameters}))

    async def value(self, sql: str, **parameters: Any) -> Any:
        """The one value of a query."""
        (row,) = await self.rows(sql, **parameters)
        return row[0]

    async def stored(self) -> int:
        """The number of the tenant's events."""
        return int(await self.value("SELECT count(*) FROM events WHERE tenant_id = :tenant"))

    async def ledger(self) -> dict[str, int]:
        """The totals by outcome of what PostgreSQL counts."""
        sql = (
            "SELECT outcome, sum(count) FROM ingest_ledger"
            " WHERE tenant_id = :tenant AND outcome NOT IN ('received', 'queued')"
            " GROUP BY outcome HAVING sum(count) <> 0"
        )
        return {outcome: int(count) for outcome, count in await self.rows(sql)}

    def leaf(self, kind: Kind, value: str) -> UUID:
        """The leaf of an id; anonymous ids as clients send them."""
        if kind is Kind.ANONYMOUS:
            value = str(client_uuid(self.tenant_id, value))
        return leaf_id(self.tenant_id, kind, value)

    async def person(self, kind: Kind, value: str) -> UUID:
        """The person that an id leads to."""
        leaf = self.leaf(kind, value)
        async with self.app.storage.tenant(self.tenant_id) as connection:
            return (await queries.resolve(connection, self.tenant_id, [leaf]))[leaf]

    async def persons_of_events(self) -> dict[str, UUID]:
        """The person of each event, by its label (the property `label`)."""
        rows = await self.rows(
            "SELECT e.properties ->> 'label', coalesce(m.person_id, e.person_id) FROM events e"
            " LEFT JOIN person_merges m ON m.tenant_id = e.tenant_id AND m.leaf_id = e.person_id"
            " WHERE e.tenant_id = :tenant"
        )
        return dict(map(tuple, rows))


MakeIntake = Callable[..., Awaitable[Intake]]


@pytest.fixture
def received() -> datetime:
    """When deliveries are received, unless they say otherwise."""
    return RECEIVED


@pytest.fixture
async def make_intake(make_app: MakeApp) -> MakeIntake:
    """Makes intakes of apps with the given plugins; with `like`, another process of the same instance."""

    async def make(*plugins: type[Plugin], like: Intake | None = None, **settings: Any) -> Intake:
        running = await make_app(*(plugins or (Nothing,)), settings=settings, like=like.running if like else None)
        source = like.source if like else await running.source()
        return Intake(running, source, Pipeline.of(running.app), DeadLetters(running.app))

    return make


@pytest.fixture
async def intake(make_intake: MakeIntake) -> Intake:
    """An intake of an app with the core alone."""
    return await make_intake()
