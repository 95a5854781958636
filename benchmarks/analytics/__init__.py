"""How long questions and pages take on millions of events: first in a new process, and when asked again.

Cold: the process has nothing in memory, PostgreSQL has its tables in its cache or the system's. Warm: columns are in
the memory of the process, and the answer is worked out anew. Cached: nothing has changed since the same question.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
from sqlalchemy import text

from benchmarks.analytics.generator import Traffic, generate
from benchmarks.analytics.pages import PAGE_MS, PAGES, TIMELINE_MS
from benchmarks.analytics.questions import Timed, timed
from benchmarks.figures import Figure
from benchmarks.servers import settings_of, tidy
from benchmarks.signed_in import EMAIL, PASSWORD, signed_in, whole_page
from chatnation.core.app import App
from chatnation.core.auth.passwords import hash_password
from chatnation.core.auth.permissions import RoleName
from chatnation.core.auth.tenancy import create_project, create_tenant
from chatnation.core.auth.users import create_user
from chatnation.core.compose import compose
from chatnation.core.embedded import EmbeddedServers
from chatnation.core.plugin.boundary import Boundary
from chatnation.core.query.runner import QueryRunner
from chatnation.core.settings import Role, Settings
from chatnation.core.storage.migrations import histories, upgrade
from chatnation.core.storage.storage import Storage
from chatnation.query import Range

QUICK, FULL = 200_000, 10_000_000
ZONE = "Africa/Nairobi"
TIMES = 5
EVENTS_VARIABLE = "CHATNATION_BENCH_EVENTS"
KEPT_VARIABLE = "CHATNATION_BENCH_DATA"
"""A folder in which the made-up data stay, so that a second run need not make them."""


async def run(quick: bool) -> list[Figure]:
    """Make the events, copy them into columns, and time questions and pages; the last 30 of 90 days."""
    events = int(os.environ.get(EVENTS_VARIABLE) or (QUICK if quick else FULL))
    with _folder() as folder, EmbeddedServers(Path(folder) / "data") as urls:
        settings = settings_of(urls, Path(folder))
        figures = await _fill(settings, events)
        figures += await _questions(settings)
        return figures + await _pages(settings)


@asynccontextmanager
async def _serving(settings: Settings) -> AsyncIterator[App]:
    app = compose(settings, role=Role.SERVE)
    async with app.lifespan():
        yield app


@contextmanager
def _folder() -> Iterator[str]:
    """A folder that goes away, or the one that is kept."""
    kept = os.environ.get(KEPT_VARIABLE)
    if kept is None:
        with tempfile.TemporaryDirectory(prefix="chatnation-bench-", ignore_cleanup_errors=True) as folder:
            yield folder
    else:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield kept


async def _fill(settings: Settings, events: int) -> list[Figure]:
    app = compose(settings, role=Role.PROCESS)
    classes = [record.plugin_class for record in app.inventory.active() if record.plugin_class]
    await upgrade(app.storage, histories(classes), Boundary())
    async with app.lifespan():
        async with app.storage.system("look for data of a run before") as connection:
            if await connection.scalar(text("SELECT EXISTS (SELECT FROM events)")):
                return []
            tenant = await create_tenant(connection, "Benchmark", timezone=ZONE)
            project = await create_project(connection, tenant.id, "Site")
            password_hash = await hash_password(PASSWORD, rounds=4)
            await create_user(connection, tenant.id, EMAIL, "Somebody", RoleName.SUPER_ADMIN, password_hash)
        traffic = Traffic(tenant.id, project.id, events, datetime.now(UTC) - timedelta(minutes=20))
        started = time.perf_counter()
        with click.progressbar(length=90, label="Making events") as bar:
            made = await generate(app.storage, traffic, app.clock, lambda done, of: bar.update(1))
        making = time.perf_counter() - started
        await tidy(app.storage)
        started = time.perf_counter()
        for job in app.resources.jobs:
            if job.item.name == "core.build_segments" or job.item.name.startswith(("sessions.", "overview.")):
                await job.item.run({})
        copying = time.perf_counter() - started
        await tidy(app.storage)
        async with app.storage.system("sizes in a benchmark") as connection:
            copy_bytes = await connection.scalar(text("SELECT pg_total_relation_size('segment_columns')"))
    return [
        Figure("events in 90 days", made, ""),
        Figure("time to make them", making, "s"),
        Figure("time to copy them into columns", copying, "s"),
        Figure("size of the copy, sessions included", (copy_bytes or 0) / made, "bytes an event"),
    ]


async def _questions(settings: Settings) -> list[Figure]:
    figures: list[Figure] = []
    today = datetime.now(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
    stretch = Range(today - timedelta(days=29), today + timedelta(days=1), ZONE)
    async with _serving(settings) as app, app.storage.system("whose benchmark") as connection:
        tenant_id = (await connection.scalar(text("SELECT min(id) FROM tenants"))) or 0
    for name, question in timed(stretch).items():
        async with _serving(settings) as app:
            figures += await _times(app, tenant_id, name, question)
    return figures


async def _times(app: App, tenant_id: int, name: str, asked: Timed) -> list[Figure]:
    """Cold, warm and cached milliseconds of one question in a fresh app."""
    runner = app.services.get(QueryRunner)

    async def work_out() -> None:
        await runner.store.answer(tenant_id, asked.question, app.clock.now())

    async def ask() -> None:
        await runner.ask(tenant_id, asked.question)

    cold = await _milliseconds(work_out)
    warm = statistics.median([await _milliseconds(work_out) for _ in range(TIMES)])
    await ask()
    cached = statistics.median([await _milliseconds(ask) for _ in range(TIMES)])
    return [
        Figure(f"{name}: cold", cold, "ms", goal=asked.cold, at_most=True),
        Figure(f"{name}: warm", warm, "ms", goal=asked.warm, at_most=True),
        Figure(f"{name}: cached", cached, "ms", goal=100.0, at_most=True),
    ]


async def _milliseconds(work: Callable[[], Awaitable[None]]) -> float:
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def _pages(settings: Settings) -> list[Figure]:
    figures = []
    for name, path in PAGES.items():
        async with signed_in(settings) as client:
            await client.get("/settings/plugins")
            first = await whole_page(client, path)
            again = statistics.median([await whole_page(client, path) for _ in range(TIMES)])
        figures += [
            Figure(f"page {name}: first", first, "ms"),
            Figure(f"page {name}: again", again, "ms", goal=PAGE_MS, at_most=True),
        ]
    async with signed_in(settings) as client:
        path = await _a_busy_person(settings)
        await whole_page(client, path)
        again = statistics.median([await whole_page(client, path) for _ in range(TIMES)])
        figures.append(Figure("timeline of a person: again", again, "ms", goal=TIMELINE_MS, at_most=True))
    return figures


async def _a_busy_person(settings: Settings) -> str:
    storage = Storage(settings.database_url or "")
    try:
        async with storage.system("a person in a benchmark") as connection:
            person = await connection.scalar(
                text("SELECT person_id FROM events WHERE user_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
            )
        return f"/persons/{person}"
    finally:
        await storage.dispose()
