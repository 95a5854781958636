"""Runs the jobs and keeps the schedules, in the process that has the role `process`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.core.applications import PgQueuer
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.domain import models
from pgqueuer.domain.errors import FailingListenerError

from chatnation.core.errors import ChatnationError
from chatnation.core.jobs.schema import SCHEMA, jobs_queries, jobs_settings

if TYPE_CHECKING:
    from chatnation.core.app import App
    from chatnation.core.jobs.definitions import Job, Schedule
    from chatnation.core.plugin.resources import Registered

T = TypeVar("T")

logger = logging.getLogger(__name__)

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=10)
_CONNECTIONS = 3
_LOOK_EVERY = timedelta(seconds=2)
"""New jobs announce themselves; a job that waits for its next try does not (its trigger is silent on updates)."""
_HEARTBEAT = timedelta(seconds=30)
"""A job whose process was silent for this long is taken over by another one."""
_LONGEST_WAIT = 30.0
_AWAY = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    FailingListenerError,
    asyncio.TimeoutError,
)


_ANYTHING_DUE = f"""
SELECT EXISTS (
    SELECT FROM {SCHEMA}.queue
     WHERE entrypoint = ANY($1) AND (status = 'picked' OR status = 'queued' AND execute_after <= now())
)
"""


class JobFailed(ChatnationError):
    """A job raised; the cause is what it raised."""


class JobRunner:
    """Runs jobs until it is stopped, each at least once, several at a time.

    A job that raises is retried with growing pauses, then kept with its error. Jobs of a plugin that does not run stay
    in the queue until it does again; those of a tenant that switched the plugin off are done without running.
    """

    def __init__(self, app: App, *, first_pause: timedelta = FIRST_PAUSE) -> None:
        self._app = app
        self._first_pause = first_pause
        self._stopping = asyncio.Event()
        self._queuer: PgQueuer | None = None

    async def run(self) -> None:
        """Work until `stop`; then the jobs in hand are finished. While the database is away, try again now and then."""
        pause, patient = 1.0, True
        while not self._stopping.is_set():
            started = asyncio.get_running_loop().time()
            try:
                await self._run_connected()
            except _AWAY as error:
                if asyncio.get_running_loop().time() - started > _LONGEST_WAIT:
                    pause, patient = 1.0, True
                # Once is no news: a busy machine is late to answer, most of all while everything starts.
                level = logging.DEBUG if patient else logging.WARNING
                logger.log(level, "Jobs wait for the database, next try in %.0f s: %r", pause, error)
                patient = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
                pause = min(pause * 2, _LONGEST_WAIT)

    def stop(self) -> None:
        """Take no more jobs."""
        self._stopping.set()
        if self._queuer is not None:
            self._queuer.shutdown.set()

    async def drain(self) -> None:
        """Run the jobs that are due now, and those that they enqueue, then return; for tests and commands."""
        async with self._app.storage.pool(_CONNECTIONS) as pool:
            queuer = self._queuer_over(AsyncpgPoolDriver(pool))
            names = list(queuer.qm.entrypoint_registry)
            working = asyncio.create_task(queuer.qm.run(dequeue_timeout=timedelta(seconds=0.05)))
            try:
                while not working.done() and await pool.fetchval(_ANYTHING_DUE, names):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            finally:
                queuer.shutdown.set()
                await working

    async def _run_connected(self) -> None:
        async with self._app.storage.pool(_CONNECTIONS) as pool:
            queuer = self._queuer_over(AsyncpgPoolDriver(pool))
            self._schedule_on(queuer)
            self._queuer = queuer
            if self._stopping.is_set():
                return
            try:
                await queuer.run(
                    dequeue_timeout=_LOOK_EVERY, heartbeat_timeout=_HEARTBEAT, shutdown_on_listener_failure=True
                )
            finally:
                self._queuer = None

    def _queuer_over(self, driver: AsyncpgPoolDriver) -> PgQueuer:
        queuer = PgQueuer(driver, jobs_settings().channel, queries=jobs_queries(driver))
        for entry in self._running(self._app.resources.jobs):
            executor = partial(
                DatabaseRetryEntrypointExecutor,
                max_attempts=entry.item.attempts - 1,  # pgqueuer counts the tries after the first.
                initial_delay=self._first_pause,
                max_delay=LONGEST_PAUSE,
            )
            queuer.entrypoint(entry.item.name, on_failure="hold", executor_factory=executor)(self._work(entry))
        return queuer

    def _schedule_on(self, queuer: PgQueuer) -> None:
        for entry in self._running(self._app.resources.schedules):
            queuer.schedule(entry.item.job, entry.item.cron)(self._enqueuing(entry.item))

    def _running(self, entries: Sequence[Registered[T]]) -> list[Registered[T]]:
        return [entry for entry in entries if self._app.inventory.runs(entry.plugin)]

    def _work(self, entry: Registered[Job]) -> Callable[[models.Job], Awaitable[None]]:
        async def work(queued: models.Job) -> None:
            payload = msgspec.json.decode(queued.payload or b"{}", type=dict)
            tenant_id = payload.get("tenant_id")
            if isinstance(tenant_id, int) and entry.plugin not in self._app.enabled(tenant_id):
                return
            where = f"job:{entry.item.name}"
            outcome = await self._app.boundary.acall(entry.plugin, where, partial(entry.item.run, payload))
            if outcome.error is not None:
                raise JobFailed(str(outcome.error) or type(outcome.error).__name__) from outcome.error

        return work

    def _enqueuing(self, schedule: Schedule) -> Callable[[models.Schedule], Awaitable[None]]:
        async def enqueue(due: models.Schedule) -> None:
            async with self._app.storage.system("a schedule is due") as connection:
                await self._app.jobs.enqueue(connection, schedule.job, {}, dedupe_key="schedule")

        return enqueue
