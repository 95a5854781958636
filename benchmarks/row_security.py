"""What row-level security costs: the same work bound to a tenant, and as the owner of the tables.

Both take turns in the same process on the same rows, each with connections of its own, as a statement that changes its
role is planned anew. As the owner means through the system door, whose first statement is as long.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime
from statistics import median
from typing import Any
from unittest.mock import patch
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.figures import Figure
from benchmarks.pages import fill
from benchmarks.servers import own_servers, tidy
from benchmarks.traffic import Visitors
from chatnation.core.app import App
from chatnation.core.compose import compose
from chatnation.core.garbage import collect_garbage_rarely
from chatnation.core.ids import uuid7
from chatnation.core.ingestion.event import Delivery
from chatnation.core.processing import pipeline
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.settings import Role
from chatnation.core.storage.storage import Storage
from chatnation.plugins.dashboard.api import PeriodQuery
from chatnation.plugins.sessions.api import SessionFilter, list_sessions, recent_persons

GOAL = 1.1
TIMES = 41
BATCH = 2_000
WARM_UP_BATCHES = 3
KNOWN_VISITORS = 0.3

Door = Callable[[], AbstractAsyncContextManager[AsyncConnection]]
Question = Callable[[AsyncConnection], Awaitable[object]]


async def run(quick: bool) -> list[Figure]:
    """Storing a batch, and the questions behind lists; milliseconds, and bound divided by unbound."""
    sessions, batches = (50_000, 8) if quick else (1_000_000, 40)
    collect_garbage_rarely()
    with own_servers() as settings:
        await fill(settings, sessions)
        bound, owner = (compose(settings, role=Role.PROCESS) for _ in range(2))
        async with bound.lifespan(), owner.lifespan():
            tenant_id, project_id = await _whose(bound.storage)
            figures = await _storing(bound, owner, tenant_id, project_id, batches)
            await tidy(bound.storage)
            figures += await _reading(bound.storage, owner.storage, tenant_id)
    return figures


async def _storing(bound: App, owner: App, tenant_id: int, project_id: int, batches: int) -> list[Figure]:
    """Each side stores every other batch; decoding and stages, which are the same, are left out."""
    visitors, pipelines = Visitors(), {False: Pipeline.of(bound), True: Pipeline.of(owner)}
    taken: dict[bool, list[float]] = {False: [], True: []}
    for number in range(2 * (WARM_UP_BATCHES + batches)):
        as_owner = number % 2 == 1
        ours = pipelines[as_owner]
        deliveries = [_delivery(visitors, tenant_id, project_id) for _ in range(BATCH // 10)]
        for prepared in await ours.prepare(tenant_id, deliveries):
            started = time.perf_counter()
            with patch.object(pipeline, "enter_tenant", _stay) if as_owner else nullcontext():
                await ours.store(prepared)
            if number >= 2 * WARM_UP_BATCHES:
                taken[as_owner].append((time.perf_counter() - started) * 1000)
    return _figures(f"store {BATCH} events, all plugins on", taken[False], taken[True])


async def _reading(bound: Storage, owner: Storage, tenant_id: int) -> list[Figure]:
    doors: dict[bool, Door] = {
        False: lambda: bound.tenant(tenant_id),
        True: lambda: owner.system("measured without row-level security"),
    }
    figures = []
    for name, question in _questions(tenant_id).items():
        taken: dict[bool, list[float]] = {False: [], True: []}
        for number in range(2 * TIMES):
            as_owner = number % 2 == 1
            started = time.perf_counter()
            async with doors[as_owner]() as connection:
                await question(connection)
            taken[as_owner].append((time.perf_counter() - started) * 1000)
        figures += _figures(name, taken[False], taken[True])
    return figures


def _questions(tenant_id: int) -> dict[str, Question]:
    now = datetime.now(UTC)
    month = PeriodQuery(period="30d").resolve("Africa/Nairobi", now)

    def sessions(**narrowed: Any) -> Question:
        wanted = SessionFilter(month.start, month.end, month.timezone, **narrowed)
        return lambda connection: list_sessions(connection, tenant_id, wanted, None, 50)

    return {
        "persons seen lately": lambda connection: recent_persons(connection, tenant_id, None, 50),
        "sessions list": sessions(),
        "sessions list, filtered": sessions(values={"device_type": ["mobile"]}, converted=True),
        "sessions list, who saw a page": sessions(page="/mri/start"),
    }


def _figures(name: str, bound: list[float], owner: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}: bound", median(bound), "ms"),
        Figure(f"{name}: as the owner", median(owner), "ms"),
        Figure(f"{name}: ratio", median(bound) / median(owner), "", goal=GOAL, at_most=True),
    ]


async def _stay(connection: AsyncConnection, tenant_id: int) -> None:
    """The pipeline stays the owner, as it would be without row-level security."""


def _delivery(visitors: Visitors, tenant_id: int, project_id: int) -> Delivery:
    batch = msgspec.json.decode(visitors.batch(10, "key"))
    visitor = UUID(batch["batch"][0]["anonymous_id"]).int
    if visitor % 100 < KNOWN_VISITORS * 100:
        for event in batch["batch"]:
            event["user_id"] = f"A{visitor % 1_000_000_000:09}Z"
    return Delivery(
        id=uuid7().bytes,
        tenant_id=tenant_id,
        project_id=project_id,
        received_ms=time.time_ns() // 1_000_000,
        count=10,
        body=msgspec.json.encode(batch),
    )


async def _whose(storage: Storage) -> tuple[int, int]:
    async with storage.system("the project of a benchmark") as connection:
        row = (await connection.execute(text("SELECT tenant_id, id FROM projects LIMIT 1"))).one()
        return row.tenant_id, row.id
