from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import text

from chatnation.core.app import App
from chatnation.core.errors import ChatnationError
from chatnation.core.jobs.definitions import Job, Schedule
from chatnation.core.jobs.failures import drop_failed, list_failed, retry_failed
from chatnation.core.jobs.runner import JobRunner
from chatnation.core.plugin.base import Plugin, hookimpl
from chatnation.core.plugin.inventory import State
from chatnation.testing.apps import MakeApp

pytestmark = pytest.mark.anyio

Payload = dict[str, Any]


class Notes(Plugin):
    """Notes

    Writes down what its jobs were given.
    """

    name = "notes"
    done: ClassVar[list[Payload]]
    broken: ClassVar[bool]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("notes.write_note", self.write), Job("notes.stumble", self.stumble, attempts=3)]

    async def write(self, payload: Payload) -> None:
        self.done.append(payload)

    async def stumble(self, payload: Payload) -> None:
        self.done.append(payload)
        if self.broken:
            raise ValueError("the ink is dry")


@pytest.fixture(autouse=True)
def _clean() -> None:
    Notes.done = []
    Notes.broken = True


@pytest.fixture
async def app(make_app: MakeApp) -> App:
    return (await make_app(Notes)).app


async def enqueue(app: App, job: str, payload: Payload, **options: Any) -> bool:
    async with app.storage.system("enqueue") as connection:
        return await app.jobs.enqueue(connection, job, payload, **options)


@asynccontextmanager
async def running(app: App, **options: Any) -> AsyncIterator[JobRunner]:
    runner = JobRunner(app, **options)
    task = asyncio.create_task(runner.run())
    try:
        yield runner
    finally:
        runner.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while True:
            answer = condition()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)


async def test_a_job_runs_with_what_it_was_given(app: App) -> None:
    await enqueue(app, "notes.write_note", {"text": "Karibu 👋", "number": 1.5})
    async with running(app):
        await until(lambda: Notes.done == [{"text": "Karibu 👋", "number": 1.5}])


async def test_a_job_of_a_transaction_that_rolled_back_does_not_run(app: App) -> None:
    with pytest.raises(LookupError):
        async with app.storage.system("change of mind") as connection:
            await app.jobs.enqueue(connection, "notes.write_note", {"number": 1})
            raise LookupError
    await enqueue(app, "notes.write_note", {"number": 2})
    await JobRunner(app).drain()
    assert Notes.done == [{"number": 2}]


async def test_a_job_waits_for_its_time(app: App) -> None:
    await enqueue(app, "notes.write_note", {"number": 1}, run_at=datetime.now(UTC) + timedelta(hours=1))
    await enqueue(app, "notes.write_note", {"number": 2}, run_at=datetime.now(UTC) - timedelta(hours=1))
    await JobRunner(app).drain()
    assert Notes.done == [{"number": 2}]


async def test_an_equal_job_is_not_enqueued_while_one_waits(app: App) -> None:
    assert await enqueue(app, "notes.write_note", {"number": 1}, dedupe_key="x")
    assert not await enqueue(app, "notes.write_note", {"number": 2}, dedupe_key="x")
    assert await enqueue(app, "notes.write_note", {"number": 3}, dedupe_key="y")
    assert await enqueue(app, "notes.stumble", {"number": 4}, dedupe_key="x")
    Notes.broken = False
    await JobRunner(app).drain()
    assert sorted(payload["number"] for payload in Notes.done) == [1, 3, 4]
    assert await enqueue(app, "notes.write_note", {"number": 5}, dedupe_key="x")


async def test_a_job_that_nobody_registered_is_refused(app: App) -> None:
    with pytest.raises(ChatnationError, match="No plugin registered the job"):
        await enqueue(app, "notes.fly", {})


async def test_a_failing_job_is_tried_as_often_as_it_says_and_then_kept_with_its_error(app: App) -> None:
    await enqueue(app, "notes.stumble", {"number": 1})

    async def given_up() -> bool:
        async with app.storage.system("look") as connection:
            return bool(await list_failed(connection))

    async with running(app, first_pause=timedelta(milliseconds=10)):
        await until(given_up)
    assert Notes.done == [{"number": 1}] * 3
    assert app.boundary.failures["notes", "job:notes.stumble"] == 3
    async with app.storage.system("look") as connection:
        (failed,) = await list_failed(connection)
    assert (failed.job, failed.payload, failed.attempts) == ("notes.stumble", {"number": 1}, 3)
    assert failed.error == "the ink is dry"
    assert "ValueError" in failed.traceback


async def test_a_job_that_was_given_up_can_be_tried_again_or_dropped(app: App) -> None:
    for number in (1, 2):
        await enqueue(app, "notes.stumble", {"number": number})

    async def given_up() -> bool:
        async with app.storage.system("look") as connection:
            return len(await list_failed(connection)) == 2

    async with running(app, first_pause=timedelta(milliseconds=1)):
        await until(given_up)
    Notes.broken, Notes.done = False, []
    async with app.storage.system("operator") as connection:
        first, second = await list_failed(connection)
        assert await drop_failed(connection, [second.id]) == 1
        assert await retry_failed(connection) == 1
    await JobRunner(app).drain()
    assert Notes.done == [first.payload]
    async with app.storage.system("look") as connection:
        assert await list_failed(connection) == []


async def test_jobs_of_a_plugin_that_does_not_run_stay_in_the_queue(app: App) -> None:
    await enqueue(app, "notes.write_note", {"number": 1})
    app.inventory.settle("notes", State.DEGRADED, "out of ink")
    await JobRunner(app).drain()
    assert Notes.done == []
    async with app.storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM jobs.queue WHERE status = 'queued'")) == 1


async def test_jobs_of_a_tenant_that_switched_the_plugin_off_are_done_without_running(make_app: MakeApp) -> None:
    running_app = await make_app(Notes)
    app = running_app.app
    tenants = [(await running_app.source()).tenant.id for _ in range(2)]
    await app.switches.switch(tenants[0], "notes", enabled=False)
    for tenant_id in tenants:
        await enqueue(app, "notes.write_note", {"tenant_id": tenant_id})
    await JobRunner(app).drain()
    assert Notes.done == [{"tenant_id": tenants[1]}]


async def test_two_runners_never_run_the_same_job(make_app: MakeApp) -> None:
    first = await make_app(Notes)
    second = await make_app(Notes, like=first)
    async with first.app.storage.system("enqueue many") as connection:
        for number in range(100):
            await first.app.jobs.enqueue(connection, "notes.write_note", {"number": number})
    async with running(first.app), running(second.app):
        await until(lambda: len(Notes.done) >= 100)
    assert sorted(payload["number"] for payload in Notes.done) == list(range(100))


class Slow(Plugin):
    """Slow"""

    name = "slow"
    started: ClassVar[asyncio.Event]
    may_end: ClassVar[asyncio.Event]
    ended: ClassVar[bool]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("slow.take_time", self.take_time)]

    async def take_time(self, payload: Payload) -> None:
        Slow.started.set()
        await Slow.may_end.wait()
        Slow.ended = True


async def test_a_stopped_runner_finishes_the_job_in_hand(make_app: MakeApp) -> None:
    Slow.started, Slow.may_end, Slow.ended = asyncio.Event(), asyncio.Event(), False
    app = (await make_app(Slow)).app
    await enqueue(app, "slow.take_time", {})
    async with running(app) as runner:
        await asyncio.wait_for(Slow.started.wait(), 10)
        runner.stop()
        Slow.may_end.set()
    assert Slow.ended
    async with app.storage.system("look") as connection:
        assert await connection.scalar(text("SELECT count(*) FROM jobs.queue")) == 0


class Punctual(Plugin):
    """Punctual"""

    name = "punctual"
    runs: ClassVar[int] = 0

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        return [Job("punctual.tick", self.tick)]

    @hookimpl
    def register_schedules(self) -> Iterable[Schedule]:
        return [Schedule("punctual.tick", "* * * * *")]

    async def tick(self, payload: Payload) -> None:
        Punctual.runs += 1


async def test_a_schedule_that_is_due_runs_once_for_all_processes(make_app: MakeApp) -> None:
    Punctual.runs = 0
    first = await make_app(Punctual)
    second = await make_app(Punctual, like=first)
    async with running(first.app), running(second.app):

        async def known() -> bool:
            async with first.app.storage.system("look") as connection:
                return bool(await connection.scalar(text("SELECT count(*) FROM jobs.schedules")))

        await until(known)
    async with first.app.storage.system("let the minute pass") as connection:
        await connection.execute(text("UPDATE jobs.schedules SET next_run = now() - interval '1 second'"))
    async with running(first.app), running(second.app):
        await until(lambda: Punctual.runs > 0)
    assert Punctual.runs == 1


async def test_the_runner_works_again_after_it_lost_its_connections(app: App) -> None:
    async with running(app):
        await enqueue(app, "notes.write_note", {"number": 1})
        await until(lambda: len(Notes.done) == 1)
        async with app.storage.system("cut every other connection") as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        await enqueue(app, "notes.write_note", {"number": 2})
        await until(lambda: {"number": 2} in Notes.done)
