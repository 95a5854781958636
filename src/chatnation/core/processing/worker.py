"""The role `process`: stores events, runs jobs, and keeps house meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client import Gauge

from chatnation.core import tasks
from chatnation.core.errors import QueueUnavailable
from chatnation.core.identity.store import CACHE
from chatnation.core.processing.deliveries import forget_deliveries
from chatnation.core.processing.pipeline import Pipeline
from chatnation.core.processing.processor import Processor
from chatnation.core.processing.projecting import Projections
from chatnation.core.processing.retrying import Retries
from chatnation.core.storage.errors import DatabaseUnavailable
from chatnation.core.storage.partitions import Partitions
from chatnation.core.storage.storage import raw

if TYPE_CHECKING:
    from chatnation.core.app import App

logger = logging.getLogger(__name__)

RETRY_EVERY = 5.0
MEASURE_EVERY = 5.0
KEEP_HOUSE_EVERY = 3600.0
DELIVERIES_KEPT = timedelta(days=30)
"""Longer than any delivery stays in the stream, outages included."""


class Worker:
    """Everything that the process of the role `process` does. It runs inside the app's lifespan."""

    def __init__(self, app: App) -> None:
        from chatnation.core.jobs.runner import JobRunner
        from chatnation.core.queue.deadletters import DeadLetters

        self._app = app
        self._stopping = asyncio.Event()
        self._partitions = Partitions(app.storage, app.clock)
        self._pipeline = Pipeline.of(app)
        self._retries = Retries(
            app.storage, Projections(app.resources.projections, app.boundary, app.metrics), app.enabled
        )
        self._waiting = Gauge(
            "chatnation_stream_events", "Events that wait in the stream.", ["partition"], registry=app.metrics.registry
        )
        self._troubled = Gauge(
            "chatnation_processor_troubled",
            "1 while batches wait because a server is away or something of ours is broken.",
            registry=app.metrics.registry,
        )
        self.processor = Processor(
            queue=app.queue,
            pipeline=self._pipeline,
            dead_letters=DeadLetters(app),
            redis=app.redis,
            metrics=app.metrics,
            settings=app.settings,
        )
        self._jobs = JobRunner(app)
        app.versions.watch(CACHE, self._forget)

    async def run(self) -> None:
        """Work until `stop`; then batches and jobs in hand are finished."""
        beside = [
            asyncio.create_task(self._regularly(work, every))
            for work, every in (
                (self._retries.run_due, RETRY_EVERY),
                (self._measure, MEASURE_EVERY),
                (self._keep_house, KEEP_HOUSE_EVERY),
            )
        ]
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.processor.run())
                group.create_task(self._jobs.run())
        finally:
            await tasks.end(*beside)

    def stop(self) -> None:
        """Take nothing more; `run` returns when what is in hand is done."""
        self._stopping.set()
        self.processor.stop()
        self._jobs.stop()

    async def _measure(self) -> None:
        self._troubled.set(self.processor.troubled)
        for partition, events in (await self._app.queue.depth()).items():
            self._waiting.labels(str(partition)).set(events)

    async def _keep_house(self) -> None:
        await self._partitions.ensure_ahead()
        async with self._app.storage.system("forget deliveries of long ago") as connection:
            await forget_deliveries(await raw(connection), self._app.clock.now() - DELIVERIES_KEPT)

    async def _forget(self) -> None:
        self._pipeline.forget()

    async def _regularly(self, work: Callable[[], Awaitable[object]], every: float) -> None:
        """Do `work` now and then until stopped; a failure is logged, and the next turn comes all the same."""
        while not self._stopping.is_set():
            try:
                await work()
            except (DatabaseUnavailable, QueueUnavailable) as error:
                logger.info("%s has to wait: %s", work.__name__.strip("_"), error)
            except Exception:
                logger.exception("%s failed; it is tried again", work.__name__.strip("_"))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), every)
