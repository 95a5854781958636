"""Bytes that a stored event takes, with its indexes: page views and tracks of the tax app, from browsers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import text

from benchmarks.figures import Figure
from benchmarks.servers import own_servers, tidy
from chatnation.core.app import App
from chatnation.core.auth.tenancy import Project, create_project, create_tenant
from chatnation.core.compose import compose
from chatnation.core.demo.facts import Fact
from chatnation.core.demo.generator import TaxAuthority
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.settings import Role
from chatnation.core.storage.compaction import rebuild_month
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.core.storage.partitions import months
from chatnation.plugins.geoip.plugin import GeoipPlugin
from chatnation.plugins.sessions.plugin import SessionsPlugin
from chatnation.plugins.useragent.plugin import UseragentPlugin

PLUGINS = (GeoipPlugin, UseragentPlugin, SessionsPlugin)
VISITS_PER_DAY = 2_000
EVENTS_PER_DELIVERY = 10
FLUSH_AFTER = timedelta(seconds=5)
DELIVERIES_PER_BATCH = 200
GOAL_BYTES = 450

_SIZES = text(
    """
    SELECT sum(pg_relation_size(relid)) AS rows, sum(pg_total_relation_size(relid)) AS total
      FROM pg_partition_tree('events') WHERE isleaf
    """
)
_INDEXES = text(
    """
    SELECT regexp_replace(i.indexrelid::regclass::text, '^events_(\\d{4}_\\d{2}|default)_', '') AS name,
           sum(pg_relation_size(i.indexrelid)) AS bytes
      FROM pg_partition_tree('events') p JOIN pg_index i ON i.indrelid = p.relid
     WHERE p.isleaf
     GROUP BY 1 ORDER BY 2 DESC
    """
)
_BESIDE = text(
    """
    SELECT n.nspname || '.' || c.relname AS name, pg_total_relation_size(c.oid) AS bytes
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND NOT c.relispartition AND n.nspname IN ('public', 'sessions')
       AND pg_total_relation_size(c.oid) > 100000
     ORDER BY 2 DESC
    """
)


async def run(quick: bool) -> list[Figure]:
    """Store events the way a worker does, in the order in which they happened, and weigh the tables."""
    count = 30_000 if quick else 100_000
    with own_servers() as settings:
        app = compose(settings, role=Role.PROCESS, plugins=PLUGINS)
        await upgrade(app.storage, histories(PLUGINS), Boundary())
        async with app.lifespan():
            await _store(app, count)
            return await _weigh(app)


async def _store(app: App, count: int) -> None:
    async with app.storage.system("make a project for a benchmark") as connection:
        tenant = await create_tenant(connection, "Benchmark")
        project = await create_project(connection, tenant.id, "Site")
    pipeline = Pipeline.of(app)
    deliveries = _deliveries(project, count)
    while batch := list(islice(deliveries, DELIVERIES_PER_BATCH)):
        await pipeline.run(tenant.id, batch)


def _deliveries(project: Project, count: int) -> Iterator[Delivery]:
    """Requests of browsers in the order in which they were sent, with `count` events together.

    Like the tracker, each browser sends when it has 10 events or the first has waited for 5 s.
    """
    waiting: dict[str, list[Fact]] = {}
    for fact in islice(_web_facts(), count):
        overdue = fact.at - FLUSH_AFTER
        while waiting and next(iter(waiting.values()))[0].at < overdue:
            yield _delivery(project, waiting.pop(next(iter(waiting))))
        browser = fact.event["anonymous_id"]
        waiting.setdefault(browser, []).append(fact)
        if len(waiting[browser]) == EVENTS_PER_DELIVERY:
            yield _delivery(project, waiting.pop(browser))
    for facts in waiting.values():
        yield _delivery(project, facts)


def _web_facts() -> Iterator[Fact]:
    end = datetime.now(UTC)
    for day in TaxAuthority(visits_per_day=VISITS_PER_DAY).between(end - timedelta(days=60), end):
        yield from (fact for fact in day if fact.client is not None)


def _delivery(project: Project, facts: list[Fact]) -> Delivery:
    client = facts[0].client
    assert client is not None
    sent_at = min(facts[0].at + FLUSH_AFTER, facts[-1].at + timedelta(seconds=1))
    body: dict[str, Any] = {"batch": [fact.event for fact in facts], "sent_at": sent_at.isoformat()}
    return Delivery(
        id=uuid7().bytes,
        tenant_id=project.tenant_id,
        project_id=project.id,
        received_ms=int(sent_at.timestamp() * 1000) + 150,
        count=len(facts),
        body=msgspec.json.encode(body),
        ip=client.address,
        geo_ip=client.address,
        user_agent=client.user_agent,
    )


async def _weigh(app: App) -> list[Figure]:
    """What an event takes as it was stored, and once its month is over and its indexes were rebuilt."""
    fresh = await _size(app)
    async with app.storage.system("list months") as connection:
        stored = await months(connection)
    for month in stored:
        await rebuild_month(app.storage, month)
    settled = await _size(app)
    async with app.storage.system("weigh the tables beside") as connection:
        beside = (await connection.execute(_BESIDE)).all()
    return [
        Figure("events", fresh.events, "events"),
        Figure("an event, with its indexes, as it was stored", fresh.bytes, "B", goal=GOAL_BYTES, at_most=True),
        Figure("an event, with its indexes, of a month that is over", settled.bytes, "B", GOAL_BYTES, at_most=True),
        Figure("its row", fresh.row, "B"),
        *(Figure(f"in the index {name}", size, "B") for name, size in fresh.indexes.items()),
        *(Figure(f"in the index {name}, rebuilt", size, "B") for name, size in settled.indexes.items()),
        *(Figure(f"beside it: {name}", size / fresh.events, "B/event") for name, size in beside),
    ]


@dataclass(frozen=True, slots=True)
class _Size:
    """Bytes an event takes, altogether and by part."""

    events: int
    bytes: float
    row: float
    indexes: dict[str, float]


async def _size(app: App) -> _Size:
    await tidy(app.storage)
    async with app.storage.system("weigh the events") as connection:
        events = await connection.scalar(text("SELECT count(*) FROM events")) or 1
        sizes = (await connection.execute(_SIZES)).one()
        indexes = (await connection.execute(_INDEXES)).all()
    return _Size(
        events,
        float(sizes.total) / events,
        float(sizes.rows) / events,
        {name: float(size) / events for name, size in indexes},
    )
