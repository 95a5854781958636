"""The role `process` as a whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chatnation.core.identity.nodes import Kind
from chatnation.core.identity.store import CACHE
from chatnation.core.ingestion.event import EventBatch
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.processing.deliveries import forget_deliveries
from chatnation.core.processing.projection import Projection
from chatnation.core.processing.worker import Worker
from chatnation.core.storage.storage import raw
from chatnation.core.storage.versions import raise_version
from chatnation.testing.events import page_view

if TYPE_CHECKING:
    from tests.core.processing.conftest import Intake, MakeIntake

BROWSER = "0190a000-0000-7000-8000-00000000000a"


@asynccontextmanager
async def working(intake: Intake) -> AsyncIterator[Worker]:
    """A worker that works while the block does."""
    worker = Worker(intake.app)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 30)


async def until(condition: Callable[[], Awaitable[Any]], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_a_worker_stores_what_is_published_and_ends_when_it_is_told(intake: Intake) -> None:
    async with working(intake):
        await intake.publish(*(intake.delivery(page_view()) for _ in range(10)))

        async def stored() -> bool:
            return await intake.stored() == 10 and await intake.waiting() == 0

        await until(stored)


class Hesitant(Plugin):
    """A plugin whose projection fails the first time."""

    name = "hesitant"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.calls = 0

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        return [Projection("hesitate", self._project)]

    async def _project(self, connection: AsyncConnection, batch: EventBatch) -> None:
        self.calls += 1
        if self.calls == 1:
            raise RuntimeError("not yet")


async def test_a_worker_tries_failed_projections_again(make_intake: MakeIntake) -> None:
    intake = await make_intake(Hesitant)
    await intake.send(page_view())
    async with intake.app.storage.tenant(intake.tenant_id) as connection:
        await connection.execute(text("UPDATE projection_failures SET next_attempt_at = now() - interval '1 second'"))
    async with working(intake):

        async def caught_up() -> bool:
            return await intake.value("SELECT count(*) FROM projection_failures") == 0

        await until(caught_up)


async def test_a_worker_forgets_ids_that_somebody_deleted(intake: Intake) -> None:
    leaf = intake.leaf(Kind.ANONYMOUS, BROWSER)
    known = "SELECT count(*) FROM identities WHERE leaf_id = :leaf"
    worker = Worker(intake.app)
    await worker._pipeline.run(intake.tenant_id, [intake.delivery(page_view(visitor=BROWSER))])
    async with intake.app.storage.system("delete an id for a test") as connection:
        await connection.execute(text("DELETE FROM identities WHERE leaf_id = :leaf"), {"leaf": leaf})
        await raise_version(connection, CACHE)
    await intake.app.versions.poll()
    await worker._pipeline.run(intake.tenant_id, [intake.delivery(page_view(visitor=BROWSER))])
    assert await intake.value(known, leaf=leaf) == 1


async def test_marks_of_deliveries_of_long_ago_are_deleted(intake: Intake) -> None:
    await intake.send(page_view())
    async with intake.app.storage.system("age a delivery for a test") as connection:
        await connection.execute(text("UPDATE processed_deliveries SET processed_at = now() - interval '40 days'"))
    await intake.send(page_view())
    async with intake.app.storage.system("forget deliveries for a test") as connection:
        await forget_deliveries(await raw(connection), intake.app.clock.now() - timedelta(days=30))
    assert await intake.value("SELECT count(*) FROM processed_deliveries") == 1
